package gmail

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"strings"
	"time"

	api "google.golang.org/api/gmail/v1"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/safetext"
)

// The bounds on one key pair of an answer. Real ids have 55 characters, real
// chains some kilobytes.
const (
	maxID           = 256
	maxPEM          = 256 << 10
	maxCertificates = 64
)

// protocolError is an answer that was sent as a success and cannot be one: it
// lacks what every such answer has (Gmail API discovery document), or contradicts
// itself. It leaves open whether a call that changes something was carried out.
type protocolError struct{ text string }

func (p *protocolError) Error() string { return p.text }

var errNoAnswer = &protocolError{"the answer is empty"}

// readKeyPair reads a CseKeyPair, and refuses one without an id, a state or a
// readable certificate.
func readKeyPair(p *api.CseKeyPair) (KeyPair, error) {
	if p == nil {
		return KeyPair{}, errNoAnswer
	}
	if err := checkID("key pair", p.KeyPairId); err != nil {
		return KeyPair{}, err
	}
	k := KeyPair{
		ID:      p.KeyPairId,
		Emails:  p.SubjectEmailAddresses,
		Enabled: p.EnablementState == "enabled",
		PEM:     p.Pem,
	}
	if p.EnablementState == "" {
		return KeyPair{}, &protocolError{fmt.Sprintf("key pair %s is neither enabled nor disabled", k.ID)}
	}
	if t, err := time.Parse(time.RFC3339, p.DisableTime); err == nil {
		k.DisableTime = t
	}
	for _, m := range p.PrivateKeyMetadata {
		if m == nil {
			continue
		}
		if m.HardwareKeyMetadata != nil {
			k.HardwareDescriptions = append(k.HardwareDescriptions, m.HardwareKeyMetadata.Description)
		}
		if m.KaclsKeyMetadata != nil {
			k.KeyServices = append(k.KeyServices, m.KaclsKeyMetadata.KaclsUri)
		}
	}
	return k, k.readPEM()
}

// readKeyPairOf reads the answer to a call about the key pair with that id.
func readKeyPairOf(p *api.CseKeyPair, id string) (KeyPair, error) {
	k, err := readKeyPair(p)
	if err == nil && k.ID != id {
		err = &protocolError{fmt.Sprintf("the answer is about key pair %s", safetext.Message(k.ID))}
	}
	return k, err
}

// checkID refuses what can be no id: it stands in addresses, files and tables.
func checkID(what, id string) error {
	switch {
	case id == "":
		return &protocolError{"the answer has a " + what + " without an id"}
	case len(id) > maxID || strings.ContainsFunc(id, func(r rune) bool { return r <= ' ' || r > '~' }):
		return &protocolError{"the answer has a " + what + " with an id that can be none"}
	}
	return nil
}

// readPEM takes the first certificate that is no CA as the leaf, or the first of
// all when it cannot be told.
func (k *KeyPair) readPEM() error {
	if len(k.PEM) > maxPEM {
		return &protocolError{fmt.Sprintf("the certificates of key pair %s are larger than 256 KiB", k.ID)}
	}
	leaf := -1
	var leafCert *x509.Certificate
	for rest := []byte(k.PEM); ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			continue
		}
		if len(k.fingerprints) == maxCertificates {
			return &protocolError{fmt.Sprintf("key pair %s has more than %d certificates", k.ID, maxCertificates)}
		}
		sum := sha256.Sum256(block.Bytes)
		k.fingerprints = append(k.fingerprints, hex.EncodeToString(sum[:]))
		if cert, err := certificate.ParseDER(block.Bytes); err == nil && !cert.IsCA && leaf < 0 {
			leaf, leafCert = len(k.fingerprints)-1, cert
		}
	}
	switch {
	case leaf >= 0:
		k.LeafSHA256, k.NotAfter = k.fingerprints[leaf], leafCert.NotAfter
	case len(k.fingerprints) > 0:
		k.LeafSHA256 = k.fingerprints[0]
	default:
		return &protocolError{fmt.Sprintf("key pair %s has no certificate", k.ID)}
	}
	return nil
}

// size is about how many bytes of an answer are kept.
func (k KeyPair) size() int {
	n := len(k.PEM) + 256
	for _, texts := range [][]string{k.Emails, k.HardwareDescriptions, k.KeyServices} {
		for _, text := range texts {
			n += len(text) + 16
		}
	}
	return n
}

// readIdentity reads a CseIdentity, and refuses one without an address. It may
// name no key pair.
func readIdentity(a *api.CseIdentity) (Identity, error) {
	if a == nil {
		return Identity{}, errNoAnswer
	}
	i := Identity{Email: a.EmailAddress, PrimaryKeyPairID: a.PrimaryKeyPairId}
	if s := a.SignAndEncryptKeyPairs; s != nil {
		i.SigningKeyPairID, i.EncryptionKeyPairID = s.SigningKeyPairId, s.EncryptionKeyPairId
	}
	if !safetext.IsAddress(i.Email) {
		return Identity{}, &protocolError{"the answer has an identity without an address"}
	}
	for _, id := range []string{i.PrimaryKeyPairID, i.SigningKeyPairID, i.EncryptionKeyPairID} {
		if id == "" {
			continue
		}
		if err := checkID("key pair", id); err != nil {
			return Identity{}, err
		}
	}
	return i, nil
}

// readIdentityOf reads the answer to a call about the identity of that address.
func readIdentityOf(a *api.CseIdentity, email string) (Identity, error) {
	i, err := readIdentity(a)
	if err == nil && !strings.EqualFold(i.Email, email) {
		err = &protocolError{"the answer is the identity of another address"}
	}
	return i, err
}
