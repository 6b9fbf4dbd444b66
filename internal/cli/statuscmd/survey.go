package statuscmd

import (
	"cmp"
	"context"
	"errors"
	"io"
	"io/fs"
	"iter"
	"time"

	"github.com/cse-piv/cse-piv/internal/batch"
	"github.com/cse-piv/cse-piv/internal/cli/hint"
	"github.com/cse-piv/cse-piv/internal/cli/option"
	"github.com/cse-piv/cse-piv/internal/cli/stdio"
	"github.com/cse-piv/cse-piv/internal/evidence"
	"github.com/cse-piv/cse-piv/internal/gmail"
	"github.com/cse-piv/cse-piv/internal/ledger"
	"github.com/cse-piv/cse-piv/internal/piv"
	"github.com/cse-piv/cse-piv/internal/progress"
	"github.com/cse-piv/cse-piv/internal/registered"
	"github.com/cse-piv/cse-piv/internal/status"
)

// surveyFlags are of the commands that look at users in the ledger and at Gmail.
type surveyFlags struct {
	gmail    option.Gmail
	store    option.Store
	rate     option.Rate
	within   option.Span
	evidence string
}

// survey reads what the ledger, Gmail and the cards in the readers have of users.
type survey struct {
	book    *ledger.Ledger // nil for none
	domain  *gmail.Domain
	limiter *batch.Limiter
	refused map[string]*gmail.Error // by the directory, by ledger.Key
	cards   []status.Card           // in the readers
	now     time.Time
	within  time.Duration
	// evidence is the folder with that of enrollments, and warn tells what cannot be read of it.
	evidence string
	warn     func(error)
}

// openLedger opens the ledger for reading; nil where nothing was ever recorded on this
// machine.
func (f *surveyFlags) openLedger(ctx context.Context) (*ledger.Ledger, error) {
	book, err := f.store.OpenReadOnly(ctx)
	if errors.Is(err, fs.ErrNotExist) && f.store.Location == "" {
		return nil, nil
	}
	return book, err
}

// open opens the ledger and Gmail.
func (f *surveyFlags) open(ctx context.Context, messages io.Writer) (s *survey, err error) {
	s = &survey{now: time.Now(), within: time.Duration(f.within), warn: func(err error) { stdio.Warning(messages, err.Error()) }}
	if s.evidence, err = option.FolderOr(f.evidence, "evidence"); err != nil {
		return nil, err
	}
	if s.book, err = f.openLedger(ctx); err != nil {
		return nil, err
	}
	if s.domain, s.limiter, err = f.rate.Open(ctx, &f.gmail, messages); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

func (s *survey) close() error {
	if s.book == nil {
		return nil
	}
	return s.book.Close()
}

// readCards reads the cards that are in the readers. That one cannot be read is told, and
// that there is none, or no reader, is nothing to tell.
func (s *survey) readCards(ctx context.Context, messages io.Writer) error {
	found, err := piv.List(ctx)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		return nil // there may be no smart card service where users are looked at
	}
	for _, in := range found {
		if in.Err != nil {
			continue
		}
		card, err := readCard(ctx, s.book, s.evidence, s.warn, in.Identity.Serial)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			stdio.Warning(messages, err.Error())
			continue
		}
		s.cards = append(s.cards, card)
	}
	return nil
}

// readCard reads a card, and what the ledger and the evidence have of it; 0 is the only card. What
// cannot be read of the evidence is told by warn.
func readCard(ctx context.Context, book *ledger.Ledger, folder string, warn func(error), serial uint32) (card status.Card, err error) {
	var chuid string
	if err := option.UseCard(ctx, serial, func(c *piv.Card) (err error) {
		card.Identity = c.Identity()
		if card.Status, err = c.Status(ctx); err == nil {
			chuid, err = c.CHUIDHash(ctx)
		}
		return err
	}); err != nil {
		return card, err
	}
	last, email, err := evidence.NewestWith(folder, card.Identity.Serial)
	if err == nil {
		card.Begun, err = status.ReadBegun(last, email)
	}
	if err != nil {
		warn(err)
	}
	if book == nil {
		return card, nil
	}
	if card.Ledger, err = book.OnCard(ctx, card.Identity.Serial); err == nil {
		card.SameCHUID, err = book.SameCHUID(ctx, card.Identity.Serial, chuid)
	}
	return card, err
}

// wanted is a user that is asked for.
type wanted struct {
	email  string
	source status.Membership
}

// everybody yields the users of the ledger.
func (s *survey) everybody(ctx context.Context) iter.Seq2[wanted, error] {
	return func(yield func(wanted, error) bool) {
		if s.book == nil {
			return
		}
		for entry, err := range s.book.Everybody(ctx) {
			if !yield(wanted{email: entry.Email}, err) || err != nil {
				return
			}
		}
	}
}

