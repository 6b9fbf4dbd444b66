package enrollcmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cse-piv/cse-piv/internal/cli/option"
	"github.com/cse-piv/cse-piv/internal/cli/stdio"
	"github.com/cse-piv/cse-piv/internal/cli/task"
	"github.com/cse-piv/cse-piv/internal/cli/terminationcmd"
	"github.com/cse-piv/cse-piv/internal/desk"
	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/piv"
	"github.com/cse-piv/cse-piv/internal/status"
	"github.com/cse-piv/cse-piv/internal/termination"
)

// tasks carries out what is done at a desk besides enrollments, as the commands for it do.
type tasks struct {
	options *Options
	desk    *desk.Desk
}

// asker asks a person at the desk, who is told once what a command would write; nil is nobody.
func asker(person enroll.Prompter, tell func(note string)) *option.Asker {
	if person == nil {
		person = enroll.Unattended{}
	}
	var told []string
	messages := stdio.NoteWriter(func(event enroll.Event) {
		if note := strings.TrimPrefix(event.Message, "note: "); !slices.Contains(told, note) {
			told = append(told, note)
			tell(note)
		}
	})
	return &option.Asker{Streams: &stdio.Streams{Out: io.Discard, Err: messages}, Person: person}
}

// do carries out a task, see desk.Desk.
func (t tasks) do(ctx context.Context, what desk.Task, person enroll.Prompter, tell func(string)) ([]string, error) {
	ask := asker(person, tell)
	switch what.Command {
	case status.CommandUnblock:
		unblock := task.Unblock{Escrow: &t.options.Escrow, PUK: t.options.puk, MinPINLength: t.options.minPINLength, Second: &t.options.second}
		return onCard(ctx, what.Serial, "has the new PIN, and all its tries", func(card *piv.Card) error {
			_, err := unblock.Run(ctx, ask, card)
			return err
		})
	case status.CommandChangePIN:
		change := task.Change{Name: "PIN", MinPINLength: t.options.minPINLength}
		return onCard(ctx, what.Serial, "has the new PIN", func(card *piv.Card) error { return change.Run(ctx, ask, card) })
	case status.CommandHistory:
		return t.history(ctx, ask, what)
	case status.CommandUndo:
		return t.undo(ctx, ask, what)
	case status.CommandLost, status.CommandLeave:
		return t.end(ctx, ask, string(what.Command), termination.Request{Email: what.Email, Reason: what.Reason})
	}
	return nil, fmt.Errorf("%s is not done at a desk", what.Command)
}

// onCard does something with a card, and says what the card has then.
func onCard(ctx context.Context, serial uint32, then string, work func(*piv.Card) error) ([]string, error) {
	if err := option.UseCard(ctx, serial, work); err != nil {
		return nil, err
	}
	return []string{fmt.Sprintf("card %d %s", serial, then)}, nil
}

// termination returns what ends the use of cards.
func (o *Options) termination() terminationcmd.Flags {
	end := terminationcmd.Flags{Gmail: o.Gmail, Store: o.Store}
	end.Store.WaitFor = option.Wait
	end.CACert, end.CAKey = o.Issuer.LocalCA()
	return end
}

// end ends the use of a card. Where nothing tells which of several is meant, a person says it.
func (t tasks) end(ctx context.Context, ask *option.Asker, command string, request termination.Request) ([]string, error) {
	end := t.options.termination()
	lines, err := ended(end.Do(ctx, ask, command, []termination.Request{request}))
	which, found := errors.AsType[*termination.WhichCardError](err)
	if !found || len(which.Cards) == 0 || slices.Contains(which.Cards, 0) {
		return lines, err
	}
	var cards []enroll.Choice
	for _, serial := range which.Cards {
		cards = append(cards, enroll.Choice{ID: strconv.FormatUint(uint64(serial), 10), Text: fmt.Sprintf("card %d", serial)})
	}
	answer, err := ask.Person.Choose(ctx, enroll.Question{Text: "which card?"}, cards)
	if err != nil {
		return nil, err
	}
	serial, err := strconv.ParseUint(answer, 10, 32)
	if err != nil {
		return nil, err
	}
	request.Serial = uint32(serial)
	return ended(end.Do(ctx, ask, command, []termination.Request{request}))
}

