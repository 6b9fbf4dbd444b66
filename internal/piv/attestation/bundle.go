package attestation

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/safetext"
)

// maxBundle bounds a bundle in octets: ten certificates of the largest size that
// a card can hold, with room for text between them.
const maxBundle = 64 << 10

// ErrBundle is returned for a file that is no attestation bundle.
var ErrBundle = errors.New("not an attestation bundle")

// EncodeBundle writes an attestation as one PEM text: slot certificate, device
// certificate, intermediates in the order of their issuing, each under a line
// that says what it is (RFC 7468 section 5.2). Intermediates that are not on the
// device certificate's path follow those that are. Of a chain without slot or
// device certificate it writes what there is, which [ParseBundle] may refuse.
func EncodeBundle(chain Chain) []byte {
	var b bytes.Buffer
	write := func(role string, cert *x509.Certificate) {
		if cert == nil {
			return
		}
		fmt.Fprintf(&b, "%s: %s\n", role, label(cert))
		b.Write(certificate.EncodePEM(cert))
	}
	write("slot", chain.Slot)
	write("device", chain.Device)
	for _, cert := range inOrder(chain.Device, chain.Intermediates) {
		write("intermediate", cert)
	}
	return b.Bytes()
}

// label is a subject that cannot be taken for a PEM line.
func label(cert *x509.Certificate) string {
	return strings.ReplaceAll(safetext.Clean(cert.Subject.String()), "-----", "")
}

// ParseBundle reads an attestation from PEM: slot certificate first, device
// certificate second, intermediates after. It proves nothing: see [Verify].
func ParseBundle(data []byte) (Chain, error) {
	if len(data) > maxBundle {
		return Chain{}, fmt.Errorf("%w: larger than %d octets", ErrBundle, maxBundle)
	}
	certs, err := certificate.Parse(data)
	if err != nil {
		return Chain{}, fmt.Errorf("%w: %v", ErrBundle, err)
	}
	return NewChain(certs)
}

// NewChain makes a chain of a list that begins with slot and device certificate.
func NewChain(certs []*x509.Certificate) (Chain, error) {
	if len(certs) < 2 || slices.Contains(certs, nil) {
		return Chain{}, fmt.Errorf("%w: it needs a slot and a device certificate", ErrBundle)
	}
	return Chain{Slot: certs[0], Device: certs[1], Intermediates: slices.Clone(certs[2:])}, nil
}

// inOrder sorts certificates so that each is followed by its issuer, as far as
// names tell, starting from the issuer of first; the others follow as they came.
// Nils and doublets are dropped.
func inOrder(first *x509.Certificate, certs []*x509.Certificate) []*x509.Certificate {
	var rest, sorted []*x509.Certificate
	for _, cert := range certs {
		if cert != nil && !slices.ContainsFunc(rest, cert.Equal) {
			rest = append(rest, cert)
		}
	}
	for last := first; last != nil; last = sorted[len(sorted)-1] {
		i := slices.IndexFunc(rest, func(ca *x509.Certificate) bool {
			return bytes.Equal(ca.RawSubject, last.RawIssuer) && checkSignature(ca, last) == nil
		})
		if i < 0 {
			return append(sorted, rest...)
		}
		sorted = append(sorted, rest[i])
		rest = slices.Delete(rest, i, i+1)
	}
	return append(sorted, rest...)
}
