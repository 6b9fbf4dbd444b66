package workspace

import (
	"crypto/x509"
	"time"
)

// mailbox is one user's CSE configuration, guarded by Server.mu.
type mailbox struct {
	pairs    []*keyPair // in the order of creation
	identity *identity  // at most one: the address must be the primary one
}

// keyPair is one uploaded key pair. Nothing makes it unique: the same chain
// may be uploaded again and gives a further pair.
type keyPair struct {
	number    uint64 // position in lists
	id        string
	chain     []*x509.Certificate
	metadata  []privateKeyMetadata
	disabled  time.Time // zero while enabled
	created   time.Time
	validated bool // created with chainValidation=all
}

// identity is a user's CSE identity: either primary, or signing and encryption.
type identity struct {
	number                       uint64
	address                      string
	primary, signing, encryption string
}

// mailbox returns a user's state, made at first sight. The caller holds mu.
func (s *Server) mailbox(user string) *mailbox {
	m := s.users[user]
	if m == nil {
		m = &mailbox{}
		s.users[user] = m
	}
	return m
}

// pair finds a key pair by its id, or nil.
func (m *mailbox) pair(id string) *keyPair {
	for _, p := range m.pairs {
		if p.id == id {
			return p
		}
	}
	return nil
}

// number hands out list positions. The caller holds mu.
func (s *Server) number() uint64 {
	s.next++
	return s.next
}
