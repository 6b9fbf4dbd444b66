package yubikey

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/google/renameio/v2/maybe"
)

// Files of an authority in its directory: PEM certificates and PKCS#8 keys.
const (
	rootFile            = "attestation-root.pem"
	rootKeyFile         = "attestation-root.key"
	intermediateFile    = "attestation-intermediate.pem"
	intermediateKeyFile = "attestation-intermediate.key"
)

const (
	pemCertificate = "CERTIFICATE"
	pemPrivateKey  = "PRIVATE KEY"
)

// Save writes the authority to dir, the keys readable by their owner only, so
// that cards made later chain to the same root.
func (a *Authority) Save(dir string) error {
	pairs := []struct {
		certificateFile, keyFile string
		certificate              *x509.Certificate
		key                      *ecdsa.PrivateKey
	}{
		{rootFile, rootKeyFile, a.root, a.rootKey},
		{intermediateFile, intermediateKeyFile, a.intermediate, a.intermediateKey},
	}
	for _, pair := range pairs {
		der, err := x509.MarshalPKCS8PrivateKey(pair.key)
		if err != nil {
			return fmt.Errorf("encoding an attestation authority's key: %w", err)
		}
		if err := writePEM(filepath.Join(dir, pair.keyFile), pemPrivateKey, der, 0o600); err != nil {
			return err
		}
		if err := writePEM(filepath.Join(dir, pair.certificateFile), pemCertificate, pair.certificate.Raw, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// LoadAuthority reads what Save wrote. The error wraps fs.ErrNotExist when dir
// holds no authority.
func LoadAuthority(dir string) (*Authority, error) {
	root, rootKey, err := loadPair(dir, rootFile, rootKeyFile)
	if err != nil {
		return nil, err
	}
	intermediate, intermediateKey, err := loadPair(dir, intermediateFile, intermediateKeyFile)
	if err != nil {
		return nil, err
	}
	if err := intermediate.CheckSignatureFrom(root); err != nil {
		return nil, fmt.Errorf("attestation authority in %s: %w", dir, err)
	}
	return &Authority{root: root, intermediate: intermediate, rootKey: rootKey, intermediateKey: intermediateKey}, nil
}

func loadPair(dir, certificateFile, keyFile string) (*x509.Certificate, *ecdsa.PrivateKey, error) {
	certificateDER, err := readPEM(filepath.Join(dir, certificateFile), pemCertificate)
	if err != nil {
		return nil, nil, err
	}
	keyDER, err := readPEM(filepath.Join(dir, keyFile), pemPrivateKey)
	if err != nil {
		return nil, nil, err
	}
	certificate, err := x509.ParseCertificate(certificateDER)
	if err != nil {
		return nil, nil, fmt.Errorf("attestation authority, %s: %w", certificateFile, err)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(keyDER)
	if err != nil {
		return nil, nil, fmt.Errorf("attestation authority, %s: %w", keyFile, err)
	}
	key, ok := parsed.(*ecdsa.PrivateKey)
	if !ok || !key.PublicKey.Equal(certificate.PublicKey) {
		return nil, nil, errors.New("attestation authority: " + keyFile + " is not the key of " + certificateFile)
	}
	return certificate, key, nil
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
