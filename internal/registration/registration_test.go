package registration_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/gmail"
	"github.com/cse-piv/cse-piv/internal/lab/ca"
	"github.com/cse-piv/cse-piv/internal/lab/workspace"
	"github.com/cse-piv/cse-piv/internal/registration"
)

// TestWhatARegistrationTakes pins the calls of a user in each situation.
func TestWhatARegistrationTakes(t *testing.T) {
	p := newPractice(t)
	calls := func(what string, want ...string) {
		t.Helper()
		if diff := cmp.Diff(want, p.took()); diff != "" {
			t.Errorf("%s: %s", what, diff)
		}
	}
	first := p.key(certificate.UseBoth)
	outcome := p.mustRegister(first)
	calls("a new user", "token", "keypairs.list", "keypairs.create", "identities.create")
	old := outcome.Keys[0].Pair.ID
	if !outcome.Keys[0].Created || outcome.Change.Action != registration.Created || outcome.Unchanged() || outcome.Identity.PrimaryKeyPairID != old ||
		p.identity().PrimaryKeyPairID != old || len(outcome.Findings()) != 0 {
		t.Errorf("%+v", outcome)
	}

	outcome = p.mustRegister(first)
	calls("again", "keypairs.list", "identities.get")
	if !outcome.Unchanged() || outcome.Keys[0].Pair.ID != old || outcome.Identity.PrimaryKeyPairID != old {
		t.Errorf("%+v", outcome)
	}

	sign, encrypt := p.key(certificate.UseSign), p.key(certificate.UseEncrypt)
	outcome = p.mustRegister(sign, encrypt)
	calls("another card", "keypairs.list", "keypairs.create", "keypairs.create", "keypairs.list", "identities.get", "identities.patch")
	identity := p.identity()
	if outcome.Change.Action != registration.Patched || outcome.Change.Before.PrimaryKeyPairID != old || identity.PrimaryKeyPairID != "" ||
		identity.SigningKeyPairID != outcome.Keys[0].Pair.ID || identity.EncryptionKeyPairID != outcome.Keys[1].Pair.ID {
		t.Errorf("%+v %+v", outcome, identity)
	}
	if pairs := p.server.KeyPairs(p.email); len(pairs) != 3 || !pairs[0].Enabled {
		t.Errorf("%d key pairs; the old one stays enabled: %v", len(pairs), pairs[0].Enabled)
	}

	history := keyOf(t, certificate.UseHistory, p.chain(ca.Profile{NotBefore: time.Now().Add(-48 * time.Hour), NotAfter: time.Now().Add(-time.Hour)}))
	outcome = p.mustRegister(history)
	calls("history alone", "keypairs.list", "keypairs.create")
	if !outcome.Keys[0].Created || outcome.Change.Action != registration.Unchanged || p.identity() != identity {
		t.Errorf("%+v", outcome)
	}
	outcome = p.mustRegister(history)
	calls("history again", "keypairs.list")
	if !outcome.Unchanged() {
		t.Errorf("%+v", outcome)
	}
}

// TestIdentityIsPutRight: the identity was deleted, or uses another key pair.
func TestIdentityIsPutRight(t *testing.T) {
	p := newPractice(t)
	key := p.key(certificate.UseBoth)
	id := p.mustRegister(key).Keys[0].Pair.ID
	other := p.plant(workspace.NewKeyPair{Chain: p.chain(ca.Profile{})})
	user := p.account()

	if err := user.DeleteIdentity(t.Context()); err != nil {
		t.Fatal(err)
	}
	if outcome := p.mustRegister(key); outcome.Change.Action != registration.Created || outcome.Unchanged() || p.identity().PrimaryKeyPairID != id {
		t.Errorf("%+v", outcome)
	}
	if _, err := user.PatchIdentity(t.Context(), gmail.Identity{PrimaryKeyPairID: other}); err != nil {
		t.Fatal(err)
	}
	if outcome := p.mustRegister(key); outcome.Change.Action != registration.Patched || outcome.Change.Before.PrimaryKeyPairID != other || p.identity().PrimaryKeyPairID != id {
		t.Errorf("%+v", outcome)
	}
	if n := len(p.server.KeyPairs(p.email)); n != 2 {
		t.Errorf("%d key pairs", n)
	}
}

