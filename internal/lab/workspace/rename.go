package workspace

import "fmt"

// Renamed is what becomes of the identity of a user who gets another primary address. Google documents
// none of it: an identity is one of a primary address, and no more is said.
type Renamed string

// What may become of it.
const (
	IdentityGone  Renamed = ""      // there is none any more
	IdentityMoved Renamed = "moved" // it is one of the new address
	IdentityKept  Renamed = "kept"  // it stays one of the former address, and the user has no other beside it
)

// Rename gives a user another primary address. The key pairs are the user's and come along.
func (s *Server) Rename(from, to string, identity Renamed) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	from, to = canonical(from), canonical(to)
	there := s.users[to]
	switch {
	case !s.isUser(from) || !s.isUser(to):
		return fmt.Errorf("%q or %q is no user of %s", from, to, s.config.Domain)
	case from == to || there != nil && (len(there.pairs) > 0 || there.identity != nil):
		return fmt.Errorf("%q has settings of its own", to)
	}
	renamed := s.mailbox(from)
	switch {
	case identity == IdentityGone:
		renamed.identity = nil
	case identity == IdentityMoved && renamed.identity != nil:
		renamed.identity.address = to
	}
	s.users[to] = renamed
	delete(s.users, from)
	return nil
}
