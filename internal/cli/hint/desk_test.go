package hint_test

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/cse-piv/cse-piv/internal/batch/prepare"
	"github.com/cse-piv/cse-piv/internal/batch/source"
	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/cli/enrollcmd"
	"github.com/cse-piv/cse-piv/internal/cli/failure"
	"github.com/cse-piv/cse-piv/internal/cli/hint"
	"github.com/cse-piv/cse-piv/internal/cli/stdio"
	"github.com/cse-piv/cse-piv/internal/config"
	"github.com/cse-piv/cse-piv/internal/durable"
	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/escrow"
	"github.com/cse-piv/cse-piv/internal/evidence"
	"github.com/cse-piv/cse-piv/internal/issuer"
	"github.com/cse-piv/cse-piv/internal/issuer/ca"
	"github.com/cse-piv/cse-piv/internal/ledger"
	"github.com/cse-piv/cse-piv/internal/maintenance"
	"github.com/cse-piv/cse-piv/internal/piv"
	"github.com/cse-piv/cse-piv/internal/piv/attestation"
	"github.com/cse-piv/cse-piv/internal/registered"
	"github.com/cse-piv/cse-piv/internal/smime"
	"github.com/cse-piv/cse-piv/internal/termination"
	"github.com/cse-piv/cse-piv/internal/tui"
)

// flagInHint finds the flags in a hint.
var flagInHint = regexp.MustCompile(`(?:^|[\s(])--([a-z][a-z0-9-]*)`)

// TestHintsAtADesk: nobody who sits at a desk is told to type a flag, unless the desk
// has to be started again with it, and then it is one that a desk has.
func TestHintsAtADesk(t *testing.T) {
	command := enrollcmd.New(&stdio.Streams{})
	for _, err := range hintedErrors() {
		if ofOtherCommands(err) || ofRenewals(err) {
			continue
		}
		hint := hint.AtDesk(err)
		for _, foreign := range []string{"kill", "owner"} { // of other programs
			hint = strings.ReplaceAll(hint, "--"+foreign, foreign)
		}
		first := strings.Index(hint, "--")
		if first < 0 {
			continue
		}
		if start := strings.Index(hint, "start again with "); start < 0 || start > first {
			t.Errorf("%T: %v: at a desk the hint is %q", err, err, hint)
		}
		for _, flag := range flagInHint.FindAllStringSubmatch(hint, -1) {
			if command.Flags().Lookup(flag[1]) == nil {
				t.Errorf("%T: %v: at a desk the hint is %q, and a desk has no --%s", err, err, hint, flag[1])
			}
		}
	}
	// What can be answered or chosen there needs no other start.
	for _, err := range []error{
		piv.ErrManagementKey, &piv.UnsupportedError{}, &piv.SeveralCardsError{}, &enroll.OccupiedError{}, &enroll.EmptyError{}, &enroll.LimitedUseError{},
		&enroll.NotNewError{Err: &piv.WrongPINError{Tries: 2}}, &enroll.PerhapsNewError{WrongPINError: &piv.WrongPINError{Tries: 2}},
		&enroll.OtherCardError{}, enroll.ErrUnattested, &enroll.MissingError{Question: enroll.QuestionPIN},
	} {
		if hint := hint.AtDesk(err); hint == "" || strings.Contains(hint, "--") {
			t.Errorf("%T: %q", err, hint)
		}
		if hint := hint.For(err); !strings.Contains(hint, "--") {
			t.Errorf("%T: on the command line %q", err, hint)
		}
	}
}

// ofOtherCommands reports whether no desk can end with the error.
func ofOtherCommands(err error) bool {
	return failure.Is[*failure.NobodyError](err) || failure.Is[*failure.BatchError](err) || failure.Is[*prepare.Fault](err) || failure.Is[*source.Error](err) || failure.Is[*failure.ManyAddressesError](err) ||
		failure.Is[*failure.MissingSecretError](err) || failure.Is[*failure.NoEscrowError](err) || failure.Is[*failure.NoRecordError](err) || failure.Is[*failure.RecordsError](err) || failure.Is[*failure.NoRunError](err) || failure.Is[*enroll.TriesError](err) || failure.Is[*failure.ConfirmError](err) || failure.Is[*ca.MissingError](err) || failure.Is[*registered.EnabledError](err) ||
		failure.Is[*termination.WhichCardError](err) || failure.Is[*enroll.NoEvidenceError](err) || failure.Is[*enroll.UnknownBeforeError](err) ||
		errors.Is(err, certificate.ErrPassword) || errors.Is(err, maintenance.ErrNoPUK) || errors.Is(err, escrow.ErrNoIdentity) || errors.Is(err, maintenance.ErrNoCertificate) || errors.Is(err, maintenance.ErrNotReset) || errors.Is(err, maintenance.ErrBio) || errors.Is(err, failure.ErrNoReaders) || errors.Is(err, ledger.ErrNoRun)
}

