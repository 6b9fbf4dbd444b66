package registration_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/gmail"
	"github.com/cse-piv/cse-piv/internal/registration"
)

// TestTwoRegisterTheSame has two registrations of one certificate, such as those of
// two administrators with a ledger each, make their calls in every order that a
// hundred seeds give. The identity uses one pair, and each other one is called
// superfluous by at least one of the two.
func TestTwoRegisterTheSame(t *testing.T) {
	p := newPractice(t)
	doubled := 0
	for seed := range uint64(100) {
		for _, renewal := range []bool{false, true} {
			p.email = fmt.Sprintf("user%d-%v@lab.example", seed, renewal)
			if renewal {
				p.mustRegister(p.key(certificate.UseBoth))
			}
			key := p.key(certificate.UseBoth)
			outcomes := inTurns(t, rand.New(rand.NewPCG(seed, 1)), p.email, key, p.account(), p.account())
			used := p.identity().PrimaryKeyPairID
			var told []string
			for _, outcome := range outcomes {
				told = append(told, idsOf(outcome.Keys[0].Superfluous)...)
			}
			if slices.Contains(told, used) {
				t.Errorf("seed %d, renewal %v: the identity uses %s, which is called superfluous", seed, renewal, used)
			}
			for _, pair := range p.server.KeyPairs(p.email) {
				if pair.LeafSHA256 == key.LeafSHA256 && pair.ID != used {
					doubled++
					if !slices.Contains(told, pair.ID) {
						t.Errorf("seed %d, renewal %v: nobody tells of %s", seed, renewal, pair.ID)
					}
				}
			}
			// Whoever looks again agrees with what is there.
			if outcome := p.mustRegister(key); !outcome.Unchanged() || outcome.Keys[0].Pair.ID != used {
				t.Errorf("seed %d, renewal %v: %+v", seed, renewal, outcome)
			}
		}
	}
	if doubled < 20 {
		t.Errorf("only %d doubles: this tests little", doubled)
	}
}

// inTurns registers a key through each of the accounts at once. Only one makes a
// call at a time; chance says which.
func inTurns(t *testing.T, chance *rand.Rand, email string, key registration.Key, accounts ...registration.Account) []registration.Outcome {
	t.Helper()
	outcomes := make([]registration.Outcome, len(accounts))
	asks := make([]chan chan struct{}, len(accounts))
	for i, account := range accounts {
		asks[i] = make(chan chan struct{})
		go func() {
			var err error
			if outcomes[i], err = registration.Register(t.Context(), turns{account, asks[i]}, email, []registration.Key{key}, registration.Hooks{}); err != nil {
				t.Error(err)
			}
			close(asks[i])
		}()
	}
	waiting := map[int]chan struct{}{}
	for running := len(accounts); running > 0; {
		for i, ask := range asks {
			if ask == nil || waiting[i] != nil {
				continue
			}
			if turn, more := <-ask; more {
				waiting[i] = turn
			} else {
				asks[i] = nil
				running--
			}
		}
		if len(waiting) == 0 {
			continue
		}
		var all []int
		for i := range waiting {
			all = append(all, i)
		}
		slices.Sort(all)
		i := all[chance.IntN(len(all))]
		turn := waiting[i]
		delete(waiting, i)
		close(turn)
	}
	return outcomes
}

// turns makes a call when it is its turn. The call is over when the next one asks.
type turns struct {
	registration.Account
	ask chan chan struct{}
}

func (a turns) wait() {
	turn := make(chan struct{})
	a.ask <- turn
	<-turn
}

func (a turns) KeyPairs(ctx context.Context) ([]gmail.KeyPair, error) {
	a.wait()
	return a.Account.KeyPairs(ctx)
}

func (a turns) CreateKeyPair(ctx context.Context, known []gmail.KeyPair, want gmail.KeyPairRequest) (gmail.KeyPair, bool, error) {
	a.wait()
	return a.Account.CreateKeyPair(ctx, known, want)
}

func (a turns) Identity(ctx context.Context) (gmail.Identity, error) {
	a.wait()
	return a.Account.Identity(ctx)
}

func (a turns) CreateIdentity(ctx context.Context, want gmail.Identity) (gmail.Identity, error) {
	a.wait()
	return a.Account.CreateIdentity(ctx, want)
}

func (a turns) PatchIdentity(ctx context.Context, want gmail.Identity) (gmail.Identity, error) {
	a.wait()
	return a.Account.PatchIdentity(ctx, want)
}
