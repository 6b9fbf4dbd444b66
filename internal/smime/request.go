package smime

import (
	"context"
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/safetext"
)

// maxCommonName is the longest common name (RFC 5280 appendix A.1,
// ub-common-name), in characters.
const maxCommonName = 64

// UnsignableKeyError is returned where a key of this kind cannot sign its own request. X25519
// keys only agree on secrets, so a certificate for one has to be asked for in
// another way.
type UnsignableKeyError struct{ Algorithm string }

// Error names the kind of key.
func (e *UnsignableKeyError) Error() string {
	return fmt.Sprintf("%s keys cannot sign a certificate request", e.Algorithm)
}

// ErrRequestSignature is returned where the signature that came back from the card does not
// verify under the card's public key.
var ErrRequestSignature = errors.New("the certificate request's signature does not verify")

// RequestOptions says what a certificate is requested for.
type RequestOptions struct {
	// Email becomes the rfc822Name in the subject alternative name.
	Email string
	// CommonName becomes the subject; empty means the address, where that is
	// short enough.
	CommonName string
	// Use is a certificate.Use and asks the authority for the
	// key usage that it needs: digitalSignature and nonRepudiation to sign,
	// keyEncipherment (RSA) or keyAgreement (EC) to encrypt. Empty leaves the key
	// usage to the authority.
	Use certificate.Use
	// Attestation is carried in the request as an AttestationBundle
	// (draft-ietf-lamps-csr-attestation): the certificate that attests the key, then
	// those above it. Empty leaves it out.
	Attestation []*x509.Certificate
}

// CreateRequest makes a PKCS#10 request (RFC 2986), DER-encoded. signer may sit
// on a card: RSA keys sign with PKCS#1 v1.5 and SHA-256, P-256 with SHA-256,
// P-384 with SHA-384, Ed25519 as it is; an X25519 key gives a
// [*UnsignableKeyError]. The signature is verified before the request is
// returned.
//
// A signer cannot be interrupted: ctx is looked at before and after it signs.
func CreateRequest(ctx context.Context, signer crypto.Signer, options RequestOptions) ([]byte, error) {
	template, err := requestTemplate(signer.Public(), options)
	if err != nil {
		return nil, fmt.Errorf("making a certificate request: %w", err)
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("making a certificate request: %w", err)
	}
	watched := &watchedSigner{Signer: signer}
	var der []byte
	if len(options.Attestation) > 0 {
		der, err = createAttestedRequest(template, watched, options.Attestation)
	} else {
		der, err = x509.CreateCertificateRequest(rand.Reader, template, watched)
	}
	switch {
	case err != nil && watched.signed:
		return nil, fmt.Errorf("%w: %w", ErrRequestSignature, err)
	case err != nil:
		return nil, fmt.Errorf("signing the certificate request: %w", err)
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("making a certificate request: %w", err)
	}
	request, err := x509.ParseCertificateRequest(der)
	if err != nil {
		return nil, fmt.Errorf("reading back the certificate request: %w", err)
	}
	if err := request.CheckSignature(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRequestSignature, err)
	}
	return der, nil
}

// watchedSigner remembers whether a signature came back. crypto/x509 verifies
// it, but its error does not tell a bad signature from a signer's failure.
type watchedSigner struct {
	crypto.Signer
	signed bool
}

func (s *watchedSigner) Sign(random io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	signature, err := s.Signer.Sign(random, digest, opts)
	s.signed = err == nil
	return signature, err
}

func requestTemplate(key crypto.PublicKey, options RequestOptions) (*x509.CertificateRequest, error) {
	email, commonName, use := options.Email, options.CommonName, options.Use
	if !safetext.IsAddress(email) {
		return nil, fmt.Errorf("%q is not a mail address", safetext.Clean(email))
	}
	for _, r := range email {
		if r >= utf8.RuneSelf {
			return nil, fmt.Errorf("the address %q is not ASCII, which rfc822Name needs", safetext.Clean(email))
		}
	}
	if n := utf8.RuneCountInString(commonName); n > maxCommonName {
		return nil, fmt.Errorf("the common name has %d characters, %d are allowed", n, maxCommonName)
	}
	// An address may be longer than a common name: it stands in the subject
	// alternative name anyway.
	if commonName == "" && len(email) <= maxCommonName {
		commonName = email
	}
	algorithm, err := requestAlgorithm(key)
	if err != nil {
		return nil, err
	}
	template := &x509.CertificateRequest{
		SignatureAlgorithm: algorithm,
		Subject:            pkix.Name{CommonName: commonName},
		EmailAddresses:     []string{email},
	}
	if use != "" {
		usage, err := keyUsageFor(use, key)
		if err != nil {
			return nil, err
		}
		extension, err := keyUsageExtension(usage)
		if err != nil {
			return nil, err
		}
		template.ExtraExtensions = []pkix.Extension{extension}
	}
	return template, nil
}

func requestAlgorithm(key crypto.PublicKey) (x509.SignatureAlgorithm, error) {
	switch key := key.(type) {
	case *rsa.PublicKey:
		return x509.SHA256WithRSA, nil
	case *ecdsa.PublicKey:
		switch key.Curve {
		case elliptic.P256():
			return x509.ECDSAWithSHA256, nil
		case elliptic.P384():
			return x509.ECDSAWithSHA384, nil
		}
	case ed25519.PublicKey:
		return x509.PureEd25519, nil
	case *ecdh.PublicKey:
		return 0, &UnsignableKeyError{Algorithm: certificate.PublicKeyName(key)}
	}
	return 0, fmt.Errorf("no signature algorithm for %s keys", certificate.PublicKeyName(key))
}

// keyUsageFor returns the key usage bits that a use needs.
func keyUsageFor(use certificate.Use, key crypto.PublicKey) (x509.KeyUsage, error) {
	sign := x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment
	var encrypt x509.KeyUsage
	switch key.(type) {
	case *rsa.PublicKey:
		encrypt = x509.KeyUsageKeyEncipherment
	case *ecdsa.PublicKey, *ecdh.PublicKey:
		encrypt = x509.KeyUsageKeyAgreement
	}
	switch {
	case use == certificate.UseSign:
		return sign, nil
	case encrypt == 0:
		return 0, fmt.Errorf("%s keys cannot encrypt", certificate.PublicKeyName(key))
	case use == certificate.UseEncrypt:
		return encrypt, nil
	case use == certificate.UseBoth:
		return sign | encrypt, nil
	}
	return 0, fmt.Errorf("unknown use %q", safetext.Clean(string(use)))
}

// keyUsageExtension encodes a key usage (RFC 5280 section 4.2.1.3): bit 0 of the
// BIT STRING is the most significant bit of its first octet, trailing zero bits
// are dropped.
func keyUsageExtension(usage x509.KeyUsage) (pkix.Extension, error) {
	var octets [2]byte
	length := 0
	for bit := range 9 {
		if usage&(1<<bit) != 0 {
			octets[bit/8] |= 0x80 >> (bit % 8)
			length = bit + 1
		}
	}
	value, err := asn1.Marshal(asn1.BitString{Bytes: octets[:(length+7)/8], BitLength: length})
	if err != nil {
		return pkix.Extension{}, fmt.Errorf("encoding the key usage: %w", err)
	}
	return pkix.Extension{Id: asn1.ObjectIdentifier{2, 5, 29, 15}, Critical: true, Value: value}, nil
}
