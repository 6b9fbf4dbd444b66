package enrollcmd

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/cse-piv/cse-piv/internal/cli/hint"
	"github.com/cse-piv/cse-piv/internal/cli/option"
	"github.com/cse-piv/cse-piv/internal/cli/stdio"
	"github.com/cse-piv/cse-piv/internal/desk"
	"github.com/cse-piv/cse-piv/internal/durable"
	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/piv"
)

// first is somebody who is to be enrolled; "" where nobody is known yet.
func first(email string, people []desk.Person) string {
	if email == "" && len(people) > 0 {
		return people[0].Email
	}
	return email
}

// deskChecks looks whether everything is there that an enrollment needs, with
// somebody's address also whether Gmail answers.
func deskChecks(options *Options, account *account, deps enroll.Dependencies, email string) []desk.Check {
	checks := []desk.Check{account.check()}
	if profile := options.profile.Chosen(); profile != nil {
		checks = append(checks, desk.Check{Name: "profile", State: desk.CheckOK, Detail: profile.Line()})
	}
	if email != "" && checks[0].State != desk.CheckMissing {
		checks = append(checks, later("domain", func(ctx context.Context) desk.Check { return account.checkDomain(ctx, email) }))
	}
	checks = append(checks, later("card readers", readerCheck), issuerCheck(options, deps), escrowCheck(options, deps))
	checks = append(checks, foreignChecks(options, deps)...)
	return append(checks, evidenceCheck(deps.Evidence))
}

// later is a check that may take its time, which others do not wait for.
func later(name string, finish func(context.Context) desk.Check) desk.Check {
	return desk.Check{Name: name, Finish: finish}
}

// foreignChecks say what is asked in Google's place, and what is believed in
// Yubico's.
func foreignChecks(options *Options, deps enroll.Dependencies) (checks []desk.Check) {
	if options.Practice != nil {
		return []desk.Check{{Name: "Gmail", State: desk.CheckOK, Detail: "the practice lab's"}, {Name: "attestation", State: desk.CheckOK, Detail: "the practice lab's root"}}
	}
	if deps.GmailEndpoint == "" {
		checks = append(checks, desk.Check{Name: "Gmail", State: desk.CheckOK, Detail: options.Gmail.Place()})
	} else {
		checks = append(checks, desk.Check{Name: "Gmail", State: desk.CheckWarning, Detail: enroll.EndpointText(deps.GmailEndpoint), Fix: "for the real Gmail start again without --gmail-endpoint and CSE_PIV_GMAIL_ENDPOINT"})
	}
	if roots := deps.Trust.Foreign(); len(roots) > 0 {
		checks = append(checks, desk.Check{Name: "attestation", State: desk.CheckWarning, Detail: enroll.RootsText(roots), Fix: "for real YubiKeys start again without --attestation-roots and CSE_PIV_ATTESTATION_ROOTS"})
	}
	return checks
}

func readerCheck(ctx context.Context) desk.Check {
	check := desk.Check{Name: "card readers", State: desk.CheckOK}
	found, err := piv.List(ctx)
	switch {
	case err != nil:
		check.State, check.Detail, check.Fix = desk.CheckMissing, err.Error(), hint.AtDesk(err)
	case len(found) == 0:
		check.Detail = "none yet; a YubiKey is one itself"
	default:
		var names []string
		for _, f := range found {
			names = append(names, f.Reader)
		}
		check.Detail = strings.Join(names, ", ")
	}
	return check
}

func issuerCheck(options *Options, deps enroll.Dependencies) desk.Check {
	check := desk.Check{Name: "issuer", State: desk.CheckOK}
	if deps.Issuer == nil {
		check.State, check.Detail, check.Fix = desk.CheckWarning, "none was named: only keys that have their certificate can be enrolled", hint.AtDesk(enroll.ErrNoIssuer)
		return check
	}
	check.Detail = options.Issuer.Describe()
	return withWarnings(check, deps.Issuer)
}

func escrowCheck(options *Options, deps enroll.Dependencies) desk.Check {
	check := desk.Check{Name: "escrow", State: desk.CheckOK}
	if deps.Escrow == nil {
		check.State, check.Detail = desk.CheckWarning, "no place was named for new PUKs and management keys: new cards cannot be enrolled"
		check.Fix = "start again with --escrow-to RECIPIENT (sealed with age) or --escrow-plain (a file only you can read)"
		return check
	}
	folder, err := option.FolderOr(options.Escrow.Folder, "escrow")
	private := false
	if err == nil {
		private, err = tryFolder(folder)
	}
	switch {
	case !options.Escrow.Plain:
		check.Detail = "sealed to " + fmt.Sprint(len(options.Escrow.To)) + " recipients"
	case private:
		check.Detail = "a file that only you can read"
	default:
		check.Detail = "a file that is not sealed"
	}
	if err != nil {
		check.State, check.Detail, check.Fix = desk.CheckMissing, err.Error(), hint.AtDesk(err)
		return check
	}
	if options.Practice != nil {
		return check
	}
	return withWarnings(check, deps.Escrow)
}

// withWarnings adds what a dependency has to say before it is used.
func withWarnings(check desk.Check, of any) desk.Check {
	if warned, ok := of.(stdio.Warner); ok && len(warned.Warnings()) > 0 {
		check.State, check.Fix = desk.CheckWarning, strings.Join(warned.Warnings(), "; ")
	}
	return check
}

func evidenceCheck(folder string) desk.Check {
	check := desk.Check{Name: "evidence", State: desk.CheckOK, Detail: "is kept in " + folder}
	if _, err := tryFolder(folder); err != nil {
		check.State, check.Detail, check.Fix = desk.CheckMissing, err.Error(), hint.AtDesk(err)
		return check
	}
	if warning, _ := durable.WriteWarning(folder); warning != "" {
		check.State, check.Fix = desk.CheckWarning, warning
	}
	return check
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
