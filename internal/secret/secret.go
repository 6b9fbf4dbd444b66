// Package secret holds values that must never be shown: PINs, PUKs, management
// keys and tokens. A Secret prints, formats and marshals as a placeholder, so
// that it cannot reach a log, an error, a receipt or a golden file by accident.
package secret

import (
	"crypto/subtle"
	"fmt"
	"io"
	"log/slog"
	"runtime"
)

const placeholder = "[secret]"

// Secret is an unprintable byte string. The zero value means "not given".
type Secret struct {
	// fmt does not ask unexported fields how they want to be printed, and follows
	// one pointer for verbs that do not fit; of two it shows an address.
	value **[]byte
	_     [0]func() // == would compare addresses
}

// New returns a Secret holding a copy of value, which is overwritten once nothing
// refers to the Secret any more: at the next garbage collection, which comes every
// two minutes at least.
func New(value []byte) Secret {
	if len(value) == 0 {
		return Secret{}
	}
	own := append([]byte(nil), value...)
	hidden := &own
	runtime.AddCleanup(&hidden, func(forgotten []byte) { clear(forgotten) }, own)
	return Secret{value: &hidden}
}

// FromString returns a Secret holding the bytes of value.
func FromString(value string) Secret { return New([]byte(value)) }

// Reveal returns a copy of the bytes. Call it only where they leave for the
// card, the keyring or the sealed escrow record.
func (s Secret) Reveal() []byte {
	defer runtime.KeepAlive(s.value)
	return append([]byte(nil), s.bytes()...)
}

// bytes returns what is held. Its caller keeps the Secret alive while it reads them.
func (s Secret) bytes() []byte {
	if s.value == nil {
		return nil
	}
	return **s.value
}

// Len returns the number of bytes.
func (s Secret) Len() int { return len(s.bytes()) }

// IsZero reports whether no value was given.
func (s Secret) IsZero() bool { return s.value == nil }

// Equal compares two secrets in constant time for equal lengths.
func (s Secret) Equal(other Secret) bool {
	defer runtime.KeepAlive(s.value)
	defer runtime.KeepAlive(other.value)
	return subtle.ConstantTimeCompare(s.bytes(), other.bytes()) == 1
}

// String returns a placeholder.
func (s Secret) String() string { return placeholder }

// GoString returns a placeholder, for %#v.
func (s Secret) GoString() string { return placeholder }

// Format writes a placeholder whatever the verb.
func (s Secret) Format(f fmt.State, _ rune) { io.WriteString(f, placeholder) }

// MarshalText returns a placeholder, so JSON and other encoders show nothing.
func (s Secret) MarshalText() ([]byte, error) { return []byte(placeholder), nil }

// LogValue returns a placeholder for log/slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue(placeholder) }