// ended says what the end of a card's use came to.
func ended(results []*terminationcmd.Result, err error) (lines []string, _ error) {
	if err != nil {
		return nil, err
	}
	for _, result := range results {
		lines = append(lines, result.Effects...)
	}
	return lines, terminationcmd.EndOf(results)
}

// undo undoes the newest enrollment. What it put onto the card is taken off it as well where a
// person says so.
func (t tasks) undo(ctx context.Context, ask *option.Asker, what desk.Task) ([]string, error) {
	serial := uint32(0)
	if what.GivesUp {
		serial = what.Serial
	}
	request, err := terminationcmd.UndoRequest(t.options.Evidence, what.Email, serial)
	if err != nil {
		return nil, err
	}
	end := t.options.termination()
	end.Evidence = t.options.Evidence
	if request.Serial == what.Serial && !what.GivesUp && !request.Begun {
		question := enroll.Question{Text: fmt.Sprintf("take the key and certificate of that enrollment off card %d as well? It has to be in the reader", what.Serial)}
		if request.Clear, err = ask.Person.Confirm(ctx, question); err != nil {
			return nil, err
		}
	}
	if request.Clear {
		end.ClearCard(what.Serial, t.options.PIN, t.options.managementKey, t.options.Escrow)
	}
	return ended(end.Do(ctx, ask, string(what.Command), []termination.Request{request}))
}

// history registers the retired keys of a card.
func (t tasks) history(ctx context.Context, ask *option.Asker, what desk.Task) (lines []string, err error) {
	history := task.History{Gmail: t.options.Gmail, Store: t.options.Store, Serial: what.Serial, Authorities: t.desk.Dependencies.Chain, Desk: true}
	done, err := history.Register(ctx, ask.Streams.Err, what.Email)
	for _, key := range done.Keys {
		lines = append(lines, "slot "+key.Slot.String()+" "+key.Text(false))
	}
	return lines, err
}

// replace enrolls a card in the place of those that the user has, and ends the use of those, see
// desk.Desk.
func (t tasks) replace(ctx context.Context, request enroll.Request, front desk.FrontEnd) (*enroll.Receipt, []string, error) {
	ask := asker(front.Prompter, func(note string) {
		front.Notify(enroll.Event{Time: time.Now(), State: enroll.StateNote, Message: note})
	})
	o := &replaceOptions{Options: *t.options, end: t.options.termination()}
	o.serial, o.replaces, o.old.entries = request.Serial, request.Replaces, request.Copies
	former, plans, err := o.look(ctx, ask, request.Email)
	if err != nil {
		return nil, nil, err
	}
	if request.EndsFormer = terminationcmd.Risky(plans); request.EndsFormer {
		request.ReplaceCard = true
	}
	if t.options.replaces == nil && !o.end.Asks(plans) { // nobody says it otherwise
		for _, plan := range plans {
			for _, line := range plan.Effects {
				stdio.Note(ask.Streams.Err, line)
			}
		}
	}
	if err := o.agree(ctx, ask, request.Email, former, plans); err != nil {
		return nil, nil, err
	}
	request.Replaces = o.replaces
	at := *t.desk
	at.Dependencies.EnableKeyPair = o.enablePair
	receipt, err := at.Enroll(ctx, request, front)
	if err != nil {
		return nil, nil, err
	}
	results, err := o.endFormer(ctx, ask.Streams, request.Email, former)
	lines, err := ended(results, err)
	return receipt, append(lines, o.oldMail(ctx, results)...), err
}