// TestOnlyHardwareKeyPairsCount: a wrapped pair with the same leaf is not the card's,
// even when it is in the identity.
func TestOnlyHardwareKeyPairsCount(t *testing.T) {
	p := newPractice(t)
	chain := p.chain(ca.Profile{})
	key := keyOf(t, certificate.UseBoth, chain)
	wrapped := p.plant(workspace.NewKeyPair{Chain: chain, KACLSURI: "https://kacls.example/v1"})
	if _, err := p.account().CreateIdentity(t.Context(), gmail.Identity{PrimaryKeyPairID: wrapped}); err != nil {
		t.Fatal(err)
	}
	for _, created := range []bool{true, false} {
		outcome := p.mustRegister(key)
		got := outcome.Keys[0]
		if got.Created != created || got.Pair.ID == wrapped || !got.Pair.Hardware() || p.identity().PrimaryKeyPairID != got.Pair.ID ||
			!slices.Equal(idsOf(got.InKeyService), []string{wrapped}) || len(got.Superfluous) != 0 || len(outcome.Findings()) != 1 {
			t.Errorf("%+v", outcome)
		}
	}
	if n := len(p.server.KeyPairs(p.email)); n != 2 {
		t.Errorf("%d key pairs", n)
	}
}

// TestHistoryBecomesCurrent: a leaf was first registered without chain validation,
// by this program or another. No list tells; the identity is refused, and a
// validated pair takes its place.
func TestHistoryBecomesCurrent(t *testing.T) {
	t.Run("one for both", func(t *testing.T) {
		p := newPractice(t)
		chain := p.chain(ca.Profile{})
		key, history := keyOf(t, certificate.UseBoth, chain), keyOf(t, certificate.UseHistory, chain)
		old := p.mustRegister(history).Keys[0].Pair.ID
		for round := range 3 {
			outcome := p.mustRegister(key)
			got := outcome.Keys[0]
			if got.Created != (round == 0) || got.Pair.ID == old || p.identity().PrimaryKeyPairID != got.Pair.ID ||
				!slices.Equal(idsOf(got.Superfluous), []string{old}) || outcome.Unchanged() == (round == 0) {
				t.Errorf("round %d: %+v", round, outcome)
			}
		}
		if n := len(p.server.KeyPairs(p.email)); n != 2 {
			t.Errorf("%d key pairs", n)
		}
		// The old one serves for history still, where that is asked for as well.
		if outcome := p.mustRegister(key, history); !outcome.Unchanged() || outcome.Keys[0].Pair.ID == old {
			t.Errorf("%+v", outcome)
		}
	})
	t.Run("split, and broken off", func(t *testing.T) {
		p := newPractice(t)
		signs, encrypts := p.chain(ca.Profile{}), p.chain(ca.Profile{})
		keys := []registration.Key{keyOf(t, certificate.UseSign, signs), keyOf(t, certificate.UseEncrypt, encrypts)}
		p.plant(workspace.NewKeyPair{Chain: signs, Unvalidated: true})
		p.plant(workspace.NewKeyPair{Chain: encrypts, Unvalidated: true})
		// The run ends after each of its calls in turn, and is done again.
		for n := 1; ; n++ {
			left := n
			broken := errors.New("killed")
			hooks := registration.Hooks{KeyPair: func(context.Context, int, gmail.KeyPair, bool) error {
				if left--; left == 0 {
					return broken
				}
				return nil
			}}
			_, err := registration.Register(t.Context(), p.account(), p.email, keys, hooks)
			if err == nil {
				break
			}
			if !errors.Is(err, broken) || n > 20 {
				t.Fatal(err)
			}
		}
		if pairs := p.server.KeyPairs(p.email); len(pairs) != 4 {
			t.Errorf("%d key pairs", len(pairs))
		}
		for _, id := range []string{p.identity().SigningKeyPairID, p.identity().EncryptionKeyPairID} {
			if !slices.ContainsFunc(p.server.KeyPairs(p.email), func(pair workspace.KeyPair) bool { return pair.ID == id && pair.Validated }) {
				t.Errorf("the identity uses %q", id)
			}
		}
	})
	t.Run("cannot", func(t *testing.T) {
		p := newPractice(t)
		chain := p.chain(ca.Profile{NotBefore: time.Now().Add(-48 * time.Hour), NotAfter: time.Now().Add(-time.Hour)})
		p.plant(workspace.NewKeyPair{Chain: chain, Unvalidated: true})
		_, err := p.register(keyOf(t, certificate.UseBoth, chain))
		var refused *gmail.Error
		if !errors.As(err, &refused) || refused.Method != "keypairs.create" || refused.Kind != gmail.KindInvalid || len(p.server.KeyPairs(p.email)) != 1 {
			t.Errorf("%v, %d key pairs", err, len(p.server.KeyPairs(p.email)))
		}
	})
}

