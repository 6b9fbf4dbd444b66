package hint

import (
	"errors"

	"github.com/cse-piv/cse-piv/internal/batch"
	"github.com/cse-piv/cse-piv/internal/batch/prepare"
	"github.com/cse-piv/cse-piv/internal/batch/source"
	"github.com/cse-piv/cse-piv/internal/cli/failure"
	"github.com/cse-piv/cse-piv/internal/gmail"
	"github.com/cse-piv/cse-piv/internal/ledger"
)

// ofBatch is about batches, their sources and the rows of those.
func (h hints) ofBatch(err error) string {
	if nobody, found := errors.AsType[*failure.NobodyError](err); found {
		if nobody.Only {
			return "an address stands there as in the source, in any case; * stands for any part: --only '*@sales.example.com'"
		}
		return "a folder has files like user@example.com.p7pem, a manifest a line for each user; for a directory look at --ldap-base and --ldap-filter"
	}
	if failed, found := errors.AsType[*failure.BatchError](err); found {
		switch {
		case failed.DryRun && failed.Reported:
			return "correct those in the source; the others can be registered all the same: leave out --dry-run"
		case failed.DryRun:
			return "see who and why with --report FILE.html; the others can be registered all the same: leave out --dry-run"
		case failed.Reported:
			return "correct what the report says and " + h.again + "; who is done is not done again"
		}
		return "see who and why with: cse-piv report -o failures.html; then " + h.again
	}
	if failure.Is[*failure.NoRunError](err) {
		return "a dry run records nothing and writes its report itself: cse-piv batch SOURCE --dry-run --report FILE.html; without --dry-run there is a run to report; a ledger in another place is named with --store"
	}
	if errors.Is(err, ledger.ErrNoRun) {
		return "look which there are: cse-piv report --list"
	}
	if fault, found := errors.AsType[*prepare.Fault](err); found {
		return h.ofReason(fault.Reason)
	}
	if broken, found := errors.AsType[*source.Error](err); found {
		if broken.Expected != "" {
			return broken.Expected
		}
		return h.ofReason(broken.Reason)
	}
	switch {
	case failure.Is[*batch.InternalError](err):
		return h.ofReason("internal")
	case failure.Is[*batch.InterruptedError](err):
		return h.again + " to go on; what was done is not done again"
	case failure.Is[*batch.TakenOverError](err):
		return "see what became of them there: cse-piv report; or " + h.again + " when that has ended"
	case failure.Is[*source.LostError](err):
		return h.again
	}
	return ""
}

// OfReason returns what helps against a reason of [batch.Reasons], "" for others.
func OfReason(reason string) string { return onTheCommandLine().ofReason(reason) }

