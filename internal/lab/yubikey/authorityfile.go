package yubikey

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/google/renameio/v2/maybe"
)

// Suffixes of an authority's files in its directory: PEM certificates and PKCS#8
// keys.
const (
	certificateSuffix = ".pem"
	keySuffix         = ".key"
)

const (
	pemCertificate = "CERTIFICATE"
	pemPrivateKey  = "PRIVATE KEY"
)

// Save writes the authority to dir, the keys readable by their owner only, so
// that cards made later chain to the same roots.
func (a *Authority) Save(dir string) error {
	for i, plan := range authorityPlan {
		ca, path := a.cas[i], filepath.Join(dir, plan.file)
		der, err := x509.MarshalPKCS8PrivateKey(ca.key)
		if err != nil {
			return fmt.Errorf("encoding an attestation authority's key: %w", err)
		}
		if err := writePEM(path+keySuffix, pemPrivateKey, der, 0o600); err != nil {
			return err
		}
		if err := writePEM(path+certificateSuffix, pemCertificate, ca.certificate.Raw, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// LoadAuthority reads what Save wrote. The error wraps fs.ErrNotExist when dir
// holds no authority; one that lacks a part is another error.
func LoadAuthority(dir string) (*Authority, error) {
	a := &Authority{}
	missing := 0
	for i, plan := range authorityPlan {
		ca, err := loadCA(dir, plan.file)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			missing++
		case err != nil:
			return nil, err
		}
		a.cas[i] = ca
	}
	switch missing {
	case 0:
	case len(authorityPlan):
		return nil, fmt.Errorf("attestation authority in %s: %w", dir, fs.ErrNotExist)
	default:
		return nil, fmt.Errorf("attestation authority in %s: %d of %d CAs are missing (made by an earlier version? remove it, "+
			"and the cards that were made under it)", dir, missing, len(authorityPlan))
	}
	for i, plan := range authorityPlan {
		if err := a.cas[i].certificate.CheckSignatureFrom(a.cas[plan.parent].certificate); err != nil {
			return nil, fmt.Errorf("attestation authority in %s, %s: %w", dir, plan.file, err)
		}
	}
	return a, nil
}

// loadCA reads one CA. The error wraps fs.ErrNotExist when its certificate is
// not there.
func loadCA(dir, name string) (authorityCA, error) {
	certificateFile, keyFile := name+certificateSuffix, name+keySuffix
	certificateDER, err := readPEM(filepath.Join(dir, certificateFile), pemCertificate)
	if err != nil {
		return authorityCA{}, err
	}
	keyDER, err := readPEM(filepath.Join(dir, keyFile), pemPrivateKey)
	if err != nil {
		return authorityCA{}, fmt.Errorf("%s is without its key: %v", certificateFile, err)
	}
	certificate, err := x509.ParseCertificate(certificateDER)
	if err != nil {
		return authorityCA{}, fmt.Errorf("attestation authority, %s: %w", certificateFile, err)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(keyDER)
	if err != nil {
		return authorityCA{}, fmt.Errorf("attestation authority, %s: %w", keyFile, err)
	}
	key, ok := parsed.(*ecdsa.PrivateKey)
	if !ok || !key.PublicKey.Equal(certificate.PublicKey) {
		return authorityCA{}, errors.New("attestation authority: " + keyFile + " is not the key of " + certificateFile)
	}
	return authorityCA{certificate, key}, nil
}

func writePEM(path, label string, der []byte, mode os.FileMode) error {
	if err := maybe.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: label, Bytes: der}), mode); err != nil {
		return fmt.Errorf("writing an attestation authority: %w", err)
	}
	return nil
}

func readPEM(path, label string) ([]byte, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading an attestation authority: %w", err)
	}
	block, rest := pem.Decode(raw)
	if block == nil || block.Type != label || len(bytes.TrimSpace(rest)) > 0 {
		return nil, fmt.Errorf("reading an attestation authority: %s is not one PEM block %q", path, label)
	}
	return block.Bytes, nil
}