// hintedErrors has all that hintCases has, and every sentinel.
func hintedErrors() (all []error) {
	for _, test := range append(hintCases(), renewalCases()...) {
		all = append(all, test.err)
	}
	return append(all,
		piv.ErrNoReader, piv.ErrNoCard, piv.ErrNotYubiKey, piv.ErrNoSerial, piv.ErrBroken, piv.ErrNoAnswer, piv.ErrCardInUse, piv.ErrRemoved, piv.ErrReset, piv.ErrTouchTimeout,
		piv.ErrPINRequired, piv.ErrWeakPIN, piv.ErrEmptySlot, piv.ErrNotAttestable, piv.ErrCannotAttest, piv.ErrKeyMismatch, maintenance.ErrNoPUK, piv.ErrPUKBlocked, piv.ErrPINBlocked, piv.ErrManagementKey,
		piv.ErrCardFull, piv.ErrCertificateTooLarge, piv.ErrNoService, piv.ErrServiceFailed, piv.ErrAccessDenied, piv.ErrNoPCSC, failure.ErrNoReaders,
		durable.ErrDiskFull, durable.ErrReadOnly, durable.ErrInUse, durable.ErrDifferent, fs.ErrExist, durable.ErrLink, durable.ErrNotRegular, evidence.ErrBusy, tui.ErrBroken,
		maintenance.ErrNotReset, maintenance.ErrNoCertificate, maintenance.ErrBio, escrow.ErrNoIdentity,
		config.ErrBackslash, failure.ErrFactoryPIN, failure.ErrFactoryKeyPIN, certificate.ErrPassword, smime.ErrNoRoot, smime.ErrSeveralRoots, smime.ErrNoIntermediate, smime.ErrForeignPart, smime.ErrAuthorityKey, smime.ErrNoSample, failure.ErrTwice,
		enroll.ErrUnattested, enroll.ErrNoIssuer, issuer.ErrOtherRequest, issuer.ErrNoKey, issuer.ErrProvisionerPassword, enroll.ErrNotRenewed, ca.ErrUnknownSerial, ca.ErrKeyPassword, ca.ErrLastTry, ca.ErrKeyURI, ledger.ErrNoRun, attestation.ErrUntrustedRoot)
}

// TestHintedErrors: hintedErrors has every error that the hints tell apart.
func TestHintedErrors(t *testing.T) {
	known := map[string]bool{}
	for _, err := range hintedErrors() {
		for ; err != nil; err = errors.Unwrap(err) {
			known[fmt.Sprintf("%T", err)] = true
		}
	}
	listed, err := os.ReadFile("desk_test.go")
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	count := 0
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") || file == "usage.go" { // of command lines, at no desk
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, func(node ast.Node) bool {
			switch node := node.(type) {
			case *ast.IndexExpr: // failure.Is[*piv.WrongPINError]
				star, isType := node.Index.(*ast.StarExpr)
				if !isType {
					return true
				}
				count++
				if name := typeName(star.X); !known[name] {
					t.Errorf("%s tells apart %s, which hintCases has none of", file, name)
				}
			case *ast.SelectorExpr: // piv.ErrNoReader
				of, isPackage := node.X.(*ast.Ident)
				if !isPackage || !strings.HasPrefix(node.Sel.Name, "Err") {
					return true
				}
				count++
				if name := of.Name + "." + node.Sel.Name; !strings.HasSuffix(node.Sel.Name, "Error") && !strings.Contains(string(listed), name) {
					t.Errorf("%s tells apart %s, which hintedErrors does not have", file, name)
				}
			}
			return true
		})
	}
	if count < 100 {
		t.Errorf("only %d errors were found", count)
	}
}

// typeName is the name of a pointer to that type, as %T prints it.
func typeName(of ast.Expr) string {
	if of, qualified := of.(*ast.SelectorExpr); qualified {
		return "*" + of.X.(*ast.Ident).Name + "." + of.Sel.Name
	}
	return ""
}
