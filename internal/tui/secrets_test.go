package tui

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/cse-piv/cse-piv/internal/desk"
)

// canaries are the secrets that are typed in these tests. They stand for
// themselves alone: no view may have one of them in it, which wizard.inspect
// looks at after every message.
var canaries = []string{canaryPIN, wrongPIN}

const (
	canaryPIN = "73914628"
	wrongPIN  = "80265531"
)

// leaks lists the secrets that are found in the text.
func leaks(text string) []string {
	var found []string
	for _, canary := range canaries {
		if strings.Contains(text, canary) {
			found = append(found, canary)
		}
		// Bytes as fmt prints them, in decimal and in hexadecimal.
		for _, format := range []string{"%d", "%x", "%#v"} {
			if bytes := strings.Trim(strings.TrimPrefix(fmt.Sprintf(format, []byte(canary)), "[]byte"), "[]{}"); strings.Contains(text, bytes) {
				found = append(found, bytes)
			}
		}
	}
	return found
}

// inspectSecrets looks for secrets in the view, and in everything that a log or a
// crash could print of the model.
func (w *wizard) inspectSecrets() {
	w.t.Helper()
	view := w.model.View()
	texts := map[string]string{"the view": view.Content, "the title": view.WindowTitle}
	pin := w.model.screens[screenPIN].(*pinScreen)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		texts["the PIN screen as "+verb] = fmt.Sprintf(verb, *pin) + fmt.Sprintf(verb, pin)
		texts["the model as "+verb] = fmt.Sprintf(verb, *w.model)
		texts["the session as "+verb] = fmt.Sprintf(verb, *w.model.session)
		if run := w.model.session.Run; run != nil {
			texts["the run as "+verb] = fmt.Sprintf(verb, *run)
			texts["the conversation as "+verb] = fmt.Sprintf(verb, prompter{known: w.model.session.typed})
		}
	}
	for name, value := range map[string]any{"the PIN screen": pin, "what was typed": pin.typed, "the first": pin.first} {
		if data, err := json.Marshal(value); err == nil {
			texts[name+" as JSON"] = string(data)
		}
	}
	for name, text := range texts {
		if found := leaks(text); found != nil {
			w.t.Errorf("%s has %v in it", name, found)
		}
	}
}

func TestLeaksAreFound(t *testing.T) {
	for _, text := range []string{"PIN " + canaryPIN, fmt.Sprintf("%v", []byte(canaryPIN)), fmt.Sprintf("%x", canaryPIN), fmt.Sprintf("%#v", struct{ typed []byte }{[]byte(canaryPIN)})} {
		if leaks(text) == nil {
			t.Errorf("nothing was found in %q", text)
		}
	}
}

func TestSecretsAreNeverShown(t *testing.T) {
	w := newWizard(t, newFakeDesk(), "").toWork(ada, adasCard).upTo("secrets")
	w.askSecret(newPINQuestion())
	steps := []func(){
		func() { w.typed(canaryPIN[:5]) },
		func() { w.press("f1") }, func() { w.press("esc") },
		func() { w.size(200, 60) }, func() { w.size(40, 10) }, func() { w.size(80, 24) },
		func() { w.press("ctrl+c") }, func() { w.press("enter") },
		func() { w.typed(canaryPIN[5:]) }, func() { w.press("enter") },
		func() { w.typed(wrongPIN) }, func() { w.press("enter") }, // not the same
		func() { w.send(tea.PasteMsg{Content: canaryPIN}) }, func() { w.press("enter") },
		func() { w.typed(canaryPIN + canaryPIN) }, func() { w.press("enter") }, // too long
		func() { w.typed(canaryPIN) }, func() { w.touched() },
		func() { w.typed(canaryPIN) }, func() { w.press("enter") },
		func() { w.typed(canaryPIN) }, func() { w.press("enter") },
		func() { w.upTo("set-pin") }, func() { w.askSecret(pinQuestion(2)) },
		func() { w.typed(wrongPIN) }, func() { w.press("enter") },
		func() { w.askSecret(pinQuestion(1)) }, func() { w.typed(canaryPIN) }, func() { w.press("enter") },
		func() { w.waitFor(waitsForFile("9d")) },
		func() { w.press("enter") }, func() { w.fail("import", errNoRoom) },
		func() { w.press("p") },
	}
	for _, step := range steps {
		step()
		w.inspectSecrets()
	}
}

