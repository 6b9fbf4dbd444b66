package desk_test

import (
	"errors"

	"github.com/cse-piv/cse-piv/internal/desk"
	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/issuer"
	"github.com/cse-piv/cse-piv/internal/piv"
)

const (
	ada, grace    = "ada@example.com", "grace@example.com"
	adas, graces  = uint32(7), uint32(8)
	keyWasThere   = "slot 9d already holds a key"
	otherWasThere = "slot 9c already holds a key"
)

var (
	errRefused = errors.New("refused by Gmail")
	errWaits   = error(&issuer.WaitingError{Request: "the CA"})
	keys       = enroll.LayoutSingle.Keys(enroll.KeyRequest{Slot: piv.SlotKeyManagement, Source: enroll.SourceGenerate, Algorithm: piv.RSA2048, PINPolicy: piv.PINDefault, TouchPolicy: piv.TouchDefault})
)

// played is a conversation whose effects are answered at once from what a test sets.
type played struct {
	*desk.Conversation
	people   []desk.QueueEntry
	gmailErr error
	cards    map[uint32]desk.CardStatus
	losses   []string // of every plan
	refused  error    // of every plan
	unasked  []desk.Effect
	begun    []desk.Begin
	entry    desk.QueueEntry // how far the one is who is asked about
}

func play(base enroll.Request, single bool, entries ...desk.QueueEntry) *played {
	p := &played{people: entries, cards: map[uint32]desk.CardStatus{adas: cardOf(adas), graces: cardOf(graces)}}
	p.entry.Stage = enroll.StageNone
	talk, effects := desk.NewConversation(base, single)
	p.Conversation = talk
	p.answer(effects)
	return p
}

func cardOf(serial uint32) desk.CardStatus {
	card := desk.CardStatus{Identity: piv.Identity{Serial: serial, Firmware: piv.Version{Major: 5, Minor: 7, Patch: 4}}}
	card.Status.PIN.Tries = 3
	return card
}

// in is what is in the readers with those cards.
func in(serials ...uint32) desk.ReadersRead {
	var found []piv.Found
	for _, serial := range serials {
		found = append(found, piv.Found{Identity: piv.Identity{Serial: serial}})
	}
	return desk.ReadersRead{Found: found}
}

// fold tells the conversation all of that, one after the other. What the latest run
// came to is told with an error, or nil for a receipt.
func (p *played) fold(events ...any) *played {
	for _, event := range events {
		switch event := event.(type) {
		case enroll.Stage: // that the evidence tells from now on
			p.entry.Stage = event
		case ended:
			entry, _ := p.Entry(p.Person.Email)
			entry.Person = p.Person
			entry.Stage, entry.Progress.Serial, entry.Waits = enroll.StageBegun, p.Request.Serial, issuer.Waits(event.err)
			switch {
			case event.err == nil:
				entry.Stage = enroll.StageDone
			case len(entry.Waits) > 0:
				entry.Stage = enroll.StageWaiting
			}
			p.answer(p.Take(desk.RunEnded{Run: p.Run.ID, Carried: desk.Carried{Copies: event.copies}, Err: event.err, Entry: entry, Stopped: event.stopped}))
		default:
			p.answer(p.Take(event))
		}
	}
	return p
}

// ended is how the run came out.
type ended struct {
	err     error
	stopped bool
	copies  []enroll.KeyCopy
}

func (p *played) answer(effects []desk.Effect) {
	for _, effect := range effects {
		switch effect := effect.(type) {
		case desk.ReadQueue:
			p.fold(desk.QueueRead{Number: effect.Number, Entries: p.people})
		case desk.ReadEntry:
			entry := p.entry
			entry.Person = effect.Person
			p.fold(desk.EntryRead{Number: effect.Number, Entry: entry})
		case desk.ReadGmail:
			p.fold(desk.GmailRead{Email: effect.Email, Err: p.gmailErr})
		case desk.ReadCard:
			card, ok := p.cards[effect.Serial]
			event := desk.CardRead{Number: effect.Number, Status: card}
			if !ok {
				event.Err = piv.ErrRemoved
			}
			p.fold(event)
		case desk.ReadPlan:
			preview := &enroll.Preview{Request: effect.Request, Slots: []enroll.SlotPreview{{Slot: piv.SlotKeyManagement, Loss: p.losses}}}
			for _, step := range enroll.NewPlan(effect.Request) {
				step := enroll.StepPreview{Step: step}
				if step.ID == "settle-keys" {
					step.Err = p.refused
				}
				preview.Steps = append(preview.Steps, step)
			}
			p.fold(desk.PlanRead{Number: effect.Number, Preview: preview})
		case desk.Begin:
			p.begun = append(p.begun, effect)
		default:
			p.unasked = append(p.unasked, effect)
		}
	}
}

func picked(email string) desk.Picked { return desk.Picked{Person: desk.Person{Email: email}} }

// toCard, toPlan and toWork lead to those phases with Ada and her card.
var (
	toCard = []any{desk.GoOn, picked(ada), desk.GoOn}
	toPlan = append(toCard[:len(toCard):len(toCard)], in(adas), desk.GoOn)
	toWork = append(toPlan[:len(toPlan):len(toPlan)], desk.GoOn)
)

func after(events []any, more ...any) []any { return append(events[:len(events):len(events)], more...) }
