package smime

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
)

// The attribute that carries an attestation, id-aa-attestation
// (draft-ietf-lamps-csr-attestation section 4.4; called id-aa-evidence in earlier
// versions, with the same number), and the type of its statement. The draft names no
// types: it is the OID under which Yubico's tools put a key's attestation.
var (
	oidAttestation       = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 59}
	oidYubicoAttestation = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 41482, 3, 1}
	oidExtensionRequest  = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 14} // RFC 2985 section 5.4.2
	oidSubjectAltName    = asn1.ObjectIdentifier{2, 5, 29, 17}
)

// attestationStatement is AttestationStatement.
type attestationStatement struct {
	Type      asn1.ObjectIdentifier
	Statement asn1.RawValue
}

// attestationBundle is AttestationBundle: the attestation, and the certificates that it
// is verified with.
type attestationBundle struct {
	Attestations []attestationStatement
	Certificates []asn1.RawValue `asn1:"optional,omitempty"`
}

// attribute is an Attribute (RFC 2986 section 4.1).
type attribute struct {
	Type   asn1.ObjectIdentifier
	Values []asn1.RawValue `asn1:"set"`
}

type requestInfo struct {
	Version    int
	Subject    asn1.RawValue
	PublicKey  asn1.RawValue
	Attributes []attribute `asn1:"tag:0,set"`
}

type signedRequest struct {
	Info      asn1.RawValue
	Algorithm pkix.AlgorithmIdentifier
	Signature asn1.BitString
}

// createAttestedRequest makes and signs the request of a template with an attestation:
// the key's certificate first, then those above it. crypto/x509 makes no requests with
// such an attribute.
func createAttestedRequest(template *x509.CertificateRequest, signer crypto.Signer, attestation []*x509.Certificate) ([]byte, error) {
	info := requestInfo{}
	subject, err := asn1.Marshal(template.Subject.ToRDNSequence())
	if err != nil {
		return nil, fmt.Errorf("encoding the subject: %w", err)
	}
	key, err := x509.MarshalPKIXPublicKey(signer.Public())
	if err != nil {
		return nil, fmt.Errorf("encoding the key: %w", err)
	}
	info.Subject, info.PublicKey = asn1.RawValue{FullBytes: subject}, asn1.RawValue{FullBytes: key}
	for _, of := range []struct {
		oid   asn1.ObjectIdentifier
		value func() ([]byte, error)
	}{
		{oidExtensionRequest, func() ([]byte, error) { return requestedExtensions(template) }},
		{oidAttestation, func() ([]byte, error) { return bundleAttestation(attestation) }},
	} {
		value, err := of.value()
		if err != nil {
			return nil, fmt.Errorf("encoding the request's attributes: %w", err)
		}
		info.Attributes = append(info.Attributes, attribute{of.oid, []asn1.RawValue{{FullBytes: value}}})
	}
	unsigned, err := asn1.Marshal(info)
	if err != nil {
		return nil, fmt.Errorf("encoding the request: %w", err)
	}
	algorithm, hash := signatureAlgorithm(signer.Public())
	digest := unsigned
	if hash != 0 {
		h := hash.New()
		h.Write(unsigned)
		digest = h.Sum(nil)
	}
	signature, err := signer.Sign(rand.Reader, digest, hash)
	if err != nil {
		return nil, err
	}
	return asn1.Marshal(signedRequest{asn1.RawValue{FullBytes: unsigned}, algorithm, asn1.BitString{Bytes: signature, BitLength: 8 * len(signature)}})
}

// requestedExtensions are the address (RFC 5280 section 4.2.1.6) and what the template
// adds.
func requestedExtensions(template *x509.CertificateRequest) ([]byte, error) {
	var names []asn1.RawValue
	for _, email := range template.EmailAddresses {
		names = append(names, asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 1, Bytes: []byte(email)})
	}
	value, err := asn1.Marshal(names)
	if err != nil {
		return nil, err
	}
	return asn1.Marshal(append([]pkix.Extension{{Id: oidSubjectAltName, Value: value}}, template.ExtraExtensions...))
}

func bundleAttestation(attestation []*x509.Certificate) ([]byte, error) {
	bundle := attestationBundle{Attestations: []attestationStatement{{oidYubicoAttestation, asn1.RawValue{FullBytes: attestation[0].Raw}}}}
	for _, above := range attestation[1:] {
		bundle.Certificates = append(bundle.Certificates, asn1.RawValue{FullBytes: above.Raw})
	}
	return asn1.Marshal(bundle)
}

// signatureAlgorithm returns how a key signs requests (RFC 4055, RFC 5758, RFC 8410),
// with no hash for Ed25519.
func signatureAlgorithm(key crypto.PublicKey) (pkix.AlgorithmIdentifier, crypto.Hash) {
	switch key := key.(type) {
	case ed25519.PublicKey:
		return pkix.AlgorithmIdentifier{Algorithm: asn1.ObjectIdentifier{1, 3, 101, 112}}, 0
	case *ecdsa.PublicKey:
		if key.Curve == elliptic.P384() {
			return pkix.AlgorithmIdentifier{Algorithm: asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 3}}, crypto.SHA384
		}
		return pkix.AlgorithmIdentifier{Algorithm: asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 2}}, crypto.SHA256
	}
	return pkix.AlgorithmIdentifier{Algorithm: asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 11}, Parameters: asn1.NullRawValue}, crypto.SHA256
}
