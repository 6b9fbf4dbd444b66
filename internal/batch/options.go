package batch

import (
	"context"
	"time"

	"github.com/cse-piv/cse-piv/internal/batch/source"
	"github.com/cse-piv/cse-piv/internal/gmail"
	"github.com/cse-piv/cse-piv/internal/ledger"
	"github.com/cse-piv/cse-piv/internal/registration"
)

// Domain opens Gmail's settings of one user; see Gmail.
type Domain interface {
	User(ctx context.Context, email string) (registration.Account, error)
}

// Gmail is a Domain of Gmail's.
func Gmail(domain *gmail.Domain) Domain { return gmailDomain{domain} }

type gmailDomain struct{ *gmail.Domain }

func (d gmailDomain) User(ctx context.Context, email string) (registration.Account, error) {
	user, err := d.Domain.User(ctx, email)
	if err != nil {
		return nil, err
	}
	return user, nil
}

// Options say what a run is to do.
type Options struct {
	Source source.Source
	// Prepare turns a row into an entry of the ledger: checked and with its chains
	// packed, or failed. It is called from several goroutines at once.
	Prepare func(context.Context, source.Row) ledger.Entry
	// CheckUsers looks users up before they are entered: for each address an error that
	// refuses it, or nil. Its own error ends the run. nil: nobody is looked up.
	CheckUsers func(ctx context.Context, emails []string) ([]error, error)
	Ledger     *ledger.Ledger
	Domain     Domain
	// Limiter bounds how many users are in flight and how fast Gmail is asked; nil:
	// one for DefaultConcurrency users.
	Limiter *Limiter

	// Pick says whom of the source the run is about.
	Pick Pick
	// DryRun only reads; the ledger is best a temporary one.
	DryRun bool
	// Known is, in a dry run, the ledger that knows what earlier runs did; nil for
	// none.
	Known *ledger.Ledger
	// TrustLedger has users that the ledger calls done not looked at again.
	TrustLedger bool
	// NoWork ends after reading: workers of a shared ledger do the rest.
	NoWork bool
	// GiveUp is how often a user that may succeed later is tried in a run
	// (DefaultGiveUp unless said otherwise), besides the retries of single calls.
	GiveUp int
	// RetryBase is the first wait before a user is tried again (default 5 s); it
	// doubles each time.
	RetryBase time.Duration

	Operator string // who runs this: user@host
	Tool     string // name and version of this program
	// Stopping is closed to begin with no more users; those in flight finish.
	Stopping <-chan struct{}
	// Notify is told what happens, from one goroutine at a time.
	Notify func(Event)
	// OnHeartbeat, if set, is told each time that a shared ledger was, or could not be,
	// told that this worker is alive.
	OnHeartbeat func(err error)
	// OnLedgerError, if set, is told of each answer of the ledger that is an error, also
	// ledger.ErrChanged. It is called from several goroutines at once.
	OnLedgerError func(err error)
	// Hint returns what to do about an error, in one sentence, or "".
	Hint func(error) string
}

const (
	// DefaultConcurrency is how many users are in flight unless said otherwise.
	DefaultConcurrency = 64
	// DefaultGiveUp is how often a user is tried unless said otherwise.
	DefaultGiveUp    = 6
	defaultRetryBase = 5 * time.Second
	maxRetryWait     = 10 * time.Minute
)

// Connections is how many connections to a host are enough for that many users in
// flight; see gmail.Config.
func Connections(concurrency int) int { return concurrency + 8 }

func (o Options) withDefaults() Options {
	if o.Limiter == nil {
		o.Limiter = NewLimiter(DefaultConcurrency, 0)
	}
	if o.GiveUp <= 0 {
		o.GiveUp = DefaultGiveUp
	}
	if o.RetryBase <= 0 {
		o.RetryBase = defaultRetryBase
	}
	if o.Notify == nil {
		o.Notify = func(Event) {}
	}
	if o.OnHeartbeat == nil {
		o.OnHeartbeat = func(error) {}
	}
	if o.OnLedgerError == nil {
		o.OnLedgerError = func(error) {}
	}
	if o.Hint == nil {
		o.Hint = func(error) string { return "" }
	}
	return o
}
