package enroll_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/piv"
	"github.com/cse-piv/cse-piv/internal/secret"
)

// Firmware before 5.3 does not tell whether PIN and PUK are the factory ones.
const silent = "5.2.7"

// newSilentDesk is a desk whose card does not tell either whether slot 9d is empty:
// what may be lost is agreed to.
func newSilentDesk(t testing.TB, firmware string) *desk {
	t.Helper()
	d := newDesk(t, firmware)
	d.request.Overwrite, d.request.Confirm = true, fmt.Sprint(d.serial)
	return d
}

// person answers by the questions' IDs: choices by the choice's ID, yes or no, and
// PINs in turn. What was asked is kept.
type person struct {
	t       testing.TB
	choices map[string]string
	agrees  map[string]bool
	pins    []string
	asked   []enroll.SecretQuestion
	chosen  []enroll.Question
	offered [][]enroll.Choice
}

func (p *person) Choose(_ context.Context, question enroll.Question, choices []enroll.Choice) (string, error) {
	p.chosen, p.offered = append(p.chosen, question), append(p.offered, choices)
	answer, ok := p.choices[string(question.ID)]
	if !ok || !slices.ContainsFunc(choices, func(c enroll.Choice) bool { return c.ID == answer }) {
		p.t.Errorf("nobody expected to choose %q of %+v", answer, question)
	}
	return answer, nil
}

func (p *person) Secret(_ context.Context, question enroll.SecretQuestion) (secret.Secret, error) {
	p.asked = append(p.asked, question)
	for len(p.pins) > 0 {
		pin := secret.FromString(p.pins[0])
		p.pins = p.pins[1:]
		if question.Check(pin) == nil {
			return pin, nil
		}
	}
	return secret.Secret{}, errors.New("no more PINs")
}

func (p *person) Confirm(_ context.Context, question enroll.Question) (bool, error) {
	agrees, ok := p.agrees[string(question.ID)]
	if !ok {
		p.t.Errorf("nobody expected to be asked %+v", question)
	}
	return agrees, nil
}

func (p *person) TypedConfirm(_ context.Context, question enroll.Question, _ string) error {
	p.t.Errorf("nobody expected to be asked %+v", question)
	return enroll.ErrDeclined
}

// checkTries are those of PIN and PUK that are left.
func (d *desk) checkTries(pin, puk int) {
	d.t.Helper()
	snapshot := d.card.Snapshot()
	if snapshot.PIN.Tries != pin || snapshot.PUK.Tries != puk {
		d.t.Errorf("tries left: PIN %d, PUK %d, want %d and %d", snapshot.PIN.Tries, snapshot.PUK.Tries, pin, puk)
	}
}

// setReferences gives the card another PIN and PUK than the factory ones; an empty
// one stays.
func (d *desk) setReferences(pin, puk string) {
	d.t.Helper()
	opened := d.open()
	if pin != "" {
		if err := opened.ChangePIN(d.t.Context(), piv.FactoryPIN(), secret.FromString(pin)); err != nil {
			d.t.Fatal(err)
		}
	}
	if puk != "" {
		if err := opened.ChangePUK(d.t.Context(), piv.FactoryPUK(), secret.FromString(puk)); err != nil {
			d.t.Fatal(err)
		}
	}
}

// TestNewCardThatDoesNotTell: with the flag, and by a person's answer, factory PIN
// and PUK are replaced.
func TestNewCardThatDoesNotTell(t *testing.T) {
	for _, firmware := range []string{"4.3.7", "5.1.2", silent} {
		t.Run(firmware, func(t *testing.T) {
			d := newSilentDesk(t, firmware)
			d.request.NewCard = true
			receipt := d.mustRun()
			d.checkWhole(receipt)
			if d.card.Snapshot().PUK.Default || receipt.Card.PUKFactory != piv.No {
				t.Errorf("the factory PUK is still there; the receipt says %v", receipt.Card.PUKFactory)
			}
			// The same again is no new card any more, and that is known.
			d.deps, d.request.Overwrite = d.newFixture(), false
			if again := d.mustRun(); again.Card != receipt.Card {
				t.Errorf("the receipt says %+v and then %+v", receipt.Card, again.Card)
			}
			d.checkWhole(receipt)
		})
	}
	t.Run("asked", func(t *testing.T) {
		d := newSilentDesk(t, silent)
		d.request.PIN = secret.Secret{}
		p := &person{t: t, choices: map[string]string{"new-card": "new"}, pins: []string{"123456", "271828"}}
		d.deps.Prompter = p
		d.checkWhole(d.mustRun())
		if len(p.asked) != 1 || !p.asked[0].New {
			t.Errorf("asked was %+v", p.asked)
		}
		if said := p.offered[0][2].Text; !strings.Contains(said, "costs one try of the PIN (3 tries left now)") || !strings.Contains(p.chosen[0].Text, silent) {
			t.Errorf("what it costs is not said: %q %q", p.chosen[0].Text, said)
		}
		// Another day nobody is asked whether it is new.
		p.pins, p.choices, d.request.Overwrite = []string{"271828"}, nil, false
		d.mustRun()
		if p.asked[1].New {
			t.Error("a new PIN was asked for once more")
		}
	})
}

