package cli_test

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// talk answers a command's questions as they come, and checks its exit code:
// talk CODE DIALOGUE COMMAND ARGS... A dialogue is a file of lines:
//
//	< TEXT            wait until TEXT is said, after what was waited for before
//	> TEXT            type TEXT and press Enter
//	* COMMAND ARGS    do something meanwhile, one of the script's commands
//	^                 interrupt it
//
// The input ends after the last line, unless that is an interrupt. What was said is the script's stderr.
func talk(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 {
		ts.Fatalf("usage: talk CODE DIALOGUE COMMAND ARGS...")
	}
	command := exec.Command(args[2], args[3:]...)
	command.Dir = ts.Getenv("WORK")
	for _, name := range talkEnvironment {
		if value := ts.Getenv(name); value != "" {
			command.Env = append(command.Env, name+"="+value)
		}
	}
	path, err := exec.LookPath(args[2])
	ts.Check(err)
	command.Path = path
	var said heard
	command.Stdout, command.Stderr = ts.Stdout(), io.MultiWriter(&said, ts.Stderr())
	keyboard, err := command.StdinPipe()
	ts.Check(err)
	ts.Check(command.Start())
	ended := make(chan struct{})
	var end error
	go func() {
		defer close(ended)
		end = command.Wait()
	}()
	failed := true
	defer func() {
		if failed {
			_ = command.Process.Kill()
			<-ended
		}
	}()
	at, interrupted := 0, false
	for _, line := range strings.Split(strings.TrimSpace(ts.ReadFile(args[1])), "\n") {
		what, text, _ := strings.Cut(line, " ")
		switch what {
		case "<":
			if at, err = said.await(text, at, ended); err != nil {
				ts.Fatalf("%q is not said, but:\n%s", text, said.from(at))
			}
		case ">":
			if _, err := io.WriteString(keyboard, text+"\n"); err != nil {
				ts.Fatalf("%q cannot be typed: %v; it was said:\n%s", text, err, said.from(at))
			}
		case "*":
			words := strings.Fields(text)
			meanwhile[words[0]](ts, false, words[1:])
		case "^":
			ts.Check(command.Process.Signal(os.Interrupt))
			interrupted = true
		case "#", "":
		default:
			ts.Fatalf("%q is not a line of a dialogue", line)
		}
	}
	if !interrupted {
		_ = keyboard.Close() // which fails where the command has ended
	}
	<-ended
	failed = false
	if end != nil && !errors.As(end, new(*exec.ExitError)) {
		ts.Fatalf("%v", end)
	}
	if got := strconv.Itoa(command.ProcessState.ExitCode()); got != args[0] {
		ts.Fatalf("exit code %s, want %s", got, args[0])
	}
}

// meanwhile is what can be done while a command asks.
var meanwhile = map[string]func(*testscript.TestScript, bool, []string){
	"pull": pull, "insert": insert, "reinsert": reinsert, "foreign": foreign, "sign": sign, "fault": fault, "holds": holds,
}

// talkEnvironment is what a command is given of the script's environment.
var talkEnvironment = []string{
	"PATH", "HOME", "TMPDIR", "XDG_DATA_HOME", "CSE_PIV_RETRY_BASE", "CSE_PIV_STORE", "CSE_PIV_CA_CERT", "CSE_PIV_CA_KEY", "PCSCLITE_CSOCK_NAME",
	"CSE_PIV_CREDENTIALS", "CSE_PIV_CLIENT", "BROWSER", "CSE_PIV_SERVICE_ACCOUNT", "CSE_PIV_KEY_SERIAL", "CSE_PIV_KEY_PIN_FILE", "CSE_PIV_GMAIL_ENDPOINT", "CSE_PIV_AUTH_ENDPOINT",
	"CSE_PIV_ISSUER", "CSE_PIV_ISSUER_DIR", "CSE_PIV_ATTESTATION_ROOTS",
}

// heard is what a command said so far.
type heard struct {
	mu   sync.Mutex
	text []byte
}

func (h *heard) Write(data []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.text = append(h.text, data...)
	return len(data), nil
}

func (h *heard) from(at int) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return string(h.text[at:])
}

// longSilence is after how long without a word a command is taken to say no more.
const longSilence = 5 * time.Minute

// await returns where text ends that is said after at, before the command ended.
func (h *heard) await(text string, at int, ended <-chan struct{}) (int, error) {
	for length, since := 0, time.Now(); time.Since(since) < longSilence; {
		over := false
		select {
		case <-ended:
			over = true
		case <-time.After(5 * time.Millisecond):
		}
		said := h.from(at)
		if i := strings.Index(said, text); i >= 0 {
			return at + i + len(text), nil
		}
		if over {
			break
		}
		if len(said) > length {
			length, since = len(said), time.Now()
		}
	}
	return at, errors.New("it is not said")
}
