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