// TestCardWithItsOwnPIN: the PUK is not touched, and what is not known is said.
func TestCardWithItsOwnPIN(t *testing.T) {
	d := newSilentDesk(t, silent)
	setFaults(t, "off")
	d.setReferences("271828", "")
	var skipped []enroll.Event
	notify := d.deps.Notify
	d.deps.Notify = func(event enroll.Event) {
		notify(event)
		if event.State == enroll.StateSkipped && event.Step == "set-puk" {
			skipped = append(skipped, event)
		}
	}
	receipt := d.mustRun()
	if receipt.Card.PUKFactory != piv.Unknown {
		t.Errorf("the receipt says %v", receipt.Card.PUKFactory)
	}
	if len(skipped) != 1 || skipped[0].Message != enroll.PUKUnknown {
		t.Errorf("left as it is was %+v", skipped)
	}
	d.checkTries(3, 3)
	data, err := os.ReadFile(filepath.Join(receipt.Evidence, "receipt.json"))
	var written struct {
		Card struct {
			PUKFactory string `json:"puk_factory"`
		}
	}
	if err != nil || json.Unmarshal(data, &written) != nil || written.Card.PUKFactory != "unknown" {
		t.Errorf("%s, %v", data, err)
	}
}

// TestPUKIsTriedWhereAPersonAgrees: a factory PUK is replaced, another one loses a
// try once and stays.
func TestPUKIsTriedWhereAPersonAgrees(t *testing.T) {
	for _, test := range []struct {
		puk  string
		left int
	}{{"", 3}, {"31415926", 2}} {
		t.Run(test.puk, func(t *testing.T) {
			d := newSilentDesk(t, silent)
			setFaults(t, "off")
			d.setReferences("271828", test.puk)
			p := &person{t: t, choices: map[string]string{"new-card": "try-puk"}}
			d.deps.Prompter = p
			for range 2 {
				if receipt := d.mustRun(); receipt.Card.PUKFactory != piv.No || d.card.Snapshot().PUK.Default {
					t.Errorf("the receipt says %v", receipt.Card.PUKFactory)
				}
				d.request.Overwrite = false
				d.checkTries(3, test.left)
			}
			if len(p.chosen) != 1 {
				t.Errorf("asked was %+v", p.chosen)
			}
			if said := p.offered[0][1].Text; !strings.Contains(said, "costs one of the PUK's tries") {
				t.Errorf("what it costs is not said: %q", said)
			}
		})
	}
}

// TestCardThatIsNotNew: it was said to be new, which costs one try of the PIN, once,
// and none of the PUK.
func TestCardThatIsNotNew(t *testing.T) {
	t.Run("flag", func(t *testing.T) {
		d := newSilentDesk(t, silent)
		setFaults(t, "off")
		d.setReferences("999999", "31415926")
		d.request.NewCard = true
		_, err := d.run()
		var notNew *enroll.NotNewError
		var wrong *piv.WrongPINError
		if !errors.As(err, &notNew) || !errors.As(err, &wrong) || !strings.Contains(err.Error(), "2 tries left") {
			t.Fatalf("it ended as %v", err)
		}
		d.checkTries(2, 3)
		// The same with the card's own PIN: the factory PIN is not tried again.
		d.request.PIN = secret.FromString("999999")
		if receipt := d.mustRun(); receipt.Card.PUKFactory != piv.Unknown {
			t.Errorf("the receipt says %v", receipt.Card.PUKFactory)
		}
		d.checkTries(3, 3)
	})
	t.Run("asked", func(t *testing.T) {
		d := newSilentDesk(t, silent)
		setFaults(t, "off")
		d.setReferences("999999", "31415926")
		d.request.PIN = secret.Secret{}
		p := &person{t: t, choices: map[string]string{"new-card": "new"}, pins: []string{"271828", "999999"}}
		d.deps.Prompter = p
		d.mustRun()
		if len(p.asked) != 2 || !p.asked[0].New || p.asked[1].New || p.asked[1].Tries != 2 || !strings.Contains(p.asked[1].Problem, "not new") {
			t.Errorf("asked was %+v", p.asked)
		}
		d.checkTries(3, 3)
	})
}

