package describe

import (
	"fmt"

	"github.com/cse-piv/cse-piv/internal/format"
	"github.com/cse-piv/cse-piv/internal/registered"
)

// Effect says in sentences what a change at Gmail would take from a user, or give; email
// is the user's.
func Effect(email string, effect registered.Effect) []string {
	var lines []string
	add := func(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)) }
	back := "until it is enabled again"
	if effect.ForEver {
		back = "ever again, whatever anybody does"
	}
	switch effect.Verb {
	case registered.VerbSet:
		if effect.Before == nil {
			add("%s has no identity; it will be one that %s", email, Identity(&effect.Identity))
			break
		}
		add("%s: the identity %s; it will be one that %s", email, Identity(effect.Before), Identity(&effect.Identity))
		add("the key pairs used before stay as they are, so that old mail stays readable with their card")
	case registered.VerbDelete:
		add("%s can no longer sign or encrypt mail, and others can no longer encrypt to %[1]s, until an identity is set again", email)
		add("the key pairs stay as they are, so that old mail stays readable with their card")
	case registered.VerbDisable, registered.VerbObliterate:
		if effect.StopsReading {
			if !effect.AllowedFrom.IsZero() {
				add("Gmail allows it from %s UTC on, 30 days after %s was disabled", effect.AllowedFrom.UTC().Format("2006-01-02 15:04"), effect.KeyPairID)
			}
			add("%s cannot read mail that was encrypted to %s, old mail too, %s", email, effect.KeyPairID, back)
		}
		switch {
		case effect.StopsSigning && effect.StopsEncrypting:
			add("it is the key pair of the identity: %s can no longer sign, and nobody can encrypt to %[1]s", email)
		case effect.StopsSigning:
			add("it is the key pair that the identity signs with: %s can no longer sign", email)
		case effect.StopsEncrypting:
			add("it is the key pair that others encrypt to: nobody can encrypt to %s", email)
		}
	}
	return lines
}

// Effects says of how many users changes at Gmail would take something; effects has one for
// each user.
func Effects(effects []registered.Effect) string {
	count := func(has func(registered.Effect) bool) (n int) {
		for _, effect := range effects {
			if has(effect) {
				n++
			}
		}
		return n
	}
	text := "of " + format.Count(len(effects), "user")
	for _, loss := range []struct {
		n    int
		what string
	}{
		{count(func(e registered.Effect) bool { return e.StopsSigning }), "can no longer sign"},
		{count(func(e registered.Effect) bool { return e.StopsEncrypting }), "cannot be encrypted to any more"},
		{count(func(e registered.Effect) bool { return e.StopsReading && !e.ForEver }), "cannot read mail that was encrypted to a key pair, until it is enabled again"},
		{count(func(e registered.Effect) bool { return e.StopsReading && e.ForEver }), "can never again read mail that was encrypted to a key pair"},
	} {
		if loss.n > 0 {
			text += fmt.Sprintf(", %s %s", format.Number(loss.n), loss.what)
		}
	}
	return text
}
