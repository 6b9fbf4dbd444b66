package termination_test

import (
	"context"
	"errors"
	"maps"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cse-piv/cse-piv/internal/gmail"
	"github.com/cse-piv/cse-piv/internal/ledger"
	"github.com/cse-piv/cse-piv/internal/registered"
	"github.com/cse-piv/cse-piv/internal/termination"
)

// settings are a user's at a Gmail in memory. The call with the number stop breaks, before
// or after it did something; before that with the number rival somebody else changes the
// identity.
type settings struct {
	state              registered.State
	calls, stop, rival int
	after              bool
}

var errStopped = errors.New("the network is gone")

func (s *settings) call(do func()) error {
	s.calls++
	if s.calls == s.rival {
		s.state.Identity = single("rival")
	}
	if s.calls != s.stop || s.after {
		do()
	}
	if s.calls == s.stop {
		return errStopped
	}
	return nil
}

func (s *settings) KeyPairs(context.Context) (pairs []gmail.KeyPair, err error) {
	err = s.call(func() { pairs = slices.Clone(s.state.KeyPairs) })
	return pairs, err
}

func (s *settings) Identity(context.Context) (identity gmail.Identity, err error) {
	err = s.call(func() {})
	switch {
	case err != nil:
		return identity, err
	case s.state.Identity == nil:
		return identity, gmail.ErrNotFound
	}
	return *s.state.Identity, nil
}

func (s *settings) enable(id string, enabled bool) (pair gmail.KeyPair, err error) {
	return pair, s.call(func() {
		for i := range s.state.KeyPairs {
			if s.state.KeyPairs[i].ID == id {
				s.state.KeyPairs[i].Enabled = enabled
			}
		}
	})
}

func (s *settings) EnableKeyPair(_ context.Context, id string) (gmail.KeyPair, error) {
	return s.enable(id, true)
}

func (s *settings) DisableKeyPair(_ context.Context, id string) (gmail.KeyPair, error) {
	return s.enable(id, false)
}

func (s *settings) ObliterateKeyPair(_ context.Context, id string) error {
	panic("a termination obliterates " + id)
}

func (s *settings) CreateIdentity(_ context.Context, want gmail.Identity) (gmail.Identity, error) {
	return want, s.call(func() { s.state.Identity = &want })
}

func (s *settings) PatchIdentity(ctx context.Context, want gmail.Identity) (gmail.Identity, error) {
	return s.CreateIdentity(ctx, want)
}

func (s *settings) DeleteIdentity(context.Context) error {
	return s.call(func() { s.state.Identity = nil })
}

// newSettings are of a user with two cards, the first of which the identity uses.
func newSettings() *settings {
	return &settings{state: registered.State{KeyPairs: []gmail.KeyPair{pair("a", 1, true), pair("b", 2, true)}, Identity: single("a")}}
}

func openLedger(t *testing.T) *ledger.Ledger {
	t.Helper()
	book, err := ledger.Open(t.Context(), filepath.Join(t.TempDir(), "ledger.db"), ledger.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = book.Close() })
	return book
}

// notes is a ledger in memory, which keeps what became of cards.
type notes map[string]ledger.CardCertificate

func (n notes) Cards(context.Context, string) ([]ledger.CardCertificate, error) {
	return slices.Collect(maps.Values(n)), nil
}

func (n notes) RecordCards(_ context.Context, certificates []ledger.CardCertificate) error {
	for _, one := range certificates {
		n[one.LeafSHA256] = one
	}
	return nil
}

func (n notes) BeginAction(context.Context, ledger.Action) (int64, error) { return 1, nil }

func (n notes) EndAction(context.Context, int64, ledger.Outcome, string) error { return nil }

// requests are a termination of each kind.
func requests() map[string]termination.Request {
	return map[string]termination.Request{
		"lost":       {Email: ada, Reason: termination.ReasonLost},
		"moved":      {Email: ada, Reason: termination.ReasonStolen, Identity: single("b")},
		"left":       {Email: ada, Reason: termination.ReasonLeft},
		"undone":     {Email: ada, Reason: termination.ReasonWrongPerson, Serial: 1, Only: []string{"a"}, Identity: single("b")},
		"superseded": {Email: ada, Reason: termination.ReasonOther, Serial: 1, Identity: single("b")},
	}
}

