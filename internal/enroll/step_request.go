package enroll

import (
	"context"
	"crypto/x509"
	"fmt"
	"strings"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/smime"
)

// requestStep has the card sign a certificate request (PKCS#10, RFC 2986) for
// the user's address. A request that is there for the same key is used again,
// because an issuer may be working on it.
func requestStep(index int, request KeyRequest) Step {
	step := keyStep("request", "sign a certificate request with the key in slot %s", KindChange, changesFiles, request)
	step.needs = func(e *enrollment) bool { return e.keys[index].public != nil }
	step.look = func(ctx context.Context, e *enrollment) (bool, error) {
		key := e.keys[index]
		if err := e.findCertificate(ctx, key); err != nil || key.leaf != nil {
			return key.leaf != nil, err
		}
		csr, err := e.savedRequest(key)
		return csr != nil, err
	}
	step.act = func(ctx context.Context, e *enrollment) error {
		key := e.keys[index]
		signer := e.card.Signer(ctx, key.Slot, key.public, e.secrets.pin)
		options := smime.RequestOptions{Email: e.request.Email, Use: key.Use}
		if e.request.AttestRequest {
			options.Attestation = key.attestation.Certificates()
		}
		der, err := smime.CreateRequest(ctx, signer, options)
		e.touched()
		if err != nil {
			return err
		}
		return e.evidence.folder.Write(requestFile(key), certificate.EncodeRequestPEM(der))
	}
	return step
}

// savedRequest returns the request of an earlier run, or nil where there is none
// for this key and address.
func (e *enrollment) savedRequest(key *key) (*x509.CertificateRequest, error) {
	data, err := e.read(requestFile(key))
	if err != nil || data == nil {
		return nil, err
	}
	csr, err := certificate.ParseRequest(data)
	if err != nil || csr.CheckSignature() != nil || !certificate.SameKey(csr.PublicKey, key.public) {
		return nil, nil
	}
	if len(csr.EmailAddresses) != 1 || !strings.EqualFold(csr.EmailAddresses[0], e.request.Email) {
		return nil, nil
	}
	return csr, nil
}

// read reads a file of the enrollment's folder or, before that is open, of the
// earlier run's; nil where it is not there.
func (e *enrollment) read(name string) ([]byte, error) {
	switch {
	case e.evidence.folder != nil:
		return e.evidence.folder.Read(name)
	case e.evidence.earlier != nil:
		return e.evidence.earlier.Read(name)
	}
	return nil, nil
}

// findCertificate finds the key's certificate: that which an earlier run was given. For a key
// that was on the card the one in its slot counts, unless that is to be renewed, which
// may have been renewed since; what an earlier run was given completes its chain.
func (e *enrollment) findCertificate(ctx context.Context, key *key) error {
	if key.leaf != nil {
		return nil
	}
	if key.Source != SourceExisting || key.action == ActionRenew {
		return e.loadCertificate(ctx, key)
	}
	contents, err := e.card.Slot(ctx, key.Slot)
	if err != nil {
		return err
	}
	if err := checkCertificateInSlot(contents); err != nil {
		return err
	}
	if err := e.loadCertificate(ctx, key); err != nil || contents.Certificate == nil || contents.Certificate.Equal(key.leaf) {
		return err
	}
	key.certificateResult = certificateResult{leaf: contents.Certificate, parts: key.parts}
	return nil
}

// loadCertificate reads the certificate that an earlier run wrote down, and uses it if it
// is still valid: one that has expired since is asked for again.
func (e *enrollment) loadCertificate(ctx context.Context, key *key) error {
	data, err := e.read(certificateFile(key))
	if err != nil || data == nil {
		return err
	}
	certificates, err := certificate.Parse(data)
	if err != nil {
		return fmt.Errorf("reading %s: %w", certificateFile(key), err)
	}
	leaf, parts := certificates[0], certificates[1:]
	if !certificate.SameKey(leaf.PublicKey, key.public) {
		return nil
	}
	if err := e.useCertificate(ctx, key, leaf, parts); err != nil {
		e.note("the certificate of an earlier run cannot be used any more: %v", err)
	}
	return nil
}

func requestFile(key *key) string     { return fmt.Sprintf("request-%s.csr", key.Slot) }
func certificateFile(key *key) string { return fmt.Sprintf("certificate-%s.pem", key.Slot) }
