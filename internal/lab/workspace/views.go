package workspace

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"slices"
	"time"
)

// KeyPair is what the domain holds of one key pair, for tests and the lab's
// control endpoint.
type KeyPair struct {
	ID            string
	LeafSHA256    string // lower-case hex over the leaf's DER
	Chain         []*x509.Certificate
	Emails        []string
	Enabled       bool
	DisableTime   time.Time // zero while enabled
	Created       time.Time
	Validated     bool     // created with chainValidation=all
	Descriptions  []string // of the hardware keys
	KACLSURIs     []string
	MetadataCount int
}

// Identity is what the domain holds of one CSE identity.
type Identity struct {
	EmailAddress        string
	PrimaryKeyPairID    string
	SigningKeyPairID    string
	EncryptionKeyPairID string
}

// KeyPairs returns a user's key pairs, oldest first.
func (s *Server) KeyPairs(email string) []KeyPair {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.users[canonical(email)]
	if m == nil {
		return nil
	}
	var views []KeyPair
	for _, p := range m.pairs {
		digest := sha256.Sum256(p.chain[0].Raw)
		view := KeyPair{
			ID:            p.id,
			LeafSHA256:    hex.EncodeToString(digest[:]),
			Chain:         slices.Clone(p.chain),
			Emails:        emailAddresses(p.chain[0]),
			Enabled:       p.disabled.IsZero(),
			DisableTime:   p.disabled,
			Created:       p.created,
			Validated:     p.validated,
			MetadataCount: len(p.metadata),
		}
		for _, metadata := range p.metadata {
			if metadata.Hardware != nil {
				view.Descriptions = append(view.Descriptions, metadata.Hardware.Description)
			}
			if metadata.KACLS != nil {
				view.KACLSURIs = append(view.KACLSURIs, metadata.KACLS.URI)
			}
		}
		views = append(views, view)
	}
	return views
}

// Identities returns a user's CSE identities: none or one.
func (s *Server) Identities(email string) []Identity {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.users[canonical(email)]
	if m == nil || m.identity == nil {
		return nil
	}
	i := m.identity
	return []Identity{{i.address, i.primary, i.signing, i.encryption}}
}

// Users returns the addresses that have key pairs or an identity, sorted.
func (s *Server) Users() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var users []string
	for user, m := range s.users {
		if len(m.pairs) != 0 || m.identity != nil {
			users = append(users, user)
		}
	}
	slices.Sort(users)
	return users
}
