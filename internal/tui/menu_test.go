package tui

import (
	"context"
	"errors"
	"fmt"
	"testing"

	tea "charm.land/bubbletea/v2"

	"github.com/cse-piv/cse-piv/internal/desk"
	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/gmail"
	"github.com/cse-piv/cse-piv/internal/piv"
	"github.com/cse-piv/cse-piv/internal/status"
	"github.com/cse-piv/cse-piv/internal/termination"
)

// registeredAda is a desk at which Gmail uses Ada's card.
func registeredAda() *fakeDesk {
	fake := newFakeDesk()
	fake.atGmail[ada] = desk.AtGmail{
		KeyPairs: []gmail.KeyPair{pairOf("ANe1BmHSTmPVKtI6fajkiF1kGRWmhTStkVjLgpQ7xZw2Nd0aYc4RbE8", true, "YubiKey 5C NFC, serial 12345678, slot 9d")},
		Identity: &gmail.Identity{Email: ada, PrimaryKeyPairID: "ANe1BmHSTmPVKtI6fajkiF1kGRWmhTStkVjLgpQ7xZw2Nd0aYc4RbE8"},
	}
	return fake
}

// blockedCard is Ada's, after three wrong PINs.
func blockedCard() desk.CardStatus {
	card := usedCard(adasCard)
	card.Status.PIN.Tries = 0
	return card
}

// task plays what a task tells while it runs.
func (w *wizard) task(state enroll.State, message string) *wizard {
	w.t.Helper()
	return w.event("task", state, message)
}

func TestMenuOfAUserViews(t *testing.T) {
	w := newWizard(t, registeredAda(), "").press("enter").typed(ada).press("enter")
	w.shows("m more").press("m").on(screenMenu).golden("menu-user")
	w.press("?").golden("help-menu")
	w.press("esc")
	w.press("esc").on(screenUser).shows("enter go on")
	w.press("m", "down", "down", "down", "enter").on(screenMenu).golden("menu-lost")
	w.press("down", "enter").on(screenWork)
	if task := *w.model.session.Run.Task; task != (desk.Task{Command: status.CommandLost, Reason: termination.ReasonStolen, Email: ada}) {
		t.Fatalf("%+v", task)
	}
	reply := w.task(enroll.StateStarted, "").askAgreement(enroll.Question{Text: "lost: what changes and what stops working for " + ada, Follows: []string{
		ada + " can no longer sign or encrypt mail, and others can no longer encrypt to " + ada + ", until an identity is set again",
		"key pair ANe1BmHSTmPVKtI6fajkiF1kGRWmhTStkVjLgpQ7xZw2Nd0aYc4RbE8, on card 12345678, is disabled",
	}}, ada)
	w.golden("task-agree")
	w.typed(ada).press("enter").on(screenWork)
	if got, given := answered(reply); !given || !got.value {
		t.Fatalf("%+v", got)
	}
	w.press("esc").golden("task-leaving")
	w.press("enter")
	failed := &desk.TaskError{Task: *w.model.session.Run.Task, Err: hintedError{errors.New("Gmail does not answer"), "try again"}}
	w.finish(nil, failed).on(screenFailure).golden("task-failure")
	w.press("a").on(screenWork)
	w.task(enroll.StateStarted, "").send(desk.RunEnded{Run: w.model.session.Run.ID, Carried: desk.Carried{Lines: []string{
		ada + " can no longer sign or encrypt mail, and others can no longer encrypt to " + ada + ", until an identity is set again",
		"nothing is obliterated: a disabled key pair can be enabled again",
	}}}).on(screenDone).golden("task-done")
	w.press("enter").on(screenUser).hides("Gmail    has")
}

func TestMenuOfACardViews(t *testing.T) {
	fake := newFakeDesk()
	fake.cards[adasCard] = blockedCard()
	w := newWizard(t, fake, "").toCard(ada).insert(adasCard)
	w.shows("m more", "hint:").press("m").on(screenMenu).golden("menu-card")
	w.insert().on(screenCard).insert(adasCard).press("m", "enter").on(screenWork)
	w.task(enroll.StateStarted, "").askSecret(enroll.SecretQuestion{
		Question: enroll.Question{ID: enroll.QuestionPIN, Text: "a new PIN for card 12345678, typed by its user"}, New: true, Rule: "6 to 8 letters, digits or signs", Tries: piv.UnknownTries,
	})
	w.on(screenPIN).golden("task-pin")
	w.typed("kNr7!qX2").press("enter").typed("kNr7!qX2").press("enter").on(screenWork)
	w.task(enroll.StateNote, "the card has the new PIN").task(enroll.StateNote, "the next PUK is sealed in /var/lib/desk/escrow/12345678-20261124T120000Z-QYUCH5.age").golden("task-work")
	failed := &desk.TaskError{Task: *w.model.session.Run.Task, Err: hintedError{errors.New("card 12345678 is not in a reader; there is 23456789"), "put the card in"}}
	w.finish(nil, failed).on(screenFailure).shows("Failed: a new PIN for who forgot it", "there is 23456789", "put the card in", "a again")
	fake.cards[adasCard] = usedCard(adasCard)
	w.press("a").on(screenWork).finish(nil, nil).on(screenDone)
	w.press("enter").on(screenCard).shows("PIN", "2 tries left")
}

