package prepare

import (
	"bytes"
	"crypto/x509"
	"fmt"
	"slices"

	"github.com/cse-piv/cse-piv/internal/batch/source"
	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/smime"
)

// findLeaf finds the user's certificate in a file that may hold a chain, or the
// certificates of both uses, in any order: one that issued none of the others
// and is no authority's; of several the one for the address, then the one whose
// key usage fits. It has to be what wanted says, but for history. A choice that is
// left is an error; where only the key usage decided, note says so.
func findLeaf(certs []*x509.Certificate, email string, c source.Certificate, wanted source.Choice) (leaf *x509.Certificate, note string, err error) {
	var distinct []*x509.Certificate
	for _, cert := range certs {
		if !slices.ContainsFunc(distinct, cert.Equal) {
			distinct = append(distinct, cert)
		}
	}
	if len(distinct) == 0 {
		return nil, "", &Fault{source.ReasonCertificate, fmt.Sprintf("%s holds no certificate", c.Origin)}
	}
	list := narrow(distinct, func(cert *x509.Certificate) bool { return !cert.IsCA })
	list = narrow(list, func(cert *x509.Certificate) bool { return !hasChild(cert, distinct) })
	if c.Use != certificate.UseHistory {
		if !slices.ContainsFunc(list, wanted.Admits) {
			return nil, "", &Fault{source.ReasonNotChosen, fmt.Sprintf("%s holds no certificate %s", c.Origin, wanted)}
		}
		list = narrow(list, wanted.Admits)
	}
	list = narrow(list, func(cert *x509.Certificate) bool { return smime.HasAddress(cert, email) })
	before := list
	list = narrow(list, func(cert *x509.Certificate) bool { return fits(cert, c.Use) })
	if len(list) > 1 {
		return nil, "", &Fault{"leaf-ambiguous", fmt.Sprintf("%s holds %d certificates that may be the user's", c.Origin, len(list))}
	}
	if c.Use == certificate.UseBoth && len(before) > 1 {
		note = source.Chosen(list[0], slices.DeleteFunc(slices.Clone(before), list[0].Equal))
	}
	return list[0], note, nil
}

// narrow keeps what fits, or everything where nothing does.
func narrow(list []*x509.Certificate, fits func(*x509.Certificate) bool) []*x509.Certificate {
	if len(list) < 2 {
		return list
	}
	var kept []*x509.Certificate
	for _, cert := range list {
		if fits(cert) {
			kept = append(kept, cert)
		}
	}
	if len(kept) == 0 {
		return list
	}
	return kept
}

// hasChild tells whether a certificate names itself as issuer of another one.
func hasChild(cert *x509.Certificate, others []*x509.Certificate) bool {
	return slices.ContainsFunc(others, func(other *x509.Certificate) bool {
		return other != cert && bytes.Equal(other.RawIssuer, cert.RawSubject)
	})
}

// fits tells whether a key usage allows a use.
func fits(cert *x509.Certificate, use certificate.Use) bool {
	sign, encrypt := smime.Allows(cert)
	switch use {
	case certificate.UseSign:
		return sign
	case certificate.UseBoth:
		return sign && encrypt
	}
	return encrypt
}
