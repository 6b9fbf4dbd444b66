package smime

import (
	"crypto/x509"

	"github.com/cse-piv/cse-piv/internal/certificate"
)

// day is how dates are shown.
const day = "2006-01-02"

// subject returns a certificate's subject, safe to show.
func subject(cert *x509.Certificate) string { return certificate.Subject(cert) }
