package lab

import (
	"bytes"
	"context"
	"crypto/rsa"
	"crypto/x509"
	"encoding/binary"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cse-piv/cse-piv/internal/lab/fault"
	"github.com/cse-piv/cse-piv/internal/lab/pcscd"
)

// start runs a lab for the duration of a test.
func start(t *testing.T, options Options) *Lab {
	t.Helper()
	l, err := Start(context.Background(), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

func get(t *testing.T, url string) (int, []byte) {
	t.Helper()
	response, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, body
}

func post(t *testing.T, url, body string) (int, string) {
	t.Helper()
	response, err := http.Post(url, "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(answer)
}

func TestFilesAndEnvironment(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "lab's own")
	l := start(t, Options{Dir: dir})
	for name, mode := range map[string]fs.FileMode{
		"":                       0o700 | fs.ModeDir,
		"env":                    0o600,
		"service-account.json":   0o600,
		"attestation-roots.pem":  0o644,
		"ca":                     0o700 | fs.ModeDir,
		"ca/root.pem":            0o644,
		"ca/root.key":            0o600,
		"ca/issuing.pem":         0o644,
		"ca/issuing.key":         0o600,
		"attestation":            0o700 | fs.ModeDir,
		"pcscd.comm":             0o600 | fs.ModeSocket,
		"attestation/absent.pem": 0,
	} {
		info, err := os.Stat(filepath.Join(dir, name))
		if mode == 0 {
			if !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if err != nil {
			t.Error(err)
		} else if info.Mode() != mode {
			t.Errorf("%s has mode %v, want %v", name, info.Mode(), mode)
		}
	}

	// A shell that reads the file sees what Env says, quote in the path or not.
	for name, want := range l.Env() {
		out, err := exec.Command("/bin/sh", "-c", `. "$1/env"; eval "printf %s \"\$$2\""`, "sh", dir, name).Output()
		if err != nil {
			t.Fatal(err)
		}
		if string(out) != want || want == "" {
			t.Errorf("%s is %q in the shell, %q in Env", name, out, want)
		}
	}

	// What is practised is not kept where what is real is.
	for _, name := range []string{"CSE_PIV_STORE", "CSE_PIV_EVIDENCE", "CSE_PIV_ESCROW_DIR"} {
		if place := l.Env()[name]; filepath.Dir(place) != l.Dir() {
			t.Errorf("%s is %q, outside the lab", name, place)
		}
	}

	rest, err := os.ReadFile(l.Env()["CSE_PIV_ATTESTATION_ROOTS"])
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(rest)
	if block == nil || !bytes.Equal(block.Bytes, l.Authority().Roots()[0].Raw) {
		t.Error("attestation-roots.pem does not begin with the authority's root")
	}
	if code, body := get(t, l.Env()["CSE_PIV_ISSUER"]+"/cacerts"); code != http.StatusOK || len(body) == 0 {
		t.Errorf("EST cacerts: %d, %d bytes", code, len(body))
	}
	if code, _ := get(t, l.url+"gmail/v1/users/a@lab.example/settings/cse/keypairs"); code != http.StatusUnauthorized {
		t.Errorf("Gmail API without a token: %d", code)
	}
}

// TestOtherShells: what the shells of Windows read is what Env says.
func TestOtherShells(t *testing.T) {
	env := map[string]string{"CSE_PIV_CREDENTIALS": `C:\Müller's\100%\key.json`, "LAB_PCSC": "127.0.0.1:1"}
	if got, want := string(commandSettings(`C:\lab`, env)), "@set \"CSE_PIV_CREDENTIALS=C:\\Müller's\\100%%\\key.json\"\r\n@set \"LAB_PCSC=127.0.0.1:1\"\r\n"; got != want {
		t.Errorf("cmd.exe would read\n%s", got)
	}
	own := map[string]string{"CSE_PIV_CREDENTIALS": filepath.Join("Büro", "100%", "key.json")}
	if got, want := string(commandSettings("Büro", own)), "@set \"CSE_PIV_CREDENTIALS=%~dp0"+filepath.Join("100%%", "key.json")+"\"\r\n"; got != want {
		t.Errorf("cmd.exe would read\n%s", got)
	}
	if got, want := string(powerShellSettings(env)), "\ufeff$env:CSE_PIV_CREDENTIALS = 'C:\\Müller''s\\100%\\key.json'\r\n$env:LAB_PCSC = '127.0.0.1:1'\r\n"; got != want {
		t.Errorf("PowerShell would read\n%s", got)
	}
}

// TestReadersOnLoopback: the readers answer on a port too, and without the socket where
// there is to be none.
func TestReadersOnLoopback(t *testing.T) {
	for _, none := range []bool{false, true} {
		l := start(t, Options{PCSCListen: "127.0.0.1:0", NoSocket: none})
		if socket, there := l.Env()["PCSCLITE_CSOCK_NAME"]; there == none {
			t.Errorf("without a socket %v: %q", none, socket)
		}
		conn, err := net.Dial("tcp", l.Env()["LAB_PCSC"])
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		// The command 0x12 of pcsc-lite's protocol has no body and asks for the readers.
		if err := binary.Write(conn, binary.NativeEndian, []uint32{0, 0x12}); err != nil {
			t.Fatal(err)
		}
		name := make([]byte, len(l.Names()[0]))
		if _, err := io.ReadFull(conn, name); err != nil || string(name) != l.Names()[0] {
			t.Errorf("the first reader is %q, %v", name, err)
		}
	}
	if _, err := Start(t.Context(), Options{PCSCListen: "256.0.0.1:1"}); err == nil {
		t.Error("a port that there is not was accepted")
	}
}

func TestTemporaryLabLeavesNothing(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	l, err := Start(context.Background(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(l.Dir(), "env")); err != nil {
		t.Error(err)
	}
	for range 2 {
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
	left, err := os.ReadDir(os.Getenv("TMPDIR"))
	if err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	if _, err := net.DialTimeout("tcp", strings.TrimSuffix(strings.TrimPrefix(l.url, "http://"), "/"), time.Second); err == nil {
		t.Error("the HTTP server is still there")
	}
}

func TestSocketMovesOutOfALongDirectory(t *testing.T) {
	dir := filepath.Join(t.TempDir(), strings.Repeat("long", 30))
	l := start(t, Options{Dir: dir})
	socket := l.Env()["PCSCLITE_CSOCK_NAME"]
	if len(socket) > longestSocketPath || strings.HasPrefix(socket, dir) {
		t.Errorf("socket %s", socket)
	}
	if _, err := os.Stat(socket); err != nil {
		t.Error(err)
	}
}

func TestNextStartTakesUpTheOldOne(t *testing.T) {
	dir, state := t.TempDir(), filepath.Join(t.TempDir(), "card.json")
	read := func() map[string]string {
		l := start(t, Options{Dir: dir, CardState: state})
		defer l.Close()
		key, err := os.ReadFile(filepath.Join(dir, "ca", "issuing.key"))
		if err != nil {
			t.Fatal(err)
		}
		raw, err := os.ReadFile(filepath.Join(dir, "service-account.json"))
		if err != nil {
			t.Fatal(err)
		}
		var account map[string]string
		if err := json.Unmarshal(raw, &account); err != nil {
			t.Fatal(err)
		}
		return map[string]string{
			"issuing key":      string(key),
			"service account":  account["private_key"],
			"attestation root": string(l.Authority().Roots()[0].Raw),
			"card":             string(rune(l.Card(0).Serial())),
		}
	}
	if diff := cmp.Diff(read(), read()); diff != "" {
		t.Error(diff)
	}
}

func TestBadOptions(t *testing.T) {
	dir := t.TempDir()
	notPEM := filepath.Join(dir, "not.pem")
	if err := os.WriteFile(notPEM, []byte("nothing"), 0o600); err != nil {
		t.Fatal(err)
	}
	broken := filepath.Join(dir, "broken")
	if err := os.MkdirAll(broken, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(broken, "service-account.json"), []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, options := range map[string]Options{
		"firmware":        {Firmware: "five"},
		"domain":          {Domain: "a@b"},
		"fault":           {Faults: []string{"rain"}},
		"readers":         {Readers: 17},
		"root":            {TrustRoots: []string{notPEM}},
		"no root":         {TrustRoots: []string{filepath.Join(dir, "absent")}},
		"latency":         {Latency: -1},
		"socket":          {Socket: strings.Repeat("/long", 30)},
		"service account": {Dir: broken},
		"address":         {Listen: "256.0.0.1:1"},
	} {
		if l, err := Start(context.Background(), options); err == nil {
			t.Errorf("%s: accepted", name)
			l.Close()
		}
	}
}

func TestReadersPullAndInsert(t *testing.T) {
	l := start(t, Options{Readers: 2, Serial: 4711, Firmware: "5.4.3"})
	if a, b := l.Card(0).Serial(), l.Card(1).Serial(); a != 4711 || b != 4712 {
		t.Errorf("serials %d and %d", a, b)
	}
	first := l.Card(0)
	if err := l.Insert(0, nil); !errors.Is(err, pcscd.ErrOccupied) {
		t.Errorf("insert into an occupied reader: %v", err)
	}
	if err := l.Pull(0); err != nil {
		t.Fatal(err)
	}
	if err := l.Pull(0); !errors.Is(err, pcscd.ErrEmpty) {
		t.Errorf("pulled twice: %v", err)
	}
	if l.Inserted(0) || !l.Inserted(1) || l.Card(0) != first {
		t.Error("the wrong card was pulled, or forgotten")
	}
	if err := l.Insert(0, nil); err != nil {
		t.Fatal(err)
	}
	if !l.Inserted(0) || l.Card(0) != first {
		t.Error("the same card should be back")
	}
	if err := l.Pull(2); !errors.Is(err, pcscd.ErrNoReader) {
		t.Errorf("third of two readers: %v", err)
	}
	if l.Card(2) != nil || l.Card(-1) != nil {
		t.Error("a card in no reader")
	}

	empty := start(t, Options{NoCard: true})
	if err := empty.Insert(0, nil); !errors.Is(err, ErrNoCard) {
		t.Errorf("the last card of a reader that never had one: %v", err)
	}
	if none := start(t, Options{Readers: -1}); len(none.Names()) != 0 {
		t.Errorf("readers: %v", none.Names())
	}
}

func TestControlReaders(t *testing.T) {
	l := start(t, Options{Serial: 1234567})
	control := l.ControlURL()
	for _, step := range []struct {
		path, body string
		code       int
		contains   string
	}{
		{"readers/0/pull", "", http.StatusOK, `"inserted":false`},
		{"readers/0/pull", "", http.StatusConflict, "no card"},
		{"readers/7/pull", "", http.StatusNotFound, "no such reader"},
		{"readers/x/pull", "", http.StatusNotFound, "no such reader"},
		{"readers/0/insert", "", http.StatusOK, `"serial":1234567`},
		{"readers/0/insert", "", http.StatusConflict, "there is a card"},
		{"readers/0/pull", "", http.StatusOK, ""},
		{"readers/0/insert", `{"serial": 42, "firmware": "5.4.3"}`, http.StatusOK, `"serial":42,"firmware":"5.4.3"`},
		{"readers/0/pull", "", http.StatusOK, ""},
		{"readers/0/insert", `{"firmware": "x"}`, http.StatusBadRequest, "error"},
		{"readers/0/insert", `{"card": 1}`, http.StatusBadRequest, "unknown field"},
		{"readers/0/insert", `{"blank": true}`, http.StatusOK, `"inserted":true`},
		{"readers/0/pull", "", http.StatusOK, ""},
		{"readers/0/insert", `{"foreign": true}`, http.StatusOK, `"inserted":true`},
	} {
		code, answer := post(t, control+step.path, step.body)
		if code != step.code || !strings.Contains(answer, step.contains) {
			t.Errorf("%s %s: %d %s", step.path, step.body, code, answer)
		}
	}
	if code, _ := get(t, control+"readers/0/pull"); code == http.StatusOK {
		t.Error("a GET pulled the card")
	}
	request, err := http.NewRequest(http.MethodPost, control+"readers/0/pull", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Origin", "https://elsewhere.example")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusForbidden {
		t.Errorf("from a web page: %d", response.StatusCode)
	}
}

func TestControlFaultsClockAndCSE(t *testing.T) {
	var log lockedBuffer
	l := start(t, Options{Log: &log})
	control := l.ControlURL()
	if code, answer := post(t, control+"faults", "card:full\npin:blocked\n"); code != http.StatusOK || !strings.Contains(answer, `"set":2`) {
		t.Errorf("faults: %d %s", code, answer)
	}
	if pin := l.Card(0).Snapshot().PIN; pin.Tries != 0 || pin.Value != "123456" {
		t.Errorf("PIN after pin:blocked: %+v", pin)
	}
	if code, answer := post(t, control+"faults", "rain"); code != http.StatusBadRequest || !strings.Contains(answer, "not understood") {
		t.Errorf("unknown fault: %d %s", code, answer)
	}
	if !strings.Contains(log.String(), "card:full") {
		t.Errorf("log: %s", log.String())
	}
	before := l.Gmail().Now()
	if code, answer := post(t, control+"clock", `{"advance": "744h"}`); code != http.StatusOK {
		t.Errorf("clock: %d %s", code, answer)
	}
	if moved := l.Gmail().Now().Sub(before); moved < 744*time.Hour {
		t.Errorf("clock moved by %v", moved)
	}
	for path, body := range map[string]string{"clock": `{"advance": "a month"}`, "cse": `{"email": 1}`, "touch": `[]`} {
		if code, answer := post(t, control+path, body); code != http.StatusBadRequest {
			t.Errorf("%s %s: %d %s", path, body, code, answer)
		}
	}
	if code, answer := post(t, control+"cse", `{"email": "a@lab.example", "on": false}`); code != http.StatusOK {
		t.Errorf("cse: %d %s", code, answer)
	}
	code, body := get(t, control+"users/a@lab.example")
	want := `{"email":"a@lab.example","key_pairs":[],"identities":[]}`
	if code != http.StatusOK || strings.TrimSpace(string(body)) != want {
		t.Errorf("user: %d %s", code, body)
	}
	code, body = get(t, control+"stats")
	var stats Stats
	if err := json.Unmarshal(body, &stats); err != nil || code != http.StatusOK {
		t.Errorf("stats: %d %s %v", code, body, err)
	}
}

func TestFaultsReachTheAPI(t *testing.T) {
	l := start(t, Options{Faults: []string{"api:503@2", "api:reset@3"}, Latency: time.Millisecond})
	token := l.url + "token"
	if code, _ := post(t, token, ""); code == http.StatusServiceUnavailable {
		t.Error("the first call failed, not the second")
	}
	if code, _ := post(t, token, ""); code != http.StatusServiceUnavailable {
		t.Errorf("second call: %d", code)
	}
	if response, err := http.Post(token, "", nil); err == nil {
		response.Body.Close()
		t.Errorf("third call answered: %d", response.StatusCode)
	}
	// The lost connection's call is counted by the handler that lost it, maybe
	// after the client noticed.
	l.Close()
	stats := l.Stats()
	if stats.APICalls != 3 || stats.Methods["token"] != 3 || stats.APIFaults != 2 || stats.InAPI < 3*time.Millisecond {
		t.Errorf("stats: %+v", stats)
	}
	if err := l.SetFaults("rain"); err == nil {
		t.Error("an unknown fault was accepted")
	} else if spec := (*fault.SpecError)(nil); !errors.As(err, &spec) {
		t.Errorf("%T", err)
	}
}

func TestTouch(t *testing.T) {
	l := start(t, Options{ManualTouch: true})
	result := make(chan bool)
	wait := func() {
		go func() { result <- l.touch.wait(l.made[l.Card(0)].presence()) }()
		for l.WaitingForTouch() == 0 {
			time.Sleep(time.Millisecond)
		}
	}
	wait()
	if n := l.Touch(); n != 1 || !<-result {
		t.Errorf("%d cards touched, or the wrong one", n)
	}
	wait()
	if err := l.Pull(0); err != nil {
		t.Fatal(err)
	}
	if <-result {
		t.Error("a card that was pulled counts as touched")
	}
	if code, answer := post(t, l.ControlURL()+"touch", `{"manual": false}`); code != http.StatusOK {
		t.Errorf("%d %s", code, answer)
	}
	if !l.touch.wait(make(chan struct{})) {
		t.Error("not touched at once")
	}
	if code, answer := post(t, l.ControlURL()+"touch", ``); code != http.StatusOK || !strings.Contains(answer, `"touched":0`) {
		t.Errorf("%d %s", code, answer)
	}
}

func TestGivenServiceAccountKey(t *testing.T) {
	dir := t.TempDir()
	l := start(t, Options{Dir: dir})
	l.Close()
	key, err := l.serviceAccountKey()
	if err != nil || key == nil {
		t.Fatal(err)
	}
	other := start(t, Options{ServiceAccountKey: key})
	raw, err := os.ReadFile(other.Env()["CSE_PIV_CREDENTIALS"])
	if err != nil {
		t.Fatal(err)
	}
	var account struct {
		PrivateKey string `json:"private_key"`
		TokenURI   string `json:"token_uri"`
	}
	if err := json.Unmarshal(raw, &account); err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode([]byte(account.PrivateKey))
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	if !parsed.(*rsa.PrivateKey).Equal(key) || account.TokenURI != other.url+"token" {
		t.Errorf("token_uri %s, or another key", account.TokenURI)
	}
}

type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
