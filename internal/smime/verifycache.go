package smime

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"slices"
	"sync"

	"github.com/cse-piv/cse-piv/internal/certificate"
)

// maxRemembered bounds a VerifyCache, in signatures and in chains.
const maxRemembered = 1024

// VerifyCache remembers what was verified, so that many users' chains from the same
// few authorities are judged fast: above the leaf, everything is verified once.
// The zero value is ready for use, a nil *VerifyCache remembers nothing; both are safe
// for concurrent use. The answers are those of [BuildChain] and [Check].
type VerifyCache struct {
	mutex      sync.Mutex
	signatures map[[2 * sha256.Size]byte]bool
	chains     map[[sha256.Size]byte]bool
}

// signedBy tells whether issuer's key signed cert. Whether issuer may do so is
// another question. A key that is too large to be worked with signed nothing.
func (m *VerifyCache) signedBy(cert, issuer *x509.Certificate) bool {
	if certificate.CheckKey(issuer.PublicKey) != nil {
		return false
	}
	if m == nil {
		return issuer.CheckSignature(cert.SignatureAlgorithm, cert.RawTBSCertificate, cert.Signature) == nil
	}
	child, parent := sha256.Sum256(cert.Raw), sha256.Sum256(issuer.Raw)
	key := [2 * sha256.Size]byte(append(child[:], parent[:]...))
	m.mutex.Lock()
	valid, known := m.signatures[key]
	m.mutex.Unlock()
	if known {
		return valid
	}
	valid = (*VerifyCache)(nil).signedBy(cert, issuer)
	m.mutex.Lock()
	defer m.mutex.Unlock()
	if m.signatures == nil || len(m.signatures) >= maxRemembered {
		m.signatures = map[[2 * sha256.Size]byte]bool{}
	}
	m.signatures[key] = valid
	return valid
}

// isSelfSigned tells whether a certificate names and signs itself.
func (m *VerifyCache) isSelfSigned(cert *x509.Certificate) bool {
	return bytes.Equal(cert.RawSubject, cert.RawIssuer) && m.signedBy(cert, cert)
}

// anchor returns how much of a chain is left to be verified with its last
// certificate as the trusted one: leaf and issuer, where the part above the leaf
// verified before. Name constraints and what authorities ask of policies reach down
// to the leaf, and path lengths do not count alike where authorities issued
// themselves: such chains are verified as a whole.
func (m *VerifyCache) anchor(chain []*x509.Certificate, verify func([]*x509.Certificate) error) []*x509.Certificate {
	const leafAndIssuer = 2
	if m == nil || len(chain) <= leafAndIssuer {
		return chain
	}
	hash := sha256.New()
	for i, cert := range chain[1:] {
		selfIssued := bytes.Equal(cert.RawSubject, cert.RawIssuer) && i < len(chain)-2
		if i > 0 && has(cert, nameConstraints) || has(cert, policyConstraints, policyMappings, inhibitAnyPolicy) || selfIssued {
			return chain
		}
		hash.Write(cert.Raw)
	}
	key := [sha256.Size]byte(hash.Sum(nil))
	m.mutex.Lock()
	valid, known := m.chains[key]
	m.mutex.Unlock()
	if !known {
		valid = verify(chain[1:]) == nil
		m.mutex.Lock()
		if m.chains == nil || len(m.chains) >= maxRemembered {
			m.chains = map[[sha256.Size]byte]bool{}
		}
		m.chains[key] = valid
		m.mutex.Unlock()
	}
	if !valid {
		return chain // for the error's text
	}
	return chain[:leafAndIssuer]
}

// The last arcs of id-ce extensions that concern certificates further down (RFC 5280
// sections 4.2.1.5, 4.2.1.10, 4.2.1.11 and 4.2.1.14).
const nameConstraints, policyMappings, policyConstraints, inhibitAnyPolicy = 30, 33, 36, 54

// has tells whether a certificate has one of the id-ce extensions.
func has(cert *x509.Certificate, arcs ...int) bool {
	return slices.ContainsFunc(cert.Extensions, func(e pkix.Extension) bool {
		return len(e.Id) == 4 && e.Id[:3].Equal([]int{2, 5, 29}) && slices.Contains(arcs, e.Id[3])
	})
}
