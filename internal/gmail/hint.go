package gmail

import (
	"fmt"
	"strings"

	"github.com/cse-piv/cse-piv/internal/safetext"
)

const delegationHint = "in the Admin console under Security > API controls > Domain-wide delegation, authorise the service account's client ID for " + Scope +
	"; a change can take some minutes"

const goneHint = "the user's account was deleted or suspended: restore it in the Admin console, or leave the user out"

// Hint says what to do about the error, in one sentence, or "".
func (e *Error) Hint() string {
	if e.hint != "" {
		return e.hint
	}
	switch e.Kind {
	case KindCSEOff:
		return "turn on client-side encryption for Gmail for the user's organisational unit or group (Admin console > Data > Compliance > Client-side encryption); it can take up to 24 hours to work"
	case KindScope:
		return delegationHint
	case KindCredentials:
		return "give a service-account key file that is still valid: Google Cloud console > IAM & Admin > Service accounts > Keys"
	case KindNoUser:
		return "check the spelling: it must be the primary address of a user of the domain that delegated to this service account"
	case KindAPIDisabled:
		return "enable the Gmail API in the Google Cloud project of the service account"
	case KindRateLimited:
		if !e.RetryAt.IsZero() {
			return fmt.Sprintf("run the same command again after %s", e.RetryAt.UTC().Format("2006-01-02 15:04:05 UTC"))
		}
		return "run the same command again in some minutes"
	case KindUnavailable:
		return "check the network and the proxy settings, then run the same command again"
	case KindDenied:
		return "an administrator's policy refuses this: check that the user's edition includes client-side encryption with hardware keys"
	case KindProtocol:
		return "something other than the Gmail API may have answered: check the endpoint and the proxy settings"
	case KindKeyPairDisabled:
		return "enable it again with the Gmail API: " + callText("enable", e.User, e.KeyPairID)
	case KindWrongKeyPair:
		return "the server does not do what the Gmail API does: check the endpoint, and look at the user with cse-piv status before you run the same command again"
	case KindMismatch:
		return "another administrator or program may be changing this user: look with cse-piv status, then run the same command again"
	case KindInvalid:
		switch e.Method {
		case "keypairs.create":
			return "Gmail does not take this certificate or its chain: a dry run of cse-piv batch names what is wrong with them"
		case "identities.create", "identities.patch":
			return "the identity does not take these key pairs: look at the user's with cse-piv status"
		}
		return "correct what the message says is wrong with the request"
	case KindPrecondition:
		if strings.HasPrefix(e.Method, "identities.") {
			return "an identity takes key pairs that are enabled, were created with chain validation, and whose certificates are valid and not revoked: look at the user's with cse-piv status"
		}
		return "check that the user has Gmail switched on and that the key pair is enabled and valid"
	}
	return ""
}

// DisableCall is the call of the Gmail API that disables a key pair, in words for
// a person. This program has no command for it.
func DisableCall(user, id string) string { return callText("disable", user, id) }

func callText(verb, user, id string) string {
	return fmt.Sprintf("users.settings.cse.keypairs.%s with userId %s, keyPairId %s", verb, safetext.Message(user), safetext.Message(id))
}
