package attestation

import (
	"bytes"
	"crypto/x509"
	"fmt"
	"slices"
)

// Sort finds out by their contents what certificates are, in whatever order they come:
// the slot's attestation by its extensions, the card's attestation certificate by its
// signature on that, and intermediates, which are those of other authorities. The rest
// are certificates of users. It proves nothing: see [Verify]. It returns an error that
// matches [ErrBundle] where there is no attestation, or more than one.
func Sort(certs []*x509.Certificate) (chain Chain, users []*x509.Certificate, err error) {
	var others []*x509.Certificate
	for _, cert := range certs {
		_, says := extension(cert, extKeyPolicy)
		switch {
		case says && chain.Slot != nil && !cert.Equal(chain.Slot):
			return Chain{}, nil, fmt.Errorf("%w: there are attestations of two keys", ErrBundle)
		case says:
			chain.Slot = cert
		case !slices.ContainsFunc(others, cert.Equal):
			others = append(others, cert)
		}
	}
	if chain.Slot == nil {
		return Chain{}, nil, fmt.Errorf("%w: none of the certificates is a slot's attestation", ErrBundle)
	}
	for _, cert := range others {
		switch {
		case chain.Device == nil && bytes.Equal(cert.RawSubject, chain.Slot.RawIssuer) && checkSignature(cert, chain.Slot) == nil:
			chain.Device = cert
		case cert.IsCA:
			chain.Intermediates = append(chain.Intermediates, cert)
		default:
			users = append(users, cert)
		}
	}
	if chain.Device == nil {
		return Chain{}, nil, fmt.Errorf("%w: the card's attestation certificate (slot f9) is not there", ErrBundle)
	}
	return chain, users, nil
}
