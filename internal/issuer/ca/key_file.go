package ca

import (
	"context"
	"crypto"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"runtime"

	"go.step.sm/crypto/kms"
	"go.step.sm/crypto/kms/apiv1"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/durable"
)

// openFile reads a key from a file that only its owner may read.
func openFile(ctx context.Context, path string, with Opening) (*Key, error) {
	file, err := durable.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	key := &Key{Name: path}
	if mode := info.Mode(); runtime.GOOS != "windows" {
		switch {
		case mode.Perm()&0o007 != 0:
			return nil, &OpenKeyError{Path: path, Mode: mode.Perm()}
		case mode.Perm()&0o070 != 0:
			key.Warnings = append(key.Warnings, fmt.Sprintf("the CA key %s is open to its group (mode %04o): chmod 600 %s", path, mode.Perm(), path))
		}
	}
	data, err := durable.ReadAll(file, certificate.MaxFile)
	if err != nil {
		return nil, err
	}
	defer clear(data)
	block, err := keyBlock(data)
	if err == nil && isOldEncryption(block) {
		key.Warnings = append(key.Warnings, fmt.Sprintf("the CA key %s is encrypted as OpenSSL did before PKCS#8, so that its password is quickly guessed: openssl pkcs8 -topk8 -in %s", path, path))
	}
	if err == nil {
		key.Signer, err = openBlock(ctx, path, block, with)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return key, nil
}

// OpenKeyError is a CA's key that everybody on this machine can read; it matches
// [fs.ErrPermission].
type OpenKeyError struct {
	Path string
	Mode fs.FileMode
}

// Error names the file and its mode.
func (e *OpenKeyError) Error() string {
	return fmt.Sprintf("%s is open to everyone on this machine (mode %04o): %v", e.Path, e.Mode, fs.ErrPermission)
}

// Unwrap returns [fs.ErrPermission].
func (e *OpenKeyError) Unwrap() error { return fs.ErrPermission }

const labelEncrypted = "ENCRYPTED PRIVATE KEY" // RFC 7468 section 11

// keyBlock returns the first private key in PEM; parameters or certificates may stand before
// it.
func keyBlock(data []byte) (*pem.Block, error) {
	for {
		var block *pem.Block
		if block, data = pem.Decode(data); block == nil {
			return nil, errors.New("it holds no private key in PEM")
		}
		switch block.Type {
		case "PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY":
			return block, nil
		case labelEncrypted:
			return block, checkEncrypted(block.Bytes)
		}
	}
}

// isOldEncryption tells the encryption of RFC 1421 section 4.6, with a key that is one
// round of MD5.
func isOldEncryption(block *pem.Block) bool { return block.Headers["DEK-Info"] != "" }

// openBlock reads a key. Its errors never quote it.
func openBlock(ctx context.Context, path string, block *pem.Block, with Opening) (crypto.Signer, error) {
	encoded := pem.EncodeToMemory(block)
	defer clear(encoded)
	request := &apiv1.CreateSignerRequest{SigningKeyPEM: encoded}
	if block.Type != labelEncrypted && !isOldEncryption(block) {
		key, err := kms.Default.CreateSigner(request)
		if err != nil {
			return nil, errors.New("the private key in it cannot be parsed")
		}
		return key, nil
	}
	for wrong := false; ; wrong = true {
		given, err := with.Password(ctx, "password of "+path, wrong)
		if err != nil {
			return nil, err
		}
		request.Password = given.Reveal()
		key, err := kms.Default.CreateSigner(request)
		clear(request.Password)
		if err == nil {
			return key, nil
		}
	}
}

// encryptedKey is an EncryptedPrivateKeyInfo (RFC 5958 section 3) with PBES2 and PBKDF2
// (RFC 8018 appendix A).
type encryptedKey struct {
	Algorithm struct {
		Scheme     asn1.ObjectIdentifier
		Parameters struct {
			Derivation struct {
				Function   asn1.ObjectIdentifier
				Parameters struct {
					Salt       []byte
					Iterations int
					Hash       struct {
						Name       asn1.ObjectIdentifier
						Parameters asn1.RawValue `asn1:"optional"`
					} `asn1:"optional"`
				}
			}
			Encryption struct {
				Cipher asn1.ObjectIdentifier
				IV     []byte
			}
		}
	}
	Data []byte
}

// maxIterations bounds the rounds of PBKDF2, which take a second then.
const maxIterations = 2_000_000

// errOtherEncryption is a key that is encrypted in another way than openssl does it.
var errOtherEncryption = errors.New("it is encrypted in a way that cannot be read; encrypt it with: openssl pkcs8 -topk8 -v2 aes-256-cbc -v2prf hmacWithSHA256")

// checkEncrypted returns an error for what the library would fail at in a worse way: it
// takes the sizes of everything for granted, and any hash but SHA-256 for SHA-1.
func checkEncrypted(der []byte) error {
	var key encryptedKey
	if rest, err := asn1.Unmarshal(der, &key); err != nil || len(rest) > 0 {
		return errOtherEncryption
	}
	parameters := key.Algorithm.Parameters
	block := 16 // of AES
	switch parameters.Encryption.Cipher.String() {
	case "2.16.840.1.101.3.4.1.2", "2.16.840.1.101.3.4.1.22", "2.16.840.1.101.3.4.1.42":
	case "1.2.840.113549.3.7": // DES-EDE3-CBC
		block = 8
	default:
		return errOtherEncryption
	}
	derivation := parameters.Derivation
	switch derivation.Parameters.Hash.Name.String() {
	case "", "1.2.840.113549.2.7", "1.2.840.113549.2.9": // SHA-1, SHA-256
	default:
		return errOtherEncryption
	}
	switch {
	case key.Algorithm.Scheme.String() != "1.2.840.113549.1.5.13", derivation.Function.String() != "1.2.840.113549.1.5.12":
		return errOtherEncryption
	case derivation.Parameters.Iterations < 1 || derivation.Parameters.Iterations > maxIterations:
		return fmt.Errorf("its password would have to be hashed %d times, and %d is the most", derivation.Parameters.Iterations, maxIterations)
	case len(parameters.Encryption.IV) != block || len(key.Data) == 0 || len(key.Data)%block != 0:
		return errors.New("the encrypted key in it is damaged")
	}
	return nil
}
