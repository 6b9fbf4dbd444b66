package tui

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/cse-piv/cse-piv/internal/desk"
	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/piv"
)

// Whatever is pressed and whatever happens, in whatever order: the window is
// filled and not more, no secret is shown, nothing is agreed to that was not
// typed, and the wizard does not break.
func TestAnythingMayHappen(t *testing.T) {
	visits := map[screenID]int{}
	for seed := range uint64(25) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 1))
			fake := withUsedCard()
			fake.practice, fake.people = &fakePractice{}, []desk.Person{{Email: ada, Serial: adasCard}, {Email: grace}, {Email: hedy}}
			w := newWizard(t, fake, "")
			if seed%2 == 0 {
				w.toWork(hedy, gracesCard)
			}
			for range 200 {
				somethingHappens(w, random)
				visits[w.model.at]++
				if w.quit {
					return
				}
			}
		})
	}
	for at := screenStart; at <= screenFailure; at++ {
		if visits[at] < 5 {
			t.Errorf("screen %d was shown %d times", at, visits[at])
		}
	}
	t.Log("how often each screen was shown:", visits)
}

// somethingHappens presses a key, or plays something that comes from outside.
func somethingHappens(w *wizard, random *rand.Rand) {
	keys := []string{"enter", "enter", "enter", "esc", "up", "down", "left", "right", "pgup", "pgdown", "f1", "?", "a", "p", "o", "backspace", "tab", "ctrl+o", "1", "x"}
	run := w.model.session.Run
	if run.Active() && random.IntN(2) == 0 {
		happen := w.whileRunning(random, run.ID)
		happen[random.IntN(len(happen))]()
		return
	}
	if random.IntN(3) > 0 {
		w.press(keys[random.IntN(len(keys))])
		return
	}
	outside := []func(){
		func() { w.size(random.IntN(220), random.IntN(70)) },
		func() { w.size(80, 24) },
		func() { w.insert() },
		func() { w.insert(adasCard) },
		func() { w.insert(gracesCard) },
		func() { w.insert(adasCard, gracesCard, gracesSecondCard) },
		func() { w.send(desk.ReadersRead{Err: piv.ErrNoService}) },
		func() { w.typed([]string{ada, grace, "hedy", "12345678"}[random.IntN(4)]) },
		func() { w.touched() },
		func() { w.send(tea.PasteMsg{Content: "pasted"}) },
		func() { w.send(tea.BackgroundColorMsg{Color: lightGrey{}}) },
		func() { w.send(desk.CertificatesDue{}) },
		func() { w.collected(standing(ada, adasCard, enroll.StageReady)) },
		func() { w.queued(queueOfAll()) },
	}
	outside[random.IntN(len(outside))]()
}

// whileRunning is what the running enrollment may do next.
func (w *wizard) whileRunning(random *rand.Rand, run int) []func() {
	steps := w.model.session.Run.Steps
	states := []enroll.State{enroll.StateStarted, enroll.StateDone, enroll.StateAlready, enroll.StateSkipped, enroll.StateFailed, enroll.StateTouch, enroll.StateCardOut, enroll.StateCardBack, enroll.StateNote, enroll.StateRetry}
	loss := enroll.Question{ID: "overwrite", Text: "the key will be overwritten", Loss: []string{"all of it"}}
	return []func(){
		func() {
			w.later(time.Duration(random.IntN(1000))*time.Second, steps[random.IntN(len(steps))].ID, states[random.IntN(len(states))], "something")
		},
		func() { w.send(beatMsg(moment.Add(time.Duration(random.IntN(1000)) * time.Second))) },
		func() { w.askSecret(pinQuestion(random.IntN(4))); w.typed(canaryPIN) },
		func() { w.askSecret(newPINQuestion()); w.typed(wrongPIN) },
		func() { w.askChoice(loss, enroll.Choice{ID: "a", Text: "one"}, enroll.Choice{ID: "b", Text: "two"}) },
		func() {
			reply := w.askAgreement(loss, "87654321")
			w.press("enter", "1", "enter").typed("12345678").press("enter")
			if got, given := answered(reply); given && got.err == nil && got.value {
				w.t.Error("a loss was agreed to that was not typed")
			}
		},
		func() { w.askReview(reviewOf(ada)) },
		func() { w.finish(receiptOf(ada, adasCard), nil) },
		func() { w.finish(nil, waitsForFile("9d")) },
		func() { w.finish(nil, errors.New("something")) },
		func() { w.finish(nil, enroll.ErrDeclined) },
		func() { w.send(desk.RunEnded{Run: run - 1, Err: errors.New("of an old run")}) },
	}
}
