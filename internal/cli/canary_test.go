//go:build linux

package cli_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"filippo.io/age"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/lab"
)

// canaryDesk is a desk whose secrets can be told from everything else, sealed to
// somebody who is not there.
type canaryDesk struct {
	*desk
	canaries map[string]string // by what they are
	inputs   string            // the folder with what they are given in
}

func newCanaryDesk(t *testing.T) *canaryDesk {
	t.Helper()
	running := longPowerLab(t)
	c := &canaryDesk{newDesk(t, running, "5.7.4", 70_000_001), map[string]string{
		"PIN": "73914628", "PUK": "80265531", "management key": "c0ffee5ec4e7a11dba5eba11feedfacecafed00d0b5e55ed",
		"access token": "ya29.lab.",
	}, t.TempDir()}
	identity, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	c.enroll = []string{"enroll", c.user, "--yes", "--algorithm", "eccp256", "--escrow-to", identity.Recipient().String(),
		"--escrow-dir", filepath.Join(c.dir, "escrow"), "--evidence", filepath.Join(c.dir, "evidence"),
		"--store", filepath.Join(c.dir, "ledger.db"), "--events"}
	c.input("identity", identity.String())
	for name, what := range map[string]string{"pin": "PIN", "puk": "PUK", "management-key": "management key"} {
		c.enroll = append(c.enroll, "--"+name+"-file", c.input(name, c.canaries[what]+"\n"))
	}
	var account struct {
		Key string `json:"private_key"`
	}
	data, err := os.ReadFile(running.Env()["CSE_PIV_CREDENTIALS"])
	if err != nil || json.Unmarshal(data, &account) != nil {
		t.Fatal(err)
	}
	c.canaries["service account's key"] = strings.Split(account.Key, "\n")[3]
	return c
}

// input writes a file that a command is given, and returns its path.
func (c *canaryDesk) input(name, text string) string {
	c.t.Helper()
	path := filepath.Join(c.inputs, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		c.t.Fatal(err)
	}
	return path
}

// spellings are how a secret can stand in a text: as it is, in hexadecimal, as a card gets it, in base64,
// or as Go prints bytes.
func spellings(secret []byte) []string {
	padded := append(slices.Clone(secret), bytes.Repeat([]byte{0xFF}, max(0, 8-len(secret)))...)
	numbers := strings.Trim(fmt.Sprint(secret), "[]")
	return []string{
		string(secret), fmt.Sprintf("%x", secret), fmt.Sprintf("% x", secret), fmt.Sprintf("%x", padded), strings.ReplaceAll(fmt.Sprintf("% x", secret), " ", ":"),
		base64.RawStdEncoding.EncodeToString(secret[:len(secret)/3*3]), base64.RawURLEncoding.EncodeToString(secret[:len(secret)/3*3]), base64.RawStdEncoding.EncodeToString(padded),
		numbers, strings.ReplaceAll(numbers, " ", ","), url.QueryEscape(string(secret)),
	}
}

// inspect looks for the secrets in a text, as they are and encoded.
func (c *canaryDesk) inspect(where string, text []byte) {
	c.t.Helper()
	for what, canary := range c.canaries {
		forms := spellings([]byte(canary))
		if raw, err := hex.DecodeString(canary); err == nil && strings.HasSuffix(what, "management key") {
			forms = append(forms, spellings(raw)...)
		}
		for _, form := range forms {
			if bytes.Contains(bytes.ToLower(text), []byte(strings.ToLower(form))) {
				c.t.Errorf("%s holds the %s", where, what)
			}
		}
	}
}

// inspectFiles looks into every file that was written.
func (c *canaryDesk) inspectFiles() {
	c.t.Helper()
	files := 0
	err := filepath.WalkDir(c.dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || entry.Name() == "pin" { // newDesk's, which is not used
			return err
		}
		data, err := os.ReadFile(path)
		files++
		c.inspect(path, data)
		return err
	})
	if err != nil || files < 8 {
		c.t.Errorf("%d files were looked into: %v", files, err)
	}
}

// TestNoSecretInWhatIsWritten enrolls a user, quits a run in the middle with a dump
// of its goroutines (SIGQUIT), and looks for the secrets in all that was written:
// output, events, dumps, evidence, the sealed record, the ledger.
func TestNoSecretInWhatIsWritten(t *testing.T) {
	c := newCanaryDesk(t)
	for _, after := range []int64{20, 15, 10} { // each goes on where the one before was
		c.quit(after)
	}
	out, err := c.command(c.enroll...).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	c.inspect("the output", out)
	again, err := c.command(append(c.enroll, "--json")...).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, again)
	}
	c.inspect("the output of a second run", again)
	c.inspectFiles()
	if snapshot := c.card.Snapshot(); snapshot.PIN.Value != c.canaries["PIN"] || snapshot.ManagementKey.Default {
		t.Error("the card has other secrets: nothing was looked for")
	}
}

