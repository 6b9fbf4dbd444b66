package hint

import (
	"cmp"
	"errors"
	"fmt"
	"strings"

	"github.com/cse-piv/cse-piv/internal/cli/failure"
	"github.com/cse-piv/cse-piv/internal/gmail"
	"github.com/cse-piv/cse-piv/internal/registered"
	"github.com/cse-piv/cse-piv/internal/registration"
)

// delegate says how the service account gets what it needs. The Admin console replaces
// the scopes that are there, so that the directory's is named beside Gmail's.
func delegate(e *gmail.Error) string {
	id := "the service account's client ID"
	switch {
	case e.ClientID != "":
		id += " " + e.ClientID
	case e.Account != "":
		id += ", which is the number that gcloud iam service-accounts describe " + e.Account + " --format='value(uniqueId)' prints,"
	}
	scopes, after := gmail.Scope, ""
	if e.Scope == gmail.DirectoryScope {
		scopes, after = gmail.Scope+","+gmail.DirectoryScope, "; or leave out --directory"
	}
	return "in the Admin console under Security > Access and data control > API controls > Manage Domain Wide Delegation, authorise " + id + " for " + scopes +
		"; a change can take up to 24 hours" + after
}

const (
	// ofOneUser begins the end of a hint that may be about one user alone.
	ofOneUser = "; of a single user, "
	// checkProxy helps where a proxy refuses, or cannot be reached.
	checkProxy = "check the proxy that HTTPS_PROXY names, and the name and password that it wants: HTTPS_PROXY=http://NAME:PASSWORD@HOST:PORT; what needs none is listed in NO_PROXY"
)

// ofChange is about changes of what Gmail has that somebody asked for by hand.
func (h hints) ofChange(err error) string {
	if agree, found := errors.AsType[*failure.ConfirmError](err); found {
		verb := "add"
		if agree.Given != "" {
			verb = "type"
		}
		add := verb + " --" + cmp.Or(agree.Flag, "confirm") + " " + agree.Want
		if agree.Users > 0 {
			add += ", which is how many users lose something"
		}
		if agree.Cut() {
			return add + "; to see first all that it does: the same with --dry-run"
		}
		return add
	}
	if other, found := errors.AsType[*registration.OtherAddressError](err); found {
		return fmt.Sprintf("look which: cse-piv identity list %s; delete it under that address: cse-piv identity delete FORMER-ADDRESS; then %s", other.Email, h.again)
	}
	if disabled, found := errors.AsType[*registered.DisabledError](err); found {
		return "enable it first: cse-piv keypair enable EMAIL " + disabled.ID
	}
	switch {
	case failure.Is[*registered.EnabledError](err):
		return "disable it first, after looking what that stops: cse-piv keypair disable EMAIL KEYPAIR-ID --dry-run"
	case failure.Is[*registered.UnknownKeyPairError](err):
		return "look which ones there are: cse-piv keypair list EMAIL"
	case failure.Is[*registered.ChangedError](err):
		return "look at what there is now, with cse-piv status EMAIL, and " + h.again
	}
	return ""
}

// ofGmail is about what Gmail, its token endpoint and the way to them answer.
func (h hints) ofGmail(err error) string {
	e, found := errors.AsType[*gmail.Error](err)
	if !found {
		return ""
	}
	if hint := h.ofGmailDetail(e); hint != "" {
		return hint
	}
	switch {
	case e.Kind == gmail.KindScope:
		return delegate(e)
	case e.Kind == gmail.KindRateLimited && !e.RetryAt.IsZero():
		return h.again + " after " + e.RetryAt.UTC().Format("2006-01-02 15:04:05 UTC")
	case e.Kind == gmail.KindAlias:
		return "give the primary address, " + e.Primary + ", and a certificate that names it"
	case e.Kind == gmail.KindKeyPairDisabled:
		return fmt.Sprintf("if it was disabled by mistake, and not because its card is lost, enable it again with: cse-piv keypair enable %s %s", e.User, e.KeyPairID)
	case e.Kind == gmail.KindInvalid && e.Method == "keypairs.create":
		return "Gmail does not take this certificate or its chain: a dry run of cse-piv batch names what is wrong with them"
	case e.Kind == gmail.KindInvalid && strings.HasPrefix(e.Method, "identities."):
		return "the identity does not take these key pairs: look at the user's with cse-piv status"
	case e.Kind == gmail.KindInvalid:
		return "correct what the message says is wrong with the request"
	case e.Kind == gmail.KindPrecondition && strings.HasPrefix(e.Method, "identities."):
		return "an identity takes key pairs that are enabled, were created with chain validation, and whose certificates are valid and not revoked: look at the user's with cse-piv status"
	case e.Kind == gmail.KindOther:
		return ""
	}
	return h.ofReason(string(e.Kind))
}

