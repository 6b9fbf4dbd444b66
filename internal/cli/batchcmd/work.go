package batchcmd

import (
	"context"
	"io"
	"time"

	"github.com/spf13/pflag"

	"github.com/cse-piv/cse-piv/internal/batch"
	"github.com/cse-piv/cse-piv/internal/cli/option"
	"github.com/cse-piv/cse-piv/internal/cli/setting"
)

// workFlags say how hard Gmail is asked, by batch and worker alike.
type workFlags struct {
	option.Rate
	metrics   metricsFlags
	giveUp    int
	retryBase time.Duration
}

func (f *workFlags) add(flags *pflag.FlagSet) {
	f.Rate.Add(flags)
	f.metrics.add(flags)
	f.giveUp = batch.DefaultGiveUp
	option.AddNumber(flags, &f.giveUp, "give-up", 1, option.AnyNumber, "how often a user is tried before it fails, where trying later may help")
	option.AddWait(flags, &f.retryBase, "user-retry-base", "first wait before a user is tried again")
	flags.Lookup("user-retry-base").Hidden = true
	setting.Mark(flags, "give-up", "user-retry-base")
}

// open adds to a task the way to Gmail, within the limits. progress is told whose users
// are about to be changed, and observed of the calls.
func (f *workFlags) open(ctx context.Context, task *batch.Options, flags *option.Gmail, messages io.Writer, progress *batchProgress, observed *observer) error {
	if observed != nil {
		f.Observe = observed.observe
	}
	domain, limiter, err := f.Open(ctx, flags, messages)
	if err != nil {
		return err
	}
	changes := newTargets(batch.Gmail(domain), func(domain string) {
		progress.target(domain, flags.Address(), flags.TargetText(domain))
	})
	if flags.Directory() != "" {
		task.CheckUsers = domain.CheckUsers
	}
	task.Domain, task.Limiter, task.GiveUp, task.RetryBase = changes, limiter, f.giveUp, f.retryBase
	return nil
}
