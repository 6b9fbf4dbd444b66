// Package hint says what to type next after an error. It is the only place that does:
// other packages say in types what is wrong.
package hint

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cse-piv/cse-piv/internal/cli/failure"
	"github.com/cse-piv/cse-piv/internal/desk"
	"github.com/cse-piv/cse-piv/internal/durable"
	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/escrow"
	"github.com/cse-piv/cse-piv/internal/evidence"
	"github.com/cse-piv/cse-piv/internal/maintenance"
	"github.com/cse-piv/cse-piv/internal/piv"
	"github.com/cse-piv/cse-piv/internal/spreadsheet"
	"github.com/cse-piv/cse-piv/internal/tui"
)

// For returns what to type next after an error, in one sentence, or "".
func For(err error) string {
	return onTheCommandLine().of(err)
}

func onTheCommandLine() hints {
	return hints{again: "run the same command again"}
}

// AtDesk returns the same as [For] for somebody at a desk, who need not type a command again.
func AtDesk(err error) string {
	return hints{again: "try again", desk: true}.of(err)
}

// hints is the one place that says what to do about an error: the other packages say
// in types what is wrong.
type hints struct {
	again string // how the same thing is tried again
	desk  bool   // somebody at a desk is told, who answers there and types no flags
	// command is what was typed; nil where it is not known.
	command *cobra.Command
}

// either returns what helps on the command line, or at a desk.
func (h hints) either(command, desk string) string {
	if h.desk {
		return desk
	}
	return command
}

// with is the hint that flags help: at a desk they can be given at its start only.
func (h hints) with(flags string) string {
	return h.either("add ", atStart) + flags
}

// give is the hint that a flag's value is missing or wrong.
func (h hints) give(what, flag string) string {
	if name, _, _ := strings.Cut(strings.TrimPrefix(flag, "--"), " "); !h.has(name) {
		return "give " + what
	}
	return h.either("give "+what+" with "+flag, atStart+what+" in "+flag)
}

// risk is how the last try of a PIN is agreed to.
func (h hints) risk() string {
	switch {
	case h.desk:
		return "to use the last try, try again and agree"
	case h.has("yes"):
		return "the last try is used only where you can be asked: on a terminal, without --yes"
	}
	return "the last try is used only where you can be asked: on a terminal"
}

// unblock is how a new PIN is set with the PUK.
func (h hints) unblock() string {
	return h.either("cse-piv card pin unblock", "at the card choose more, and there a new PIN")
}

// attestingCard is which cards can attest a key.
const attestingCard = "use a YubiKey with firmware 4.3.5 or later, better 5.3 or later"

// atStart begins what flags have to be given anew for.
const atStart = "start again with "

func (h hints) of(err error) string {
	for _, of := range []func(error) string{h.ofUsage, h.ofChecks, h.ofConfig, h.ofEnrollment, h.ofIssuer, h.ofBatch, h.ofLedger, h.ofChange, h.ofTermination, h.ofGmail, h.ofService, h.ofCard, h.ofCertificates, h.ofFiles} {
		if hint := of(err); hint != "" {
			return hint
		}
	}
	return ""
}

// sentinel is an error that is told by comparing, and what to do about it.
type sentinel struct {
	err  error
	hint string
}

func hintOf(err error, of []sentinel) string {
	for _, s := range of {
		if errors.Is(err, s.err) {
			return s.hint
		}
	}
	return ""
}

