package certpath

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"sync"

	"github.com/cse-piv/cse-piv/internal/certificate"
)

const (
	// maxRemembered bounds the signatures that a Verifier remembers, 65 octets each.
	maxRemembered = 1 << 14
	// maxRecent bounds the certificates of which it remembers that they are the same ones.
	maxRecent = 64
)

// Verifier builds and validates paths, and remembers which signatures it has verified:
// each is verified once. The zero value is ready for use, by several goroutines at a
// time. What it answers does not depend on what it has seen.
type Verifier struct {
	mutex    sync.Mutex
	verdicts map[signature]verdict
	recent   map[link]verdict // spares the digests, which cost more than the rest of a path that is known
}

// link is a certificate and what is taken for its issuer.
type link struct{ cert, issuer *x509.Certificate }

// signature identifies a certificate and the key that it is verified by, by their
// SHA-256.
type signature struct{ cert, key [sha256.Size]byte }

// verdict tells whether the issuer's key signed the certificate, and what it cost to
// find out (see [certificate.Cost]): nothing where it is remembered.
func (v *Verifier) verdict(cert, issuer *x509.Certificate) (verdict, int) {
	these := link{cert, issuer}
	v.mutex.Lock()
	found, known := v.recent[these]
	v.mutex.Unlock()
	if known {
		return found, 0
	}
	key := signature{sha256.Sum256(cert.Raw), sha256.Sum256(issuer.RawSubjectPublicKeyInfo)}
	v.mutex.Lock()
	found, known = v.verdicts[key]
	v.mutex.Unlock()
	cost := 0
	if !known {
		found, cost = verify(cert, issuer), certificate.Cost(issuer.PublicKey)
	}
	v.mutex.Lock()
	defer v.mutex.Unlock()
	if v.verdicts == nil || len(v.verdicts) >= maxRemembered {
		v.verdicts = map[signature]verdict{}
	}
	if v.recent == nil || len(v.recent) >= maxRecent {
		v.recent = map[link]verdict{}
	}
	v.verdicts[key], v.recent[these] = found, found
	return found, cost
}

// IsSelfSigned reports whether a certificate names and signs itself. With what algorithm
// does not matter: nobody relies on that signature. Where it cannot be verified, the name
// and the identifiers of the keys decide.
func (v *Verifier) IsSelfSigned(cert *x509.Certificate) bool {
	if !selfIssued(cert) {
		return false
	}
	found, _ := v.verdict(cert, cert)
	return found != forged
}

// selfIssued reports whether a certificate's issuer and subject are the same.
func selfIssued(cert *x509.Certificate) bool { return bytes.Equal(cert.RawSubject, cert.RawIssuer) }
