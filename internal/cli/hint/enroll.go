package hint

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/cse-piv/cse-piv/internal/cli/failure"
	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/evidence"
	"github.com/cse-piv/cse-piv/internal/format"
	"github.com/cse-piv/cse-piv/internal/issuer"
	"github.com/cse-piv/cse-piv/internal/issuer/ca"
	"github.com/cse-piv/cse-piv/internal/safetext"
)

// ofEnrollment is about what stops an enrollment.
func (h hints) ofEnrollment(err error) string {
	if missing, found := errors.AsType[*enroll.MissingError](err); found {
		switch {
		case missing.Question == enroll.QuestionEscrow:
			return h.with(h.answeringFlag(missing))
		case h.desk:
			return h.again + ", and answer what is asked"
		}
		if h.has("yes") {
			return "add " + h.answeringFlag(missing) + " (--yes asks nothing)"
		}
		return "add " + h.answeringFlag(missing)
	}
	if conflict, found := errors.AsType[*enroll.ConflictError](err); found {
		hint := h.either("leave out what differs, and it goes on with what is there", "in the plan choose what was begun, and it goes on with what is there")
		if len(conflict.Keys) > 0 {
			hint += "; only if the present key may be lost for ever, and with it the mail that only it can decrypt: " +
				h.with("--replace "+strings.Join(conflict.Keys, ",")) + h.either(fmt.Sprintf(" --confirm %d", conflict.Serial), "")
		}
		return hint
	}
	if other, found := errors.AsType[*enroll.OtherCardConfirmedError](err); found {
		return h.either("", atStart) + fmt.Sprintf("--confirm %d agrees to it for the card that is there; put the other one in if that is the one you mean", other.Serial)
	}
	if other, found := errors.AsType[*enroll.OtherCardError](err); found {
		cards := strings.Join(other.Cards, " and ")
		return fmt.Sprintf("to have Gmail move from %s to card %d %s; the key pairs of %s stay enabled, so that old mail stays readable with it", cards, other.Serial, h.either("add --replace-card", h.again+" and agree to it"), cards)
	}
	if other, found := errors.AsType[*enroll.OtherKeyError](err); found && other.Where == enroll.InTheSlot {
		return "choose another slot, or have whoever issued the card put the certificate of this key there; to look: cse-piv card show"
	}
	if broken, found := errors.AsType[*evidence.JournalError](err); found {
		return fmt.Sprintf("move the folder %s away: the enrollment begins anew then, and asks before a key that is there is lost", broken.Folder)
	}
	if hint := h.ofRenewal(err); hint != "" {
		return hint
	}
	if hint := h.ofOtherUser(err); hint != "" {
		return hint
	}
	switch {
	case failure.Is[*enroll.NewPINError](err):
		return h.either("give another PIN with "+h.newPIN()+": 6 to 8 characters, and no row that is easily guessed", "choose another PIN")
	case failure.Is[*enroll.LimitedUseError](err):
		return h.either("to register a key that signs and one that decrypts add --layout split; to register this one alone add --allow-limited-use", "in the plan choose two keys: one that signs, and one that decrypts")
	case failure.Is[*enroll.NotAsAskedError](err):
		return "have the issuer sign the request once more, as it stands in the evidence folder, then " + h.again + "; the key stays on the card"
	case failure.Is[*enroll.OtherKeyError](err):
		return "have the issuer sign the request that is in the evidence folder"
	case failure.Is[*enroll.NoAttestationError](err):
		return attestingCard
	case failure.Is[*enroll.NotNewError](err):
		return h.either("give the PIN that the card has, without --new-card", "try again, and type the PIN that the card has") + "; a forgotten one is replaced with the PUK: " + h.unblock()
	case failure.Is[*enroll.PerhapsNewError](err):
		return "check the PIN; if the card is new, as it left the factory, " + h.either("add --new-card", h.again+", and say so when it is asked") + ": its firmware does not tell"
	case failure.Is[*enroll.AttestedError](err):
		return "ask for what the key has, or have another generated in its place; a card that says one thing and attests another is not to be used"
	case failure.Is[*enroll.IssuerChangedError](err):
		return h.either("name the same issuer as before; or add --change-issuer to have the new one asked as well", h.again+" and agree to have the new one asked as well, or start again with the --issuer that was asked before")
	case failure.Is[*enroll.OccupiedError](err):
		return h.either("to use the existing key and certificate add --source existing; to replace them for ever add --overwrite", "in the plan choose the key that is on the card, or a new one in its place")
	case failure.Is[*enroll.EmptyError](err):
		return h.either("to generate one, leave out --source existing", "in the plan choose a new key, made on the card")
	case failure.Is[*enroll.OtherAddressError](err):
		return "use the card that was issued for this user, or generate a new key"
	}
	return hintOf(err, []sentinel{
		{enroll.ErrUnattested, "generate a key on the card instead; or " + h.either("accept this one with --allow-unattested", h.again+" and agree to take this one")},
		{enroll.ErrNoIssuer, h.with("--issuer file, --issuer local, --issuer step-ca, or --issuer URL of an EST server")},
	})
}