// ofCard is about cards and readers.
func (h hints) ofCard(err error) string {
	unblock := h.unblock()
	if unsupported, found := errors.AsType[*maintenance.UnsupportedKeyError](err); found {
		if unsupported.OtherCard() {
			return "import it into a card that takes such keys, or leave this file out"
		}
		return "leave this file out: such a key is not put onto a card"
	}
	if missing, found := errors.AsType[*failure.MissingSecretError](err); found {
		flags := []string{"--" + missing.Flag + "-file FILE", "--" + missing.Flag + "-fd N"}
		if missing.Flag == "management-key" {
			return "add " + h.those(flags...) + h.after("; or open the escrow with ", "--escrow-identity FILE")
		}
		return "add " + h.those(flags...)
	}
	if perhaps, found := errors.AsType[*failure.PerhapsChangedError](err); found {
		return fmt.Sprintf("put the card back in and %s: if the old %s is wrong then, the card has the new one", h.again, perhaps.What)
	}
	switch {
	case failure.Is[*failure.SigningCardError](err):
		return h.either("put the user's card in as well; where there are several, name it with --serial SERIAL", "put the user's card in; where there is one reader, in its place")
	case failure.Is[*piv.SeveralCardsError](err):
		return h.either("say which one with --serial SERIAL; or leave only one in", "choose one of them, or leave only one in")
	case failure.Is[*piv.FactoryError](err):
		return h.ofFactory(err)
	case failure.Is[*maintenance.RecordError](err):
		return "the card got another PUK since: " + h.give("that one", "--puk-file FILE") + h.either(" or --puk-fd N", "") + "; what other records there are: cse-piv escrow list; " + h.risk()
	case isAboutPUK(err):
		return "check the PUK; which record of the escrow has the card's: cse-piv escrow list; " + h.risk()
	case failure.Is[*piv.EmptySlotError](err), errors.Is(err, piv.ErrEmptySlot):
		return "look which slots hold a key: cse-piv card show" + h.slot()
	case failure.Is[*piv.WrongPINError](err):
		return "check the PIN and " + h.again + "; a forgotten one is replaced with the PUK: " + unblock
	case failure.Is[*piv.LastTryError](err):
		return h.risk() + "; or replace the PIN with the PUK: " + unblock
	case failure.Is[*piv.PolicyError](err):
		return h.either("choose another policy with --pin-policy: default, once or always", "choose another PIN policy in the plan")
	case failure.Is[*enroll.TriesError](err):
		return "leave out --pin-tries and --puk-tries; or bring the card back to as it left the factory, which loses its keys: cse-piv card reset"
	case failure.Is[*piv.PrintedError](err):
		return h.either("leave out --protect-management-key", atStart+"the same, and leave out --protect-management-key") + ": the management key is sealed then, and what stands on the card stays"
	case failure.Is[*piv.UnsupportedError](err):
		return h.either("choose another algorithm with --algorithm; or use another card", "choose another algorithm in the plan, or another card")
	}
	return hintOf(err, []sentinel{
		{piv.ErrNoReader, "plug in a YubiKey, or a reader, and " + h.either("look with: cse-piv card list", h.again)},
		{piv.ErrNoCard, "put the card in, and " + h.either("look with: cse-piv card list", h.again)},
		{piv.ErrNotYubiKey, attestingCard + ", and with its PIV application switched on"},
		{piv.ErrNoSerial, "use another card, or have this one show its serial number: it is what tells cards apart"},
		{piv.ErrBroken, "use another card; this one answers what no card should"},
		{piv.ErrNoAnswer, "take the card out, put it back in and " + h.again + ": it goes on where it was"},
		{piv.ErrCardInUse, "close what else uses the card (gpg's scdaemon: gpgconf --kill scdaemon; a browser; another window of this program) and " + h.again},
		{piv.ErrRemoved, "put the card back in and " + h.again + ": it goes on where it was"},
		{piv.ErrReset, "push the card in firmly and " + h.again + ": it goes on where it was"},
		{piv.ErrTouchTimeout, h.again + ", and touch the card while it blinks: it waits for 15 seconds"},
		{piv.ErrPINRequired, h.again + " and give the PIN: the key asks for it each time"},
		{piv.ErrWeakPIN, "choose one that is no simple row of characters: cards with firmware 5.7 can be set to refuse one character repeated, and characters that count up or down (PIN complexity)"},
		{piv.ErrCannotAttest, attestingCard},
		{piv.ErrNotAttestable, "only a key that was generated on the card can be attested; look where this one comes from: cse-piv card show"},
		{piv.ErrKeyMismatch, "look whether it is the right card and slot: cse-piv card show"},
		{maintenance.ErrBio, "if all of that may be lost: ykman config reset"},
		{maintenance.ErrNotReset, h.again + "; if it stays so, use another card"},
		{maintenance.ErrNoCertificate, "put the certificate beside the key: openssl pkcs12 -export -inkey KEY -in CERTIFICATE -out FILE"},
		{maintenance.ErrNoPUK, "open the escrow with --escrow-identity FILE; or give the PUK with " + h.those("--puk-file FILE", "--puk-fd N") + "; a card that nobody gave another one has the factory PUK"},
		{piv.ErrPUKBlocked, "nothing unblocks a PUK; what it is for, unblocking the PIN, is no longer possible on this card"},
		{piv.ErrPINBlocked, "unblock it with the PUK: " + unblock},
		{piv.ErrManagementKey, h.either("give the card's own one with --management-key-file FILE", "try again, and type the card's own one") + "; where this program set it, it is in the escrow file named in the receipt"},
		{piv.ErrCardFull, "delete certificates that are no longer needed: ykman piv certificates delete SLOT"},
		{piv.ErrCertificateTooLarge, "have the issuer make it smaller: without texts, pictures and LDAP addresses that mail does not need; then " + h.again},
	})
}

