package enroll

import (
	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/piv"
)

// Layout says how many keys of the card are enrolled.
type Layout string

// The layouts: one key for both uses, or one that signs in 9C and one that
// decrypts in 9D.
const (
	LayoutSingle Layout = "single"
	LayoutSplit  Layout = "split"
)

// Keys makes the key requests of the layout from one key. The slots of a split
// layout are given.
func (l Layout) Keys(key KeyRequest) []KeyRequest {
	if l != LayoutSplit {
		key.Use = certificate.UseBoth
		return []KeyRequest{key}
	}
	signing, encryption := key, key
	signing.Slot, signing.Use = piv.SlotSignature, certificate.UseSign
	encryption.Slot, encryption.Use = piv.SlotKeyManagement, certificate.UseEncrypt
	return []KeyRequest{signing, encryption}
}

// LayoutOf is the reverse: the layout of the keys, and what they have in common,
// as one key would have it.
func LayoutOf(keys []KeyRequest) (Layout, KeyRequest) {
	key := keys[0]
	key.Use = certificate.UseBoth
	if len(keys) == 1 {
		return LayoutSingle, key
	}
	key.Slot = piv.SlotKeyManagement
	return LayoutSplit, key
}

// MailAlgorithms returns the algorithms of keys that Gmail takes.
func MailAlgorithms() []piv.Algorithm {
	return []piv.Algorithm{piv.RSA2048, piv.RSA3072, piv.RSA4096, piv.ECCP256, piv.ECCP384}
}

// Algorithms lists what a card with that firmware can generate and Gmail takes.
func Algorithms(firmware piv.Version) []piv.Algorithm {
	var all []piv.Algorithm
	for _, algorithm := range MailAlgorithms() {
		if piv.Supports(firmware, algorithm) == nil {
			all = append(all, algorithm)
		}
	}
	return all
}
