package issuer

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"

	"github.com/cse-piv/cse-piv/internal/durable"
)

// maxAccount bounds the file of an account's key, in octets.
const maxAccount = 16 << 10

// account returns the key of the ACME account (RFC 8555 section 7.3) at this provisioner: the
// one that the folder of accounts has, or a new one, which is kept there. Such an account
// has no rights of its own: what counts is the attestation.
func (a attestIssuer) account() (crypto.Signer, error) {
	folder := durable.Folder(a.options.Accounts)
	sum := sha256.Sum256([]byte(a.base + "\n" + a.options.Provisioner))
	name := "acme-" + hex.EncodeToString(sum[:8]) + ".key"
	if a.options.Accounts != "" {
		data, err := folder.ReadFile(name, maxAccount)
		switch {
		case err == nil:
			defer clear(data)
			return parseAccount(folder.Path(name), data)
		case !errors.Is(err, fs.ErrNotExist):
			return nil, fmt.Errorf("the account's key: %w", err)
		}
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil || a.options.Accounts == "" {
		return key, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	encoded := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	clear(der)
	defer clear(encoded)
	if err := durable.MakeFolder(a.options.Accounts, 0o700); err != nil {
		return nil, fmt.Errorf("the account's key: %w", err)
	}
	// Where two make one at the same time, the second is kept; the first one's order goes on.
	if err := folder.WriteFile(name, encoded, 0o600); err != nil {
		return nil, fmt.Errorf("the account's key: %w", err)
	}
	return key, nil
}

// parseAccount reads the key of an account. Its errors never quote it.
func parseAccount(path string, data []byte) (crypto.Signer, error) {
	damaged := fmt.Errorf("the account's key %s is damaged; remove it, and a new account is made", path)
	block, _ := pem.Decode(data)
	if block == nil {
		return nil, damaged
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	signer, ok := key.(*ecdsa.PrivateKey)
	if err != nil || !ok {
		return nil, damaged
	}
	return signer, nil
}