// TestNoSecretInTheLog enrolls a user and registers some in a batch, both logged at level
// debug, and looks for the secrets in the log.
func TestNoSecretInTheLog(t *testing.T) {
	c := newCanaryDesk(t)
	c.canaries["assertion"] = "eyJhbGciOi"
	file := filepath.Join(c.dir, "log")
	var env []string
	logged := func(args ...string) {
		t.Helper()
		command := c.command(append(args, "--log", file, "--log-level", "debug")...)
		command.Env = append(command.Env, env...)
		if out, err := command.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	logged(c.enroll...)
	logged("card", "pin", "change", "--serial", "70000001", "--pin-file", c.input("old", c.canaries["PIN"]), "--new-pin-file", c.input("new", "31906472"))
	c.canaries["new PIN"] = "31906472"

	// A CA that wants a password, and a user's own login.
	c.canaries["password at the CA"], c.canaries["login"], c.canaries["client's secret"] = "correct-horse-battery", "1//lab-", "GOCSPX-practice"
	c.canaries["basic authentication"] = base64.StdEncoding.EncodeToString([]byte("desk:correct-horse-battery"))
	second := newDesk(t, c.lab, "5.7.4", 70_000_002)
	logged(append(second.enroll, "--store", filepath.Join(c.dir, "ledger.db"), "--issuer-user", "desk", "--issuer-password-file", c.input("password", c.canaries["password at the CA"]))...)
	env = []string{"BROWSER=browser", "CSE_PIV_CREDENTIALS="}
	logged("keypair", "list", second.user, "--self")
	env = nil

	manifest := "email,certificate\n"
	for i := range 3 {
		email := fmt.Sprintf("somebody-%d@lab.example", i)
		certificate, err := issueBy(c.lab.CA(), email)
		if err != nil {
			t.Fatal(err)
		}
		manifest += email + "," + filepath.Base(c.input(email+".pem", string(certificate))) + "\n"
	}
	chain := string(certificate.EncodePEM(c.lab.CA().Issuing(), c.lab.CA().Root()))
	logged("batch", c.input("people.csv", manifest), "--chain", c.input("chain.pem", chain), "--store", filepath.Join(c.dir, "batch.db"), "--revocation", "soft")

	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	count := map[string]int{}
	for line := range bytes.Lines(text) {
		var record struct {
			Msg, Instruction, Data, Email, Path, Step string
			Attempt, Card                             int
		}
		if err := json.Unmarshal(line, &record); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		count[record.Msg]++
		count["instruction "+record.Instruction]++
		if record.Msg == "http" {
			count[record.Path]++
		}
		switch {
		case record.Msg == "http" && record.Attempt < 1, record.Msg == "enrollment" && (record.Email == "" || record.Card == 0 && record.Step != "read-card"):
			t.Errorf("it does not say what it is about: %s", line)
		}
		for _, name := range []string{"run", "email", "card", "attempt", "user_attempt", "reader", "step"} {
			if bytes.Count(line, []byte(`"`+name+`":`)) > 1 {
				t.Errorf("%s is said twice: %s", name, line)
			}
		}
	}
	for _, message := range []string{"begun", "ended", "enrollment", "card command", "card operation", "http", "batch", "instruction 20", "instruction 87", "instruction FF", "instruction DB", "/.well-known/est/simpleenroll", "/token"} {
		if count[message] == 0 {
			t.Errorf("%s is not in the log: %v", message, count)
		}
	}
	c.inspect("the log", text)
}

// TestNoSecretOnTheSecondDay looks for the secrets in what the commands after an enrollment print, log
// and write: for a forgotten PIN, renewals, another card, the end of its use; and in their failures.
func TestNoSecretOnTheSecondDay(t *testing.T) {
	c := newCanaryDesk(t)
	c.canaries["new PIN"], c.canaries["another PIN"], c.canaries["wrong PIN"], c.canaries["new PUK"], c.canaries["wrong PUK"] = "31906472", "59173048", "64829105", "70418263", "93850274"
	c.canaries["wrong management key"] = "facade0ff1ceca55e77ebabe5ca1ab1edeadbea7b01dface"
	c.canaries["password of a copy"] = "horse-battery-staple"
	log := filepath.Join(c.dir, "log")
	run := func(code int, args ...string) {
		t.Helper()
		out, err := c.command(append(args, "--log", log, "--log-level", "debug")...).CombinedOutput()
		c.inspect("what "+strings.Join(args[:2], " ")+" prints", out)
		if code == 0 && err != nil || code != 0 && !isExit(code)(err) {
			t.Fatalf("%v: %v\n%s", args, err, out)
		}
	}
	given := func(name, what string) string { return c.input(name, c.canaries[what]) }
	ledger, escrow, evidence := filepath.Join(c.dir, "ledger.db"), filepath.Join(c.dir, "escrow"), filepath.Join(c.dir, "evidence")
	identity, to := filepath.Join(c.inputs, "identity"), c.enroll[slices.Index(c.enroll, "--escrow-to")+1]
	run(0, slices.DeleteFunc(slices.Clone(c.enroll), func(arg string) bool { return arg == "--events" })...)

	run(6, "card", "pin", "change", "--pin-file", given("wrong", "wrong PIN"), "--new-pin-file", given("new", "new PIN"))
	run(0, "card", "pin", "change", "--pin-file", given("old", "PIN"), "--new-pin-file", given("new", "new PIN"))
	run(6, "card", "pin", "unblock", "--puk-file", given("wrong", "wrong PUK"), "--new-pin-file", given("another", "another PIN"))
	run(0, "card", "pin", "unblock", "--puk-file", given("puk", "PUK"), "--escrow-to", to, "--escrow-dir", escrow, "--new-pin-file", given("another", "another PIN"))
	c.canaries["PUK that took the place of one that was used"] = c.card.Snapshot().PUK.Value
	run(6, "card", "puk", "change", "--puk-file", given("wrong", "wrong PUK"), "--new-puk-file", given("new", "new PUK"))
	for _, line := range []string{
		"openssl ecparam -name prime256v1 -genkey -noout -out old.key",
		"openssl req -x509 -new -key old.key -subj /CN=Old -addext subjectAltName=email:" + c.user + " -days 30 -out old.pem",
		"openssl pkcs12 -export -inkey old.key -in old.pem -passout file:" + given("password", "password of a copy") + " -out old.p12",
	} {
		words := strings.Fields(line)
		made := c.program(words[0], words[1:]...)
		made.Dir = c.inputs
		if out, err := made.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", line, err, out)
		}
	}
	key, err := os.ReadFile(filepath.Join(c.inputs, "old.key"))
	if err != nil {
		t.Fatal(err)
	}
	c.canaries["key of a copy"] = strings.Split(string(key), "\n")[1]
	copied := []string{"--p12", filepath.Join(c.inputs, "old.p12")}
	imported := append([]string{"card", "import", "--slot", "83", "--store", ledger, "--escrow-dir", escrow}, copied...)
	run(1, append(imported, "--password-file", given("wrong", "wrong PIN"))...)
	run(1, append(imported, "--password-file", filepath.Join(c.inputs, "password"), "--management-key-file", given("wrong", "wrong management key"))...)
	run(0, append(imported, "--password-file", filepath.Join(c.inputs, "password"), "--management-key-file", given("management-key", "management key"))...)
	run(0, "card", "history", "--repair", "--management-key-file", given("management-key", "management key"), "--escrow-dir", escrow)
	run(0, "keypair", "history", c.user, "--store", ledger)
	renew := []string{"renew", c.user, "--before", "3650d", "--yes", "--pin-file", given("another", "another PIN"), "--management-key-file", given("management-key", "management key"), "--escrow-dir", escrow, "--evidence", evidence, "--store", ledger}
	run(6, append(slices.Clone(renew), "--pin-file", given("wrong", "wrong PIN"))...)
	run(0, append(slices.Clone(renew), "--pin-file", given("another", "another PIN"))...)
	run(0, append(slices.Clone(renew), "--same-key")...)
	run(0, "escrow", "show", "--serial", "70000001", "--escrow-dir", escrow, "--escrow-identity", identity)
	run(0, "escrow", "drill", "--escrow-dir", escrow, "--escrow-identity", identity)
	run(3, "escrow", "drill", "--escrow-dir", escrow)
	run(0, "status", c.user, "--store", ledger)
	run(0, "status", "--card", "--store", ledger, "--evidence", evidence)
	run(0, "report", "expiring", "--within", "3650d", "--ask-gmail", "--store", ledger)

	former := c.card
	c.desk = &desk{t: t, lab: c.lab, dir: c.dir, user: c.user, enroll: c.enroll, card: newDesk(t, c.lab, "5.7.4", 70_000_003).card}
	run(0, append([]string{"replace", c.user, "--reason", "lost", "--confirm-end", c.user, "--yes", "--algorithm", "eccp256", "--pin-file", given("pin", "PIN"), "--puk-file", given("puk", "PUK"),
		"--management-key-file", given("management-key", "management key"), "--escrow-to", to, "--escrow-dir", escrow, "--evidence", evidence, "--store", ledger,
		"--password-file", given("password", "password of a copy")}, copied...)...)
	run(0, "undo", c.user, "--no-identity", "--clear-card", "70000003", "--confirm", c.user, "--management-key-file", given("management-key", "management key"), "--escrow-dir", escrow, "--evidence", evidence, "--store", ledger)
	run(0, "leave", c.user, "--confirm", c.user, "--store", ledger)
	run(0, "card", "reset", "--confirm", "70000003", "--store", ledger, "--escrow-dir", escrow)
	run(0, "card", "init", "--yes", "--protect-management-key", "--pin-file", given("pin", "PIN"), "--escrow-to", to, "--escrow-dir", escrow, "--evidence", evidence, "--store", ledger)
	c.canaries["PUK of a card that was made ready"] = c.card.Snapshot().PUK.Value
	_ = c.lab.Pull(0)
	run(5, "card", "reset", "--confirm", "70000003")

	text, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	for _, done := range []string{"CHANGE REFERENCE DATA (PIN)", "CHANGE REFERENCE DATA (PUK)", "RESET RETRY COUNTER", `"instruction":"20"`, `"instruction":"87"`, `"instruction":"FE"`, `"instruction":"FF"`, `"instruction":"FB"`, `"instruction":"F6"`, `"instruction":"DB"`} {
		if !bytes.Contains(text, []byte(done)) {
			t.Errorf("%s is not in the log", done)
		}
	}
	c.inspectFiles()
	if now := former.Snapshot(); now.PIN.Value != c.canaries["another PIN"] || now.PUK.Value == c.canaries["PUK"] {
		t.Error("the card has other secrets: nothing was looked for")
	}
}

