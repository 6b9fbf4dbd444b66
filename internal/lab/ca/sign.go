package ca

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Reasons for which Sign refuses a request.
var (
	ErrRequestSignature = errors.New("the request is not signed by its own key")
	ErrKeyType          = errors.New("key type not supported; need RSA 2048, 3072 or 4096, or EC P-256 or P-384")
	ErrNoAddress        = errors.New("the request names no e-mail address (subjectAltName rfc822Name)")
	ErrKeyUsage         = errors.New("the requested key usage does not fit the key")
)

// Issue has a certificate for the address of the key's holder signed, as Sign does; without a
// key for a new one of P-256, which is nowhere.
func (ca *CA) Issue(email string, key crypto.Signer, p Profile) ([]*x509.Certificate, error) {
	if key == nil {
		made, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			return nil, fmt.Errorf("make a key: %w", err)
		}
		key = made
	}
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{EmailAddresses: []string{email}}, key)
	if err != nil {
		return nil, fmt.Errorf("make a request: %w", err)
	}
	csr, err := x509.ParseCertificateRequest(der)
	if err != nil {
		return nil, fmt.Errorf("read the request: %w", err)
	}
	return ca.Sign(csr, p)
}

// Sign checks a certificate request (PKCS#10) and signs it by the profile. It
// returns the chain: leaf, issuing intermediate, root. It refuses with
// ErrRequestSignature, ErrKeyType, ErrNoAddress or ErrKeyUsage.
func (ca *CA) Sign(csr *x509.CertificateRequest, p Profile) ([]*x509.Certificate, error) {
	if err := csr.CheckSignature(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRequestSignature, err)
	}
	template, err := ca.template(csr, p)
	if err != nil {
		return nil, err
	}
	issuer := &ca.issuing
	if p.ByRoot {
		issuer = &ca.root
	}
	ca.addURLs(template, p)
	leaf, err := create(template, issuer.certificate, csr.PublicKey, issuer.key)
	if err != nil {
		return nil, fmt.Errorf("sign the certificate: %w", err)
	}
	ca.mu.Lock()
	ca.issued[leaf.SerialNumber.String()] = leaf.NotAfter
	ca.mu.Unlock()
	if p.ByRoot || p.NoIntermediate {
		return []*x509.Certificate{leaf, ca.root.certificate}, nil
	}
	return []*x509.Certificate{leaf, ca.issuing.certificate, ca.root.certificate}, nil
}

func (ca *CA) template(csr *x509.CertificateRequest, p Profile) (*x509.Certificate, error) {
	usage, err := keyUsage(csr, p)
	if err != nil {
		return nil, err
	}
	emails := p.Emails
	if emails == nil {
		if emails = requestedAddresses(csr); len(emails) == 0 {
			return nil, ErrNoAddress
		}
	}
	now := ca.config.Clock()
	template := &x509.Certificate{
		SerialNumber:   newSerial(),
		Subject:        subject(csr, emails),
		EmailAddresses: emails,
		NotBefore:      now.Add(-backdate),
		NotAfter:       now.Add(ca.config.Validity),
		KeyUsage:       usage,
		ExtKeyUsage:    []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection},
		Policies:       practicePolicies(),
		// BasicConstraints with cA false may be there or not; it is left out.
	}
	if !p.NotBefore.IsZero() {
		template.NotBefore = p.NotBefore
		template.NotAfter = p.NotBefore.Add(ca.config.Validity)
	}
	if !p.NotAfter.IsZero() {
		template.NotAfter = p.NotAfter
	}
	if p.ExtKeyUsage != nil {
		template.ExtKeyUsage = p.ExtKeyUsage
	}
	if p.NoPolicies {
		template.Policies = nil
	}
	if p.Baseline {
		template.Policies = policies(2, 23, 140, 1, 5, 1, 3) // strict
	}
	if p.Comment != "" {
		value, err := asn1.MarshalWithParams(p.Comment, "ia5")
		if err != nil {
			return nil, fmt.Errorf("encode the comment: %w", err)
		}
		template.ExtraExtensions = []pkix.Extension{{Id: oidNetscapeComment, Value: value}}
	}
	return template, nil
}

