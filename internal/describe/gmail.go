package describe

import (
	"fmt"
	"strings"
	"time"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/format"
	"github.com/cse-piv/cse-piv/internal/gmail"
)

// Use says what a key is for.
func Use(use certificate.Use) string {
	switch use {
	case certificate.UseSign:
		return "signs"
	case certificate.UseEncrypt:
		return "decrypts"
	}
	return "signs and decrypts"
}

// KeyPair describes a key pair at Gmail and what the user's identity, which may be
// nil, does with it.
func KeyPair(pair gmail.KeyPair, identity *gmail.Identity) Value {
	value := Value{Label: "key pair " + pair.ID, Text: "enabled", Tone: OK}
	if !pair.Enabled {
		value.Text, value.Tone = "disabled", Faint
	}
	parts := []string{value.Text}
	if !pair.NotAfter.IsZero() {
		parts = append(parts, "valid until "+format.Day(pair.NotAfter))
	}
	parts = append(append(parts, PrivateKey(pair)), pair.HardwareDescriptions...)
	if identity != nil {
		parts = append(parts, identityUse(pair.ID, identity))
	}
	value.Text = strings.Join(parts, ", ")
	return value
}

func identityUse(id string, identity *gmail.Identity) string {
	switch id {
	case identity.PrimaryKeyPairID:
		return "signs and encrypts"
	case identity.SigningKeyPairID:
		return "signs"
	case identity.EncryptionKeyPairID:
		return "encrypts"
	}
	return "not used by the identity"
}

// PrivateKey says where the private key of a key pair is, as far as Gmail tells.
func PrivateKey(pair gmail.KeyPair) string {
	service := "key service " + strings.Join(pair.KeyServices, ", ")
	switch {
	case pair.Hardware() && len(pair.KeyServices) > 0:
		return "hardware key, and in " + service
	case pair.Hardware():
		return "hardware key"
	case len(pair.KeyServices) > 0:
		return service
	}
	return "private key in an unknown place"
}

// Identity says which key pairs an identity uses; nil is none.
func Identity(identity *gmail.Identity) string {
	switch {
	case identity == nil:
		return "none"
	case identity.PrimaryKeyPairID != "":
		return "signs and encrypts with " + identity.PrimaryKeyPairID
	case identity.SigningKeyPairID == "" && identity.EncryptionKeyPairID == "":
		return "uses no key pair"
	}
	return "signs with " + identity.SigningKeyPairID + ", encrypts with " + identity.EncryptionKeyPairID
}

// Retry says why Gmail did not answer, and when it is asked again.
func Retry(err error, at time.Time) Value {
	return Value{Label: "Gmail", Text: fmt.Sprintf("%v; the next try is at %s", err, at.Local().Format(time.TimeOnly)), Tone: Warning}
}
