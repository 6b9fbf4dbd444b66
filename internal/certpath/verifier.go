package certpath

import (
	"bytes"
	"crypto/x509"
	"sync"
)

const (
	// maxRemembered bounds the signatures that a Verifier remembers of authorities, and
	// those of others.
	maxRemembered = 500
	// maxRememberedSize bounds the octets of one, certificate and key, far above the usual.
	maxRememberedSize = 8 << 10
)

// Verifier builds and validates paths, and remembers which signatures it has verified:
// those of authorities, and of the latest leaves. The zero value is ready for use, by
// several goroutines at a time. What it answers does not depend on what it has seen, as
// long as nobody changes a certificate.
type Verifier struct {
	mutex               sync.Mutex
	authorities, leaves map[signature]verdict
}

// signature is a certificate and the key that it is verified by, in DER.
type signature struct {
	cert *x509.Certificate
	key  string
}

// verdict tells whether the issuer's key signed the certificate; known is false where
// that is not remembered.
func (v *Verifier) verdict(cert, issuer *x509.Certificate) (found verdict, known bool) {
	v.mutex.Lock()
	defer v.mutex.Unlock()
	found, known = v.of(cert)[signature{cert, string(issuer.RawSubjectPublicKeyInfo)}]
	return found, known
}

// of returns where the signature of a certificate is remembered.
func (v *Verifier) of(cert *x509.Certificate) map[signature]verdict {
	if cert.IsCA {
		return v.authorities
	}
	return v.leaves
}

// makeRoom forgets the signatures of authorities, or those of others, where no more of them
// may be remembered.
func (v *Verifier) makeRoom() {
	v.mutex.Lock()
	defer v.mutex.Unlock()
	for _, remembered := range []map[signature]verdict{v.authorities, v.leaves} {
		if len(remembered) >= maxRemembered {
			clear(remembered)
		}
	}
}

// remember keeps a verdict where there is room for it, and reports whether there was.
func (v *Verifier) remember(these signature, found verdict) bool {
	if len(these.cert.Raw)+len(these.key) > maxRememberedSize {
		return false
	}
	v.mutex.Lock()
	defer v.mutex.Unlock()
	if v.authorities == nil {
		v.authorities, v.leaves = map[signature]verdict{}, map[signature]verdict{}
	}
	remembered := v.of(these.cert)
	if len(remembered) >= maxRemembered {
		return false
	}
	remembered[these] = found
	return true
}

// IsSelfSigned reports whether a certificate names and signs itself. With what algorithm
// does not matter: nobody relies on that signature. Where it cannot be verified, the name
// and the identifiers of the keys decide.
func (v *Verifier) IsSelfSigned(cert *x509.Certificate) bool {
	return (&judge{verifier: v}).isSelfSigned(cert)
}

// selfIssued reports whether a certificate's issuer and subject are the same.
func selfIssued(cert *x509.Certificate) bool { return bytes.Equal(cert.RawSubject, cert.RawIssuer) }
