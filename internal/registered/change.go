// Package registered changes by hand what Gmail has of a user: it says beforehand what a
// change of a key pair or an identity would do to the user, and carries it out. How a
// user gets registered is package registration's.
package registered

import (
	"fmt"
	"slices"
	"time"

	"github.com/cse-piv/cse-piv/internal/gmail"
)

// Verb is what is done to a key pair or an identity. The values are a contract.
type Verb string

// The verbs, as the Gmail API names them; VerbSet is its create or patch.
const (
	VerbEnable     Verb = "enable"
	VerbDisable    Verb = "disable"
	VerbObliterate Verb = "obliterate"
	VerbSet        Verb = "set"    // the identity's key pairs
	VerbDelete     Verb = "delete" // the identity
)

// obliterateAfter is how long a key pair has to be disabled before Gmail obliterates it
// (the Gmail API's users.settings.cse.keypairs.obliterate).
const obliterateAfter = 30 * 24 * time.Hour

// Change is one change of what Gmail has of a user.
type Change struct {
	Verb      Verb
	KeyPairID string         // of the verbs about a key pair
	Identity  gmail.Identity // wanted, of VerbSet
}

// State is what Gmail has of a user.
type State struct {
	KeyPairs []gmail.KeyPair
	Identity *gmail.Identity // nil where there is none
}

// keyPair returns the pair of that id, nil where there is none.
func (s State) keyPair(id string) *gmail.KeyPair {
	if at := slices.IndexFunc(s.KeyPairs, func(pair gmail.KeyPair) bool { return pair.ID == id }); at >= 0 {
		return &s.KeyPairs[at]
	}
	return nil
}

// after returns the state as a change makes it.
func (s State) after(effect Effect) State {
	s.KeyPairs = slices.Clone(s.KeyPairs)
	switch pair := s.keyPair(effect.KeyPairID); effect.Verb {
	case VerbEnable:
		pair.Enabled, pair.DisableTime = true, time.Time{}
	case VerbDisable:
		pair.Enabled = false
	case VerbObliterate:
		s.KeyPairs = slices.DeleteFunc(s.KeyPairs, func(pair gmail.KeyPair) bool { return pair.ID == effect.KeyPairID })
	case VerbSet:
		identity := effect.Identity
		s.Identity = &identity
	case VerbDelete:
		s.Identity = nil
	}
	return s
}

// Effect is what a change would do to a user.
type Effect struct {
	Change
	// KeyPair is the one that the change is about, nil for an identity's.
	KeyPair *gmail.KeyPair
	// Before is the identity as it is, nil where there is none.
	Before *gmail.Identity
	// Done tells that everything is so already.
	Done bool
	// StopsSigning and StopsEncrypting tell that the identity loses what it signs, or
	// others encrypt, with.
	StopsSigning, StopsEncrypting bool
	// StopsReading tells that mail encrypted to the key pair's certificate cannot be read.
	StopsReading bool
	// ForEver tells that nothing brings that back.
	ForEver bool
	// AllowedFrom is before when Gmail refuses it, zero where it does not; Gmail's clock
	// decides.
	AllowedFrom time.Time
}

// Risky tells whether somebody has to agree to a change.
func (e Effect) Risky() bool { return !e.Done && e.Verb != VerbEnable }

// UnknownKeyPairError is a key pair that Gmail does not have for the user.
type UnknownKeyPairError struct{ ID string }

// Error names it.
func (e *UnknownKeyPairError) Error() string {
	return fmt.Sprintf("Gmail has no key pair %s for this user", e.ID)
}

// EnabledError is an enabled key pair that is to be obliterated.
type EnabledError struct{ ID string }

// Error says why that cannot be.
func (e *EnabledError) Error() string {
	return fmt.Sprintf("key pair %s is enabled, and Gmail obliterates only what has been disabled for more than 30 days", e.ID)
}

// DisabledError is a disabled key pair that an identity is to use.
type DisabledError struct{ ID string }

// Error names it.
func (e *DisabledError) Error() string { return fmt.Sprintf("key pair %s is disabled", e.ID) }

// Forecast says what a change would do. Its errors are an [*UnknownKeyPairError], an
// [*EnabledError] and a [*DisabledError].
func Forecast(state State, change Change) (Effect, error) {
	effect := Effect{Change: change, Before: state.Identity}
	switch change.Verb {
	case VerbSet:
		return effect, effect.set(state)
	case VerbDelete:
		effect.Done = state.Identity == nil
		effect.StopsSigning, effect.StopsEncrypting = !effect.Done, !effect.Done
		return effect, nil
	}
	pair := state.keyPair(change.KeyPairID)
	if pair == nil {
		return effect, &UnknownKeyPairError{change.KeyPairID}
	}
	effect.KeyPair = pair
	switch change.Verb {
	case VerbEnable:
		effect.Done = pair.Enabled
	case VerbDisable:
		effect.Done = !pair.Enabled
		effect.loses(pair.ID)
	case VerbObliterate:
		if pair.Enabled {
			return effect, &EnabledError{pair.ID}
		}
		effect.ForEver = true
		if !pair.DisableTime.IsZero() {
			effect.AllowedFrom = pair.DisableTime.Add(obliterateAfter)
		}
		effect.loses(pair.ID)
	}
	return effect, nil
}

// ForecastAll says what changes would do, each after those before it. Its errors are those
// of [Forecast].
func ForecastAll(state State, changes []Change) ([]Effect, error) {
	var effects []Effect
	for _, change := range changes {
		effect, err := Forecast(state, change)
		if err != nil {
			return nil, err
		}
		effects, state = append(effects, effect), state.after(effect)
	}
	return effects, nil
}

// loses notes what is lost with a key pair.
func (e *Effect) loses(id string) {
	if e.Done {
		return
	}
	e.StopsReading = true
	if e.Before != nil {
		e.StopsSigning = id == e.Before.PrimaryKeyPairID || id == e.Before.SigningKeyPairID
		e.StopsEncrypting = id == e.Before.PrimaryKeyPairID || id == e.Before.EncryptionKeyPairID
	}
}

// set judges an identity that is to be set.
func (e *Effect) set(state State) error {
	want := e.Identity
	for _, id := range []string{want.PrimaryKeyPairID, want.SigningKeyPairID, want.EncryptionKeyPairID} {
		if id == "" {
			continue
		}
		pair := state.keyPair(id)
		if pair == nil {
			return &UnknownKeyPairError{id}
		}
		if !pair.Enabled {
			return &DisabledError{id}
		}
	}
	e.Done = state.Identity != nil && state.Identity.Equal(want)
	return nil
}
