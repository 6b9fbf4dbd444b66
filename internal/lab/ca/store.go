package ca

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"
	"time"
)

// Names of the files in an authority's directory. The certificates are PEM
// (issuing.pem holds the intermediate, then the root), the keys PKCS#8 in PEM
// with mode 0600, the rest is state in JSON.
const (
	rootCertFile    = "root.pem"
	rootKeyFile     = "root.key"
	issuingCertFile = "issuing.pem"
	issuingKeyFile  = "issuing.key"
	stateFile       = "state.json"
)

// state is what an authority remembers besides its keys.
type state struct {
	Issued  map[string]time.Time `json:"issued"`
	Root    []revocation         `json:"root_revoked"`
	Issuing []revocation         `json:"issuing_revoked"`
}

type revocation struct {
	Serial string    `json:"serial"`
	Time   time.Time `json:"time"`
}

// Save writes the authority into dir, made with mode 0700 where missing; each
// file is replaced atomically.
func (ca *CA) Save(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("save the authority: %w", err)
	}
	rootPEM := certificatePEM(ca.root.certificate)
	files := []struct {
		name string
		data []byte
		mode fs.FileMode
	}{
		{rootCertFile, rootPEM, 0o644},
		{issuingCertFile, append(certificatePEM(ca.issuing.certificate), rootPEM...), 0o644},
		{rootKeyFile, nil, 0o600},
		{issuingKeyFile, nil, 0o600},
		{stateFile, nil, 0o600},
	}
	var err error
	if files[2].data, err = keyPEM(ca.root.key); err != nil {
		return err
	}
	if files[3].data, err = keyPEM(ca.issuing.key); err != nil {
		return err
	}
	if files[4].data, err = ca.stateJSON(); err != nil {
		return err
	}
	for _, f := range files {
		if err := replaceFile(filepath.Join(dir, f.name), f.data, f.mode); err != nil {
			return fmt.Errorf("save the authority: %w", err)
		}
	}
	return nil
}

// replaceFile writes a file beside the old one and puts it in its place. The
// mode counts from the first byte on.
func replaceFile(path string, data []byte, mode fs.FileMode) error {
	temporary, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(temporary.Name()) }() // gone after the rename
	_, err = temporary.Write(data)
	err = errors.Join(err, temporary.Chmod(mode), temporary.Close())
	if err != nil {
		return err
	}
	return os.Rename(temporary.Name(), path)
}

// Load reads an authority that Save wrote. config.BaseURL counts for what is
// signed from now on; the intermediate keeps the URLs it was made with. A
// missing directory or file gives an error that matches fs.ErrNotExist.
func Load(dir string, config Config) (*CA, error) {
	ca := newCA(config)
	var err error
	if ca.root, err = loadAuthority(dir, rootCertFile, rootKeyFile); err != nil {
		return nil, err
	}
	if ca.issuing, err = loadAuthority(dir, issuingCertFile, issuingKeyFile); err != nil {
		return nil, err
	}
	if err := ca.issuing.certificate.CheckSignatureFrom(ca.root.certificate); err != nil {
		return nil, fmt.Errorf("load the authority: %s is not issued by %s: %w", issuingCertFile, rootCertFile, err)
	}
	if err := ca.loadState(dir); err != nil {
		return nil, err
	}
	return ca, nil
}

func loadAuthority(dir, certFile, keyFile string) (authority, error) {
	block, err := readPEM(filepath.Join(dir, certFile), "CERTIFICATE")
	if err != nil {
		return authority{}, err
	}
	certificate, err := x509.ParseCertificate(block)
	if err != nil {
		return authority{}, fmt.Errorf("load the authority: %s: %w", certFile, err)
	}
	if block, err = readPEM(filepath.Join(dir, keyFile), "PRIVATE KEY"); err != nil {
		return authority{}, err
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block)
	if err != nil {
		return authority{}, fmt.Errorf("load the authority: %s: %w", keyFile, err)
	}
	key, ok := parsed.(*ecdsa.PrivateKey)
	if !ok || !key.PublicKey.Equal(certificate.PublicKey) {
		return authority{}, fmt.Errorf("load the authority: %s is not the EC key of %s", keyFile, certFile)
	}
	return authority{certificate: certificate, key: key}, nil
}

func readPEM(path, label string) ([]byte, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("load the authority: %w", err)
	}
	block, _ := pem.Decode(data)
	if block == nil || block.Type != label {
		return nil, fmt.Errorf("load the authority: %s does not begin with %s in PEM", path, label)
	}
	return block.Bytes, nil
}

func certificatePEM(c *x509.Certificate) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})
}

func keyPEM(key crypto.Signer) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("save the authority: encode a key: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}

func (ca *CA) stateJSON() ([]byte, error) {
	ca.mu.Lock()
	defer ca.mu.Unlock()
	data, err := json.MarshalIndent(state{
		Issued:  ca.issued,
		Root:    revocations(ca.root.revoked),
		Issuing: revocations(ca.issuing.revoked),
	}, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("save the authority's state: %w", err)
	}
	return append(data, '\n'), nil
}

func revocations(entries []x509.RevocationListEntry) []revocation {
	list := []revocation{}
	for _, entry := range entries {
		list = append(list, revocation{entry.SerialNumber.String(), entry.RevocationTime})
	}
	return list
}

// loadState reads what was issued and revoked; without the file, nothing was.
func (ca *CA) loadState(dir string) error {
	data, err := os.ReadFile(filepath.Join(dir, stateFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("load the authority: %w", err)
	}
	var saved state
	if err := json.Unmarshal(data, &saved); err != nil {
		return fmt.Errorf("load the authority: %s: %w", stateFile, err)
	}
	for serial, notAfter := range saved.Issued {
		ca.issued[serial] = notAfter
	}
	for a, list := range map[*authority][]revocation{&ca.root: saved.Root, &ca.issuing: saved.Issuing} {
		for _, r := range list {
			serial, ok := new(big.Int).SetString(r.Serial, 10)
			if !ok {
				return fmt.Errorf("load the authority: %s: %q is not a serial number", stateFile, r.Serial)
			}
			a.revoke(x509.RevocationListEntry{SerialNumber: serial, RevocationTime: r.Time})
		}
	}
	return nil
}
