package ca

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"errors"
	"fmt"

	"go.step.sm/crypto/kms/apiv1"

	"github.com/cse-piv/cse-piv/internal/secret"
)

var (
	// ErrKeyPassword is returned for a key that its password or PIN did not open, or that
	// needs one where nobody can be asked.
	ErrKeyPassword = errors.New("the password or PIN does not open the CA's key")
	// ErrLastTry is returned where a wrong PIN would lock the token, and none was given to it.
	ErrLastTry = errors.New("the token's PIN has one try left, which is not spent here")
	// ErrKeyURI is returned for a URI that names no key that can be opened.
	ErrKeyURI = errors.New("this URI cannot be used for a CA's key")
)

// Key signs with the private key of an authority. Close it after use.
type Key struct {
	crypto.Signer
	// Name is the path of its file, or its URI, in which no secret is.
	Name string
	// Warnings lists what is unwise about how it is kept.
	Warnings []string

	close func() error // nil for a file
}

// Close ends the connection to the token or card that a key is on.
func (k *Key) Close() error {
	if k.close == nil {
		return nil
	}
	return k.close()
}

// Opening is what opening a key needs from outside.
type Opening struct {
	// Password returns the password of an encrypted file, or the PIN of a token or card,
	// which what names. Of a file it is called again, with wrong, until a password opens it
	// or the error is not nil; a token or card is given one PIN and no other.
	Password func(ctx context.Context, what string, wrong bool) (secret.Secret, error)
	// Card opens the key in a slot, such as "9c", of the YubiKey with that serial number, and
	// returns what releases it.
	Card func(ctx context.Context, serial uint32, slot string, pin secret.Secret) (crypto.Signer, func() error, error)
}

// OpenKey opens the private key of an authority, RSA or ECDSA:
//
//   - of a file in PEM, named by its path or as softkms:PATH or file:PATH: PKCS#8, PKCS#1
//     or SEC 1, encrypted or not;
//   - of a token with PKCS#11, named by a URI as RFC 7512 has it with module-path, token,
//     serial or slot-id, and object or id;
//   - of a YubiKey: yubikey:serial=NUMBER;slot-id=SLOT.
//
// A PIN is in the file that pin-source names, or asked for; a PIN in the URI itself is
// refused. The error may match [ErrKeyPassword], [ErrKeyURI], [fs.ErrPermission] or
// [fs.ErrNotExist].
func OpenKey(ctx context.Context, name string, with Opening) (*Key, error) {
	key, err := openKey(ctx, name, with)
	if err != nil {
		return nil, fmt.Errorf("the CA's key: %w", err)
	}
	switch public := key.Public().(type) {
	case *rsa.PublicKey, *ecdsa.PublicKey:
		return key, nil
	default:
		return nil, errors.Join(fmt.Errorf("the CA's key %s is of a type (%T) that Gmail does not accept signatures of", key.Name, public), key.Close())
	}
}

func openKey(ctx context.Context, name string, with Opening) (*Key, error) {
	switch scheme := schemeOf(name); scheme {
	case "":
		return openFile(ctx, name, with)
	case schemeFile, schemeSoft:
		path, err := pathOf(name)
		if err != nil {
			return nil, err
		}
		return openFile(ctx, path, with)
	case schemePKCS11:
		key, token, err := openToken(ctx, name, with)
		if err != nil {
			return nil, err
		}
		if key.Signer, err = token.CreateSigner(&apiv1.CreateSignerRequest{SigningKey: key.Name}); err != nil {
			return nil, errors.Join(fmt.Errorf("%s: %w", key.Name, err), key.Close())
		}
		return key, nil
	case schemeCard:
		return openCard(ctx, name, with)
	default:
		return nil, fmt.Errorf("%w: %s keys are not built in", ErrKeyURI, scheme)
	}
}

// CreateKey opens the key of a URI with PKCS#11 and creates it where there is none: P-384 or,
// where it is not large, P-256. The URI has to have both id and object.
func CreateKey(ctx context.Context, name string, large bool, with Opening) (*Key, error) {
	if schemeOf(name) != schemePKCS11 {
		return nil, fmt.Errorf("the CA's key: %w: keys are created in tokens only (pkcs11:)", ErrKeyURI)
	}
	key, token, err := openToken(ctx, name, with)
	if err != nil {
		return nil, fmt.Errorf("the CA's key: %w", err)
	}
	algorithm := apiv1.ECDSAWithSHA256
	if large {
		algorithm = apiv1.ECDSAWithSHA384
	}
	_, err = token.CreateKey(&apiv1.CreateKeyRequest{Name: key.Name, SignatureAlgorithm: algorithm})
	if err == nil || errors.Is(err, apiv1.AlreadyExistsError{}) {
		key.Signer, err = token.CreateSigner(&apiv1.CreateSignerRequest{SigningKey: key.Name})
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("the CA's key %s: %w", key.Name, err), key.Close())
	}
	return key, nil
}
