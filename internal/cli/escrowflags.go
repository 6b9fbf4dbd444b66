package cli

import (
	"context"
	"fmt"
	"io"
	"os"

	"filippo.io/age"
	"github.com/spf13/pflag"

	"github.com/cse-piv/cse-piv/internal/durable"
	"github.com/cse-piv/cse-piv/internal/escrow"
	"github.com/cse-piv/cse-piv/internal/safetext"
)

// escrowFlags say where generated PUKs and management keys are kept.
type escrowFlags struct {
	to         []string
	plain      bool
	folder     string
	identities []string
}

func (f *escrowFlags) add(flags *pflag.FlagSet) {
	flags.StringSliceVar(&f.to, "escrow-to", nil, "age or ssh `recipient`, or a file of them, that generated PUKs and management keys are sealed to")
	flags.BoolVar(&f.plain, "escrow-plain", false, "keep generated PUKs and management keys in a file that only you can read")
	flags.StringVar(&f.folder, "escrow-dir", "", "`folder` of the escrow")
	flags.StringSliceVar(&f.identities, "escrow-identity", nil, "`file` with an age identity, to find a card's management key in the escrow again")
	environmentFlag(flags, "escrow-to", "escrow-dir", "escrow-identity")
}

// Warnings lists the files of identities that others can read.
func (f *escrowFlags) Warnings() []string {
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

// open returns the store, nil when none was named, and what reads records back.
func (f *escrowFlags) open() (escrow.Store, func(context.Context, uint32) ([]escrow.Record, error), error) {
	folder, err := folderOr(f.folder, "escrow")
	if err != nil {
		return nil, nil, err
	}
	recover := f.reader(folder)
	switch {
	case f.plain && len(f.to) > 0:
		return nil, nil, usageErrorf("--escrow-to and --escrow-plain exclude each other")
	case f.plain:
		store, err := escrow.NewPlainFile(folder)
		if err != nil {
			return nil, nil, err
		}
		return store, recover, nil
	case len(f.to) > 0:
		store, err := escrow.NewAge(folder, f.to)
		if err != nil {
			return nil, nil, usageErrorf("--escrow-to: %w", err)
		}
		return store, recover, nil
	}
	return nil, recover, nil
}

// look is open for a dry run: the store takes nothing in, and its folder is not
// made.
func (f *escrowFlags) look() (escrow.Store, func(context.Context, uint32) ([]escrow.Record, error), error) {
	if !f.plain && len(f.to) == 0 || f.plain && len(f.to) > 0 {
		return f.open() // nowhere, or an error
	}
	folder, err := folderOr(f.folder, "escrow")
	if err != nil {
		return nil, nil, err
	}
	if !f.plain {
		if err := escrow.CheckRecipients(f.to); err != nil {
			return nil, nil, usageErrorf("--escrow-to: %w", err)
		}
	}
	return escrow.Closed{}, f.reader(folder), nil
}

// reader returns what reads a card's records back.
func (f *escrowFlags) reader(folder string) func(context.Context, uint32) ([]escrow.Record, error) {
	return func(ctx context.Context, serial uint32) ([]escrow.Record, error) {
		return f.records(ctx, folder, serial)
	}
}

// records returns the card's records that can be opened, newest first.
func (f *escrowFlags) records(ctx context.Context, folder string, serial uint32) ([]escrow.Record, error) {
	var identities []age.Identity
	for _, file := range f.identities {
		read, err := escrow.ReadIdentities(file)
		if err != nil {
			return nil, usageErrorf("--escrow-identity: %w", err)
		}
		identities = append(identities, read...)
	}
	// Records that are sealed to others are no trouble: the key may be typed.
	records, err := escrow.ReadAll(ctx, folder, serial, identities...)
	if err != nil && ctx.Err() != nil {
		return nil, err
	}
	return records, nil
}

// warner is a dependency with something to say before it is used.
type warner interface{ Warnings() []string }

func printWarnings(out io.Writer, of any) {
	warned, ok := of.(warner)
	if !ok {
		return
	}
	for _, warning := range warned.Warnings() {
		printWarning(out, warning)
	}
}

func printNote(out io.Writer, note string) {
	fmt.Fprintf(out, "cse-piv: note: %s\n", safetext.Clean(note))
}

func printWarning(out io.Writer, warning string) {
	fmt.Fprintf(out, "cse-piv: warning: %s\n", safetext.Clean(warning))
}