// TestNewCardWithoutTheFlag: the one try that it costs is not spent twice, and the
// way on is named.
func TestNewCardWithoutTheFlag(t *testing.T) {
	d := newSilentDesk(t, silent)
	setFaults(t, "off")
	_, err := d.run()
	if !errors.As(err, new(*enroll.PerhapsNewError)) {
		t.Fatalf("it ended as %v", err)
	}
	d.checkTries(2, 3)
	d.request.NewCard = true
	d.checkWhole(d.mustRun())
}

// TestLastTryOfASilentCard is never spent unasked.
func TestLastTryOfASilentCard(t *testing.T) {
	d := newSilentDesk(t, silent)
	setFaults(t, "off")
	for range 2 {
		if err := d.open().VerifyPIN(t.Context(), secret.FromString("999999")); err == nil {
			t.Fatal("a wrong PIN was taken")
		}
	}
	d.request.NewCard = true
	var last *piv.LastTryError
	if _, err := d.run(); !errors.As(err, &last) {
		t.Fatalf("the last try was spent unasked: %v", err)
	}
	d.checkTries(1, 3)
	d.deps.Prompter = &person{t: t, agrees: map[string]bool{"last-try": true}}
	d.checkWhole(d.mustRun())
}

// TestPulledSilentCard pulls a card that does not tell at every command with which
// its PIN is replaced.
func TestPulledSilentCard(t *testing.T) {
	for _, step := range []string{"set-pin"} {
		for _, fault := range []string{"card:pull@%d", "card:pull-after@%d"} {
			for n := 1; pullIn(t, step, fmt.Sprintf(fault, n)); n++ {
			}
		}
	}
}

// pullIn enrolls a silent card with a fault in one step, and again without, and
// reports whether the fault came before the step was over.
func pullIn(t *testing.T, step, fault string) (came bool) {
	d := newSilentDesk(t, silent)
	d.request.NewCard = true
	notify := d.deps.Notify
	d.deps.Notify = func(event enroll.Event) {
		notify(event)
		if event.State == enroll.StateStarted {
			setFaults(t, "off")
			if came = event.Step == step; came {
				setFaults(t, "off", fault)
			}
		}
	}
	_, err := d.run()
	if err != nil && !isCardTrouble(err) {
		t.Fatalf("%s in %s: %v", fault, step, err)
	}
	setFaults(t, "off")
	d.insert()
	d.deps = d.newFixture()
	d.request.Overwrite = err != nil
	receipt := d.mustRun()
	d.checkWhole(receipt)
	if receipt.Card.PUKFactory != piv.No || d.card.Snapshot().PUK.Default || t.Failed() {
		t.Fatalf("%s in %s: the receipt says %v", fault, step, receipt.Card.PUKFactory)
	}
	return err != nil
}

// TestCardThatWasResetIsNewAgain: what was found out of the card before its reset
// does not count; that it was reset shows in its management key.
func TestCardThatWasResetIsNewAgain(t *testing.T) {
	d := newSilentDesk(t, silent)
	setFaults(t, "off")
	d.request.NewCard = true
	d.mustRun()
	d.resetPIV()
	d.mustRun()
	if snapshot := d.card.Snapshot(); snapshot.PIN.Value != "271828" || snapshot.PUK.Default || snapshot.PIN.Tries != 3 || snapshot.PUK.Tries != 3 {
		t.Errorf("%+v %+v", snapshot.PIN, snapshot.PUK)
	}
}

// resetPIV blocks PIN and PUK and resets the card, command by command (Yubico PIV
// extensions, RESET).
func (d *desk) resetPIV() {
	d.t.Helper()
	defer d.card.Reset()
	d.card.Transmit([]byte{0, 0xA4, 4, 0, 5, 0xA0, 0, 0, 3, 8})
	wrong := []byte("00000000")
	for range 3 {
		d.card.Transmit(append([]byte{0, 0x20, 0, 0x80, 8}, wrong...))
		d.card.Transmit(append([]byte{0, 0x2C, 0, 0x80, 16}, append(wrong, wrong...)...))
	}
	if answer := d.card.Transmit([]byte{0, 0xFB, 0, 0}); len(answer) != 2 || answer[0] != 0x90 {
		d.t.Fatalf("the reset is answered by %x", answer)
	}
}
