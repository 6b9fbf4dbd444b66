package workspace

import (
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
)

// NewKeyPair is a key pair that is put into the domain without a call of the
// API: what somebody else, another tool or an earlier year left there.
type NewKeyPair struct {
	Chain []*x509.Certificate // leaf first
	// Description is that of a key on a card.
	Description string
	// KACLSURI is the key service that has the key wrapped; the key is on a card
	// when it is empty.
	KACLSURI string
	// Unvalidated makes it one of chainValidation=none, which no identity takes.
	Unvalidated bool
	Disabled    bool
}

// AddKeyPair puts a key pair into a user's settings, whatever its chain is worth,
// and returns its id. Nothing makes key pairs unique. It fails for somebody who is
// no user of the domain, and without a certificate.
func (s *Server) AddKeyPair(email string, pair NewKeyPair) (string, error) {
	if len(pair.Chain) == 0 {
		return "", errors.New("a key pair needs a certificate")
	}
	metadata := privateKeyMetadata{ID: privateKeyMetadataID(), Hardware: &hardwareMetadata{Description: pair.Description}}
	if pair.KACLSURI != "" {
		metadata.Hardware, metadata.KACLS = nil, &kaclsMetadata{URI: pair.KACLSURI, Data: "d3JhcHBlZA=="}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	user := canonical(email)
	if !s.isUser(user) {
		return "", fmt.Errorf("%q is no user of %s", email, s.config.Domain)
	}
	p := &keyPair{
		number: s.number(), id: keyPairID(), chain: slices.Clone(pair.Chain), metadata: []privateKeyMetadata{metadata},
		created: s.now(), validated: !pair.Unvalidated,
	}
	if pair.Disabled {
		p.disabled = s.now()
	}
	m := s.mailbox(user)
	m.pairs = append(m.pairs, p)
	return p.id, nil
}
