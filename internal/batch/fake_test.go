package batch_test

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"sync/atomic"
	"time"

	"github.com/cse-piv/cse-piv/internal/batch"
	"github.com/cse-piv/cse-piv/internal/batch/source"
	"github.com/cse-piv/cse-piv/internal/gmail"
	"github.com/cse-piv/cse-piv/internal/ledger"
	"github.com/cse-piv/cse-piv/internal/registration"
)

// fakeDomain has every user registered without a call. fail, where it is set, is
// asked for the error of the n-th user that is opened.
type fakeDomain struct {
	opened atomic.Int64
	fail   func(n int64) error
	// looking, creating (a key pair) and setting (an identity), where they are set,
	// are called for each such call.
	looking, creating, setting func(ctx context.Context) error
}

func (d *fakeDomain) User(_ context.Context, email string) (registration.Account, error) {
	n := d.opened.Add(1)
	if d.fail != nil {
		if err := d.fail(n); err != nil {
			return nil, err
		}
	}
	return fakeAccount{d, email}, nil
}

type fakeAccount struct {
	domain *fakeDomain
	email  string
}

func (a fakeAccount) KeyPairs(ctx context.Context) ([]gmail.KeyPair, error) {
	if a.domain.looking != nil {
		return nil, a.domain.looking(ctx)
	}
	return nil, nil
}

func (a fakeAccount) CreateKeyPair(ctx context.Context, _ []gmail.KeyPair, r gmail.KeyPairRequest) (gmail.KeyPair, bool, error) {
	if a.domain.creating != nil {
		if err := a.domain.creating(ctx); err != nil {
			return gmail.KeyPair{}, false, err
		}
	}
	return gmail.KeyPair{ID: "id-" + a.email, LeafSHA256: r.LeafSHA256, Enabled: true, HardwareDescriptions: []string{""}}, true, nil
}

func (a fakeAccount) Identity(context.Context) (gmail.Identity, error) {
	return gmail.Identity{}, gmail.ErrNotFound
}

func (a fakeAccount) CreateIdentity(ctx context.Context, want gmail.Identity) (gmail.Identity, error) {
	if a.domain.setting != nil {
		if err := a.domain.setting(ctx); err != nil {
			return gmail.Identity{}, err
		}
	}
	return want, nil
}

func (a fakeAccount) PatchIdentity(ctx context.Context, want gmail.Identity) (gmail.Identity, error) {
	return a.CreateIdentity(ctx, want)
}

// fakeCrowd is a source of so many people; fakeEntry makes their entries. before, where
// it is set, is called before each row.
type fakeCrowd struct {
	name   string
	users  int
	before func(n int)
}

func (c fakeCrowd) Name() string { return cmp.Or(c.name, "people.csv") }

func (c fakeCrowd) Rows(context.Context) iter.Seq2[source.Row, error] {
	return func(yield func(source.Row, error) bool) {
		for n := 1; n <= c.users; n++ {
			if c.before != nil {
				c.before(n)
			}
			if !yield(source.Row{Where: fmt.Sprintf("%s line %d", c.Name(), n), Line: n, Email: fakeEmail(n)}, nil) {
				return
			}
		}
	}
}

func fakeEmail(n int) string { return fmt.Sprintf("user%05d@lab.example", n) }

func fakeEntry(_ context.Context, row source.Row) ledger.Entry {
	return ledger.Entry{Email: row.Email, Where: row.Where, Line: row.Line,
		Pairs: []ledger.Pair{{Use: "both", LeafSHA256: fmt.Sprintf("%064x", row.Line), PKCS7: []byte("chain")}}}
}

// whatHelps is the hint of these tests.
func whatHelps(err error) string { return "what helps against: " + err.Error() }

// fakeOptions are those of a run that has nothing to do with a Gmail.
func fakeOptions(l *ledger.Ledger, people source.Source, domain batch.Domain, concurrency int) batch.Options {
	return batch.Options{Source: people, Prepare: fakeEntry, Ledger: l, Domain: domain, Limiter: batch.NewLimiter(concurrency, 0),
		Operator: "tester@here/1", Tool: "test", RetryBase: 10 * time.Millisecond, Hint: whatHelps}
}
