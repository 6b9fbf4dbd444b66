package cli_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cse-piv/cse-piv/internal/terminal"
	"github.com/cse-piv/cse-piv/internal/testenv"
)

// canary is the PIN that is typed in these tests. It must never be seen.
const canary = "kNr7!qX2"

// wizard is the program on a terminal of 80 columns and 24 lines, typed into as
// by a person.
type wizard struct {
	*terminal.Session
	t   *testing.T
	dir string // of the demo
}

// startWizard opens the demo with further arguments. It must have shown nothing
// of the PIN when the test ends.
func startWizard(t *testing.T, args ...string) *wizard {
	t.Helper()
	// Not t.TempDir: the path of the lab's socket has to be short.
	dir, err := os.MkdirTemp("", "wizard")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return startDemo(t, terminal.Options{}, dir, args...)
}

// startDemo opens the demo on a terminal of its own.
func startDemo(t *testing.T, options terminal.Options, dir string, args ...string) *wizard {
	t.Helper()
	options.Env = append(environment(dir), options.Env...)
	return startProgram(t, options, dir, append([]string{"demo", "--dir", dir}, args...)...)
}

// startProgram runs the program on a terminal of its own.
func startProgram(t *testing.T, options terminal.Options, dir string, args ...string) *wizard {
	t.Helper()
	program, err := exec.LookPath("cse-piv") // testscript's, which is this test's program
	if err != nil {
		t.Fatal(err)
	}
	options.Command = append([]string{program}, args...)
	session, err := terminal.Start(t.Context(), options)
	if errors.Is(err, terminal.ErrNoTmux) {
		testenv.Missing(t, "%v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	w := &wizard{Session: session, t: t, dir: dir}
	t.Cleanup(func() {
		w.keptSecret()
		if err := session.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

// see waits until all texts are on the screen at once.
func (w *wizard) see(texts ...string) string {
	w.t.Helper()
	screen, err := w.WaitFor(w.t.Context(), texts...)
	if err != nil {
		w.t.Fatal(err)
	}
	return screen
}

// at waits for a screen by its station, and for texts on it.
func (w *wizard) at(station string, texts ...string) string {
	w.t.Helper()
	return w.see(append(texts, "["+station+"]")...)
}

// checked waits for the start screen once every check is finished and found no fault, and for
// texts on it.
func (w *wizard) checked(texts ...string) {
	w.t.Helper()
	texts = append(texts, "[Start]", "key pairs")
	_, err := w.WaitUntil(w.t.Context(), fmt.Sprintf("the start with all checks finished, and %q", texts), func(screen string) bool {
		missing := slices.ContainsFunc(texts, func(text string) bool { return !terminal.Shows(screen, text) })
		return !missing && !strings.Contains(screen, " looking") && !strings.Contains(screen, "✗")
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

// press presses keys, by tmux's names.
func (w *wizard) press(keys ...string) {
	w.t.Helper()
	if err := w.Keys(w.t.Context(), keys...); err != nil {
		w.t.Fatal(err)
	}
}

// enter types text, then enter.
func (w *wizard) enter(text string) {
	w.t.Helper()
	if err := w.Type(w.t.Context(), text); err != nil {
		w.t.Fatal(err)
	}
	w.press("Enter")
}

// newPIN types the canary twice.
func (w *wizard) newPIN() {
	w.t.Helper()
	w.at("PIN", "Type a new PIN")
	w.enter(canary)
	w.see("once more")
	w.enter(canary)
}

// practise opens the drawer of practice cards and does what begins like that.
func (w *wizard) practise(act string) {
	w.t.Helper()
	w.press("C-o")
	screen := w.see("The drawer of practice cards", act)
	lines := strings.Split(screen, "\n")
	index := func(text string) int {
		return slices.IndexFunc(lines, func(line string) bool { return strings.Contains(line, text) })
	}
	for range index(act) - index(" ▸ ") {
		w.press("Down")
	}
	w.see("▸ " + act)
	w.press("Enter")
	if _, err := w.WaitUntil(w.t.Context(), "the closed drawer", func(screen string) bool { return !strings.Contains(screen, "The drawer") }); err != nil {
		w.t.Fatal(err)
	}
}

// exits waits for the end.
func (w *wizard) exits(want int) {
	w.t.Helper()
	got, err := w.Exit(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	if got != want {
		screen, _ := w.Screen(w.t.Context())
		w.t.Fatalf("exit code %d, want %d; the screen:\n%s", got, want, screen)
	}
}

// toUser goes from the start to where a person is chosen.
func (w *wizard) toUser() {
	w.t.Helper()
	w.checked("Queue:", "enter begin")
	w.press("Enter")
	w.at("User", "Who is to be enrolled?")
}

// toCard chooses the person with that address, and waits for what the card's
// screen says.
func (w *wizard) toCard(email string, texts ...string) {
	w.t.Helper()
	w.enter(email)
	w.at("User", "Gmail    has", "enter go on")
	w.press("Enter")
	w.at("Card", append(texts, email)...)
}

// toPIN begins with the person and the card that is there.
func (w *wizard) toPIN(email string) {
	w.t.Helper()
	w.toCard(email, "PIN   ", "enter go on")
	w.press("Enter")
	w.begin()
	w.at("PIN", "Hand the keyboard to the user.")
}

// begin begins with what the plan proposes.
func (w *wizard) begin() {
	w.t.Helper()
	w.at("Plan", "enter begin")
	w.press("Enter")
}

// agree reads the review to its end, and agrees to it.
func (w *wizard) agree() {
	w.t.Helper()
	w.press("PageDown", "PageDown") // where it does not fit
	w.at("Review", "practice: ", "enter register at Gmail")
	w.press("Enter")
}

// register agrees to what is to be registered, and waits for the receipt.
func (w *wizard) register(email string) {
	w.t.Helper()
	w.at("Review", "To be registered for "+email, "✓ what is on the card and what is uploaded are the same")
	w.agree()
	w.at("Done", "✓ "+email+" is enrolled.")
}

// ask asks the lab's control endpoint.
func (w *wizard) ask(path string, into any) {
	w.t.Helper()
	w.control(http.MethodGet, path, "", into)
}

// post has the lab's control endpoint do something.
func (w *wizard) post(path, body string) {
	w.t.Helper()
	var ignored any
	w.control(http.MethodPost, path, body, &ignored)
}

func (w *wizard) control(method, path, body string, into any) {
	w.t.Helper()
	data, err := os.ReadFile(filepath.Join(w.dir, "lab", "env"))
	if err != nil {
		w.t.Fatal(err)
	}
	control := regexp.MustCompile(`LAB_CONTROL='(.*)'`).FindSubmatch(data)
	if control == nil {
		w.t.Fatalf("no LAB_CONTROL in %s", data)
	}
	request, err := http.NewRequestWithContext(w.t.Context(), method, string(control[1])+path, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		w.t.Fatal(err)
	}
	defer answer.Body.Close()
	if err := json.NewDecoder(answer.Body).Decode(into); err != nil || answer.StatusCode != http.StatusOK {
		w.t.Fatalf("%s: %s, %v", path, answer.Status, err)
	}
}

// registered checks that Gmail has one key pair and one identity for each.
func (w *wizard) registered(emails ...string) {
	w.t.Helper()
	for _, email := range emails {
		var user struct {
			KeyPairs   []json.RawMessage `json:"key_pairs"`
			Identities []json.RawMessage `json:"identities"`
		}
		w.ask("users/"+email, &user)
		if len(user.KeyPairs) != 1 || len(user.Identities) != 1 {
			w.t.Errorf("Gmail has %d key pairs and %d identities for %s", len(user.KeyPairs), len(user.Identities), email)
		}
	}
}

// serial is that of the card that is, or was last, in a reader.
func (w *wizard) serial(reader int) string {
	w.t.Helper()
	var readers []struct{ Serial uint32 }
	w.ask("readers", &readers)
	return fmt.Sprint(readers[reader].Serial)
}

// keptSecret checks that the PIN was never on the screen, in what the program
// wrote to the terminal, or in a file.
func (w *wizard) keptSecret() {
	for _, screen := range w.Seen() {
		if strings.Contains(screen, canary) {
			w.t.Errorf("the PIN is on the screen:\n%s", screen)
		}
	}
	output, err := w.Output()
	if err != nil {
		w.t.Error(err)
	}
	if bytes.Contains(output, []byte(canary)) {
		w.t.Error("the PIN was written to the terminal")
	}
	err = filepath.WalkDir(w.dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(path)
		if bytes.Contains(data, []byte(canary)) {
			w.t.Errorf("the PIN is in %s", path)
		}
		return err
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		w.t.Error(err)
	}
}

// outputHas waits until the program has written something to the terminal.
func (w *wizard) outputHas(what string, pattern *regexp.Regexp) {
	w.t.Helper()
	began := time.Now()
	for {
		output, err := w.Output()
		if err != nil {
			w.t.Fatal(err)
		}
		if pattern.Match(output) {
			return
		}
		if time.Since(began) > 10*time.Minute {
			w.t.Fatalf("%s was never written to the terminal", what)
		}
		time.Sleep(20 * time.Millisecond)
	}
}