// end makes and runs a plan, as a command does.
func end(t *testing.T, s *settings, book termination.Ledger, request termination.Request) error {
	deps := termination.Dependencies{Settings: s, Ledger: book, Operator: "op@desk", Verb: "lost", Text: "in the train"}
	plan, err := deps.Look(t.Context(), request)
	if err != nil {
		return err
	}
	return deps.Run(t.Context(), plan)
}

// TestRunStoppedAnywhere: wherever the way to Gmail breaks, before or after a call did
// something, the same once more comes to the same end.
func TestRunStoppedAnywhere(t *testing.T) {
	for name, request := range requests() {
		whole := newSettings()
		if err := end(t, whole, notes{}, request); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for stop := 1; stop <= whole.calls; stop++ {
			for _, after := range []bool{false, true} {
				s, book := newSettings(), notes{}
				s.stop, s.after = stop, after
				if err := end(t, s, book, request); !errors.Is(err, errStopped) {
					t.Errorf("%s stopped at call %d: %v", name, stop, err)
				}
				if err := end(t, s, book, request); err != nil {
					t.Errorf("%s once more after call %d: %v", name, stop, err)
				}
				if diff := cmp.Diff(whole.state.Identity, s.state.Identity); diff != "" || !sameEnabled(whole, s) {
					t.Errorf("%s stopped at call %d ends otherwise: %s\n%+v", name, stop, diff, s.state)
				}
			}
		}
	}
}

func sameEnabled(a, b *settings) bool {
	return slices.EqualFunc(a.state.KeyPairs, b.state.KeyPairs, func(x, y gmail.KeyPair) bool { return x.ID == y.ID && x.Enabled == y.Enabled })
}

// TestRunBesideSomebodyElse: whenever somebody else changes the identity, the termination
// says so or is over, and what the other set is not lost.
func TestRunBesideSomebodyElse(t *testing.T) {
	for name, request := range requests() {
		whole := newSettings()
		if err := end(t, whole, notes{}, request); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		told := 0
		for rival := 3; rival <= whole.calls; rival++ { // from the first call after the plan was made on
			s, book := newSettings(), notes{}
			s.rival = rival
			err := end(t, s, book, request)
			var changed *registered.ChangedError
			if errors.As(err, &changed) {
				told++
				if s.state.Identity == nil || s.state.Identity.PrimaryKeyPairID != "rival" {
					t.Errorf("%s, changed before call %d: the identity is %+v", name, rival, s.state.Identity)
				}
			} else if err != nil {
				t.Errorf("%s, changed before call %d: %v", name, rival, err)
			}
		}
		if told < 3 {
			t.Errorf("%s: somebody else was noticed %d times only", name, told)
		}
	}
}

// TestRunIsWrittenDown: the ledger says what was changed, by whom and why, and what became
// of the card.
func TestRunIsWrittenDown(t *testing.T) {
	s, book := newSettings(), openLedger(t)
	known := ledger.CardCertificate{Email: ada, Serial: 1, Slot: "9d", LeafSHA256: "leaf-a", KeyPairID: "a", Use: "both"}
	if err := book.RecordCards(t.Context(), []ledger.CardCertificate{known}); err != nil {
		t.Fatal(err)
	}
	if err := end(t, s, book, termination.Request{Email: ada, Reason: termination.ReasonLost}); err != nil {
		t.Fatal(err)
	}
	actions, err := book.Actions(t.Context(), ada)
	if err != nil || len(actions) != 2 {
		t.Fatalf("%+v, %v", actions, err)
	}
	for i, object := range []string{"", "a"} {
		if got := actions[i]; got.Verb != "lost" || got.Object != object || got.Outcome != ledger.OutcomeDone || got.Operator != "op@desk" || got.Reason != "lost: in the train" {
			t.Errorf("%+v", got)
		}
	}
	cards, err := book.Cards(t.Context(), ada)
	if err != nil || len(cards) != 1 || cards[0].State != ledger.CardLost || cards[0].Slot != "9d" || cards[0].Reason != "in the train" {
		t.Errorf("%+v, %v", cards, err)
	}
}
