package check

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/cse-piv/cse-piv/internal/cli/option"
	"github.com/cse-piv/cse-piv/internal/desk"
	"github.com/cse-piv/cse-piv/internal/durable"
	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/format"
	"github.com/cse-piv/cse-piv/internal/ledger"
	"github.com/cse-piv/cse-piv/internal/safetext"
)

// issuer asks the issuer for its certificates, which tell who would issue.
func (s Setup) issuer(ctx context.Context) desk.Check {
	if s.Issuer.Name == "" {
		check := warned(enroll.ErrNoIssuer)
		check.Detail = "none was named: only keys that have their certificate can be enrolled"
		return check
	}
	certificates, err := s.Issuer.Authorities(ctx)
	if err != nil {
		return failed(err)
	}
	check := ok("%s", s.Issuer.Describe())
	if issuing := option.Issuing(certificates); issuing != nil {
		check.Detail += fmt.Sprintf("; issues as %s, valid until %s", safetext.Clean(issuing.Subject.String()), format.Day(issuing.NotAfter))
	}
	return withWarnings(check, warningsOf(s.OpenedIssuer)...)
}

// escrow reads the recipients, and writes into the folder as much as a record has.
func (s Setup) escrow(context.Context) desk.Check {
	if !s.Escrow.Plain && len(s.Escrow.To) == 0 {
		check := warned(enroll.NoEscrow())
		check.Detail = "no place was named for new PUKs and management keys: new cards cannot be enrolled"
		return check
	}
	if _, _, err := s.Escrow.OpenForDryRun(); err != nil {
		return failed(err)
	}
	folder, err := option.FolderOr(s.Escrow.Folder, "escrow")
	private := false
	if err == nil {
		private, err = tryFolder(folder)
	}
	if err != nil {
		return failed(err)
	}
	check := ok("a file in plain text, in %s", folder)
	switch {
	case !s.Escrow.Plain:
		check = ok("sealed to %s, in %s", format.Count(len(s.Escrow.To), "recipient"), folder)
	case private:
		check = ok("a file that only you can read, in %s", folder)
	}
	if s.Practice {
		return check
	}
	return withWarnings(check, append(warningsOf(s.OpenedEscrow), s.Escrow.Warnings()...)...)
}

// evidence writes into the folder as much as a record has.
func (s Setup) evidence(context.Context) desk.Check {
	folder, err := option.FolderOr(s.Evidence, "evidence")
	if err == nil {
		_, err = tryFolder(folder)
	}
	if err != nil {
		return failed(err)
	}
	check := ok("is kept in %s", folder)
	if warning, _ := durable.WriteWarning(folder); warning != "" {
		check = withWarnings(check, warning)
	}
	return check
}

// ledger looks at the ledger, and leaves its tables as they are.
func (s Setup) ledger(ctx context.Context) desk.Check {
	location, err := s.Store.Resolve()
	if err != nil {
		return failed(err)
	}
	facts, err := ledger.Look(ctx, location)
	var missing *ledger.MissingError
	switch {
	case errors.As(err, &missing) && errors.Is(err, fs.ErrNotExist) && !s.Store.Shared():
		if _, err := tryFolder(filepath.Dir(strings.TrimPrefix(location, "sqlite:"))); err != nil {
			return failed(err)
		}
		return ok("%s: none yet; it is made when it is needed", location)
	case errors.As(err, &missing):
		return ok("no tables yet; they are made when they are needed")
	case err != nil:
		return failed(err)
	case facts.InUse:
		return warned(&ledger.InUseError{Path: facts.Name, Holder: facts.Holder})
	case facts.Has < facts.Known:
		return ok("%s: version %d; it is brought to version %d when it is needed", facts.Name, facts.Has, facts.Known)
	}
	if !s.Store.Shared() {
		if _, err := tryFolder(filepath.Dir(facts.Name)); err != nil {
			return failed(err)
		}
	}
	return ok("%s: version %d", facts.Name, facts.Has)
}

// tryFolder writes as much as a record has, and takes it away again: better known
// before the card has changed than after. It reports whether a file there can be
// its owner's alone.
func tryFolder(folder string) (private bool, err error) {
	const record = 8 << 10
	return durable.Folder(existing(folder)).Probe(record)
}

// existing is the folder, or where it is still to be made, the nearest one above
// it that is there.
func existing(folder string) string {
	for {
		_, err := os.Stat(folder)
		if above := filepath.Dir(folder); errors.Is(err, fs.ErrNotExist) && above != folder {
			folder = above
			continue
		}
		return folder
	}
}