// users yields how users stand, in their order. Those whom Gmail did not answer have what the
// ledger knows.
func (s *survey) users(ctx context.Context, all iter.Seq2[wanted, error], show func(progress.Tally)) iter.Seq2[userStatus, error] {
	return func(yield func(userStatus, error) bool) {
		var tally progress.Tally
		for answer, err := range batch.Ask(ctx, s.limiter, all, s.ask) {
			if err != nil {
				yield(userStatus{}, err)
				return
			}
			user := answer.Value
			if errors.Is(answer.Err, batch.ErrNotAsked) {
				user = s.ledgerSide(ctx, answer.User)
				user.err = answer.Err
			}
			if user.ledgerErr != nil {
				yield(userStatus{}, user.ledgerErr)
				return
			}
			s.judge(&user)
			if user.err == nil {
				tally.Done++
			} else {
				tally.Failed++
			}
			show(tally)
			if !yield(user, nil) {
				return
			}
		}
	}
}

// ask reads what the ledger and Gmail have of a user. Its error is Gmail's.
func (s *survey) ask(ctx context.Context, of wanted) (userStatus, error) {
	user := s.ledgerSide(ctx, of)
	if user.ledgerErr != nil {
		return user, nil
	}
	if refused := s.refused[ledger.Key(of.email)]; refused != nil {
		user.facts.Refused = refused
		return user, nil
	}
	account, err := s.domain.User(ctx, of.email)
	var state registered.State
	if err == nil {
		state, err = registered.ReadState(ctx, account)
	}
	if user.err = err; err == nil {
		user.facts.Gmail = &state
	}
	return user, err
}

// lookUp asks the directory about everybody, where it is asked at all, and returns them.
// Who may not be looked up is left to be asked for alone.
func (s *survey) lookUp(ctx context.Context, all iter.Seq2[wanted, error]) (iter.Seq2[wanted, error], error) {
	if s.domain.Directory() == "" {
		return all, nil
	}
	var everybody []wanted
	var emails []string
	for user, err := range all {
		if err != nil {
			return nil, err
		}
		everybody, emails = append(everybody, user), append(emails, user.email)
	}
	found, err := s.domain.CheckUsers(ctx, emails)
	if err != nil {
		return nil, err
	}
	s.refused = map[string]*gmail.Error{}
	for i, err := range found {
		if refused, is := errors.AsType[*gmail.Error](err); is && refused.Kind != gmail.KindDenied {
			s.refused[ledger.Key(emails[i])] = refused
		}
	}
	return func(yield func(wanted, error) bool) {
		for _, user := range everybody {
			if !yield(user, nil) {
				return
			}
		}
	}, nil
}

// ledgerSide reads what the ledger has of a user.
func (s *survey) ledgerSide(ctx context.Context, of wanted) userStatus {
	user := userStatus{Email: of.email, KeyPairs: []pairStatus{}, Actions: []ledger.Action{}, Cards: []ledger.CardCertificate{}}
	user.facts = status.User{Email: of.email, Source: of.source}
	last, err := evidence.NewestGoingOn(s.evidence, of.email)
	if err == nil {
		user.facts.Begun, err = status.ReadBegun(last, of.email)
	}
	user.begunErr = err
	if s.book == nil {
		return user
	}
	entry, found, err := s.book.Entry(ctx, of.email)
	if found {
		user.Ledger, user.facts.Entry = &entry, &entry
	}
	if err == nil {
		user.Actions, err = s.book.Actions(ctx, of.email)
		for i := range user.Actions {
			if user.Actions[i].Outcome == ledger.OutcomeDone {
				user.facts.ByHand = &user.Actions[i]
			}
		}
	}
	if err == nil {
		user.Cards, err = s.book.Cards(ctx, of.email)
		user.facts.Cards = user.Cards
	}
	if err == nil {
		user.facts.Earlier, err = s.book.EarlierPairs(ctx, of.email)
	}
	user.ledgerErr = err
	return user
}

// judge says what there is, what is found about it, and what to type next.
func (s *survey) judge(user *userStatus) {
	if state := user.facts.Gmail; state != nil {
		user.Identity = state.Identity
		known := user.facts.Earlier
		if user.Ledger != nil {
			known = append(known, user.Ledger.Pairs...)
		}
		user.KeyPairs = pairStatuses(state.KeyPairs, state.Identity, known)
	}
	if user.err != nil {
		user.Problem = user.err.Error()
	}
	if user.begunErr != nil {
		s.warn(user.begunErr)
	}
	for _, card := range s.cards {
		if ledger.Key(card.Owner()) == ledger.Key(user.Email) {
			card.Gmail = user.facts.Gmail
			user.facts.Inserted = &card
			user.InsertedCard = &insertedCard{card.Identity.Serial, card.State(), card.Keys()}
		}
	}
	user.Findings = []found{}
	for _, finding := range user.facts.Findings(s.now, s.within) {
		line := hint.Command(finding.Command, cmp.Or(finding.Primary, user.Email), finding.KeyPairID, 0)
		user.Findings = append(user.Findings, found{finding, line})
		if user.Next == "" {
			user.Next = line
		}
	}
}
