package enroll

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/issuer"
	"github.com/cse-piv/cse-piv/internal/maintenance"
	"github.com/cse-piv/cse-piv/internal/piv"
	"github.com/cse-piv/cse-piv/internal/safetext"
	"github.com/cse-piv/cse-piv/internal/secret"
)

// Source is where a slot's key comes from.
type Source string

// The sources of a key: generated in this enrollment, or in the slot already.
const (
	SourceGenerate Source = "generate"
	SourceExisting Source = "existing"
)

// KeyRequest asks for one key of the card to be enrolled.
type KeyRequest struct {
	Slot        piv.Slot
	Use         certificate.Use
	Source      Source
	Algorithm   piv.Algorithm   // of a generated key
	PINPolicy   piv.PINPolicy   // of a generated key
	TouchPolicy piv.TouchPolicy // of a generated key
}

// Request is one enrollment: which user, which card, which keys.
type Request struct {
	Email  string // the user's primary address
	Serial uint32 // of the card; 0 takes the only card that is there
	// Keys holds one key for both uses, or a signing and an encryption key.
	Keys []KeyRequest
	// Copies are of keys that the user had before; the card gets them in retired slots, imported
	// and never attested.
	Copies []KeyCopy
	// PIN is the card's PIN; on a card with the factory PIN it becomes its PIN.
	// A zero value is asked for.
	PIN secret.Secret
	// PUK and ManagementKey (24 bytes) take the factory ones' place; zero values
	// are generated and sealed. On a card with its own management key that key
	// is given here.
	PUK, ManagementKey secret.Secret
	// ProtectManagementKey has the management key that takes the factory one's place stand on
	// the card as well, where the PIN leads to it, as ykman does.
	ProtectManagementKey bool
	// KeepCHUID leaves a CHUID that the card has, although Windows may go on showing the
	// certificates that it cached by it.
	KeepCHUID bool
	// NewCard says that the card is as it left the factory, where its firmware
	// does not tell (before 5.3): factory PIN and PUK are replaced. A wrong word
	// costs one try of the PIN.
	NewCard bool
	// Overwrite allows a key that is in the slot to be replaced, once the card's
	// serial was typed out as Confirm or at the prompt.
	Overwrite bool
	Confirm   string
	// Replace names keys of an enrollment that was begun or finished, which a new
	// key takes the place of: SHA-256 fingerprints in hexadecimal, of the key's
	// SubjectPublicKeyInfo or its certificate, or the first 16 digits or more.
	// Overwrite is not enough for those. Once they are gone, it asks for nothing.
	Replace []string
	// ChangeIssuer lets another issuer be asked for a certificate than the one that
	// was asked before and has not answered.
	ChangeIssuer bool
	// AttestRequest has the request for a certificate carry the key's attestation, for
	// issuers that look for it there (draft-ietf-lamps-csr-attestation).
	AttestRequest bool
	// Defaulted lists what of Keys nobody chose: an enrollment that was begun has
	// its own there, which is continued. What was chosen and differs from it
	// stops the run with a *ConflictError.
	Defaulted []Option
	// Agreed lists what may be lost, where a person who typed the serial was shown
	// it; nil allows whatever the slots hold. See Agree.
	Agreed []string
	// AllowUnattested takes a key that was imported into the card, of which
	// nobody can prove that it exists nowhere else.
	AllowUnattested bool
	// AllowLimitedUse takes a single key whose certificate lets it only sign, or
	// only decrypt.
	AllowLimitedUse bool
	// AllowPINNever takes a key that asks for no PIN although nobody chose that: the
	// one that slot 9e gets by default, or one that is on the card.
	AllowPINNever bool
	// ReplaceCard has Gmail move to this card from another one that the user signs
	// and decrypts with.
	ReplaceCard bool
	// EndsFormer has nothing said of what becomes of the key pairs of the card that Gmail moves
	// from: that is decided, and somebody agreed to it, elsewhere.
	EndsFormer bool
	// Renew has what is enrolled get new certificates; empty for an enrollment. A renewal
	// that was begun is gone on with whether it is asked for or not.
	Renew Renewal
	// Replaces says which cards the card takes the place of, whose use ends once the user is enrolled
	// with it; nil for none. It is written down for who goes on with it: see ReadEarlier.
	Replaces *Replacement
	// RenewWithin has certificates that are valid for longer than that stay, which ends in
	// a *NotDueError; 0 renews them in any case.
	RenewWithin time.Duration
	// MinPINLength is the shortest new PIN that is taken, in characters; 0 is the card's own
	// minimum, six.
	MinPINLength int
	// Review has a person look at certificate and chain before anything is
	// registered; see Dependencies.Review.
	Review bool

	// PINTries and PUKTries are how many tries the card is to give, 1 to 255; 0 leaves them.
	// They can be set only on a card with the factory PIN and PUK.
	PINTries, PUKTries int
	// Profile is the enrollment profile that the card and its keys have to be as; nil for none.
	Profile *Profile

	// cardOnly makes the card ready for nobody yet: see CardRequest.
	cardOnly bool
}