// ofFactory is about a card that has the factory PIN or PUK still, for which another was given.
func (h hints) ofFactory(err error) string {
	if factory, found := errors.AsType[*piv.FactoryError](err); found && factory.Reference == "PUK" {
		return h.either("leave out --puk-file and --puk-fd, and the factory one is used", h.again)
	}
	return h.either("give the factory PIN, 123456; or have the card set up: cse-piv card init", h.again+", with the factory PIN, 123456")
}

// slot says how another slot is named, where a flag does.
func (h hints) slot() string {
	if h.desk || !h.has("slot") {
		return ""
	}
	return "; then name one of them with --slot SLOT"
}

// isAboutPUK tells that a PUK is wrong, or was not tried because only one try is left.
func isAboutPUK(err error) bool {
	const puk = "PUK"
	if wrong, found := errors.AsType[*piv.WrongPINError](err); found && wrong.Reference == puk {
		return true
	}
	last, found := errors.AsType[*piv.LastTryError](err)
	return found && last.Reference == puk
}

// ofFiles is about files and what else every command may meet.
func (h hints) ofFiles(err error) string {
	if sheet, found := errors.AsType[*spreadsheet.Error](err); found && sheet.Expected != "" {
		return sheet.Expected
	}
	if failure.Is[*desk.HeadingError](err) {
		return "begin the roster with a line that names its columns, in any order, such as: email,serial,note " +
			"(also E-Mail;Seriennummer;Bemerkung or Courriel;Numéro de série;Remarque)"
	}
	if failure.Is[*desk.NobodyError](err) {
		return "a roster has a line for each person, such as: ada@example.com,12345678,Ada Lovelace"
	}
	if failure.Is[*failure.NoEscrowError](err) {
		return "name the folder that enroll had with --escrow-dir"
	}
	if none, found := errors.AsType[*failure.NoRecordError](err); found {
		return "look which records there are: cse-piv escrow list --escrow-dir " + none.Folder
	}
	if other, found := errors.AsType[*escrow.OtherCardError](err); found {
		return fmt.Sprintf("somebody named the file after another card: give it a name that begins with %d- as the other records have, and look for the right one: cse-piv escrow list", other.Serial)
	}
	if closed, found := errors.AsType[*failure.RecordsError](err); found {
		if closed.Sealed > 0 {
			return "give the identities that open them: --escrow-identity FILE, once for each"
		}
		return "why stands beside each; what of them is in force: cse-piv escrow list"
	}
	return hintOf(err, []sentinel{
		{escrow.ErrNoIdentity, "give the identity that opens it: --escrow-identity FILE"},
		{durable.ErrDiskFull, "make room on that disk and " + h.again + ": it goes on where it was"},
		{durable.ErrReadOnly, h.either("choose a folder that can be written", atStart+"a folder that can be written") + h.after(": ", "--evidence FOLDER", "--escrow-dir FOLDER", "--store FILE")},
		{durable.ErrInUse, "close it in the other program, such as a spreadsheet, and " + h.again},
		{durable.ErrDifferent, "move it away, or choose another name or folder" + h.either("; --overwrite replaces it", "")},
		{fs.ErrExist, "what is there is not replaced: choose another folder or name"},
		{durable.ErrLink, "remove the link after looking who made it and where it leads: somebody else may be able to write in that folder"},
		{durable.ErrNotRegular, "give a file there, and no folder, pipe or device" + h.throughPipe(err)},
		{evidence.ErrBusy, "wait for the other run to end, or end it; then " + h.again},
		{tui.ErrBroken, "what was done stays done: " + h.again + "; or go on line by line: " + h.with("--plain")},
	})
}

// Join returns the hints that there are as one.
func Join(hints ...string) string {
	return strings.Join(slices.DeleteFunc(hints, func(hint string) bool { return hint == "" }), "; ")
}

// throughPipe says what else than a file can be read from, where the error is about such a thing.
func (h hints) throughPipe(err error) string {
	flag := flagNamed.FindStringSubmatch(err.Error())
	switch {
	case h.desk:
		return ""
	case flag == nil && h.command != nil && h.command.Name() == "batch":
		return "; a manifest can come through standard input: cse-piv batch -"
	case flag == nil && h.command != nil && h.command.HasParent() && h.command.Parent().Name() == "cert":
		return "; certificates can come through standard input (-)"
	case flag == nil:
		return ""
	}
	if name, isFile := strings.CutSuffix(flag[1], "-file"); isFile && h.has(name+"-fd") {
		return "; a secret can come through a descriptor: --" + name + "-fd N"
	}
	return ""
}