// ofIssuer is about certificates that are asked for.
func (h hints) ofIssuer(err error) string {
	if waits := issuer.Waits(err); len(waits) > 0 {
		switch waiting := waits[0]; {
		case waiting.Dir != "":
			var each []string
			for _, wait := range waits {
				if wait.Found != nil {
					each = append(each, fmt.Sprintf("have %s signed again, and put the new certificate beside it under any name", wait.Request))
					continue
				}
				each = append(each, fmt.Sprintf("have %s signed, and put the certificate beside it as %s", wait.Request, wait.Expected))
			}
			return strings.Join(each, "; ") + "; then " + h.again
		case waiting.RetryAfter > 0:
			return fmt.Sprintf("%s in %s", h.again, format.Duration(waiting.RetryAfter))
		}
		return h.again + " when the CA has approved the request"
	}
	if other, found := errors.AsType[*issuer.OtherKeyError](err); found {
		return "if it is of an earlier key, move it away; the certificate wanted is the one for " + other.Request
	}
	switch {
	case errors.Is(err, ca.ErrKeyPassword):
		return h.give("the password or PIN", "--ca-key-password-file FILE") + ", or leave that out and be asked on a terminal"
	case errors.Is(err, ca.ErrLastTry):
		return "sign in with the token's own software first: the right PIN gives it all its tries again"
	case errors.Is(err, ca.ErrKeyURI):
		return h.either("give ", atStart) + "--ca-key as a file in PEM, pkcs11:module-path=FILE;token=NAME;object=NAME?pin-source=FILE or yubikey:serial=N;slot-id=9c?pin-source=FILE"
	}
	if open, found := errors.AsType[*ca.OpenKeyError](err); found {
		return "chmod 600 " + open.Path
	}
	if failure.Is[*safetext.ProxyError](err) {
		return checkProxy
	}
	if failure.Is[*issuer.UnreachableError](err) {
		return "check the address of the EST server, the network and the proxy settings, then " + h.again
	}
	if refused, found := errors.AsType[*issuer.TLSError](err); found {
		if refused.RefusedByServer() {
			return h.give("the client certificate and key that the server trusts", "--issuer-cert FILE and --issuer-key FILE")
		}
		return "check the address of the issuer's server, and that this system trusts the authority of its TLS certificate; or " + h.either("name that with", "start again with that in") + " --issuer-ca FILE"
	}
	switch {
	case failure.Is[*ca.MissingError](err):
		return "make a CA: cse-piv ca init; or name its folder with --dir"
	case errors.Is(err, ca.ErrUnknownSerial):
		return "look what was issued: cse-piv ca list"
	case failure.Is[*issuer.RootError](err):
		return h.either("check ", atStart+"the right ") + "--issuer-url and --issuer-fingerprint; on the CA's own machine: step certificate fingerprint root_ca.crt"
	case errors.Is(err, issuer.ErrProvisionerPassword):
		return h.either("give the password that the provisioner was made with: ", atStart+"the password that the provisioner was made with: ") + "--issuer-password-file FILE"
	case failure.Is[*issuer.ProvisionerError](err):
		return h.either("name one of the CA's provisioners with ", atStart+"one of the CA's provisioners in ") + "--issuer-provisioner: one of the type JWK for step-ca, one of the type ACME with device-attest-01 for step-ca-acme"
	case errors.Is(err, issuer.ErrNoKey):
		return "put the card in and " + h.again
	case failure.Is[*issuer.NotAttestedError](err):
		return "take a key of RSA 2048 or P-256 that was generated on a YubiKey with firmware 5 or later, or " + h.either("", atStart) + "--issuer step-ca with a password"
	}
	if answer, found := errors.AsType[*issuer.AnswerError](err); found {
		return h.ofAnswer(answer)
	}
	return hintOf(err, []sentinel{{issuer.ErrOtherRequest, "move it away if it is no longer needed, then " + h.again}})
}

