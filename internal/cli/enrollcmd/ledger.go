package enrollcmd

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"sync"

	"github.com/cse-piv/cse-piv/internal/cli/option"
	"github.com/cse-piv/cse-piv/internal/desk"
	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/ledger"
)

// enrollLedger is the ledger that enrollments are entered into. For writing it
// is opened each time, so that many desks can share a file as well as a database.
type enrollLedger struct {
	store option.Store

	mu     sync.Mutex
	reader *ledger.Ledger // nil until somebody was looked up
}

// enterInto has enrollments entered into the ledger, and returns it.
func enterInto(deps *enroll.Dependencies, store option.Store) (*enrollLedger, error) {
	if _, err := store.Resolve(); err != nil {
		return nil, err
	}
	book := &enrollLedger{store: store}
	deps.Ledger, deps.NoteCHUID = book, store.NoteCHUID
	return book, nil
}

// Enter opens the ledger, enters the registration and closes the ledger.
func (l *enrollLedger) Enter(ctx context.Context, entry ledger.Entry, cards []ledger.CardCertificate) error {
	return l.store.Write(ctx, option.Wait, func(book *ledger.Ledger) error { return book.Enter(ctx, entry, cards) })
}

// Has looks whether the ledger has the registration, also while another process
// works with it.
func (l *enrollLedger) Has(ctx context.Context, entry ledger.Entry, cards []ledger.CardCertificate) (has bool, err error) {
	book, err := l.store.OpenReadOnly(ctx)
	if missing := (*ledger.MissingError)(nil); errors.As(err, &missing) {
		return false, nil // nobody was entered yet
	}
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, book.Close()) }()
	there, found, err := book.Entry(ctx, entry.Email)
	missing := func(pair ledger.Pair) bool {
		return !slices.ContainsFunc(there.Pairs, func(has ledger.Pair) bool {
			return has.Use == pair.Use && has.LeafSHA256 == pair.LeafSHA256 && has.KeyPairID == pair.KeyPairID
		})
	}
	if err != nil || !found || there.State != ledger.StateDone || slices.ContainsFunc(entry.Pairs, missing) {
		return false, err
	}
	known, err := book.Cards(ctx, entry.Email)
	return !slices.ContainsFunc(cards, func(card ledger.CardCertificate) bool {
		return !slices.ContainsFunc(known, func(k ledger.CardCertificate) bool {
			return k.Serial == card.Serial && k.Slot == card.Slot && k.LeafSHA256 == card.LeafSHA256 && (k.KeyPairID == card.KeyPairID || card.KeyPairID == "") && k.State == card.State
		})
	}), err
}

// Check opens the ledger for writing, and makes it where there is none.
func (l *enrollLedger) Check(ctx context.Context) error {
	return l.store.Write(ctx, 0, func(*ledger.Ledger) error { return nil })
}

// Look returns the error of Check as far as it can be told without writing anything.
func (l *enrollLedger) Look(ctx context.Context) error {
	location, err := l.store.Resolve()
	if err != nil {
		return err
	}
	facts, err := ledger.Look(ctx, location)
	if missing := (*ledger.MissingError)(nil); errors.As(err, &missing) && errors.Is(err, fs.ErrNotExist) {
		return nil // it is made when it is needed
	}
	if err == nil && facts.InUse {
		err = &ledger.InUseError{Path: facts.Name, Holder: facts.Holder}
	}
	return err
}

// registered looks up whether somebody is registered.
func (l *enrollLedger) registered(ctx context.Context, email string) (*desk.Registered, error) {
	book, err := l.look(ctx)
	if missing := (*ledger.MissingError)(nil); errors.As(err, &missing) {
		return nil, nil // nobody was entered yet
	}
	if err != nil {
		return nil, err
	}
	entry, found, err := book.Entry(ctx, email)
	if err != nil || !found || entry.State != ledger.StateDone {
		return nil, err
	}
	registered := &desk.Registered{When: entry.Updated, By: entry.Worker}
	for _, pair := range entry.Pairs {
		registered.Cards = append(registered.Cards, pair.Description)
	}
	return registered, nil
}

// cards lists the certificates on cards that the ledger has of somebody.
func (l *enrollLedger) cards(ctx context.Context, email string) ([]ledger.CardCertificate, error) {
	book, err := l.look(ctx)
	if missing := (*ledger.MissingError)(nil); errors.As(err, &missing) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return book.Cards(ctx, email)
}

func (l *enrollLedger) look(ctx context.Context) (*ledger.Ledger, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.reader != nil {
		return l.reader, nil
	}
	book, err := l.store.OpenReadOnly(ctx)
	if err == nil {
		l.reader = book
	}
	return book, err
}

func (l *enrollLedger) close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.reader == nil {
		return nil
	}
	return l.reader.Close()
}