// Validate reports what is wrong with the request itself, before anything is
// looked at. Its errors are *UsageError.
func (r Request) Validate() error {
	if err := ValidateAddress(r.Email); err != nil {
		return err
	}
	switch len(r.Keys) {
	case 1:
		if r.Keys[0].Use != certificate.UseBoth {
			return usageError("a single key must serve both uses")
		}
	case 2:
		if r.Keys[0].Use != certificate.UseSign || r.Keys[1].Use != certificate.UseEncrypt {
			return usageError("two keys must be one for signing and one for encryption, in that order")
		}
		if r.Keys[0].Slot == r.Keys[1].Slot {
			return usageError("slot %s cannot hold both keys of a split layout", r.Keys[0].Slot)
		}
	default:
		return usageError("an enrollment has one or two keys, not %d", len(r.Keys))
	}
	for _, key := range r.Keys {
		if key.Source == SourceGenerate && !slices.Contains(MailAlgorithms(), key.Algorithm) {
			return usageError("a %s key cannot be used: Gmail takes RSA 2048, 3072 and 4096, and EC P-256 and P-384", key.Algorithm)
		}
	}
	for _, digits := range r.Replace {
		if n := len(digits); n < 16 || n > 64 || strings.Trim(strings.ToLower(digits), "0123456789abcdef") != "" {
			return usageError("%q does not name a key: it takes 16 to 64 hexadecimal digits of its SHA-256", digits)
		}
	}
	if slices.ContainsFunc(r.Copies, func(entry KeyCopy) bool { return entry.Certificate == nil }) {
		return &UsageError{Err: maintenance.ErrNoCertificate}
	}
	if err := r.validateTries(); err != nil {
		return err
	}
	return r.validateSecrets()
}

// validateTries refuses numbers of tries that no card can give.
func (r Request) validateTries() error {
	for _, tries := range []int{r.PINTries, r.PUKTries} {
		if tries < 0 || tries > 255 {
			return usageError("a PIN or PUK has 1 to 255 tries, not %d", tries)
		}
	}
	return nil
}

// validateSecrets applies the card's rules and refuses the factory values, which
// everybody knows.
func (r Request) validateSecrets() error {
	if r.MinPINLength != 0 && (r.MinPINLength < 6 || r.MinPINLength > 8) {
		return usageError("a PIN has 6 to 8 characters: %d cannot be the least", r.MinPINLength)
	}
	if !r.PIN.IsZero() {
		if err := checkOwnPIN(r.PIN); err != nil {
			return &UsageError{Err: &NewPINError{err}}
		}
	}
	if !r.PUK.IsZero() {
		if err := piv.CheckNewPUK(r.PUK); err != nil {
			return &UsageError{Err: err}
		}
		if r.PUK.Equal(r.PIN) {
			return usageError("the PUK is the PIN as well: whoever blocks the card could unblock it")
		}
	}
	if !r.ManagementKey.IsZero() && piv.IsFactoryManagementKey(r.ManagementKey) {
		return usageError("the factory management key cannot stay the management key")
	}
	return nil
}

// checkOwnPIN refuses what cannot be a user's PIN: what the card does not take,
// and the factory PIN.
func checkOwnPIN(pin secret.Secret) error {
	if err := piv.CheckPIN(pin); err != nil {
		return err
	}
	if pin.Equal(piv.FactoryPIN()) {
		return errors.New("that is the factory PIN, which everybody knows: it cannot be the user's PIN")
	}
	return nil
}

// Choose returns the request for keys that a person chose, with all that they
// could choose of them.
func (r Request) Choose(keys []KeyRequest) Request {
	r.Keys, r.Defaulted = keys, []Option{OptionIssuer}
	if keys[0].Source == SourceExisting {
		r.Defaulted = append(r.Defaulted, OptionAlgorithm, OptionPINPolicy, OptionTouchPolicy)
	}
	return r
}

// Again returns the request to try once more after that error, which goes on
// where the enrollment ended: a PIN that was wrong is asked for, so that no
// further try is lost, and after a wait nothing is there to be overwritten.
func (r Request) Again(err error) Request {
	var wrong *piv.WrongPINError
	if errors.As(err, &wrong) {
		r.PIN = secret.Secret{}
	}
	if len(issuer.Waits(err)) > 0 {
		r = r.Agree(nil)
	}
	return r
}

// Agree returns the request of a person who was shown those losses and typed the
// card's serial: they may come, and no others. For none, nothing may be lost.
func (r Request) Agree(losses []string) Request {
	r.Overwrite, r.Confirm, r.Agreed = false, "", nil
	if len(losses) > 0 {
		r.Overwrite, r.Confirm, r.Agreed = true, serialText(r.Serial), losses
	}
	return r
}

// Agrees reports whether the request lets that card lose all of that.
func (r Request) Agrees(serial uint32, losses []string) bool {
	for _, loss := range losses {
		if r.Agreed != nil && !slices.Contains(r.Agreed, loss) {
			return false
		}
	}
	return r.Overwrite && r.Confirm == serialText(serial)
}

func serialText(serial uint32) string { return strconv.FormatUint(uint64(serial), 10) }

// ValidateAddress reports a *UsageError for what cannot be a mail address
// (RFC 5321 addr-spec in ASCII, without a display name).
func ValidateAddress(email string) error {
	if !safetext.IsAddress(email) {
		return usageError("%q is not a mail address", email)
	}
	local, domain, _ := strings.Cut(email, "@")
	if strings.ContainsAny(local, `"\/: `) || strings.Contains(domain, "@") || strings.ContainsAny(domain, `[]/\: `) {
		return usageError("%q is not a mail address that Gmail has", email)
	}
	for _, r := range email {
		if r <= ' ' || r > '~' {
			return usageError("%q is not a mail address in ASCII", email)
		}
	}
	return nil
}

// UsageError is returned for a request that cannot be carried out as it was put.
type UsageError struct{ Err error }

// Error says what is wrong with the request.
func (e *UsageError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *UsageError) Unwrap() error { return e.Err }

func usageError(format string, args ...any) error {
	return &UsageError{Err: fmt.Errorf(format, args...)}
}

// IsUsage reports whether the error is a *UsageError: the request is wrong.
func IsUsage(err error) bool {
	var usage *UsageError
	return errors.As(err, &usage)
}
