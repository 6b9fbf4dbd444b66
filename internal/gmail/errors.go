package gmail

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/cse-piv/cse-piv/internal/safetext"
)

// Kind says what an error means for the caller, whatever its status was.
type Kind string

// The kinds of errors.
const (
	KindOther           Kind = "other"             // an answer this package has no better name for
	KindCSEOff          Kind = "cse-off"           // client-side encryption is off for the user
	KindScope           Kind = "scope"             // delegation or scope is missing
	KindCredentials     Kind = "credentials"       // the credentials are unusable or were refused
	KindNoUser          Kind = "no-user"           // the domain has no such user, or not any more
	KindAPIDisabled     Kind = "api-disabled"      // the Gmail API is off in the project
	KindNotFound        Kind = "not-found"         // no such key pair or identity
	KindConflict        Kind = "conflict"          // it already exists
	KindRateLimited     Kind = "rate-limited"      // too many calls; later they succeed
	KindUnavailable     Kind = "unavailable"       // the server or the way to it failed
	KindInvalid         Kind = "invalid"           // the request was refused as wrong
	KindPrecondition    Kind = "precondition"      // the state does not allow it now
	KindDenied          Kind = "denied"            // policy forbids it
	KindProtocol        Kind = "protocol"          // the answer makes no sense
	KindKeyPairDisabled Kind = "key-pair-disabled" // the wanted key pair is there, but disabled
	KindMismatch        Kind = "mismatch"          // the identity is another than was set
	KindWrongKeyPair    Kind = "wrong-key-pair"    // the key pair that was created is not what was asked for
	KindCanceled        Kind = "canceled"          // the caller's context ended

	// Of the directory alone:
	KindAlias     Kind = "alias"      // the address is no primary one
	KindSuspended Kind = "suspended"  // the user's account is suspended
	KindArchived  Kind = "archived"   // the user's account is archived
	KindNoMailbox Kind = "no-mailbox" // the user has no mailbox
)

// Sentinels to compare an *Error with by errors.Is.
var (
	ErrCSEOff          = errors.New("client-side encryption is off for this user")
	ErrScope           = errors.New("domain-wide delegation or scope is missing")
	ErrCredentials     = errors.New("credentials cannot be used")
	ErrNoUser          = errors.New("no such user")
	ErrAPIDisabled     = errors.New("gmail API is disabled in the project")
	ErrNotFound        = errors.New("not found")
	ErrConflict        = errors.New("already exists")
	ErrRateLimited     = errors.New("rate limited")
	ErrUnavailable     = errors.New("service unavailable")
	ErrInvalid         = errors.New("invalid request")
	ErrPrecondition    = errors.New("failed precondition")
	ErrDenied          = errors.New("permission denied")
	ErrProtocol        = errors.New("unexpected answer")
	ErrKeyPairDisabled = errors.New("key pair is disabled")
	ErrMismatch        = errors.New("server holds something else")
	ErrWrongKeyPair    = errors.New("created key pair is not what was asked for")
)

func (k Kind) sentinel() error {
	switch k {
	case KindCSEOff:
		return ErrCSEOff
	case KindScope:
		return ErrScope
	case KindCredentials:
		return ErrCredentials
	case KindNoUser:
		return ErrNoUser
	case KindAPIDisabled:
		return ErrAPIDisabled
	case KindNotFound:
		return ErrNotFound
	case KindConflict:
		return ErrConflict
	case KindRateLimited:
		return ErrRateLimited
	case KindUnavailable:
		return ErrUnavailable
	case KindInvalid:
		return ErrInvalid
	case KindPrecondition:
		return ErrPrecondition
	case KindDenied:
		return ErrDenied
	case KindProtocol:
		return ErrProtocol
	case KindKeyPairDisabled:
		return ErrKeyPairDisabled
	case KindMismatch:
		return ErrMismatch
	case KindWrongKeyPair:
		return ErrWrongKeyPair
	}
	return nil
}

// Error is what every call of this package fails with. Its texts are safe to
// show: control characters are removed from whatever the server said.
type Error struct {
	Method    string    // "keypairs.create", "token", "credentials", ...
	User      string    // address of the user it was for, if any
	Status    int       // HTTP status, 0 without an answer
	Reason    string    // the server's machine-readable reason, if any
	Message   string    // the server's or this package's explanation
	Kind      Kind      // what it means
	Detail    Detail    // what tells it apart from others of its kind, if anything
	KeyPairID string    // the key pair it is about, if any
	Primary   string    // of an alias: the user's primary address
	Scope     string    // of missing delegation: the scope
	Account   string    // of missing delegation: the service account's address
	ClientID  string    // of missing delegation: the service account's numeric client ID, if it is known
	RetryAt   time.Time // when the server wants to be asked again, if it said so
	Err       error     // the underlying cause, if any

	transient bool // trying again can help
	ambiguous bool // the request may have been carried out
}

// Error names the call, the user, and what the server answered.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Method)
	if e.User != "" {
		fmt.Fprintf(&b, " for %s", safetext.Message(e.User))
	}
	b.WriteString(": ")
	if e.Status != 0 {
		fmt.Fprintf(&b, "%d ", e.Status)
	}
	if e.Reason != "" {
		fmt.Fprintf(&b, "%s: ", safetext.Message(e.Reason))
	}
	message := mask(safetext.Message(e.Message))
	if message == "" && e.Err != nil {
		message = mask(safetext.Message(e.Err.Error()))
	}
	if message == "" && e.Kind.sentinel() != nil {
		message = e.Kind.sentinel().Error()
	}
	b.WriteString(message)
	return strings.TrimSuffix(strings.TrimSpace(b.String()), ":")
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Is matches the sentinel of the error's kind.
func (e *Error) Is(target error) bool {
	s := e.Kind.sentinel()
	return s != nil && s == target
}
