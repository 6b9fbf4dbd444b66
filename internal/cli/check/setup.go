package check

import (
	"context"

	"github.com/spf13/pflag"

	"github.com/cse-piv/cse-piv/internal/cli/hint"
	"github.com/cse-piv/cse-piv/internal/cli/option"
	"github.com/cse-piv/cse-piv/internal/cli/stdio"
	"github.com/cse-piv/cse-piv/internal/desk"
	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/gmail"
)

// Setup is what the checks are about: the flags of a command.
type Setup struct {
	// Email is the user whom Gmail is asked for; "" for nobody.
	Email string
	// Desk says that a desk begins: it goes on to other people where Gmail has
	// client-side encryption off for one, and reads cards when their turn comes.
	Desk bool
	// Practice says that everything is the practice lab's.
	Practice bool

	Gmail    *option.Gmail
	Domain   func() (*gmail.Domain, error) // opens the credentials
	Serial   uint32                        // of the card; 0 for the only one
	Issuer   *option.Issuer
	Escrow   *option.Escrow
	Trust    *option.Trust
	Store    option.Store
	Evidence string // folder, as the flag says it
	Flags    *pflag.FlagSet
	Profile  string // the enrollment profile that is followed, in a line; "" for none
	// Profiles are those of which one is still to be chosen; none where nobody has to.
	Profiles []enroll.Choice
	// OpenedIssuer and OpenedEscrow are what a desk opened already; nil for nothing.
	OpenedIssuer, OpenedEscrow any
}

// Checks returns what is looked at for a setup, in the order in which it is shown. Each
// check is still to be finished, in any order and side by side; see [Finish].
func (s Setup) Checks() []desk.Check {
	l := &list{hint: hint.For, limit: limit}
	if s.Desk {
		l.hint = hint.AtDesk
	}
	credentials := l.add("credentials", s.credentials)
	if s.Profile != "" || len(s.Profiles) > 0 {
		l.add("profile", s.profile)
	}
	l.add("Gmail", s.place)
	clock := l.add("clock", s.clock, credentials)
	needs := []*job{credentials, clock}
	if s.Gmail.Directory() != "" {
		needs = append(needs, l.add("directory", s.directory, needs...))
	}
	s.addUser(l, needs...)
	readers := l.addReaders()
	card := s.card
	if kind, _ := s.Gmail.NeedsPerson(); kind == "service-account" && !s.Desk { // of which a desk has used the PIN
		l.add("account key", s.accountKey, credentials, readers)
		card = func(ctx context.Context) desk.Check {
			credentials.finish(ctx) // whatever it finds, it is known then which card is not the user's
			return s.card(ctx)
		}
	}
	l.add("card", card, readers)
	l.add("attestation", s.attestation)
	l.add("issuer", s.issuer)
	l.add("escrow", s.escrow)
	l.add("evidence", s.evidence)
	l.add("ledger", s.ledger)
	if s.Flags != nil {
		l.add("settings", s.settings)
	}
	return l.checks()
}

// warningsOf returns what an opened dependency has to say before it is used.
func warningsOf(of any) []string {
	if warner, is := of.(stdio.Warner); is {
		return warner.Warnings()
	}
	return nil
}
