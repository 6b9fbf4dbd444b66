package registration

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/gmail"
)

// EnsureIdentity makes the user's identity the one that uses the key pairs of the
// keys, and does nothing where all keys are for history. Where somebody registered
// the same certificate at the same time, the pair that is in the identity is used,
// and that of this registration becomes superfluous.
//
// Nothing in an answer of Gmail's tells that a pair was created without chain
// validation, by this program or another. Where the identity is refused with a pair
// that was not created just now, another pair for the same certificate takes its
// place, once: one that is there, else a new one with its chain validated.
func (r *Registration) EnsureIdentity(ctx context.Context) error {
	if r.wanted() == nil {
		return nil
	}
	if !r.isNew && r.createdAny() {
		// Two who create at the same time both look afterwards: one of them at least
		// finds the other's pair.
		if err := r.list(ctx); err != nil {
			return err
		}
	}
	rounds := 2 + len(r.keys)
	for {
		err := r.setIdentity(ctx)
		rounds--
		var refusal *gmail.Error
		r.isSet = err == nil
		if rounds == 0 && err != nil && r.identity == nil && errors.As(err, &refusal) && refusal.Kind == gmail.KindConflict {
			return &OtherAddressError{Email: r.email, Err: err}
		}
		if err == nil || rounds == 0 || !errors.As(err, &refusal) || !strings.HasPrefix(refusal.Method, "identities.") {
			return err
		}
		switch {
		case r.isNew && mayExist(refusal):
			// There is an identity, so there are key pairs that were not there at first.
			r.isNew = false
			if err := r.list(ctx); err != nil {
				return err
			}
		case refusal.Kind == gmail.KindConflict, refusal.Kind == gmail.KindNotFound:
			// It came or went meanwhile.
		case refusal.Kind == gmail.KindPrecondition, refusal.Kind == gmail.KindInvalid:
			replaced, replaceErr := r.replace(ctx, refusal)
			if replaceErr != nil {
				return replaceErr
			}
			if !replaced {
				return err
			}
		default:
			return err
		}
	}
}

// OtherAddressError is returned where Gmail refuses to create an identity because there is one, and has
// none of the user's address: the user may have one of a former address.
type OtherAddressError struct {
	Email string
	Err   error // Gmail's refusal
}

// Error says so.
func (e *OtherAddressError) Error() string {
	return fmt.Sprintf("Gmail has no identity of %s and refuses one because there is another, perhaps of a former address: %v", e.Email, e.Err)
}

// Unwrap returns Gmail's refusal.
func (e *OtherAddressError) Unwrap() error { return e.Err }

// HasIdentity reports whether the user's identity uses the key pairs of the keys. It
// asks Gmail, unless EnsureIdentity has done so; it changes nothing.
func (r *Registration) HasIdentity(ctx context.Context) (bool, error) {
	if r.isSet {
		return r.identity != nil && r.identity.Equal(*r.wanted()), nil // as Gmail answered
	}
	if r.isNew || r.createdAny() || r.wanted() == nil {
		return r.wanted() == nil, nil // nobody knows a pair that was created just now
	}
	if err := r.look(ctx); err != nil {
		return false, err
	}
	if err := r.choose(ctx); err != nil {
		return false, err
	}
	return r.identity != nil && r.identity.Equal(*r.wanted()), nil
}

// mayExist reports whether the refusal of a create can mean that there is an
// identity already. How the server says so is not documented, so other refusals
// than a plain conflict are followed by a look as well.
func mayExist(refusal *gmail.Error) bool {
	return refusal.Kind == gmail.KindConflict || refusal.Kind == gmail.KindPrecondition ||
		refusal.Kind == gmail.KindInvalid && strings.Contains(strings.ToLower(refusal.Message), "exist")
}

// setIdentity looks at the identity, unless there can be none, and sets it where it
// is another.
func (r *Registration) setIdentity(ctx context.Context) error {
	before := r.identity
	if !r.isNew {
		if err := r.look(ctx); err != nil {
			return err
		}
		before = r.identity
		if err := r.choose(ctx); err != nil {
			return err
		}
	}
	want := r.wanted()
	if before != nil && before.Equal(*want) {
		return nil
	}
	if r.reliesOn && !gmail.SameIdentity(before, r.relied) {
		return r.changedByOthers()
	}
	if err := r.mayChange(ctx); err != nil {
		return err
	}
	set, action := r.account.CreateIdentity, Created
	if before != nil {
		set, action = r.account.PatchIdentity, Patched
	}
	now, err := set(ctx, *want)
	if err != nil {
		return err
	}
	r.identity, r.change = &now, Change{Action: action, Before: before}
	if len(r.Outcome().Superfluous()) > 0 && !r.isNew {
		// Whoever made the other pair may have set the identity, too.
		return r.confirm(ctx)
	}
	return nil
}

