package piv

import (
	"fmt"
	"slices"
	"strings"
)

// PINPolicy says when a key asks for the PIN. It is fixed at generation.
type PINPolicy string

// The PIN policies. The match policies of the YubiKey Bio are shown where a key
// has them, and cannot be asked for.
const (
	PINDefault     PINPolicy = "default" // the slot's own
	PINNever       PINPolicy = "never"
	PINOnce        PINPolicy = "once"
	PINAlways      PINPolicy = "always"
	PINMatchOnce   PINPolicy = "match-once"
	PINMatchAlways PINPolicy = "match-always"
	PINUnknown     PINPolicy = "unknown"
)

// In returns what the policy comes to in that slot: the slot's own for the default.
func (p PINPolicy) In(slot Slot) PINPolicy {
	if p == PINDefault || p == "" {
		return slot.defaultPINPolicy()
	}
	return p
}

// ParsePINPolicy reads "default", "never", "once" or "always".
func ParsePINPolicy(text string) (PINPolicy, error) {
	policy := PINPolicy(strings.ToLower(text))
	if !slices.Contains([]PINPolicy{PINDefault, PINNever, PINOnce, PINAlways}, policy) {
		return "", fmt.Errorf("%q is not a PIN policy: there are default, never, once and always", text)
	}
	return policy, nil
}

// TouchPolicy says when a key asks for the card's button to be touched. It is
// fixed at generation.
type TouchPolicy string

// The touch policies; cached holds for 15 seconds.
const (
	TouchDefault TouchPolicy = "default" // never
	TouchNever   TouchPolicy = "never"
	TouchAlways  TouchPolicy = "always"
	TouchCached  TouchPolicy = "cached"
	TouchUnknown TouchPolicy = "unknown"
)

// Effective returns what the policy comes to: never for the default.
func (p TouchPolicy) Effective() TouchPolicy {
	if p == TouchDefault || p == "" {
		return TouchNever
	}
	return p
}

// ParseTouchPolicy reads "default", "never", "always" or "cached".
func ParseTouchPolicy(text string) (TouchPolicy, error) {
	policy := TouchPolicy(strings.ToLower(text))
	if !slices.Contains([]TouchPolicy{TouchDefault, TouchNever, TouchAlways, TouchCached}, policy) {
		return "", fmt.Errorf("%q is not a touch policy: there are default, never, always and cached", text)
	}
	return policy, nil
}

// pinPolicies and touchPolicies are the policies by the byte that stands for them
// in a card's metadata and attestations (Yubico PIV extensions).
func pinPolicies() []PINPolicy {
	return []PINPolicy{PINUnknown, PINNever, PINOnce, PINAlways, PINMatchOnce, PINMatchAlways}
}

func touchPolicies() []TouchPolicy {
	return []TouchPolicy{TouchUnknown, TouchNever, TouchAlways, TouchCached}
}

// onCard returns the byte for a policy that can be asked for, 0 for others.
func (p PINPolicy) onCard() byte { return byte(max(0, slices.Index(pinPolicies()[:4], p))) }

// onCard returns the byte for a policy that can be asked for, 0 for others.
func (p TouchPolicy) onCard() byte { return byte(max(0, slices.Index(touchPolicies(), p))) }

// policiesFromCard translates the two bytes.
func policiesFromCard(pin, touch byte) (PINPolicy, TouchPolicy) {
	p, t := PINUnknown, TouchUnknown
	if pins := pinPolicies(); int(pin) < len(pins) {
		p = pins[pin]
	}
	if touches := touchPolicies(); int(touch) < len(touches) {
		t = touches[touch]
	}
	return p, t
}

// mayTouch reports whether a key with the policy may ask for a touch.
func (p TouchPolicy) mayTouch() bool { return p != TouchNever && p != TouchDefault }
