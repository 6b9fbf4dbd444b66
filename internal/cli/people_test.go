package cli_test

import (
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/gofrs/flock"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/lab/ca"
)

// people makes N users with certificates of the lab's CA: people N NAME [DOMAIN]. It
// writes a folder NAME with a file for each, manifests NAME.csv and NAME.ndjson
// of them, and the CA's own certificates as chain.pem.
func people(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: people N NAME [DOMAIN]")
	}
	domain := append(args, "lab.example")[2]
	n, err := strconv.Atoi(args[0])
	ts.Check(err)
	folder := ts.MkAbs(args[1])
	ts.Check(os.MkdirAll(folder, 0o755))
	table, objects := "email,certificate\n", ""
	for i := 1; i <= n; i++ {
		email := fmt.Sprintf("user%d@%s", i, domain)
		name := email + ".pem"
		ts.Check(os.WriteFile(filepath.Join(folder, name), issue(ts, email), 0o600))
		path := args[1] + "/" + name
		table += email + "," + path + "\n"
		object, err := json.Marshal(map[string]string{"email": email, "certificate": path})
		ts.Check(err)
		objects += string(object) + "\n"
	}
	ts.Check(os.WriteFile(folder+".csv", []byte(table), 0o600))
	ts.Check(os.WriteFile(folder+".ndjson", []byte(objects), 0o600))
	authority := labOf(ts).CA()
	ts.Check(os.WriteFile(ts.MkAbs("chain.pem"), certificate.EncodePEM(authority.Issuing(), authority.Root()), 0o600))
}

// certificateFile makes one user's certificate: certificate EMAIL FILE [PROFILE].
func certificateFile(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: certificate EMAIL FILE [PROFILE]")
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), issue(ts, args[0], args[2:]...), 0o600))
}

// revoke has the lab's CA revoke a certificate: revoke FILE.
func revoke(ts *testscript.TestScript, neg bool, args []string) {
	block, _ := pem.Decode([]byte(ts.ReadFile(args[0])))
	if block == nil {
		ts.Fatalf("%s holds no PEM", args[0])
	}
	revoked, err := x509.ParseCertificate(block.Bytes)
	ts.Check(err)
	ts.Check(labOf(ts).CA().Revoke(revoked.SerialNumber))
}

// issue returns a leaf for a new key, in PEM.
func issue(ts *testscript.TestScript, email string, profile ...string) []byte {
	certificate, err := issueBy(labOf(ts).CA(), email, profile...)
	ts.Check(err)
	return certificate
}

// issueBy has an authority of the lab issue a certificate for a key that is nowhere.
func issueBy(authority *ca.CA, email string, profile ...string) ([]byte, error) {
	named, err := ca.Named(strings.Join(append(profile, "standard")[:1], ""), time.Now())
	if err != nil {
		return nil, err
	}
	chain, err := authority.Issue(email, nil, named)
	if err != nil {
		return nil, err
	}
	return certificate.EncodePEM(chain[0]), nil
}

// held has this process hold a ledger as another batch would: held FILE.
func held(ts *testscript.TestScript, neg bool, args []string) {
	lock := flock.New(ts.MkAbs(args[0]) + ".lock")
	got, err := lock.TryLock()
	ts.Check(err)
	if !got {
		ts.Fatalf("the ledger is held already")
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0])+".holder", []byte("process 4711 on desk-2\n"), 0o600))
	ts.Defer(func() { _ = lock.Close() })
	ts.Value(scriptLock{}).(*scriptLock).Flock = lock
}

// scriptLock is the lock on a ledger that the script holds.
type scriptLock struct{ *flock.Flock }

// released lets go of what held holds.
func released(ts *testscript.TestScript, neg bool, args []string) {
	ts.Check(ts.Value(scriptLock{}).(*scriptLock).Close())
}

// says waits until a file, written by a command in the background, has a text:
// says FILE TEXT.
func says(ts *testscript.TestScript, neg bool, args []string) {
	var data []byte
	if !await(ts, func() bool {
		data, _ = os.ReadFile(ts.MkAbs(args[0]))
		return strings.Contains(string(data), args[1])
	}) {
		ts.Fatalf("%s does not say %q but %q", args[0], args[1], data)
	}
}

// registered waits until Gmail holds a user's identity: registered EMAIL.
func registered(ts *testscript.TestScript, neg bool, args []string) {
	if !await(ts, func() bool { return len(labOf(ts).Gmail().Identities(args[0])) > 0 }) {
		ts.Fatalf("%s is never registered", args[0])
	}
}

// await waits until the commands in the background have made something so, however
// long it takes them; false where they have ended without.
func await(ts *testscript.TestScript, so func() bool) bool {
	for !so() {
		if !slices.ContainsFunc(ts.BackgroundCmds(), func(command *exec.Cmd) bool {
			return !errors.Is(command.Process.Signal(syscall.Signal(0)), os.ErrProcessDone)
		}) {
			return so()
		}
		time.Sleep(10 * time.Millisecond)
	}
	return true
}

// interrupt interrupts the commands in the background as soon as Gmail holds a
// user's identity: interrupt EMAIL.
func interrupt(ts *testscript.TestScript, neg bool, args []string) {
	registered(ts, neg, args)
	interruptAll(ts)
}

// scriptInterrupted holds the commands that a script interrupted.
type scriptInterrupted struct{}

// interruptAll interrupts what runs in the background.
func interruptAll(ts *testscript.TestScript) {
	for _, command := range ts.BackgroundCmds() {
		ts.Check(command.Process.Signal(os.Interrupt))
	}
	*ts.Value(scriptInterrupted{}).(*[]*exec.Cmd) = ts.BackgroundCmds()
}

// ended checks the exit code of the commands that were interrupted: ended CODE.
func ended(ts *testscript.TestScript, neg bool, args []string) {
	for _, command := range *ts.Value(scriptInterrupted{}).(*[]*exec.Cmd) {
		if got := fmt.Sprint(command.ProcessState.ExitCode()); got != args[0] {
			ts.Fatalf("it ended with exit code %s", got)
		}
	}
}

// lastLine leaves only the last line of standard output, for json: lastline.
func lastLine(ts *testscript.TestScript, neg bool, args []string) {
	lines := strings.Split(strings.TrimSpace(ts.ReadFile("stdout")), "\n")
	_, err := ts.Stdout().Write([]byte(lines[len(lines)-1]))
	ts.Check(err)
}

// jsonLines checks that each line of the last output is a JSON object: jsonlines
// stdout|stderr.
func jsonLines(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: jsonlines stdout|stderr")
	}
	text := strings.TrimSpace(ts.ReadFile(args[0]))
	if text == "" {
		ts.Fatalf("%s is empty", args[0])
	}
	for line := range strings.Lines(text) {
		var object map[string]any
		if err := json.Unmarshal([]byte(line), &object); err != nil {
			ts.Fatalf("%s: %v", line, err)
		}
	}
}