func TestMenuReplacesViews(t *testing.T) {
	w := newWizard(t, registeredAda(), "").press("enter").typed(ada).press("enter", "m", "down", "down", "enter")
	w.on(screenMenu).golden("menu-replace")
	w.press("enter").on(screenCard).insert().golden("card-new-wanted")
	w.insert(adasCard).golden("card-replaced")
	w.press("enter").on(screenCard)
	w.insert(gracesCard).press("enter").on(screenWork)
	reply := w.task(enroll.StateStarted, "").askLine("PKCS#12 file with a copy of an old key of " + ada + ", or a folder of such files; nothing where there is none")
	w.on(screenQuestion).typed("/media/old/" + ada + ".p12").golden("replace-copies")
	w.press("enter").on(screenWork)
	if got, given := answered(reply); !given || got.value != "/media/old/"+ada+".p12" {
		t.Errorf("%+v, %v", got, given)
	}
	reply = w.task(enroll.StateNote, "ada.p12: not a certificate file").askLine("PKCS#12 file once more")
	w.shows("PKCS#12 file once more", "note ada.p12: not a certificate file")
	w.press("enter").on(screenWork)
	if got, given := answered(reply); !given || got.value != "" {
		t.Errorf("nothing is %+v, %v", got, given)
	}
	w.finish(nil, nil).on(screenPlan).press("enter").on(screenWork)
	receipt := receiptOf(ada, gracesCard)
	w.upTo("record").send(desk.RunEnded{Run: w.model.session.Run.ID, Entry: desk.QueueEntry{Person: desk.Person{Email: ada}, Progress: enroll.Progress{Stage: enroll.StageDone, When: moment}}, Carried: desk.Carried{Receipt: receipt, Lines: []string{
		ada + " no longer signs with card 12345678, and others no longer encrypt to it: Gmail moves to card 23456789",
		"key pair ANe1BmHSTmPVKtI6fajkiF1kGRWmhTStkVjLgpQ7xZw2Nd0aYc4RbE8, on card 12345678, is disabled",
		"nothing is obliterated: a disabled key pair can be enabled again",
	}}}).on(screenDone).golden("done-replaced")
}

// TestFormerCardFoundViews: whose former card is found while another one waits for its certificate keeps it.
func TestFormerCardFoundViews(t *testing.T) {
	w := newWizard(t, registeredAda(), "").press("enter")
	begun := standing(ada, gracesCard, enroll.StageBegun)
	begun.Replaces = &enroll.Replacement{Reason: termination.ReasonLost, Cards: []uint32{adasCard}}
	w.queued([]desk.QueueEntry{begun}).typed(ada).press("enter", "enter").on(screenCard).insert(adasCard)
	w.shows("where this one was found again and is kept: m").golden("card-found")
	w.press("m").on(screenMenu).golden("menu-found")
	w.press("enter").on(screenWork)
	w.task(enroll.StateStarted, "").send(desk.RunEnded{Run: w.model.session.Run.ID, Carried: desk.Carried{Lines: []string{
		"the enrollment of " + ada + " with card 23456789 is given up: Gmail has nothing of it, and stays as it is",
		"card 23456789 keeps its key and PIN, and what is sealed of it stays: " + ada + " can be enrolled with it another time, and somebody else after a reset",
	}}}).on(screenDone).golden("done-found")
}

// TestAQuestionIsReadToItsEnd: nobody agrees to what stands below the window.
func TestAQuestionIsReadToItsEnd(t *testing.T) {
	w := newWizard(t, registeredAda(), "").press("enter").typed(ada).press("enter", "m", "down", "down", "down", "down", "enter").on(screenWork)
	var follows []string
	for i := range 20 {
		follows = append(follows, fmt.Sprintf("mail encrypted to key pair %d can be read by nobody", i))
	}
	reply := w.askAgreement(enroll.Question{Text: "leave: what changes and what stops working for " + ada, Follows: follows}, ada)
	w.shows("↓ more", "enter read on").hides("Type " + ada).typed(ada).press("enter")
	if _, given := answered(reply); given {
		t.Fatal("it is agreed to unread")
	}
	w.shows("mail encrypted to key pair 19", "Type "+ada, "> "+ada, "enter answer").press("enter")
	if got, given := answered(reply); !given || !got.value {
		t.Errorf("%+v, %v", got, given)
	}
}

// TestMenuTellsTheDesk: what is chosen is begun by the desk, and its end comes back.
func TestMenuTellsTheDesk(t *testing.T) {
	fake := registeredAda()
	var did []desk.Task
	d := fake.desk(t)
	d.Task = func(_ context.Context, task desk.Task, _ enroll.Prompter, tell func(string)) ([]string, error) {
		did = append(did, task)
		tell("a note")
		return []string{"so it is"}, nil
	}
	events := make(chan desk.RunEnded, 1)
	c := commands{ctx: t.Context(), desk: d, tasks: &tasks{}, sleep: noTime, keep: func(*enroll.Receipt) { t.Error("a task leaves no receipt") }}
	c.send = func(msg tea.Msg) {
		if end, ok := msg.(desk.RunEnded); ok {
			events <- end
		}
	}
	task := desk.Task{Command: status.CommandLeave, Reason: termination.ReasonLeft, Email: ada}
	c.enroll(t.Context(), desk.Begin{Run: 1, Person: desk.Person{Email: ada}, Task: &task}, &prompter{send: c.send})()
	if end := <-events; end.Err != nil || len(end.Lines) != 1 || len(did) != 1 || did[0] != task {
		t.Errorf("%+v, %+v", end, did)
	}
}