// confirm looks at the identity once more, and has the pairs serve that it uses.
func (r *Registration) confirm(ctx context.Context) error {
	if err := r.look(ctx); err != nil {
		return err
	}
	if err := r.choose(ctx); err != nil {
		return err
	}
	if r.identity == nil || !r.identity.Equal(*r.wanted()) {
		return r.changedByOthers()
	}
	return nil
}

func (r *Registration) changedByOthers() error {
	return &gmail.Error{Method: "identities.get", User: r.email, Kind: gmail.KindMismatch, Message: "the identity was changed by somebody else just now"}
}

func (r *Registration) look(ctx context.Context) error {
	identity, err := r.account.Identity(ctx)
	switch {
	case errors.Is(err, gmail.ErrNotFound):
		r.identity = nil
	case err != nil:
		return err
	default:
		r.identity = &identity
	}
	return nil
}

// choose settles which of several pairs for one certificate serve: those that the
// identity uses, else the first.
func (r *Registration) choose(ctx context.Context) error {
	for i, k := range r.keys {
		fit := r.candidates(k)
		if len(fit) == 0 {
			if err := r.stillThere(k); err != nil {
				return err
			}
			continue
		}
		best := max(0, slices.IndexFunc(fit, func(pair gmail.KeyPair) bool { return r.identity != nil && r.identity.Uses(pair.ID) }))
		if err := r.usePair(ctx, i, fit[best]); err != nil {
			return err
		}
	}
	return nil
}

// stillThere checks a pair that is not listed as it was known. One that was created
// just now may not be listed yet, but none must be listed as something else.
func (r *Registration) stillThere(k *key) error {
	for _, pair := range r.pairs {
		switch {
		case pair.ID != k.pair.ID || r.unfit[pair.ID]:
		case !pair.Enabled:
			return r.failed(pair, gmail.KindKeyPairDisabled, "key pair %s was disabled meanwhile", pair.ID)
		default:
			return r.failed(pair, gmail.KindWrongKeyPair, "key pair %s is listed as another than it was", pair.ID)
		}
	}
	return nil
}

// usePair has a pair serve for a key.
func (r *Registration) usePair(ctx context.Context, index int, pair gmail.KeyPair) error {
	k := r.keys[index]
	if k.pair.ID != pair.ID {
		k.pair, k.created = pair, false
	}
	if k.reported == pair.ID {
		return nil
	}
	return r.report(ctx, index)
}

// replace has other pairs take the place of those that were refused: of those that
// the refusal names, or of all that were not created just now. It reports whether
// there was one to replace.
func (r *Registration) replace(ctx context.Context, refusal *gmail.Error) (bool, error) {
	// What was listed may be old: the pair may have been disabled meanwhile.
	if err := r.list(ctx); err != nil {
		return false, err
	}
	named := slices.ContainsFunc(r.keys, func(k *key) bool { return strings.Contains(refusal.Message, k.pair.ID) })
	replaced := false
	for i, k := range r.keys {
		// One that the identity uses now was fit at least for that.
		fit := k.created || k.pair.ID == k.Validated || r.identity != nil && r.identity.Uses(k.pair.ID)
		if k.Use == certificate.UseHistory || fit || r.unfit[k.pair.ID] || named && !strings.Contains(refusal.Message, k.pair.ID) {
			continue
		}
		r.unfit[k.pair.ID] = true
		if others := r.candidates(k); len(others) > 0 {
			// The one that was made last: a run that was broken off may have replaced
			// the refused one already.
			if err := r.usePair(ctx, i, others[len(others)-1]); err != nil {
				return false, err
			}
		} else if r.several(k) {
			continue // another was tried already; one more would be refused, too
		} else {
			if err := r.create(ctx, k); err != nil {
				return false, err
			}
			if err := r.report(ctx, i); err != nil {
				return false, err
			}
		}
		replaced = true
	}
	return replaced, nil
}

// several reports whether there is more than one pair for the key's certificate.
func (r *Registration) several(k *key) bool { return len(ofCard(r.pairs, k.LeafSHA256)) > 1 }

func (r *Registration) createdAny() bool {
	return slices.ContainsFunc(r.keys, func(k *key) bool { return k.created })
}

// wanted is the identity that the keys ask for; nil where all are for history.
func (r *Registration) wanted() *gmail.Identity {
	want := &gmail.Identity{Email: r.email}
	for _, k := range r.keys {
		switch k.Use {
		case certificate.UseBoth:
			want.PrimaryKeyPairID = k.pair.ID
		case certificate.UseSign:
			want.SigningKeyPairID = k.pair.ID
		case certificate.UseEncrypt:
			want.EncryptionKeyPairID = k.pair.ID
		}
	}
	if *want == (gmail.Identity{Email: r.email}) {
		return nil
	}
	return want
}
