package enroll_test

import (
	"context"
	"crypto/x509"
	"errors"
	"testing"

	"github.com/cse-piv/cse-piv/internal/certpath"
	"github.com/cse-piv/cse-piv/internal/issuer"
)

// leafOnly issues without the chain, as an EST server whose cacerts fails.
type leafOnly struct {
	issuer.Issuer
	asked *int
	chain *[]*x509.Certificate
}

func (l leafOnly) Issue(ctx context.Context, request issuer.Request) ([]*x509.Certificate, error) {
	*l.asked++
	certificates, err := l.Issuer.Issue(ctx, request)
	if err != nil {
		return nil, err
	}
	return certificates[:1], nil
}

func (l leafOnly) Chain(context.Context) ([]*x509.Certificate, error) { return *l.chain, nil }

// TestIssuedCertificateIsKept: a certificate whose chain is not there is not asked for
// again: it is used when somebody gives the chain, or the issuer does.
func TestIssuedCertificateIsKept(t *testing.T) {
	for _, from := range []string{"the issuer", "the flag"} {
		d := newDesk(t, "5.7.4")
		setFaults(t, "off")
		above := []*x509.Certificate{practice.CA().Issuing(), practice.CA().Root()}
		asked, chain := 0, []*x509.Certificate(nil)
		d.deps.Issuer = leafOnly{d.deps.Issuer, &asked, &chain}
		for range 2 {
			_, err := d.run()
			var none *certpath.NoPathError
			if !errors.As(err, &none) || asked != 1 {
				t.Fatalf("%s: asked %d times: %v", from, asked, err)
			}
		}
		if from == "the issuer" {
			chain = above
		} else {
			d.deps.Chain = above
		}
		d.checkWhole(d.mustRun())
		if asked != 1 {
			t.Errorf("%s: asked %d times", from, asked)
		}
	}
}
