package workspace

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"time"
)

// checkKeyType accepts the keys of Google's S/MIME certificate profiles: RSA
// of 2048, 3072 or 4096 bits, EC on P-256 or P-384.
func checkKeyType(c *x509.Certificate) error {
	switch key := c.PublicKey.(type) {
	case *rsa.PublicKey:
		switch bits := key.N.BitLen(); bits {
		case 2048, 3072, 4096:
			return nil
		default:
			return fmt.Errorf("RSA key of %d bits in %q is not supported", bits, c.Subject)
		}
	case *ecdsa.PublicKey:
		if key.Curve == elliptic.P256() || key.Curve == elliptic.P384() {
			return nil
		}
		return fmt.Errorf("EC key on %s in %q is not supported", key.Curve.Params().Name, c.Subject)
	}
	return fmt.Errorf("%v key in %q is not supported", c.PublicKeyAlgorithm, c.Subject)
}

// verifyChain checks an uploaded chain: leaf, one or more intermediates, root,
// in that order, each signed by the next, current at now, ending in one of the
// trusted roots, and usable for e-mail.
func verifyChain(chain, trusted []*x509.Certificate, now time.Time) error {
	if chain[0].IsCA && chain[0].BasicConstraintsValid {
		return errors.New("the first certificate is a certification authority; the order is leaf, intermediates, root")
	}
	root := chain[len(chain)-1]
	if !selfIssued(root) || root.CheckSignature(root.SignatureAlgorithm, root.RawTBSCertificate, root.Signature) != nil {
		return errors.New("the last certificate is not a self-signed root; the order is leaf, intermediates, root")
	}
	for i, c := range chain[:len(chain)-1] {
		issuer := chain[i+1]
		if !bytes.Equal(c.RawIssuer, issuer.RawSubject) {
			return fmt.Errorf("certificate %d is not issued by certificate %d; the order is leaf, intermediates, root", i+1, i+2)
		}
		if err := c.CheckSignatureFrom(issuer); err != nil {
			return fmt.Errorf("certificate %d is not signed by certificate %d: %w", i+1, i+2, err)
		}
	}
	if len(chain) < 3 {
		return errors.New("the root issued the leaf; at least one intermediate is needed")
	}
	for i, c := range chain {
		if now.Before(c.NotBefore) {
			return fmt.Errorf("certificate %d is not valid before %s", i+1, timestamp(c.NotBefore))
		}
		if now.After(c.NotAfter) {
			return fmt.Errorf("certificate %d expired at %s", i+1, timestamp(c.NotAfter))
		}
	}
	anchor := findTrusted(root, trusted)
	if anchor == nil {
		return fmt.Errorf("root %q is not trusted by the domain", root.Subject)
	}
	return verifyPath(chain, anchor, now)
}

// verifyPath leaves path lengths, name constraints, critical extensions and
// nested key usages to crypto/x509.
func verifyPath(chain []*x509.Certificate, anchor *x509.Certificate, now time.Time) error {
	roots, intermediates := x509.NewCertPool(), x509.NewCertPool()
	roots.AddCert(anchor)
	for _, c := range chain[1 : len(chain)-1] {
		intermediates.AddCert(c)
	}
	_, err := chain[0].Verify(x509.VerifyOptions{
		Roots:         roots,
		Intermediates: intermediates,
		CurrentTime:   now,
		KeyUsages:     []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection},
	})
	if err != nil {
		return fmt.Errorf("verify the chain: %w", err)
	}
	return nil
}

func selfIssued(c *x509.Certificate) bool { return bytes.Equal(c.RawIssuer, c.RawSubject) }

// findTrusted finds the trust anchor with the root's name and key: a root may
// have been re-issued.
func findTrusted(root *x509.Certificate, trusted []*x509.Certificate) *x509.Certificate {
	for _, t := range trusted {
		if bytes.Equal(t.RawSubject, root.RawSubject) &&
			bytes.Equal(t.RawSubjectPublicKeyInfo, root.RawSubjectPublicKeyInfo) {
			return t
		}
	}
	return nil
}
