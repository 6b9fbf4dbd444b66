package issuer

import (
	"crypto"
	"crypto/x509"
	"encoding/asn1"
	"fmt"
	"strings"
	"time"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/format"
	"github.com/cse-piv/cse-piv/internal/safetext"
)

// OtherKeyError is returned for certificates that are for another key than the
// request's; it matches [ErrOtherKey].
type OtherKeyError struct {
	Files   []string // the certificates, where they came in files
	Request string   // the name of the request's file, where it is one
	Asked   string   // the request's key: its algorithm and the start of its SHA-256
	Got     string   // the certificate's key
}

// Error names the certificates and both keys.
func (e *OtherKeyError) Error() string {
	text := fmt.Sprintf("%v than the request's", ErrOtherKey)
	if e.Asked != "" {
		text += fmt.Sprintf(": asked for %s, got %s", e.Asked, e.Got)
	}
	if len(e.Files) > 0 {
		return strings.Join(e.Files, ", ") + ": " + text
	}
	return text
}

// Unwrap returns [ErrOtherKey].
func (e *OtherKeyError) Unwrap() error { return ErrOtherKey }

// ExpiredError is a certificate for the request's key that has expired.
type ExpiredError struct {
	File     string
	NotAfter time.Time
}

// Error names the file and when the certificate ended.
func (e *ExpiredError) Error() string {
	return fmt.Sprintf("the certificate in %s expired on %s", e.File, format.Day(e.NotAfter))
}

// Difference is one thing in which a certificate is not what the request asked for.
type Difference struct{ What, Asked, Got string }

// String names both sides.
func (d Difference) String() string {
	return fmt.Sprintf("%s: asked for %s, got %s", d.What, d.Asked, d.Got)
}

// Differences lists in what a leaf differs from the request: address (rfc822Name), key,
// and key usage. What the request
// leaves to the issuer is no difference, nor is a key usage beyond what was asked for.
func Differences(csr *x509.CertificateRequest, leaf *x509.Certificate) []Difference {
	var all []Difference
	if !certificate.SameKey(csr.PublicKey, leaf.PublicKey) {
		all = append(all, Difference{"key", describeKey(csr.PublicKey), describeKey(leaf.PublicKey)})
	}
	for _, asked := range csr.EmailAddresses {
		if !hasAddress(leaf, asked) {
			all = append(all, Difference{"address", safetext.Clean(asked), list(leaf.EmailAddresses)})
		}
	}
	if asked, there := requestedUsage(csr); there && leaf.KeyUsage != 0 && asked&^leaf.KeyUsage != 0 {
		all = append(all, Difference{"key usage", describeUsage(asked), describeUsage(leaf.KeyUsage)})
	}
	return all
}

func list(all []string) string {
	if len(all) == 0 {
		return "none"
	}
	return safetext.Clean(strings.Join(all, ", "))
}

// requestedUsage returns the key usage that a request asks for (RFC 5280 §4.2.1.3).
func requestedUsage(csr *x509.CertificateRequest) (x509.KeyUsage, bool) {
	for _, extension := range csr.Extensions {
		var bits asn1.BitString
		if extension.Id.String() != "2.5.29.15" {
			continue
		}
		if _, err := asn1.Unmarshal(extension.Value, &bits); err != nil {
			return 0, false
		}
		var usage x509.KeyUsage
		for bit := range 9 {
			usage |= x509.KeyUsage(bits.At(bit)) << bit
		}
		return usage, true
	}
	return 0, false
}

// describeUsage lists bits by their names in RFC 5280 §4.2.1.3.
func describeUsage(usage x509.KeyUsage) string {
	var all []string
	for bit, name := range []string{"digitalSignature", "nonRepudiation", "keyEncipherment", "dataEncipherment", "keyAgreement", "keyCertSign", "cRLSign", "encipherOnly", "decipherOnly"} {
		if usage&(1<<bit) != 0 {
			all = append(all, name)
		}
	}
	return list(all)
}

// describeKey names a key's kind, and the start of its fingerprint.
func describeKey(key crypto.PublicKey) string {
	name := certificate.PublicKeyName(key)
	if hash := certificate.KeyFingerprint(key); hash != "" {
		name += " key " + hash[:16]
	}
	return name
}

// keyName tells keys apart in the names of files.
func keyName(key crypto.PublicKey) string {
	return fmt.Sprintf("%.8s", certificate.KeyFingerprint(key))
}
