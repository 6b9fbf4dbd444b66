package enrollcmd

import (
	"context"
	"errors"
	"io"

	"github.com/cse-piv/cse-piv/internal/cli/stdio"
	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/plain"
	"github.com/cse-piv/cse-piv/internal/registration"
)

// dryRun looks at everything that the enrollment would look at, prints what it
// would come to at each step, and returns the error that it would end with.
func dryRun(ctx context.Context, streams *stdio.Streams, options *Options, request enroll.Request) error {
	options.Gmail.MaxTries = 3 // a look does not wait as long as a run
	_, messages := options.Progress(streams)
	options.warnOfSecrets(messages)
	domain, credentials := options.Gmail.Open(ctx, messages)
	deps, err := options.dependencies(ctx, io.Discard, options.Escrow.OpenForDryRun)
	if err != nil {
		return err
	}
	defer options.Issuer.Close()
	if _, err := enterInto(&deps, options.Store); err != nil {
		return err
	}
	deps.Account = func(ctx context.Context, email string) (registration.Account, error) {
		if credentials != nil {
			return nil, credentials
		}
		return domain.User(ctx, email)
	}
	if !options.Yes {
		deps.Prompter = nil // there is somebody to ask
	}
	request.Review = !options.Alone()
	preview, err := enroll.NewPreview(ctx, deps, request)
	if err != nil {
		return err
	}
	end := preview.Err()
	if credentials != nil {
		end = credentials // which are looked at first
	}
	if early, found := errors.AsType[*enroll.NotDueError](end); found {
		return early // and nothing else is to be told
	}
	if options.JSON {
		return errors.Join(stdio.JSON(streams.Out, streams.NewPreview(preview, end)), stdio.Told(end))
	}
	return errors.Join(plain.Preview(streams.Out, preview), end)
}