// quit starts the enrollment, ends it with SIGQUIT after so many commands to the
// card, and looks into what Go prints then.
func (c *canaryDesk) quit(after int64) {
	c.t.Helper()
	first := c.command(c.enroll...)
	first.Env = append(first.Env, "GOTRACEBACK=all")
	var said bytes.Buffer
	first.Stdout, first.Stderr = &said, &said
	before := c.lab.Stats().APDUs
	if err := first.Start(); err != nil {
		c.t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- first.Wait() }()
	for c.lab.Stats().APDUs-before < after {
		select {
		case <-ended:
			c.t.Fatalf("it ended before %d commands: %s", after, said.String())
		case <-time.After(100 * time.Microsecond):
		}
	}
	limits, err := os.ReadFile(fmt.Sprintf("/proc/%d/limits", first.Process.Pid))
	if err == nil && !strings.Contains(strings.Join(strings.Fields(string(limits)), " "), "Max core file size 0 0 bytes") {
		c.t.Errorf("a core would be written:\n%s", limits)
	}
	_ = first.Process.Signal(syscall.SIGQUIT)
	if err := <-ended; err == nil || !strings.Contains(said.String(), "goroutine ") {
		c.t.Errorf("no dump after %d commands: %v", after, err)
	}
	c.inspect(fmt.Sprintf("the dump after %d commands", after), said.Bytes())
}

