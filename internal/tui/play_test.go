package tui

import (
	"time"

	"github.com/cse-piv/cse-piv/internal/desk"
	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/issuer"
	"github.com/cse-piv/cse-piv/internal/secret"
)

// moment is when everything happens.
var moment = time.Date(2026, 11, 24, 9, 30, 0, 0, time.UTC)

// latest is the number of a question that was asked after all others.
const latest = 1 << 30

// event plays an event of the running enrollment.
func (w *wizard) event(step string, state enroll.State, message string) *wizard {
	w.t.Helper()
	return w.later(0, step, state, message)
}

// later plays an event some time after the moment.
func (w *wizard) later(after time.Duration, step string, state enroll.State, message string) *wizard {
	w.t.Helper()
	run := w.model.session.Run
	for i, known := range run.Steps {
		if known.ID == step {
			return w.send(desk.StepHappened{Run: run.ID, Event: enroll.Event{Time: moment.Add(after), Step: step, Title: known.Title, State: state, Message: message, Index: i + 1, Of: len(run.Steps)}})
		}
	}
	w.t.Fatalf("there is no step %s", step)
	return w
}

// upTo plays the steps before one, and its beginning.
func (w *wizard) upTo(step string) *wizard {
	w.t.Helper()
	run := w.model.session.Run
	for i, known := range run.Steps {
		event := enroll.Event{Time: moment, Step: known.ID, Title: known.Title, State: enroll.StateStarted, Index: i + 1, Of: len(run.Steps)}
		w.send(desk.StepHappened{Run: run.ID, Event: event})
		if known.ID == step {
			return w
		}
		event.State, event.Time = enroll.StateDone, moment.Add(time.Duration(i)*90*time.Millisecond)
		w.send(desk.StepHappened{Run: run.ID, Event: event})
	}
	w.t.Fatalf("there is no step %s", step)
	return w
}

// askSecret plays the question for a secret, and returns where the answer comes.
func (w *wizard) askSecret(question enroll.SecretQuestion) <-chan answer[secret.Secret] {
	w.t.Helper()
	reply := make(chan answer[secret.Secret], 1)
	w.send(secretAsked{run: w.model.session.Run.ID, question: question, reply: reply})
	return reply
}

func (w *wizard) askChoice(question enroll.Question, choices ...enroll.Choice) <-chan answer[string] {
	w.t.Helper()
	reply := make(chan answer[string], 1)
	w.send(choiceAsked{run: w.model.session.Run.ID, question: question, choices: choices, reply: reply})
	return reply
}

func (w *wizard) askAgreement(question enroll.Question, want string) <-chan answer[bool] {
	w.t.Helper()
	reply := make(chan answer[bool], 1)
	w.send(agreementAsked{run: w.model.session.Run.ID, question: question, want: want, reply: reply})
	return reply
}

func (w *wizard) askLine(text string) <-chan answer[string] {
	w.t.Helper()
	reply := make(chan answer[string], 1)
	w.send(inputAsked{run: w.model.session.Run.ID, question: enroll.Question{Text: text}, reply: reply})
	return reply
}

func (w *wizard) askReview(review enroll.Review) <-chan answer[bool] {
	w.t.Helper()
	reply := make(chan answer[bool], 1)
	w.send(reviewAsked{run: w.model.session.Run.ID, review: review, reply: reply})
	return reply
}

// answered is the answer that was given, and none if there is none yet.
func answered[T any](reply <-chan answer[T]) (got answer[T], given bool) {
	select {
	case got = <-reply:
		return got, true
	default:
		return got, false
	}
}

// finish plays the end of the running enrollment.
func (w *wizard) finish(receipt *enroll.Receipt, err error) *wizard {
	w.t.Helper()
	s := w.model.session
	entry, known := s.Entry(s.Person.Email)
	if !known {
		entry.Progress = enroll.Progress{Stage: enroll.StageBegun}
	}
	entry.Person, entry.Progress.Serial, entry.When, entry.Waits = s.Person, s.Request.Serial, moment, issuer.Waits(err)
	switch {
	case err == nil:
		entry.Stage = enroll.StageDone
	case len(entry.Waits) > 0:
		entry.Stage = enroll.StageWaiting
	}
	return w.send(desk.RunEnded{Run: s.Run.ID, Carried: desk.Carried{Receipt: receipt}, Err: err, Entry: entry})
}

// collected plays the answer to the latest question how far somebody is.
func (w *wizard) collected(entry desk.QueueEntry) *wizard {
	w.t.Helper()
	return w.send(desk.EntryRead{Number: latest, Entry: entry})
}

// queued plays the answer to the latest question how far everybody is.
func (w *wizard) queued(entries []desk.QueueEntry) *wizard {
	w.t.Helper()
	return w.send(desk.QueueRead{Number: latest, Entries: entries})
}

// fail plays a step that failed.
func (w *wizard) fail(step string, err error) *wizard {
	w.t.Helper()
	w.upTo(step).event(step, enroll.StateFailed, err.Error())
	for _, known := range enroll.NewPlan(w.model.session.Run.Request) {
		if known.ID == step {
			return w.finish(nil, &enroll.StepError{Step: known, Err: err})
		}
	}
	w.t.Fatalf("there is no step %s", step)
	return w
}

// insert puts cards into the readers, and takes all others out.
func (w *wizard) insert(serials ...uint32) *wizard {
	w.t.Helper()
	return w.send(desk.ReadersRead{Found: w.fake.readers(serials...)})
}

// toCard goes on to the card screen with a person whose address is typed.
func (w *wizard) toCard(email string) *wizard {
	w.t.Helper()
	if w.model.at == screenStart {
		w.press("enter")
	}
	return w.typed(email).press("enter", "enter").on(screenCard)
}

// toPlan goes on to the plan for a person and a card.
func (w *wizard) toPlan(email string, serial uint32) *wizard {
	w.t.Helper()
	return w.toCard(email).insert(serial).press("enter").on(screenPlan)
}

// toWork begins the enrollment of a person and a card.
func (w *wizard) toWork(email string, serial uint32) *wizard {
	w.t.Helper()
	return w.toPlan(email, serial).press("enter").on(screenWork)
}
