package batchcmd

import (
	"io"
	"time"

	"github.com/spf13/pflag"

	"github.com/cse-piv/cse-piv/internal/batch"
	"github.com/cse-piv/cse-piv/internal/cli/option"
	"github.com/cse-piv/cse-piv/internal/cli/usage"
)

// maxConcurrency keeps a typing error from opening thousands of connections.
const maxConcurrency = 1000

// workFlags say how hard Gmail is asked, by batch and worker alike.
type workFlags struct {
	concurrency int
	qps         float64
	giveUp      int
	retryBase   time.Duration
}

func (f *workFlags) add(flags *pflag.FlagSet) {
	flags.IntVar(&f.concurrency, "concurrency", batch.DefaultConcurrency, "how many users are in flight at once; fewer by themselves while Gmail says that it is too much")
	flags.Float64Var(&f.qps, "qps", 0, "the most calls of the Gmail API a second (default as fast as it goes)")
	flags.IntVar(&f.giveUp, "give-up", batch.DefaultGiveUp, "how often a user is tried before it fails, where trying later may help")
	flags.DurationVar(&f.retryBase, "user-retry-base", 0, "first wait before a user is tried again")
	flags.Lookup("user-retry-base").Hidden = true
	option.FromEnvironment(flags, "concurrency", "qps", "give-up", "user-retry-base")
}

func (f *workFlags) check() error {
	switch {
	case f.concurrency < 1 || f.concurrency > maxConcurrency:
		return usage.Errorf("--concurrency %d is not between 1 and %d", f.concurrency, maxConcurrency)
	case !(f.qps >= 0):
		return usage.Errorf("--qps %v is no number of calls a second", f.qps)
	case f.giveUp < 1:
		return usage.Errorf("--give-up %d: a user is tried once at least", f.giveUp)
	}
	return nil
}

// open adds to a task the way to Gmail, within the limits. progress is told whose users
// are about to be changed.
func (f *workFlags) open(task *batch.Options, flags *option.Gmail, messages io.Writer, progress *batchProgress) error {
	flags.SayForeign(messages)
	limiter := batch.NewLimiter(f.concurrency, f.qps)
	config := flags.Config()
	config.Wait, config.Pace = limiter.Wait, limiter.Pace
	config.MaxConnections = batch.Connections(f.concurrency)
	domain, err := option.OpenGmail(config, messages)
	if err != nil {
		return err
	}
	changes := newTargets(batch.Gmail(domain), func(domain string) {
		progress.target(domain, flags.Address(), flags.TargetText(domain))
	})
	task.Domain, task.Limiter, task.GiveUp, task.RetryBase = changes, limiter, f.giveUp, f.retryBase
	return nil
}