// TestDirectoryInTheLog: what the directory is asked is logged for the user for whom it is,
// and without what is secret.
func TestDirectoryInTheLog(t *testing.T) {
	d := newLabDesk(t, lab.Options{NoCard: true, Directory: true})
	d.crowd(3)
	command := exec.Command("cse-piv", "batch", "people.csv", "--chain", "chain.pem", "--store", "ledger.db", "--directory", "admin@lab.example", "--log", "log", "--log-level", "debug")
	command.Env, command.Dir = d.env, d.dir
	if out, err := command.CombinedOutput(); command.ProcessState.ExitCode() != 3 { // one row is bad
		t.Fatalf("%v\n%s", err, out)
	}
	text, err := os.ReadFile(filepath.Join(d.dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	asked := 0
	for line := range bytes.Lines(text) {
		var record struct {
			Path, Email string
			Attempt     int
		}
		if err := json.Unmarshal(line, &record); err != nil {
			t.Fatal(err)
		}
		user, found := strings.CutPrefix(record.Path, "/admin/directory/v1/users/")
		if !found {
			continue
		}
		if asked++; record.Attempt != 1 || strings.Replace(record.Email, "@", "%40", 1) != user {
			t.Errorf("%s", line)
		}
	}
	if asked < 3 {
		t.Errorf("the directory was asked %d times", asked)
	}
	for _, canary := range []string{"ya29.", "eyJ", "PRIVATE KEY"} {
		if bytes.Contains(text, []byte(canary)) {
			t.Errorf("%s is in the log", canary)
		}
	}
}
