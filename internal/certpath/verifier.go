package certpath

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"slices"
	"sync"
	"time"

	"github.com/cse-piv/cse-piv/internal/certificate"
)

// maxRemembered bounds a Verifier, in signatures and in chains.
const maxRemembered = 1024

// Verifier remembers what was verified: a signature is verified once, and so is
// what stands above the leaves of many users. The zero value is ready for use, by
// several goroutines at a time. What it answers does not depend on what it has seen.
type Verifier struct {
	mutex      sync.Mutex
	signatures map[[2 * sha256.Size]byte]bool
	chains     map[[sha256.Size]byte]bool
}

// SignedBy tells whether issuer's key signed cert. Whether issuer may do so is
// another question. A key that is too large to be worked with signed nothing.
func (v *Verifier) SignedBy(cert, issuer *x509.Certificate) bool {
	if certificate.CheckKey(issuer.PublicKey) != nil {
		return false
	}
	child, parent := sha256.Sum256(cert.Raw), sha256.Sum256(issuer.Raw)
	return remembered(v, &v.signatures, [2 * sha256.Size]byte(append(child[:], parent[:]...)), func() bool {
		return issuer.CheckSignature(cert.SignatureAlgorithm, cert.RawTBSCertificate, cert.Signature) == nil
	})
}

// IsSelfSigned tells whether a certificate names and signs itself.
func (v *Verifier) IsSelfSigned(cert *x509.Certificate) bool {
	return bytes.Equal(cert.RawSubject, cert.RawIssuer) && v.SignedBy(cert, cert)
}

// remembered returns what the map, which the cache's mutex guards, has for the key,
// or else what find finds.
func remembered[K comparable](v *Verifier, known *map[K]bool, key K, find func() bool) bool {
	v.mutex.Lock()
	valid, found := (*known)[key]
	v.mutex.Unlock()
	if found {
		return valid
	}
	valid = find()
	v.mutex.Lock()
	defer v.mutex.Unlock()
	if *known == nil || len(*known) >= maxRemembered {
		*known = map[K]bool{}
	}
	(*known)[key] = valid
	return valid
}

// Verify verifies a chain whose signatures, names, times and authorities were found
// to be right. What crypto/x509 can find besides concerns the authorities alone,
// which are verified once, except where the leaf has a critical extension or a
// signature algorithm that is refused, an authority constrains names or policies, or
// one issued itself, which path lengths count differently: such chains are verified
// as a whole.
func (v *Verifier) Verify(chain []*x509.Certificate, now time.Time) error {
	leaf, authorities := chain[0], chain[1:]
	whole := len(authorities) < 2 || len(leaf.UnhandledCriticalExtensions) > 0 || insecure(leaf)
	hash := sha256.New()
	for i, cert := range chain {
		selfIssued := bytes.Equal(cert.RawSubject, cert.RawIssuer) && i < len(chain)-1
		whole = whole || selfIssued || constrains(cert)
		if i > 0 {
			hash.Write(cert.Raw)
		}
	}
	if !whole && remembered(v, &v.chains, [sha256.Size]byte(hash.Sum(nil)), func() bool { return verifyWhole(authorities, now) == nil }) {
		return nil
	}
	return verifyWhole(chain, now)
}

// insecure tells whether crypto/x509 refuses a certificate's signature algorithm.
func insecure(cert *x509.Certificate) bool {
	return slices.Contains([]x509.SignatureAlgorithm{
		x509.UnknownSignatureAlgorithm, x509.MD2WithRSA, x509.MD5WithRSA, x509.SHA1WithRSA, x509.ECDSAWithSHA1,
	}, cert.SignatureAlgorithm)
}

// verifyWhole lets crypto/x509 verify a chain, and trusts its last certificate.
func verifyWhole(chain []*x509.Certificate, now time.Time) error {
	roots, intermediates := x509.NewCertPool(), x509.NewCertPool()
	root := len(chain) - 1
	roots.AddCert(chain[root])
	for _, cert := range chain[min(1, root):root] {
		intermediates.AddCert(cert)
	}
	_, err := chain[0].Verify(x509.VerifyOptions{
		Roots: roots, Intermediates: intermediates, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
	})
	return err
}

// constrains tells whether a certificate has an extension about those further down
// the chain: policyMappings, nameConstraints, policyConstraints or inhibitAnyPolicy
// (RFC 5280 sections 4.2.1.5, 4.2.1.10, 4.2.1.11 and 4.2.1.14).
func constrains(cert *x509.Certificate) bool {
	return slices.ContainsFunc(cert.Extensions, func(e pkix.Extension) bool {
		return len(e.Id) == 4 && e.Id[:3].Equal([]int{2, 5, 29}) && slices.Contains([]int{33, 30, 36, 54}, e.Id[3])
	})
}
