package enrollcmd

import (
	"context"
	"errors"
	"io"
	"iter"
	"os"
	"slices"
	"time"

	"github.com/cse-piv/cse-piv/internal/cli/check"
	"github.com/cse-piv/cse-piv/internal/cli/failure"
	"github.com/cse-piv/cse-piv/internal/cli/hint"
	"github.com/cse-piv/cse-piv/internal/cli/option"
	"github.com/cse-piv/cse-piv/internal/cli/stdio"
	"github.com/cse-piv/cse-piv/internal/cli/usage"
	"github.com/cse-piv/cse-piv/internal/desk"
	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/piv"
	"github.com/cse-piv/cse-piv/internal/piv/attestation"
	"github.com/cse-piv/cse-piv/internal/plain"
	"github.com/cse-piv/cse-piv/internal/prompt"
	"github.com/cse-piv/cse-piv/internal/tui"
)

// RunDesk serves one person after the other, in the wizard or line by line.
func RunDesk(ctx context.Context, streams *stdio.Streams, options *Options, email string) (err error) {
	if options.FullScreen(streams) && streams.Logged {
		return usage.Errorf("%w", failure.ErrLogOnScreen)
	}
	request, err := options.defaults(ctx)
	if err != nil {
		return err
	}
	request.Renew, request.RenewWithin = options.renewal, time.Duration(options.before)
	options.warnOfSecrets(streams.Err)
	options.Gmail.Expected = email
	config, err := options.Gmail.Config(ctx, streams.Err)
	if err != nil { // before the screen is the wizard's
		return err
	}
	deps, err := options.dependencies(ctx, io.Discard, options.Escrow.Open)
	if err != nil {
		return err
	}
	defer options.Issuer.Close()
	roster, err := options.readRoster(ctx)
	if err != nil {
		return err
	}
	book, err := enterInto(&deps, options.Store)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, book.close()) }()
	account := &account{flags: &options.Gmail, ctx: ctx}
	deps.Account, deps.CardTimeout = account.open, timeoutAtADesk
	since := time.Time{}
	if request.Renew != "" {
		since = time.Now()
		if err := onlyDue(ctx, &roster, account, book, time.Duration(options.before)); err != nil {
			return err
		}
		if len(roster.People) == 0 {
			return tellNobodyDue(streams.Out, roster)
		}
	}
	d := &desk.Desk{
		Dependencies: deps, Request: request, People: roster.People, RenewsSince: since, LeftOut: roster.LeftOut,
		Checks: func(context.Context) []desk.Check {
			return append(options.setup(first(email, roster.People), account, deps).Checks(), rosterChecks(options.Roster, roster)...)
		},
		Retries: account.retries, AtGmail: account.look, Registered: book.registered, Cards: book.cards, Watch: options.watch, Own: config.Login != nil, Status: cardStatus, Hint: hint.AtDesk, Bell: options.bell,
	}
	d.Profiles, d.UseProfile = options.profile.Choices(), func(ctx context.Context, name string) error {
		options.drawn = options.FullScreen(streams)
		account.forget()
		return options.useProfile(ctx, d, &deps, name)
	}
	options.second.Store = options.Store
	at := tasks{options, d}
	d.Task, d.Replace, d.Copies = at.do, at.replace, at.copies
	if options.Practice != nil {
		d.Practice = options.Practice
	}
	err = options.serve(ctx, streams, d, email)
	if email != "" {
		tellHalfDone(streams.Err, deps.Evidence, email, err)
	}
	return err
}

// setup is what the checks at a desk's start look at.
func (o *Options) setup(email string, account *account, deps enroll.Dependencies) check.Setup {
	setup := check.Setup{
		Email: email, Desk: true, Practice: o.Practice != nil, Domain: account.get,
		Gmail: &o.Gmail, Issuer: &o.Issuer, Escrow: &o.Escrow, Trust: &o.Trust, Store: o.Store,
		Evidence: o.Evidence, OpenedIssuer: deps.Issuer, OpenedEscrow: deps.Escrow,
	}
	if profile := o.profile.Chosen(); profile != nil {
		setup.Profile = profile.Line()
	}
	return setup
}