func (h hints) ofGmailDetail(e *gmail.Error) string {
	switch e.Detail {
	case gmail.DetailIntermediary:
		return "something on the way answers in the server's place: check the endpoint and the proxy; where a proxy of yours opens TLS, name its authority with --gmail-ca FILE"
	case gmail.DetailProxy:
		return checkProxy
	case gmail.DetailAccountGone:
		return "the user's account was deleted or suspended: restore it in the Admin console, or leave the user out"
	case gmail.DetailNoCredentials:
		return h.either("name a service account with domain-wide delegation: --impersonate ADDRESS, to act through it without a key, or --credentials FILE, its key file; or CSE_PIV_IMPERSONATE, CSE_PIV_CREDENTIALS; users themselves log in with --self",
			atStart+"--impersonate ADDRESS, of a service account with domain-wide delegation, or --credentials FILE, its key file")
	case gmail.DetailSigner:
		if hint := h.ofCard(e.Err); hint != "" {
			return "this is about the card with the service account's key: " + hint
		}
		return "name the slot with its RSA key with --key-slot, and the card with --key-serial"
	case gmail.DetailOAuthClient:
		return "users who enroll themselves give such a file with --self --client FILE; for others create a key of the service account, or act through it without one: --impersonate ADDRESS"
	case gmail.DetailClient:
		return "create a client of the type Desktop app in the Google Cloud console under APIs & Services > Credentials, and download its file"
	case gmail.DetailConsent:
		return h.again + ", and allow it at the browser; where the organisation forbids it, an administrator trusts the client in the Admin console under Security > Access and data control > API controls > Manage Third-Party App Access"
	case gmail.DetailLoginState:
		return h.again + ", and use only the link that it prints: another page may have tried to answer in its place"
	case gmail.DetailLoginTimeout:
		return h.again + ", and open the link that it prints in a browser on this machine"
	case gmail.DetailLoginRevoked:
		return h.again + ", and log in again: the consent was taken back, or ran out"
	case gmail.DetailNotLoggedIn:
		return "log in once with a command that asks for it, and keep the login: cse-piv keypair list EMAIL --self --client FILE --keep-login"
	case gmail.DetailLoginScope:
		return h.again + ", and allow all that is asked for: " + gmail.Scope
	case gmail.DetailOtherLogin:
		return "log in as the user who is to be enrolled; for others, an administrator uses a service account: --impersonate ADDRESS"
	case gmail.DetailMachineFile:
		return "name this file in the environment variable GOOGLE_APPLICATION_CREDENTIALS, and the service account with --impersonate ADDRESS"
	case gmail.DetailMachine:
		return "log in with gcloud auth application-default login, or name a file of workload identity federation in the environment variable GOOGLE_APPLICATION_CREDENTIALS"
	case gmail.DetailTokenCreator:
		return "give the credentials of this machine roles/iam.serviceAccountTokenCreator on the service account: gcloud iam service-accounts add-iam-policy-binding ADDRESS --member=user:YOU --role=roles/iam.serviceAccountTokenCreator"
	case gmail.DetailTokenEndpoint:
		return "something else answers there: check the proxy settings, such as HTTPS_PROXY, and the \"token_uri\" of the credentials"
	case gmail.DetailOtherDomain:
		return delegate(e) + ofOneUser + "the address may be of a domain that is not this organisation's"
	case gmail.DetailDirectoryAdmin:
		return "name with --directory an administrator whose role has the privilege Users > Read (Admin console > Account > Admin roles); or leave it out"
	case gmail.DetailDirectoryAPI:
		return "enable the Admin SDK API in the Google Cloud project of the service account; or leave out --directory"
	case gmail.DetailDirectoryOther:
		return "check the domain of the address: it is of another organisation, or of an organisational unit that is not the administrator's"
	case gmail.DetailClock:
		return "the clock of this machine is wrong: set it, then try again"
	case gmail.DetailKeyGone:
		return "the key was deleted or belongs to another account: create a new key for the service account; where the key is on a card, upload its certificate: gcloud iam service-accounts keys upload"
	case gmail.DetailKeyUnknown:
		return "upload the certificate of this key: gcloud iam service-accounts keys upload; or name the slot with the service account's key with --key-slot, and the card with --key-serial"
	case gmail.DetailServiceAccountGone:
		return "the service account was deleted or disabled" + ofOneUser + "the user's account may be suspended"
	case gmail.DetailGrant:
		return "check the key file, the clock of this machine, and that " + delegate(e)
	}
	return ""
}
