package describe

import (
	"bytes"
	"cmp"
	"crypto/x509"
	"fmt"
	"slices"
	"strings"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/format"
	"github.com/cse-piv/cse-piv/internal/smime"
	"github.com/cse-piv/cse-piv/internal/smime/baseline"
)

// chain names the certificates of a chain, leaf to root, from the root down, and the
// leaf's addresses.
func chain(certificates []*x509.Certificate) (values []Value) {
	for i, cert := range slices.Backward(certificates) {
		label := "intermediate"
		switch {
		case i == 0 && certificate.IsAttestation(cert):
			label = "attestation"
		case i == 0:
			label = "leaf"
		case i == len(certificates)-1 && bytes.Equal(cert.RawSubject, cert.RawIssuer):
			label = "root"
		}
		values = append(values, Value{Label: label, Text: dated(cert)})
	}
	if len(certificates) > 0 {
		values = append(values, Value{Label: "addresses", Text: cmp.Or(strings.Join(smime.EmailAddresses(certificates[0]), ", "), "none")})
	}
	return values
}

// dated names a certificate, and says when it is valid.
func dated(certificate *x509.Certificate) string {
	name := cmp.Or(certificate.Subject.CommonName, certificate.Subject.String())
	return fmt.Sprintf("%s (%s to %s)", name, format.Day(certificate.NotBefore), format.Day(certificate.NotAfter))
}

// findings lists what there is to be said about a chain, the worst first, and of the
// baseline's advice how much there is.
func findings(found []smime.Finding) (values []Value) {
	if len(found) == 0 {
		return []Value{{Label: "chain", Text: "no problem was found", Tone: OK}}
	}
	for _, severity := range []smime.Severity{smime.SeverityError, smime.SeverityWarning, smime.SeverityNote} {
		tone := map[smime.Severity]Tone{smime.SeverityError: Bad, smime.SeverityWarning: Warning}[severity]
		for _, finding := range found {
			if finding.Severity == severity && !baseline.IsNote(finding) {
				values = append(values, Value{Label: string(severity), Text: fmt.Sprintf("%s (%s)", finding.Message, finding.ID), Tone: tone})
			}
		}
	}
	if summary := baseline.Summary(found); summary != "" {
		values = append(values, Value{Label: "advice", Text: summary})
	}
	return values
}
