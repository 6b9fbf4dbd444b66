package smime_test

import (
	"crypto/elliptic"
	"crypto/x509"
	"errors"
	"slices"
	"testing"

	"github.com/cse-piv/cse-piv/internal/certificate/certtest"
	"github.com/cse-piv/cse-piv/internal/certpath"
	"github.com/cse-piv/cse-piv/internal/smime"
)

// TestAdminBundle: exactly one root, intermediates that lead to it, and an end-user
// certificate that is valid; in any order and twice.
func TestAdminBundle(t *testing.T) {
	chain := certtest.Certs(goodChain(t)...)
	leaf, issuing, root := chain[0], chain[1], chain[2]
	other := certtest.Certs(goodChain(t)...)
	selfSigned := certtest.Issue(t, newLeaf(t), certtest.NewKey(t, elliptic.P256()), nil).Cert
	expired := newLeaf(t)
	expired.NotBefore, expired.NotAfter = now().AddDate(-2, 0, 0), now().AddDate(-1, 0, 0)
	holders := goodChain(t)
	old := certtest.Certs(holders...)
	oldLeaf := certtest.Issue(t, expired, certtest.NewKey(t, elliptic.P256()), holders[1]).Cert
	for name, c := range map[string]struct {
		given  []*x509.Certificate
		want   []*x509.Certificate
		wanted error
	}{
		"chain":                   {chain, chain, nil},
		"any order, twice":        {[]*x509.Certificate{root, leaf, issuing, root, issuing}, chain, nil},
		"without a sample":        {chain[1:], chain[1:], nil},
		"expired, then valid":     {[]*x509.Certificate{oldLeaf, old[0], old[1], old[2]}, old, nil},
		"two roots":               {slices.Concat(chain, other[2:]), nil, smime.ErrSeveralRoots},
		"no root":                 {chain[:2], nil, smime.ErrNoRoot},
		"no intermediate":         {[]*x509.Certificate{leaf, root}, nil, smime.ErrNoIntermediate},
		"another's intermediate":  {append(slices.Clone(chain), other[1]), nil, smime.ErrForeignPart},
		"another's leaf":          {append(slices.Clone(chain[1:]), other[0]), nil, smime.ErrNoSample},
		"an expired sample alone": {append(slices.Clone(old[1:]), oldLeaf), nil, smime.ErrNoSample},
		"a self-signed user":      {[]*x509.Certificate{selfSigned, issuing}, nil, smime.ErrNoRoot},
		"a root with P-521":       {[]*x509.Certificate{certtest.Issue(t, certtest.NewRoot(t, "Large"), certtest.NewKey(t, elliptic.P521()), nil).Cert, issuing}, nil, smime.ErrAuthorityKey},
		"nothing":                 {nil, nil, smime.ErrNoRoot},
	} {
		bundle, err := smime.NewAdminBundle(new(certpath.Verifier), c.given, now())
		if !errors.Is(err, c.wanted) || c.wanted != nil && err == nil {
			t.Errorf("%s: %v, want %v", name, err, c.wanted)
			continue
		}
		if c.wanted == nil {
			certtest.Same(t, bundle.Certificates(), c.want)
		}
	}
}