// serve shows the desk in the wizard or line by line, until a person ends it.
func (o *Options) serve(ctx context.Context, streams *stdio.Streams, d *desk.Desk, email string) error {
	if o.FullScreen(streams) {
		talk, err := tui.Run(ctx, d, tui.Options{Email: email, In: streams.In, Out: streams.Err})
		if email == "" {
			return errors.Join(err, plain.Summary(streams.Out, talk, d.LeftOut))
		}
		for _, receipt := range talk.Receipts {
			err = errors.Join(err, plain.ShortReceipt(streams.Out, receipt))
		}
		return err
	}
	terminal := o.terminal(streams, streams.Err)
	defer terminal.Close()
	return plain.Enrollments(ctx, terminal, streams.Out, d, email)
}

// useProfile has the desk follow an enrollment profile.
func (o *Options) useProfile(ctx context.Context, d *desk.Desk, deps *enroll.Dependencies, name string) error {
	if err := o.profile.Choose(name); err != nil {
		return err
	}
	request, err := o.withoutSecrets()
	if err != nil {
		return err
	}
	request.PIN, request.PUK, request.ManagementKey = d.Request.PIN, d.Request.PUK, d.Request.ManagementKey
	request.Renew, request.RenewWithin = d.Request.Renew, d.Request.RenewWithin
	o.Issuer.Close()
	opened, err := o.dependencies(ctx, io.Discard, o.Escrow.Open)
	if err != nil {
		return err
	}
	opened.Account, opened.CardTimeout, opened.Ledger, opened.NoteCHUID = deps.Account, deps.CardTimeout, deps.Ledger, deps.NoteCHUID
	*deps, d.Dependencies, d.Request = opened, opened, request
	return nil
}

// FullScreen reports whether the wizard can be shown, and is wanted.
func (o *Options) FullScreen(streams *stdio.Streams) bool {
	return streams.Terminal && !o.Plain && os.Getenv("TERM") != "dumb" && os.Getenv("CSE_PIV_ACCESSIBLE") == ""
}

// terminal returns where a person is asked line by line: the terminal, or else
// standard input, with the questions written there; nil where nobody is to be asked.
func (o *Options) terminal(streams *stdio.Streams, questions io.Writer) *prompt.Terminal {
	if o.Yes {
		return nil
	}
	if streams.Terminal {
		if terminal, err := prompt.Open(); err == nil {
			return terminal
		}
	}
	return prompt.NewPipe(streams.In, questions)
}

// cardStatus reads what is on a card.
func cardStatus(ctx context.Context, serial uint32) (card desk.CardStatus, err error) {
	err = option.UseCard(ctx, serial, func(opened *piv.Card) error {
		card.Status, err = opened.Status(ctx)
		card.Identity = opened.Identity()
		return err
	})
	if err != nil {
		return desk.CardStatus{}, err
	}
	card.FormFactor = attestation.FormFactor(card.Identity.FormFactor)
	firmware := card.Identity.Firmware
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

// watch yields what is in the readers, as piv.Watch does, without the card that signs for the
// service account: it is nobody's to enroll, and may share the only reader with the user's.
func (o *Options) watch(ctx context.Context) iter.Seq2[[]piv.Found, error] {
	return func(yield func([]piv.Found, error) bool) {
		for found, err := range piv.Watch(ctx) {
			others := slices.Clone(found)
			for i, one := range others {
				if one.Err == nil && o.Gmail.SignsWith(one.Identity.Serial) {
					others[i].Err = &failure.SigningCardError{Serial: one.Identity.Serial}
				}
			}
			if !yield(others, err) {
				return
			}
		}
	}
}