func TestSecretsOfAWholeEnrollmentStayOnTheCard(t *testing.T) {
	live(t, func(t *testing.T, w *wizard, commands *softDesk) {
		evidence := w.model.session.commands.desk.Dependencies.Evidence
		commands.answer(false)
		w.press("enter").atWork(commands, adasCard).typedTwice(canaryPIN).pass(2 * time.Second).on(screenCertificate)
		w.inspectSecrets()
		commands.answer(true)
		w.press("enter").pass(5 * time.Second).on(screenReview)
		w.inspectSecrets()
		w.press("enter").pass(3 * time.Second).on(screenDone)
		w.inspectSecrets()
		if !w.model.session.typed.IsZero() {
			t.Error("the PIN is still known after the receipt")
		}
		if commands.cards[adasCard].pin != canaryPIN {
			t.Error("the card has another PIN")
		}
		noSecretsUnder(t, evidence)
	}, desk.Person{Email: ada})
}

func TestNoGoldenViewHasASecret(t *testing.T) { noSecretsUnder(t, filepath.Join("testdata", "golden")) }

// noSecretsUnder looks into every file of a folder.
func noSecretsUnder(t *testing.T, folder string) {
	t.Helper()
	files := 0
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		files++
		data, err := os.ReadFile(path)
		if found := leaks(string(data)); found != nil {
			t.Errorf("%s has %v in it", path, found)
		}
		return err
	})
	if err != nil || files == 0 {
		t.Errorf("%d files were looked at: %v", files, err)
	}
}

func TestKnownPINIsForgottenInTime(t *testing.T) {
	live(t, func(t *testing.T, w *wizard, commands *softDesk) {
		commands.answer(false)
		w.press("enter").atWork(commands, adasCard).typedTwice(canaryPIN).pass(2 * time.Second).on(screenCertificate)
		time.Sleep(desk.PINKept - 10*time.Second)
		if w.settle(); w.model.session.typed.IsZero() {
			t.Error("the PIN is forgotten too early")
		}
		time.Sleep(10 * time.Second)
		if w.settle(); !w.model.session.typed.IsZero() {
			t.Error("the PIN is still known")
		}
		commands.answer(true)
		w.press("enter").on(screenPIN).typed(canaryPIN).press("enter").pass(5 * time.Second).on(screenReview)
	}, desk.Person{Email: ada})
}

func TestKnownPINIsForgotten(t *testing.T) {
	waiting := func() *wizard {
		w := newWizard(t, newFakeDesk(), "").toWork(ada, adasCard).upTo("secrets")
		w.askSecret(pinQuestion(3))
		return w.typed(canaryPIN).press("enter").waitFor(waitsForFile("9d"))
	}
	known := func(w *wizard) bool { return w.model.session.Run != nil && !w.model.session.typed.IsZero() }
	if w := waiting(); !known(w) || !known(w.press("enter")) {
		t.Error("it is not known while its certificate is waited for")
	}
	for name, forget := range map[string]func(*wizard){
		"somebody else comes":       func(w *wizard) { w.press("p").toCard(grace) },
		"the person comes again":    func(w *wizard) { w.press("esc", "esc", "esc", "enter", "enter") },
		"the enrollment is done":    func(w *wizard) { w.press("enter").finish(receiptOf(ada, adasCard), nil) },
		"the enrollment fails":      func(w *wizard) { w.press("enter").fail("import", errNoRoom) },
		"another card is put in":    func(w *wizard) { w.press("esc", "esc").insert(gracesCard).press("enter", "enter").on(screenWork) },
		"it is stopped by a person": func(w *wizard) { w.press("enter", "esc", "esc").finish(nil, errNoRoom) },
	} {
		if w := waiting(); known(w) {
			if forget(w); known(w) {
				t.Errorf("it is still known when %s", name)
			}
		}
	}
}