// ofAnswer is about what a server answered that is no certificate.
func (h hints) ofAnswer(answer *issuer.AnswerError) string {
	switch {
	case answer.Location != "":
		return "give the address that it leads to as the issuer's, if that is the right server; a proxy may have sent you to its sign-in page"
	case answer.Status == http.StatusUnauthorized:
		return h.either("check --issuer-user and its password, or show a client certificate with ", atStart+"the right --issuer-user and password, or with a client certificate: ") + "--issuer-cert and --issuer-key"
	case answer.Status == http.StatusForbidden:
		return "have the CA's people allow this request: they see it in their log"
	case answer.HTML:
		return "a proxy or a sign-in page answered in place of the CA: check the address and HTTPS_PROXY"
	case answer.Status == http.StatusNotFound:
		return "check the address of the issuer's server"
	case answer.Status == http.StatusBadRequest:
		return "the CA does not take this request: its message says why"
	}
	return h.again + "; if it stays so, tell the CA's people what it answered"
}

// answeringFlag returns the flags that answer a question beforehand.
func (h hints) answeringFlag(missing *enroll.MissingError) string {
	switch missing.Question {
	case enroll.QuestionPIN:
		return h.those("--pin-file FILE", "--pin-fd N")
	case enroll.QuestionManagementKey:
		return h.those("--management-key-file FILE", "--management-key-fd N", "--escrow-identity FILE")
	case enroll.QuestionNewCard:
		return "--new-card"
	case enroll.QuestionUnattested:
		return "--allow-unattested"
	case enroll.QuestionNoPIN:
		return h.those("--allow-pin-never", "--pin-policy once for a key that is generated")
	case enroll.QuestionOccupied:
		return h.those("--source existing", "--overwrite")
	case enroll.QuestionOverwrite:
		return "--confirm " + missing.Want
	case enroll.QuestionReplaceCard:
		return "--replace-card"
	case enroll.QuestionChangeIssuer:
		return "--change-issuer"
	case enroll.QuestionEscrow:
		return h.those("--escrow-to RECIPIENT (sealed with age)", "--escrow-plain (a file only you can read)")
	}
	return "nothing, but leave out --yes, and answer"
}

// ofOtherUser is about a card that Gmail uses for somebody else.
func (h hints) ofOtherUser(err error) string {
	var email, other string
	if occupied, found := errors.AsType[*enroll.OccupiedError](err); found {
		email, other = occupied.Email, occupied.UsedFor
	}
	if named, found := errors.AsType[*enroll.OtherAddressError](err); found {
		email, other = named.Email, named.UsedFor
	}
	if other == "" {
		return ""
	}
	return fmt.Sprintf("put the card of %s in; only if %s is not to use this one any more, end that first: cse-piv leave %[2]s, or, of a card that was enrolled for the wrong person, cse-piv undo %[2]s", email, other)
}
