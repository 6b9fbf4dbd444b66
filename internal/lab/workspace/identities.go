package workspace

import (
	"slices"

	"crypto/x509"
)

// identityMessage is CseIdentity, asked and answered.
type identityMessage struct {
	EmailAddress     string            `json:"emailAddress,omitempty"`
	PrimaryKeyPairID string            `json:"primaryKeyPairId,omitempty"`
	SignAndEncrypt   *splitKeyPairsMsg `json:"signAndEncryptKeyPairs,omitempty"`
}

// splitKeyPairsMsg is SignAndEncryptKeyPairs.
type splitKeyPairsMsg struct {
	SigningKeyPairID    string `json:"signingKeyPairId,omitempty"`
	EncryptionKeyPairID string `json:"encryptionKeyPairId,omitempty"`
}

func (i *identity) message() identityMessage {
	m := identityMessage{EmailAddress: i.address, PrimaryKeyPairID: i.primary}
	if i.signing != "" || i.encryption != "" {
		m.SignAndEncrypt = &splitKeyPairsMsg{SigningKeyPairID: i.signing, EncryptionKeyPairID: i.encryption}
	}
	return m
}

func (s *Server) listIdentities(c *call) (any, *apiError) {
	_, after, refused := c.page("identities")
	if refused != nil {
		return nil, refused
	}
	var response struct {
		CseIdentities []identityMessage `json:"cseIdentities,omitempty"`
		NextPageToken string            `json:"nextPageToken,omitempty"`
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := s.mailbox(c.user).identity; i != nil && i.number > after {
		response.CseIdentities = append(response.CseIdentities, i.message())
	}
	return response, nil
}

func (s *Server) getIdentity(c *call) (any, *apiError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := s.mailbox(c.user).find(c.id)
	if i == nil {
		return nil, notFound()
	}
	return i.message(), nil
}

// find returns the identity for an address, or nil.
func (m *mailbox) find(address string) *identity {
	if m.identity != nil && m.identity.address == canonical(address) {
		return m.identity
	}
	return nil
}

func (s *Server) createIdentity(c *call) (any, *apiError) {
	var request identityMessage
	if refused := c.decode(&request); refused != nil {
		return nil, refused
	}
	if canonical(request.EmailAddress) != c.user {
		return nil, invalidArgument("emailAddress must be the primary address of the user.")
	}
	s.mu.Lock()
	exists := s.mailbox(c.user).identity != nil
	s.mu.Unlock()
	if exists {
		return nil, alreadyExists("A CSE identity for " + c.user + " already exists.")
	}
	wanted, refused := s.associate(c, request)
	if refused != nil {
		return nil, refused
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.mailbox(c.user)
	if m.identity != nil {
		return nil, alreadyExists("A CSE identity for " + c.user + " already exists.")
	}
	wanted.number = s.number()
	m.identity = wanted
	return wanted.message(), nil
}

func (s *Server) patchIdentity(c *call) (any, *apiError) {
	var request identityMessage
	if refused := c.decode(&request); refused != nil {
		return nil, refused
	}
	s.mu.Lock()
	exists := s.mailbox(c.user).find(c.id) != nil
	s.mu.Unlock()
	if !exists {
		return nil, notFound()
	}
	if request.EmailAddress != "" && canonical(request.EmailAddress) != c.user {
		return nil, invalidArgument("emailAddress cannot be changed.")
	}
	wanted, refused := s.associate(c, request)
	if refused != nil {
		return nil, refused
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.mailbox(c.user)
	if m.identity == nil {
		return nil, notFound()
	}
	wanted.number = m.identity.number
	m.identity = wanted
	return wanted.message(), nil
}

func (s *Server) deleteIdentity(c *call) (any, *apiError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.mailbox(c.user)
	if m.find(c.id) == nil {
		return nil, notFound()
	}
	m.identity = nil
	return nil, nil
}

// associate checks the key pairs of a wanted identity: the union has one side,
// the pairs exist, are enabled, were validated, and still validate.
func (s *Server) associate(c *call, request identityMessage) (*identity, *apiError) {
	wanted := &identity{address: c.user, primary: request.PrimaryKeyPairID}
	split := request.SignAndEncrypt
	switch {
	case split != nil && wanted.primary != "":
		return nil, invalidArgument("primaryKeyPairId and signAndEncryptKeyPairs exclude each other.")
	case split != nil:
		wanted.signing, wanted.encryption = split.SigningKeyPairID, split.EncryptionKeyPairID
		if wanted.signing == "" || wanted.encryption == "" {
			return nil, invalidArgument("signAndEncryptKeyPairs needs signingKeyPairId and encryptionKeyPairId.")
		}
	case wanted.primary == "":
		return nil, invalidArgument("Missing primaryKeyPairId or signAndEncryptKeyPairs.")
	}
	if split == nil {
		return wanted, s.checkPair(c, wanted.primary, 0, "")
	}
	if refused := s.checkPair(c, wanted.signing, x509.KeyUsageDigitalSignature|x509.KeyUsageContentCommitment, "sign"); refused != nil {
		return nil, refused
	}
	return wanted, s.checkPair(c, wanted.encryption, x509.KeyUsageKeyEncipherment|x509.KeyUsageKeyAgreement, "encrypt")
}

// checkPair checks one key pair; its leaf must have one of the usages, where
// any are asked for and the leaf names its usages at all.
func (s *Server) checkPair(c *call, id string, usages x509.KeyUsage, purpose string) *apiError {
	s.mu.Lock()
	pair := s.mailbox(c.user).pair(id)
	var p keyPair
	if pair != nil {
		p = *pair
		p.chain = slices.Clone(pair.chain)
	}
	s.mu.Unlock()
	if pair == nil {
		return invalidArgument("Key pair %s does not exist.", id)
	}
	if refused := p.mayServe(); refused != nil {
		return refused
	}
	if usage := p.chain[0].KeyUsage; usages != 0 && usage != 0 && usage&usages == 0 {
		return invalidArgument("Key pair %s cannot %s: its certificate's key usage does not allow it.", id, purpose)
	}
	return s.validate(c, &p)
}
