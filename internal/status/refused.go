package status

import (
	"github.com/cse-piv/cse-piv/internal/gmail"
	"github.com/cse-piv/cse-piv/internal/ledger"
)

// refused says what the directory has against the user, and what it means for who is
// registered. Who is neither registered nor in the source concerns nobody.
func (f *finder) refused() {
	registered := f.registered() || f.wasRegistered()
	if !registered && (f.Source == NotInSource || f.left()) {
		return
	}
	switch f.Refused.Kind {
	case gmail.KindNoUser:
		if registered {
			f.add(ProblemNoAccount, "", CommandReset, "the directory has no such user any more, and with the account went what Gmail had; the card can be another user's")
			return
		}
		f.add(ProblemNoAccount, "", CommandEnroll, "the directory has no such user")
	case gmail.KindSuspended, gmail.KindArchived:
		if registered {
			f.add(ProblemSuspended, "", CommandLeave, "the account is %s, and the user is registered; Gmail answers for the account only while it is restored", f.Refused.Kind)
			return
		}
		f.add(ProblemSuspended, "", CommandEnroll, "the account is %s, so that the user cannot be registered before it is restored", f.Refused.Kind)
	case gmail.KindAlias:
		f.add(ProblemAlias, "", CommandEnroll, "the address is an alias of %s, and identities are of primary addresses only", f.Refused.Primary)
		f.findings[len(f.findings)-1].Primary = f.Refused.Primary
	case gmail.KindNoMailbox:
		f.add(ProblemNoMailbox, "", CommandEnroll, "the user has no mailbox at Gmail, so that nothing can be registered before there is one")
	}
}

// wasRegistered reports whether the ledger has the user as registered before a run refused
// the row because of what the directory says.
func (f *finder) wasRegistered() bool {
	return f.Entry != nil && (f.Entry.Step == ledger.StepIdentity || f.Entry.Step == ledger.StepEnrolled)
}