func (h hints) ofReason(reason string) string {
	return map[string]string{
		"row-malformed":             "correct the line that is named",
		"row-too-long":              "look for a quote that is missing at a cell's end",
		"row":                       "correct what the message says",
		"address-missing":           "give the user's primary address",
		"address":                   "write the user's primary address alone, such as user@example.com",
		"address-twice":             "remove the row that is wrong",
		"description-too-long":      "shorten it",
		"use":                       "say both, sign, encrypt or history",
		"certificate-missing":       "add a certificate, or leave the user out",
		"certificate-unreadable":    "give the certificate as PEM, DER or PKCS#7, without a private key",
		"certificate-password":      "give the password of the PKCS#12 files with --password-file FILE, or their certificates alone: openssl pkcs12 -in FILE -nokeys -out FILE.pem",
		"certificate-unsupported":   "name others with --ldap-attributes",
		"certificate-too-large":     "give the user's chain alone",
		"certificate-outside":       "put the file into the folder, or allow this with --allow-outside",
		"certificate-twice":         "give one certificate for both uses, or one for signing and one for encryption: those that are on the card",
		"certificate-not-chosen":    "look at what --choose-issuer and --choose-policy ask for",
		"pair-incomplete":           "give one certificate for both uses, or one for signing and one for encryption",
		"limited-use":               "register a key that signs and one that decrypts: --layout split where one file has both certificates, signing_certificate and encryption_certificate in a manifest, ADDRESS.sign.pem and ADDRESS.encrypt.pem in a folder; --allow-limited-use takes the one alone",
		"leaf-ambiguous":            "leave only the one that is on the card, and its chain, in the file; or say which it is with --choose-issuer or --choose-policy",
		"chain":                     "correct what the message says",
		"chain-empty":               "give the user's certificate",
		"chain-no-leaf":             "give the user's own certificate, not only the authorities'",
		"chain-issuer":              "give the authorities' certificates with --chain FILE",
		"chain-signature":           "give the right authority's certificate with --chain FILE",
		"chain-algorithm":           "ask those who issued it for a certificate that is signed with RSA or ECDSA and SHA-256, all along the chain",
		"chain-no-root":             "give the authorities' certificates, up to the root, with --chain FILE",
		"chain-after-root":          "remove what follows the root",
		"chain-expired":             "ask the authority for a certificate that is valid now; an expired one can be given as history",
		"chain-not-yet-valid":       "wait until it is valid, or set this machine's clock",
		"chain-not-ca":              "give the right authority's certificate with --chain FILE",
		"chain-revoked":             "ask the CA why it was revoked, and for another certificate",
		"chain-revocation-required": "try again when the address of the revocation list answers, or with --revocation soft",
		"chain-path-length":         "ask the authority for a certificate and chain without this fault",
		"chain-extended-key-usage":  "give the certificate that is for mail; others on the card are for logging in",
		"chain-constraints":         "ask the authority for a certificate and chain without this fault",
		"chain-no-intermediate":     "ask for certificates of an authority below the root",
		"leaf-self-signed":          "ask an S/MIME authority for a certificate",
		"leaf-key-type":             "ask an S/MIME authority for a certificate with a key of RSA 2048, 3072 or 4096, P-256 or P-384",
		"leaf-key-mismatch":         "give the certificate of the key that is on the card",
		"leaf-address":              "check the address: it must be the user's primary one, and stand in the certificate",
		"root-key-type":             "ask for certificates below another root",
		"intermediate-key-type":     "ask for certificates of another authority",
		"alias":                     "give the user's primary address, and a certificate that names it",
		"suspended":                 "restore the account in the Admin console under Directory > Users, or leave the user out",
		"archived":                  "restore the account in the Admin console under Directory > Users, or leave the user out",
		"no-mailbox":                "give the user a licence with Gmail and switch Gmail on for them in the Admin console, and wait until the mailbox is made; or leave the user out",
		"invalid":                   "its message says what; see that the domain trusts the root, with a validation profile that takes such certificates (Admin console > Apps > Google Workspace > Gmail)",
		"cse-off":                   "turn on client-side encryption for Gmail for the user's organisational unit or group (Admin console > Data > Compliance > Client-side encryption); it can take up to 24 hours to work",
		"denied":                    "an administrator's policy refuses this: check that the user's edition includes client-side encryption with hardware keys",
		"scope":                     delegate(new(gmail.Error)),
		"credentials":               "give a service-account key file that is still valid: Google Cloud console > IAM & Admin > Service accounts > Keys",
		"api-disabled":              "enable the Gmail API in the Google Cloud project of the service account",
		"no-user":                   "check the spelling: it must be the primary address of a user of the domain that delegated to this service account",
		"key-pair-disabled":         "enable it again with cse-piv keypair enable, if it was not meant",
		"wrong-key-pair":            "the server does not do what the Gmail API does: check the endpoint, and look at the user with cse-piv status before you " + h.again,
		"precondition":              "check that the user has Gmail switched on and that the key pair is enabled and valid",
		"not-found":                 "look at the user with cse-piv status, and " + h.again,
		"other":                     "its message says what",
		"internal":                  "report it with this message, please; the others are not concerned",
		"rate-limited":              h.again + " in some minutes, or after the time that is named",
		"unavailable":               "check the network and the proxy settings, then " + h.again,
		"protocol":                  "something other than the Gmail API may have answered: check the endpoint and the proxy settings, then " + h.again,
		"conflict":                  h.again + ": somebody else changed the user just now",
		"mismatch":                  "another administrator or program may be changing this user: look with cse-piv status, then " + h.again,
	}[reason]
}