func (ca *CA) addURLs(template *x509.Certificate, p Profile) {
	base := ca.config.BaseURL
	if base == "" {
		return
	}
	list, certificate := issuingCRLPath, issuingCertPath
	if p.ByRoot {
		list, certificate = rootCRLPath, rootCertPath
	}
	if !p.NoCRL {
		template.CRLDistributionPoints = []string{base + list}
	}
	template.IssuingCertificateURL = []string{base + certificate}
	template.OCSPServer = []string{base + ocspPath}
}

// subject keeps the request's common name; without one, and for a name that is
// an address other than the certificate's, it is the first address.
func subject(csr *x509.CertificateRequest, emails []string) pkix.Name {
	name := csr.Subject.CommonName
	foreign := strings.Contains(name, "@") && !containsAddress(emails, name)
	if name == "" || foreign {
		name = "Practice user"
		if len(emails) > 0 {
			name = emails[0]
		}
	}
	return pkix.Name{CommonName: name}
}

// oidEmailAddress is the emailAddress attribute of PKCS#9.
var oidEmailAddress = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 1}

// oidNetscapeComment is Netscape's certificate comment, an IA5String.
var oidNetscapeComment = asn1.ObjectIdentifier{2, 16, 840, 1, 113730, 1, 13}

// requestedAddresses are the request's addresses: the alternative names, then
// those in the subject, each once.
func requestedAddresses(csr *x509.CertificateRequest) []string {
	var emails []string
	add := func(address string) {
		if strings.Count(address, "@") == 1 && !containsAddress(emails, address) {
			emails = append(emails, address)
		}
	}
	for _, address := range csr.EmailAddresses {
		add(address)
	}
	for _, attribute := range csr.Subject.Names {
		if text, ok := attribute.Value.(string); ok && attribute.Type.Equal(oidEmailAddress) {
			add(text)
		}
	}
	return emails
}

func containsAddress(emails []string, address string) bool {
	return slices.ContainsFunc(emails, func(e string) bool { return strings.EqualFold(e, address) })
}

// keyUsage is what the key can do, narrowed by a KeyUsage extension in the
// request (RFC 5280 section 4.2.1.3).
func keyUsage(csr *x509.CertificateRequest, p Profile) (x509.KeyUsage, error) {
	var able x509.KeyUsage
	switch key := csr.PublicKey.(type) {
	case *rsa.PublicKey:
		bits := key.N.BitLen()
		if !p.AnyKey && bits != 2048 && bits != 3072 && bits != 4096 {
			return 0, fmt.Errorf("%w: RSA with %d bits", ErrKeyType, bits)
		}
		able = x509.KeyUsageKeyEncipherment
	case *ecdsa.PublicKey:
		if !p.AnyKey && key.Curve != elliptic.P256() && key.Curve != elliptic.P384() {
			return 0, fmt.Errorf("%w: EC on %s", ErrKeyType, key.Curve.Params().Name)
		}
		able = x509.KeyUsageKeyAgreement
	default:
		if !p.AnyKey {
			return 0, fmt.Errorf("%w: %s", ErrKeyType, csr.PublicKeyAlgorithm)
		}
	}
	if p.KeyUsage != 0 {
		return p.KeyUsage, nil
	}
	asked, ok, err := requestedUsage(csr)
	if err != nil {
		return 0, err
	}
	if !ok {
		return able | x509.KeyUsageDigitalSignature, nil
	}
	granted := asked & (able | x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment)
	if granted == 0 {
		return 0, fmt.Errorf("%w: %s key", ErrKeyUsage, csr.PublicKeyAlgorithm)
	}
	return granted, nil
}

// requestedUsage reads the request's KeyUsage extension, if there is one.
func requestedUsage(csr *x509.CertificateRequest) (usage x509.KeyUsage, ok bool, err error) {
	for _, extension := range csr.Extensions {
		if !extension.Id.Equal(asn1.ObjectIdentifier{2, 5, 29, 15}) {
			continue
		}
		var bits asn1.BitString
		rest, err := asn1.Unmarshal(extension.Value, &bits)
		if err != nil || len(rest) != 0 {
			return 0, false, fmt.Errorf("%w: malformed extension", ErrKeyUsage)
		}
		for i := range 9 {
			// Bit 0 of the string is digitalSignature, bit 0 of x509.KeyUsage too.
			usage |= x509.KeyUsage(bits.At(i)) << i
		}
		return usage, true, nil
	}
	return 0, false, nil
}
