package option

import (
	"context"
	"os"

	"filippo.io/age"
	"github.com/spf13/pflag"

	"github.com/cse-piv/cse-piv/internal/cli/setting"
	"github.com/cse-piv/cse-piv/internal/cli/usage"
	"github.com/cse-piv/cse-piv/internal/durable"
	"github.com/cse-piv/cse-piv/internal/escrow"
)

// Escrow is the flags that say where generated PUKs and management keys are kept.
type Escrow struct {
	To         []string
	Plain      bool
	Folder     string
	identities []string
}

// Add adds the flags.
func (f *Escrow) Add(flags *pflag.FlagSet) {
	flags.StringSliceVar(&f.To, "escrow-to", nil, "age or ssh `recipient`, or a file of them, that generated PUKs and management keys are sealed to")
	flags.BoolVar(&f.Plain, "escrow-plain", false, "keep generated PUKs and management keys in plain text, in a file that only you can read")
	flags.StringVar(&f.Folder, "escrow-dir", "", "`folder` of the escrow")
	flags.StringSliceVar(&f.identities, "escrow-identity", nil, "`file` with an age identity, to find a card's management key in the escrow again")
	setting.Mark(flags, "escrow-to", "escrow-dir", "escrow-identity")
	setting.InProfile(flags, "escrow-to", "escrow-plain", "escrow-dir")
}

// AddReading adds the flags of a command that opens records and seals none.
func (f *Escrow) AddReading(flags *pflag.FlagSet) {
	flags.StringVar(&f.Folder, "escrow-dir", "", "`folder` of the escrow")
	flags.StringSliceVar(&f.identities, "escrow-identity", nil, "`file` with an age identity that opens sealed records")
	setting.Mark(flags, "escrow-dir", "escrow-identity")
}

// Identities reads the files of identities. Its errors are usage errors.
func (f *Escrow) Identities() ([]age.Identity, error) {
	var identities []age.Identity
	for _, file := range f.identities {
		read, err := escrow.ReadIdentities(file)
		if err != nil {
			return nil, usage.Errorf("--escrow-identity: %w", err)
		}
		identities = append(identities, read...)
	}
	return identities, nil
}

// Warnings lists the files of identities that others can read.
func (f *Escrow) Warnings() []string {
	var warnings []string
	for _, file := range f.identities {
		info, err := os.Stat(file)
		if err != nil {
			continue // it is said where the file is needed
		}
		if warning := durable.ReadWarning(file, info); warning != "" {
			warnings = append(warnings, warning)
		}
	}
	return warnings
}

// Open returns the store, nil when none was named, and what reads records back.
func (f *Escrow) Open() (escrow.Store, func(context.Context, uint32) ([]escrow.Record, error), error) {
	folder, err := FolderOr(f.Folder, "escrow")
	if err != nil {
		return nil, nil, err
	}
	recover := f.reader(folder)
	switch {
	case f.Plain && len(f.To) > 0:
		return nil, nil, usage.Errorf("--escrow-to and --escrow-plain exclude each other")
	case f.Plain:
		store, err := escrow.NewPlainFile(folder)
		if err != nil {
			return nil, nil, err
		}
		return store, recover, nil
	case len(f.To) > 0:
		store, err := escrow.NewAge(folder, f.To)
		if err != nil {
			return nil, nil, usage.Errorf("--escrow-to: %w", err)
		}
		return store, recover, nil
	}
	return nil, recover, nil
}

// OpenForDryRun is [Escrow.Open] for a dry run: the store takes nothing in, and its folder is not
// made.
func (f *Escrow) OpenForDryRun() (escrow.Store, func(context.Context, uint32) ([]escrow.Record, error), error) {
	if !f.Plain && len(f.To) == 0 || f.Plain && len(f.To) > 0 {
		return f.Open() // nowhere, or an error
	}
	folder, err := FolderOr(f.Folder, "escrow")
	if err != nil {
		return nil, nil, err
	}
	if !f.Plain {
		if err := escrow.CheckRecipients(f.To); err != nil {
			return nil, nil, usage.Errorf("--escrow-to: %w", err)
		}
	}
	return escrow.Closed{}, f.reader(folder), nil
}

// reader returns what reads a card's records back.
func (f *Escrow) reader(folder string) func(context.Context, uint32) ([]escrow.Record, error) {
	return func(ctx context.Context, serial uint32) ([]escrow.Record, error) {
		// Records that are sealed to others are no trouble: the key may be typed.
		records, _, err := f.records(ctx, folder, serial)
		return records, err
	}
}

// records returns the card's records that can be opened, newest first, and why others cannot be.
func (f *Escrow) records(ctx context.Context, folder string, serial uint32) (records []escrow.Record, closed []error, err error) {
	identities, err := f.Identities()
	if err != nil {
		return nil, nil, err
	}
	records, err = escrow.ReadAll(ctx, folder, serial, identities...)
	if err != nil && ctx.Err() != nil {
		return nil, nil, err
	}
	if several, is := err.(interface{ Unwrap() []error }); is {
		closed = several.Unwrap()
	} else if err != nil {
		closed = []error{err}
	}
	return records, closed, nil
}
