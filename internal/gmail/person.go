package gmail

import (
	"strings"

	admin "google.golang.org/api/admin/directory/v1"

	"github.com/cse-piv/cse-piv/internal/safetext"
)

// maxAliases bounds the addresses of one person; Google allows 30 and some by itself.
const maxAliases = 500

// person is what the directory has of a user.
type person struct {
	primary             string
	aliases             []string // those that cannot be taken away, too
	suspended, archived bool
	mailbox             bool
	refused             *Error // why nothing is known; nil where it is
}

func readPerson(user *admin.User) (*person, error) {
	switch {
	case user == nil:
		return nil, errNoAnswer
	case !safetext.IsAddress(user.PrimaryEmail):
		return nil, &protocolError{"the answer has a user without an address"}
	case len(user.Aliases)+len(user.NonEditableAliases) > maxAliases:
		return nil, &protocolError{"the answer has a user with more than 500 aliases"}
	}
	p := &person{primary: user.PrimaryEmail, suspended: user.Suspended, archived: user.Archived, mailbox: user.IsMailboxSetup}
	p.aliases = append(append(p.aliases, user.Aliases...), user.NonEditableAliases...)
	return p, nil
}

// check says why the address cannot have an identity; nil where it can. An identity is one
// of a primary address (Gmail API discovery document, CseIdentity).
func (p *person) check(email string) error {
	e := &Error{Method: "users.get", User: email}
	switch {
	case p.refused != nil:
		*e = *p.refused
		e.User = email
	case !strings.EqualFold(p.primary, email):
		e.Kind, e.Primary = KindAlias, p.primary
		e.Message = "this is an alias of " + safetext.Message(p.primary) + ", and Gmail has key pairs and an identity of a primary address only"
	case p.suspended:
		e.Kind, e.Message = KindSuspended, "the account is suspended"
	case p.archived:
		e.Kind, e.Message = KindArchived, "the account is archived"
	case !p.mailbox:
		e.Kind, e.Message = KindNoMailbox, "the user has no mailbox at Gmail"
	default:
		return nil
	}
	return e
}
