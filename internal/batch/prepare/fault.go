package prepare

import (
	"crypto/x509"
	"fmt"
	"strings"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/smime"
)

// fault is why a row cannot be registered.
type fault struct{ reason, hint, message string }

func (f *fault) Error() string { return f.message }

const unreadableHint = "give the certificate as PEM, DER or PKCS#7, without a private key"

// faultOf makes one error of a chain's errors; its reason is the first one's.
func faultOf(origin string, findings []smime.Finding) error {
	var messages []string
	var first *fault
	for _, f := range findings {
		if f.Severity != smime.SeverityError {
			continue
		}
		if first == nil {
			first = &fault{reason: f.ID, hint: hintFor(f.ID)}
		}
		messages = append(messages, f.Message)
	}
	if first == nil {
		return nil
	}
	first.message = fmt.Sprintf("%s: %s", origin, strings.Join(messages, "; "))
	return first
}

// hintFor says what helps against a rule's error.
func hintFor(rule string) string {
	switch rule {
	case "chain-no-root":
		return "give the authorities' certificates, up to the root, with --chain FILE"
	case "chain-no-leaf":
		return "give the user's own certificate, not only the authorities'"
	case "chain-expired", "chain-not-yet-valid":
		return "ask the authority for a certificate that is valid now; an expired one can be given as history"
	case "leaf-address":
		return "check the address: it must be the user's primary one, and stand in the certificate"
	case "chain-extended-key-usage":
		return "give the certificate that is for mail; others on the card are for logging in"
	case "chain-no-intermediate":
		return "ask for certificates of an authority below the root"
	case "leaf-self-signed", "leaf-key-type":
		return "ask an S/MIME authority for a certificate with a key of RSA 2048, 3072 or 4096, P-256 or P-384"
	}
	return "ask the authority for a certificate and chain without this fault"
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
	return fmt.Sprintf("%s, serial %X, until %s", string(issuer[:min(len(issuer), most)]), cert.SerialNumber, cert.NotAfter.UTC().Format("2006-01-02"))
}
