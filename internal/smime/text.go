package smime

import (
	"crypto/x509"

	"github.com/cse-piv/cse-piv/internal/certificate"
)

// subject returns a certificate's subject, safe to show.
func subject(cert *x509.Certificate) string { return certificate.Subject(cert) }
