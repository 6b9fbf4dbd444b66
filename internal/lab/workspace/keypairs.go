package workspace

import (
	"encoding/pem"
	"slices"
	"time"
)

// obliterateAfter is how long a key pair must have been off before it can be
// obliterated.
const obliterateAfter = 30 * 24 * time.Hour

// keyPairMessage is CseKeyPair as answered.
type keyPairMessage struct {
	KeyPairID             string               `json:"keyPairId"`
	PEM                   string               `json:"pem"`
	SubjectEmailAddresses []string             `json:"subjectEmailAddresses,omitempty"`
	EnablementState       string               `json:"enablementState"`
	DisableTime           string               `json:"disableTime,omitempty"`
	PrivateKeyMetadata    []privateKeyMetadata `json:"privateKeyMetadata,omitempty"`
}

func (p *keyPair) message() keyPairMessage {
	m := keyPairMessage{
		KeyPairID:             p.id,
		PEM:                   p.pem(),
		SubjectEmailAddresses: emailAddresses(p.chain[0]),
		EnablementState:       "enabled",
		PrivateKeyMetadata:    slices.Clone(p.metadata),
	}
	if !p.disabled.IsZero() {
		m.EnablementState = "disabled"
		m.DisableTime = timestamp(p.disabled)
	}
	return m
}

// pem is the chain as CERTIFICATE blocks, leaf first.
func (p *keyPair) pem() string {
	var text []byte
	for _, c := range p.chain {
		text = append(text, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})...)
	}
	return string(text)
}

func (s *Server) listKeyPairs(c *call) (any, *apiError) {
	size, after, refused := c.page("keypairs")
	if refused != nil {
		return nil, refused
	}
	var response struct {
		CseKeyPairs   []keyPairMessage `json:"cseKeyPairs,omitempty"`
		NextPageToken string           `json:"nextPageToken,omitempty"`
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var last uint64
	for _, p := range s.mailbox(c.user).pairs {
		if p.number <= after {
			continue
		}
		if len(response.CseKeyPairs) == size {
			response.NextPageToken = pageToken("keypairs", c.user, last)
			break
		}
		response.CseKeyPairs = append(response.CseKeyPairs, p.message())
		last = p.number
	}
	return response, nil
}

func (s *Server) getKeyPair(c *call) (any, *apiError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.mailbox(c.user).pair(c.id)
	if p == nil {
		return nil, notFound()
	}
	return p.message(), nil
}

func (s *Server) createKeyPair(c *call) (any, *apiError) {
	validation := c.query.Get("chainValidation")
	switch validation {
	case "", "all":
		validation = "all"
	case "none":
	default:
		return nil, badRequest("Invalid value at 'chain_validation' (type.googleapis.com/caribou.api.proto.ChainValidation), %q", validation)
	}
	p, refused := s.readKeyPair(c)
	if refused != nil {
		return nil, refused
	}
	p.validated = validation == "all"
	if p.validated {
		// Without the lock: it may wait for revocation lists.
		if refused := s.validate(c, p); refused != nil {
			return nil, refused
		}
	}
	if !names(p.chain[0], c.user) {
		return nil, invalidArgument("The leaf certificate does not carry the address %s.", c.user)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	p.created = s.now()
	p.number = s.number()
	m := s.mailbox(c.user)
	m.pairs = append(m.pairs, p)
	return p.message(), nil
}

// validate applies chainValidation=all to a key pair.
func (s *Server) validate(c *call, p *keyPair) *apiError {
	s.mu.Lock()
	roots, now, strict := slices.Clone(s.roots), s.now(), s.strict
	s.mu.Unlock()
	if err := verifyChain(p.chain, roots, now); err != nil {
		return invalidArgument("Invalid certificate chain: %v.", err)
	}
	if strict {
		if err := checkProfile(p.chain); err != nil {
			return invalidArgument("Invalid certificate chain: %v.", err)
		}
	}
	if err := s.checkRevocation(c.ctx, p.chain); err != nil {
		return invalidArgument("Invalid certificate chain: %v.", err)
	}
	return nil
}

func (s *Server) enableKeyPair(c *call) (any, *apiError) {
	return s.changeKeyPair(c, func(p *keyPair, _ time.Time) { p.disabled = time.Time{} })
}

// disableKeyPair leaves the time of a pair that is off already as it was.
func (s *Server) disableKeyPair(c *call) (any, *apiError) {
	return s.changeKeyPair(c, func(p *keyPair, now time.Time) {
		if p.disabled.IsZero() {
			p.disabled = now
		}
	})
}

func (s *Server) changeKeyPair(c *call, change func(*keyPair, time.Time)) (any, *apiError) {
	if refused := c.decode(&struct{}{}); refused != nil {
		return nil, refused
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.mailbox(c.user).pair(c.id)
	if p == nil {
		return nil, notFound()
	}
	change(p, s.now())
	return p.message(), nil
}

// obliterateKeyPair deletes a pair for ever. An identity that used it stays,
// with no key pair associated: the documents do not say.
func (s *Server) obliterateKeyPair(c *call) (any, *apiError) {
	if refused := c.decode(&struct{}{}); refused != nil {
		return nil, refused
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.mailbox(c.user)
	p := m.pair(c.id)
	if p == nil {
		return nil, notFound()
	}
	if p.disabled.IsZero() || s.now().Sub(p.disabled) <= obliterateAfter {
		return nil, failedPrecondition("Only key pairs that have been disabled for more than 30 days can be obliterated.")
	}
	m.pairs = slices.DeleteFunc(m.pairs, func(other *keyPair) bool { return other == p })
	if i := m.identity; i != nil {
		for _, id := range []*string{&i.primary, &i.signing, &i.encryption} {
			if *id == p.id {
				*id = ""
			}
		}
	}
	return nil, nil
}

// mayServe refuses key pairs that cannot stand in an identity. The caller
// holds mu.
func (p *keyPair) mayServe() *apiError {
	switch {
	case !p.disabled.IsZero():
		return failedPrecondition("Key pair " + p.id + " is disabled.")
	case !p.validated:
		return failedPrecondition("Key pair " + p.id + " was created without chain validation.")
	}
	return nil
}
