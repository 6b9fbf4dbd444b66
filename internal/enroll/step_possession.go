package enroll

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/cse-piv/cse-piv/internal/certificate"
)

// ErrNoPossession is returned for a card that did not do with its key what the certificate
// promises.
var ErrNoPossession = errors.New("the key on the card is not the key of the certificate")

// possessionStep has the card use its key, and checks the outcome against the
// public key in the certificate: a signature for a signing key, a decryption
// (RSA) or a key agreement (EC) for an encryption key.
func possessionStep(index int, request KeyRequest) Step {
	step := keyStep("prove-possession", "prove that the card holds the certificate's key in slot %s", KindCheck, changesNothing, request)
	step.needs = func(e *enrollment) bool { return e.keys[index].leaf != nil }
	step.check = func(ctx context.Context, e *enrollment) error {
		key := e.keys[index]
		if key.Use != certificate.UseEncrypt {
			if err := e.proveSigning(ctx, key); err != nil {
				return fmt.Errorf("signing: %w", err)
			}
		}
		if key.Use != certificate.UseSign {
			if err := e.proveReading(ctx, key); err != nil {
				return fmt.Errorf("decrypting: %w", err)
			}
		}
		return nil
	}
	return step
}

func (e *enrollment) proveSigning(ctx context.Context, key *key) error {
	message := make([]byte, 32)
	rand.Read(message)
	digest := sha256.Sum256(message)
	signature, err := e.card.Signer(ctx, key.Slot, key.public, e.secrets.pin).Sign(rand.Reader, digest[:], crypto.SHA256)
	e.touched()
	if err != nil {
		return err
	}
	switch public := key.leaf.PublicKey.(type) {
	case *rsa.PublicKey:
		if rsa.VerifyPKCS1v15(public, crypto.SHA256, digest[:], signature) != nil {
			return ErrNoPossession
		}
	case *ecdsa.PublicKey:
		if !ecdsa.VerifyASN1(public, digest[:], signature) {
			return ErrNoPossession
		}
	default:
		return fmt.Errorf("a %T cannot sign mail", public)
	}
	return nil
}

func (e *enrollment) proveReading(ctx context.Context, key *key) error {
	switch public := key.leaf.PublicKey.(type) {
	case *rsa.PublicKey:
		message := make([]byte, 32)
		rand.Read(message)
		//lint:ignore SA1019 it is what the card decrypts, and nothing is kept secret by it
		ciphertext, err := rsa.EncryptPKCS1v15(rand.Reader, public, message)
		if err != nil {
			return err
		}
		read, err := e.card.Decrypt(ctx, key.Slot, key.public, e.secrets.pin, ciphertext)
		e.touched()
		if err != nil {
			return err
		}
		if !bytes.Equal(read, message) {
			return ErrNoPossession
		}
	case *ecdsa.PublicKey:
		leaf, err := public.ECDH()
		if err != nil {
			return err
		}
		return e.proveAgreement(ctx, key, leaf)
	default:
		return fmt.Errorf("a %T cannot decrypt mail", public)
	}
	return nil
}

func (e *enrollment) proveAgreement(ctx context.Context, key *key, leaf *ecdh.PublicKey) error {
	ephemeral, err := leaf.Curve().GenerateKey(rand.Reader)
	if err != nil {
		return err
	}
	want, err := ephemeral.ECDH(leaf)
	if err != nil {
		return err
	}
	got, err := e.card.ECDH(ctx, key.Slot, key.public, e.secrets.pin, ephemeral.PublicKey())
	e.touched()
	if err != nil {
		return err
	}
	if !bytes.Equal(got, want) {
		return ErrNoPossession
	}
	return nil
}
