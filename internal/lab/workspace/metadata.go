package workspace

import (
	"encoding/json"
	"net/url"
)

// privateKeyMetadata is CsePrivateKeyMetadata: exactly one of the two kinds.
type privateKeyMetadata struct {
	ID       string            `json:"privateKeyMetadataId"`
	KACLS    *kaclsMetadata    `json:"kaclsKeyMetadata,omitempty"`
	Hardware *hardwareMetadata `json:"hardwareKeyMetadata,omitempty"`
}

type kaclsMetadata struct {
	URI  string `json:"kaclsUri"`
	Data string `json:"kaclsData"`
}

type hardwareMetadata struct {
	Description string `json:"description,omitempty"`
}

// maxKACLSData bounds kaclsData, in bytes of the field (discovery document).
const maxKACLSData = 8 << 10

// readKeyPair reads and checks what keypairs.create was given, all but the
// chain's validity and address.
func (s *Server) readKeyPair(c *call) (*keyPair, *apiError) {
	var request struct {
		PKCS7              string               `json:"pkcs7"`
		PrivateKeyMetadata []privateKeyMetadata `json:"privateKeyMetadata"`
		// Output only: ignored in requests.
		KeyPairID             json.RawMessage `json:"keyPairId"`
		PEM                   json.RawMessage `json:"pem"`
		SubjectEmailAddresses json.RawMessage `json:"subjectEmailAddresses"`
		EnablementState       json.RawMessage `json:"enablementState"`
		DisableTime           json.RawMessage `json:"disableTime"`
	}
	if refused := c.decode(&request); refused != nil {
		return nil, refused
	}
	if request.PKCS7 == "" {
		return nil, invalidArgument("Missing pkcs7.")
	}
	chain, err := parsePKCS7([]byte(request.PKCS7))
	if err != nil {
		return nil, invalidArgument("Invalid pkcs7: %v.", err)
	}
	for _, certificate := range chain {
		if err := checkKeyType(certificate); err != nil {
			return nil, invalidArgument("Invalid certificate: %v.", err)
		}
	}
	if refused := s.checkMetadata(request.PrivateKeyMetadata); refused != nil {
		return nil, refused
	}
	p := &keyPair{id: keyPairID(), chain: chain, metadata: request.PrivateKeyMetadata}
	for i := range p.metadata {
		p.metadata[i].ID = privateKeyMetadataID()
	}
	return p, nil
}

func (s *Server) checkMetadata(metadata []privateKeyMetadata) *apiError {
	if len(metadata) == 0 {
		return invalidArgument("Missing privateKeyMetadata.")
	}
	s.mu.Lock()
	noHardware := s.noHW
	s.mu.Unlock()
	for i, m := range metadata {
		switch {
		case (m.KACLS == nil) == (m.Hardware == nil):
			return invalidArgument("Private key metadata %d must have exactly one of kaclsKeyMetadata and hardwareKeyMetadata.", i+1)
		case m.Hardware != nil && noHardware:
			return permissionDenied("forbidden", "Hardware key encryption is not enabled.")
		case m.KACLS != nil:
			if u, err := url.Parse(m.KACLS.URI); err != nil || u.Scheme != "https" || u.Host == "" {
				return invalidArgument("Invalid kaclsUri.")
			}
			if m.KACLS.Data == "" || len(m.KACLS.Data) > maxKACLSData {
				return invalidArgument("Invalid kaclsData: its size must be between 1 byte and 8 KiB.")
			}
		}
	}
	return nil
}
