package prepare

import (
	"crypto/x509"
	"fmt"
	"strings"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/format"
	"github.com/cse-piv/cse-piv/internal/smime"
)

// Fault is why a row cannot be registered.
type Fault struct {
	Reason  string // a rule's of package smime, or one of this package's
	Message string
}

// Error returns the message.
func (f *Fault) Error() string { return f.Message }

// faultOf makes one error of a chain's errors; its reason is the first one's.
func faultOf(origin string, findings []smime.Finding) error {
	var messages []string
	var first *Fault
	for _, f := range findings {
		if f.Severity != smime.SeverityError {
			continue
		}
		if first == nil {
			first = &Fault{Reason: f.ID}
		}
		messages = append(messages, f.Message)
	}
	if first == nil {
		return nil
	}
	first.Message = fmt.Sprintf("%s: %s", origin, strings.Join(messages, "; "))
	return first
}

// describeFinding is a warning's text; of a pair it says which certificate.
func describeFinding(f smime.Finding, use certificate.Use) string {
	text := fmt.Sprintf("%s (%s)", f.Message, f.ID)
	switch use {
	case certificate.UseSign:
		return "for signing: " + text
	case certificate.UseEncrypt:
		return "for encryption: " + text
	}
	return text
}

// describe is what Gmail keeps with a key pair whose row has no description.
func describe(cert *x509.Certificate) string {
	const most = 60
	issuer := []rune(strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(cert.Issuer.CommonName, "?")))
	if len(issuer) == 0 {
		issuer = []rune("unnamed authority")
	}
	return fmt.Sprintf("certificate %X of %s, until %s", cert.SerialNumber, string(issuer[:min(len(issuer), most)]), format.Day(cert.NotAfter))
}