// TestRefusedForAnotherReason: where the identity is refused for what is in the
// certificate, key pairs do not pile up, and the hint is about key pairs.
func TestRefusedForAnotherReason(t *testing.T) {
	p := newPractice(t)
	p.fault = func(method string, _ int) workspace.Fault {
		if method == "identities.create" {
			return workspace.Fault{Status: 400, Reason: "failedPrecondition"}
		}
		return workspace.Fault{}
	}
	key := p.key(certificate.UseBoth)
	for range 4 {
		_, err := p.register(key)
		var refused *gmail.Error
		if !errors.As(err, &refused) || refused.Kind != gmail.KindPrecondition || refused.Method != "identities.create" {
			t.Fatal(err)
		}
	}
	if n := len(p.server.KeyPairs(p.email)); n > 2 {
		t.Errorf("%d key pairs", n)
	}
	// Of a pair that is known to be validated, not even one more.
	p.email = "carol@lab.example"
	key = p.key(certificate.UseBoth)
	for range 3 {
		if _, err := p.register(key); !errors.Is(err, gmail.ErrPrecondition) {
			t.Fatal(err)
		}
		pairs := p.server.KeyPairs(p.email)
		if len(pairs) != 1 {
			t.Errorf("%d key pairs", len(pairs))
		}
		key.Validated = pairs[0].ID
	}
}

func TestDisabledKeyPairIsNeitherUsedNorDoubled(t *testing.T) {
	p := newPractice(t)
	chain := p.chain(ca.Profile{})
	off := p.plant(workspace.NewKeyPair{Chain: chain, Disabled: true})
	_, err := p.register(keyOf(t, certificate.UseBoth, chain))
	var refused *gmail.Error
	if !errors.Is(err, gmail.ErrKeyPairDisabled) || !errors.As(err, &refused) || refused.KeyPairID != off {
		t.Error(err)
	}
	if n := len(p.server.KeyPairs(p.email)); n != 1 {
		t.Errorf("%d key pairs", n)
	}
}

// TestOfSeveralTheIdentitysServes: the others are superfluous.
func TestOfSeveralTheIdentitysServes(t *testing.T) {
	p := newPractice(t)
	chain := p.chain(ca.Profile{})
	key := keyOf(t, certificate.UseBoth, chain)
	first, second, third := p.plant(workspace.NewKeyPair{Chain: chain}), p.plant(workspace.NewKeyPair{Chain: chain}), p.plant(workspace.NewKeyPair{Chain: chain})
	if outcome := p.mustRegister(key); outcome.Keys[0].Pair.ID != first || len(outcome.Keys[0].Superfluous) != 2 || outcome.Change.Action != registration.Created {
		t.Errorf("%+v", outcome)
	}
	if _, err := p.account().PatchIdentity(t.Context(), gmail.Identity{PrimaryKeyPairID: second}); err != nil {
		t.Fatal(err)
	}
	outcome := p.mustRegister(key)
	want := []string{first, third}
	slices.Sort(want)
	if !outcome.Unchanged() || outcome.Keys[0].Pair.ID != second || !slices.Equal(idsOf(outcome.Keys[0].Superfluous), want) || len(outcome.Findings()) != 2 {
		t.Errorf("%+v", outcome)
	}
	if _, err := p.account().DisableKeyPair(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	if outcome := p.mustRegister(key); !slices.Equal(idsOf(outcome.Keys[0].Superfluous), []string{third}) {
		t.Errorf("%+v", outcome)
	}
}

// TestHooks: each pair is told of before the next call, and nothing is changed
// unasked.
func TestHooks(t *testing.T) {
	p := newPractice(t)
	keys := []registration.Key{p.key(certificate.UseSign), p.key(certificate.UseEncrypt)}
	var events []string
	p.before = func(method string) { events = append(events, method) }
	hooks := registration.Hooks{
		Change: func(context.Context) error { events = append(events, "may"); return nil },
		KeyPair: func(_ context.Context, index int, pair gmail.KeyPair, created bool) error {
			events = append(events, fmt.Sprint("told ", index, " ", created))
			return nil
		},
	}
	account := p.account()
	events = nil
	if _, err := registration.Register(t.Context(), account, p.email, keys, hooks); err != nil {
		t.Fatal(err)
	}
	want := []string{"keypairs.list", "may", "keypairs.create", "told 0 true", "may", "keypairs.create", "told 1 true", "may", "identities.create"}
	if diff := cmp.Diff(want, events); diff != "" {
		t.Error(diff)
	}
	no := errors.New("no")
	events = nil
	hooks.Change = func(context.Context) error { return no }
	if _, err := registration.Register(t.Context(), account, p.email, []registration.Key{p.key(certificate.UseBoth)}, hooks); err != no {
		t.Error(err)
	}
	if diff := cmp.Diff([]string{"keypairs.list"}, events); diff != "" {
		t.Error(diff)
	}
}

func TestKeysThatContradict(t *testing.T) {
	p := newPractice(t)
	for _, keys := range [][]registration.Key{
		{p.key(certificate.UseBoth), p.key(certificate.UseBoth)},
		{p.key("paperweight")},
		{p.key(certificate.UseSign)},
	} {
		if _, err := p.register(keys...); err == nil {
			t.Errorf("%q: no error", keys[0].Use)
		}
	}
	if len(p.server.Identities(p.email)) != 0 || len(p.server.KeyPairs(p.email)) != 0 {
		t.Error("something was registered")
	}
}
