package enrollcmd

import (
	"context"
	"errors"
	"io"

	"github.com/cse-piv/cse-piv/internal/cli/failure"
	"github.com/cse-piv/cse-piv/internal/cli/hint"
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
	domain, credentials := options.Gmail.Open(messages)
	deps, err := options.dependencies(ctx, io.Discard, options.Escrow.OpenForDryRun)
	if err != nil {
		return err
	}
	defer options.Issuer.Close()
	if _, err := enterInto(&deps, options.store); err != nil {
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
		return errors.Join(stdio.JSON(streams.Out, jsonPreview(preview, end)), stdio.Told(end))
	}
	return errors.Join(plain.Preview(streams.Out, preview), end)
}

// PreviewJSON is a dry run as JSON. The field names are a contract.
type PreviewJSON struct {
	Email    string            `json:"email"`
	Serial   uint32            `json:"serial,omitempty"` // of the card
	Steps    []stepPreviewJSON `json:"steps"`
	Slots    []slotPreviewJSON `json:"slots"`
	Losses   []string          `json:"losses"`          // for ever
	ExitCode int               `json:"exit_code"`       // that the run would end with
	Error    *stdio.Failure    `json:"error,omitempty"` // with which the run would end
}

type stepPreviewJSON struct {
	Step    string         `json:"step"`           // stable name of the step
	Title   string         `json:"title"`          // what the step does, for people
	Slot    string         `json:"slot,omitempty"` // of the key that the step is about
	Changes string         `json:"changes"`        // card, Gmail, files or nothing
	Outcome enroll.Outcome `json:"outcome"`
	Error   string         `json:"error,omitempty"` // with which the run would stop
	Hint    string         `json:"hint,omitempty"`  // what to type next
	Asks    []string       `json:"asks,omitempty"`  // what a person would be asked for
	Notes   []string       `json:"notes,omitempty"` // what a person should know
}

type slotPreviewJSON struct {
	Slot   string            `json:"slot"` // of the key that the step is about
	Action enroll.SlotAction `json:"action,omitempty"`
	Key    string            `json:"key_sha256,omitempty"` // of the SubjectPublicKeyInfo
	Losses []string          `json:"losses,omitempty"`
}

func jsonPreview(preview *enroll.Preview, end error) PreviewJSON {
	out := PreviewJSON{
		Email: preview.Request.Email, Serial: preview.Request.Serial, Steps: []stepPreviewJSON{}, Slots: []slotPreviewJSON{},
		Losses: append([]string{}, preview.Losses()...), ExitCode: failure.ExitCode(end), Error: stdio.FailureOf(end),
	}
	for _, step := range preview.Steps {
		shown := stepPreviewJSON{
			Step: step.ID, Title: step.Title, Slot: step.Slot, Changes: step.Changes,
			Outcome: step.Outcome, Asks: step.Asks, Notes: step.Notes,
		}
		if step.Err != nil {
			shown.Error, shown.Hint = step.Err.Error(), hint.For(step.Err)
		}
		out.Steps = append(out.Steps, shown)
	}
	for _, slot := range preview.Slots {
		out.Slots = append(out.Slots, slotPreviewJSON{Slot: slot.Slot.String(), Action: slot.Action, Key: slot.Key, Losses: slot.Loss})
	}
	return out
}
