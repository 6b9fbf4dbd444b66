package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/cse-piv/cse-piv/internal/desk"
	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/piv"
	"github.com/cse-piv/cse-piv/internal/piv/attestation"
	"github.com/cse-piv/cse-piv/internal/plain"
	"github.com/cse-piv/cse-piv/internal/tui"
)

// runDesk serves one person after the other, in the wizard or line by line.
func runDesk(ctx context.Context, streams *Streams, options *enrollOptions, email string) (err error) {
	request, err := options.defaults()
	if err != nil {
		return err
	}
	world, err := options.world(io.Discard)
	if err != nil {
		return err
	}
	people, err := options.people()
	if err != nil {
		return err
	}
	book, err := enterInto(&world, options.store)
	if err != nil {
		return err
	}
	account := &account{flags: &options.gmail}
	world.Account, world.Patience = account.open, patienceAtADesk
	d := &desk.Desk{
		World: world, Request: request, People: people,
		Checks: func(ctx context.Context) []desk.Check {
			checks := deskChecks(ctx, options, account, world, first(email, people))
			if book != nil {
				checks = append(checks, book.check(ctx))
			}
			return checks
		},
		AtGmail: account.look, Watch: piv.Watch, Status: cardStatus, Hint: deskHint,
	}
	if book != nil {
		d.Registered = book.registered
		defer func() { err = errors.Join(err, book.close()) }()
	}
	if options.practice != nil {
		d.Practice = options.practice
	}
	if options.fullScreen(streams) {
		receipts, err := tui.Run(ctx, d, tui.Options{Email: email, In: streams.In, Out: streams.Err})
		for _, receipt := range receipts {
			err = errors.Join(err, plain.Receipt(streams.Out, receipt))
		}
		return err
	}
	terminal := options.terminal(streams)
	defer terminal.Close()
	return plain.Enrollments(ctx, terminal, streams.Out, d, email)
}

// deskHint is the hint for somebody who need not type a command again.
func deskHint(err error) string {
	return strings.ReplaceAll(hintFor(err), "run the same command again", "try again")
}

// fullScreen reports whether the wizard can be shown, and is wanted.
func (o *enrollOptions) fullScreen(streams *Streams) bool {
	return streams.Terminal && !o.plain && os.Getenv("TERM") != "dumb" && os.Getenv("CSE_PIV_ACCESSIBLE") == ""
}

// terminal returns where a person is asked line by line: the terminal, or else
// standard input; nil where nobody is to be asked.
func (o *enrollOptions) terminal(streams *Streams) *plain.Terminal {
	if o.yes {
		return nil
	}
	if streams.Terminal {
		if terminal, err := plain.OpenTerminal(); err == nil {
			return terminal
		}
	}
	return plain.NewPipe(streams.In, streams.Err)
}

// people reads the roster.
func (o *enrollOptions) people() ([]desk.Person, error) {
	if o.roster == "" {
		return o.persons, nil
	}
	file, err := os.Open(o.roster)
	if err != nil {
		return nil, usageErrorf("--roster: %w", err)
	}
	defer file.Close()
	people, err := desk.ReadRoster(file)
	if err != nil {
		return nil, usageErrorf("--roster %s: %s", o.roster, strings.ReplaceAll(err.Error(), "\n", "; "))
	}
	return people, nil
}

// cardStatus reads what is on a card.
func cardStatus(ctx context.Context, serial uint32) (desk.CardStatus, error) {
	opened, err := piv.Open(ctx, serial, piv.Options{})
	if err != nil {
		return desk.CardStatus{}, err
	}
	status, err := opened.Status(ctx)
	if err != nil {
		return desk.CardStatus{}, err
	}
	identity := opened.Identity()
	card := desk.CardStatus{Identity: identity, Status: status, FormFactor: attestation.FormFactor(identity.FormFactor)}
	firmware := identity.Firmware
	for _, advisory := range attestation.FirmwareAdvisories(byte(firmware.Major), byte(firmware.Minor), byte(firmware.Patch)) {
		card.Advisories = append(card.Advisories, advisory.ID+": "+advisory.Message)
	}
	return card, nil
}

// first is somebody who is to be enrolled; "" where nobody is known yet.
func first(email string, people []desk.Person) string {
	if email == "" && len(people) > 0 {
		return people[0].Email
	}
	return email
}

// deskChecks looks whether everything is there that an enrollment needs, with
// somebody's address also whether Gmail answers.
func deskChecks(ctx context.Context, options *enrollOptions, account *account, world enroll.World, email string) []desk.Check {
	checks := []desk.Check{account.check()}
	if email != "" && checks[0].State != desk.CheckMissing {
		checks = append(checks, account.checkDomain(ctx, email))
	}
	checks = append(checks, readerCheck(ctx), issuerCheck(options, world), escrowCheck(options, world))
	if len(options.trust.roots) > 0 {
		checks = append(checks, desk.Check{Name: "attestation", State: desk.CheckWarning, Detail: "trusted up to " + strings.Join(options.trust.roots, ", "), Fix: "for real YubiKeys leave out --attestation-roots"})
		if options.practice != nil {
			checks[len(checks)-1] = desk.Check{Name: "attestation", State: desk.CheckOK, Detail: "the practice lab's root"}
		}
	}
	return append(checks, desk.Check{Name: "evidence", State: desk.CheckOK, Detail: "is kept in " + world.Evidence})
}

func readerCheck(ctx context.Context) desk.Check {
	check := desk.Check{Name: "card readers", State: desk.CheckOK}
	found, err := piv.List(ctx)
	switch {
	case err != nil:
		check.State, check.Detail, check.Fix = desk.CheckMissing, err.Error(), deskHint(err)
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

func issuerCheck(options *enrollOptions, world enroll.World) desk.Check {
	check := desk.Check{Name: "issuer", State: desk.CheckOK}
	if world.Issuer == nil {
		check.State, check.Detail, check.Fix = desk.CheckWarning, "none was named: only keys that have their certificate can be enrolled", hintFor(enroll.ErrNoIssuer)
		return check
	}
	check.Detail = options.issuer.describe()
	return withWarnings(check, world.Issuer)
}

func escrowCheck(options *enrollOptions, world enroll.World) desk.Check {
	check := desk.Check{Name: "escrow", State: desk.CheckOK}
	if world.Escrow == nil {
		check.State, check.Detail = desk.CheckWarning, "no place was named for new PUKs and management keys: new cards cannot be enrolled"
		check.Fix = "start again with --escrow-to RECIPIENT (sealed with age) or --escrow-plain (a file only you can read)"
		return check
	}
	check.Detail = "sealed to " + fmt.Sprint(len(options.escrow.to)) + " recipients"
	if options.escrow.plain {
		check.Detail = "a file that only you can read"
	}
	if options.practice != nil {
		return check
	}
	return withWarnings(check, world.Escrow)
}

// withWarnings adds what a dependency has to say before it is used.
func withWarnings(check desk.Check, of any) desk.Check {
	if warned, ok := of.(warner); ok && len(warned.Warnings()) > 0 {
		check.State, check.Fix = desk.CheckWarning, strings.Join(warned.Warnings(), "; ")
	}
	return check
}
