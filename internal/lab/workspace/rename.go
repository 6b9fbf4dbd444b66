package workspace

import "fmt"

// Rename gives a user another primary address. The key pairs are the user's and come along. An identity
// is one of a primary address, so that there is none for the new one; what Google does with the former
// one is not documented, and here it is gone.
func (s *Server) Rename(from, to string) error {
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
	renamed.identity = nil
	s.users[to] = renamed
	delete(s.users, from)
	return nil
}
