package certpath

import (
	"bytes"
	"cmp"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/safetext"
)

const (
	// maxChain bounds a chain's length, leaf and root included.
	maxChain = 10
	// maxCost bounds the signatures checked while building one chain; see
	// [certificate.Cost].
	maxCost = 2000
)

// MissingIssuerError says where a chain breaks off.
type MissingIssuerError struct {
	// Chain is the longest piece that could be built, leaf first.
	Chain []*x509.Certificate
}

// Last is the certificate whose issuer is missing.
func (e *MissingIssuerError) Last() *x509.Certificate { return e.Chain[len(e.Chain)-1] }

func (e *MissingIssuerError) Error() string {
	return fmt.Sprintf("the certificate of %q, which issued %q, is missing",
		safetext.Clean(e.Last().Issuer.String()), certificate.Subject(e.Last()))
}

// Build returns leaf, intermediates and self-signed root in this order,
// taken from pool, which may hold anything in any order. Each certificate's
// signature is checked by the next one's key; nothing else is judged (see
// [Verifier.Verify]). Of several possible chains it prefers issuers that are valid
// longest. Without a way to a root it returns a [*MissingIssuerError], and a
// [*certificate.TooLargeError] for a leaf that must not be worked with; such
// certificates of the pool are left out.
func (v *Verifier) Build(leaf *x509.Certificate, pool []*x509.Certificate) ([]*x509.Certificate, error) {
	if leaf == nil {
		return nil, errors.New("building the chain: no leaf certificate")
	}
	if err := certificate.CheckSize(leaf); err != nil {
		return nil, fmt.Errorf("building the chain: %w", err)
	}
	candidates := make([]*x509.Certificate, 0, len(pool))
	seen := map[string]bool{}
	for _, cert := range pool {
		if cert != nil && !seen[string(cert.Raw)] && certificate.CheckSize(cert) == nil {
			seen[string(cert.Raw)] = true
			candidates = append(candidates, cert)
		}
	}
	slices.SortFunc(candidates, func(a, b *x509.Certificate) int {
		return cmp.Or(b.NotAfter.Compare(a.NotAfter), bytes.Compare(a.Raw, b.Raw))
	})
	b := builder{verifier: v, pool: candidates}
	if chain := b.extend([]*x509.Certificate{leaf}); chain != nil {
		return chain, nil
	}
	return nil, &MissingIssuerError{Chain: b.longest}
}

type builder struct {
	verifier *Verifier
	pool     []*x509.Certificate
	longest  []*x509.Certificate
	cost     int
}

func (b *builder) extend(chain []*x509.Certificate) []*x509.Certificate {
	last := chain[len(chain)-1]
	if b.verifier.IsSelfSigned(last) {
		return chain
	}
	if len(chain) > len(b.longest) {
		b.longest = chain
	}
	if len(chain) == maxChain {
		return nil
	}
	for _, issuer := range b.pool {
		if !bytes.Equal(issuer.RawSubject, last.RawIssuer) || slices.ContainsFunc(chain, issuer.Equal) {
			continue
		}
		if b.cost += certificate.Cost(issuer.PublicKey); b.cost > maxCost || !b.verifier.SignedBy(last, issuer) {
			continue
		}
		if whole := b.extend(append(slices.Clip(chain), issuer)); whole != nil {
			return whole
		}
	}
	return nil
}
