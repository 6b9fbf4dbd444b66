package option

import (
	"context"
	"io"

	"github.com/spf13/pflag"

	"github.com/cse-piv/cse-piv/internal/batch"
	"github.com/cse-piv/cse-piv/internal/cli/setting"
	"github.com/cse-piv/cse-piv/internal/gmail"
)

// maxConcurrency keeps a typing error from opening thousands of connections.
const maxConcurrency = 1000

// Rate is the flags that say how hard Gmail is asked about many users.
type Rate struct {
	concurrency int
	qps         float64
	// TellRetries has each call told that is made again, where so few users are looked at
	// that somebody waits for them.
	TellRetries bool
	// Observe, if set, may add to how Gmail is reached that it is told of calls.
	Observe func(*gmail.Config)
}

// Add adds the flags.
func (f *Rate) Add(flags *pflag.FlagSet) {
	f.concurrency = batch.DefaultConcurrency
	AddNumber(flags, &f.concurrency, "concurrency", 1, maxConcurrency, "how many users are in flight at once; fewer by themselves while Gmail says that it is too much")
	addFraction(flags, &f.qps, "qps", "the most calls of the Gmail API a second (default as fast as it goes)")
	setting.Mark(flags, "concurrency", "qps")
}

// Open opens Gmail for many users, within the limits. Warnings go to messages.
func (f *Rate) Open(ctx context.Context, g *Gmail, messages io.Writer) (*gmail.Domain, *batch.Limiter, error) {
	g.SayForeign(messages)
	limiter := batch.NewLimiter(f.concurrency, f.qps)
	config, err := g.Config(ctx, messages)
	if err != nil {
		return nil, nil, err
	}
	config.Wait, config.Pace = limiter.Wait, limiter.Pace
	if f.TellRetries {
		config.OnRetry = retryTeller(messages)
	}
	if f.Observe != nil {
		f.Observe(&config)
	}
	config.MaxConnections = batch.Connections(f.concurrency)
	domain, err := OpenGmail(config, messages)
	return domain, limiter, err
}
