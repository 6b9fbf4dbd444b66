package hint_test

import (
	"github.com/cse-piv/cse-piv/internal/cli/hint"

	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cse-piv/cse-piv/internal/batch"
	"github.com/cse-piv/cse-piv/internal/batch/prepare"
	"github.com/cse-piv/cse-piv/internal/batch/source"
	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/certpath"
	"github.com/cse-piv/cse-piv/internal/cli/failure"
	"github.com/cse-piv/cse-piv/internal/config"
	"github.com/cse-piv/cse-piv/internal/desk"
	"github.com/cse-piv/cse-piv/internal/durable"
	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/escrow"
	"github.com/cse-piv/cse-piv/internal/evidence"
	"github.com/cse-piv/cse-piv/internal/gmail"
	"github.com/cse-piv/cse-piv/internal/issuer"
	"github.com/cse-piv/cse-piv/internal/issuer/ca"
	"github.com/cse-piv/cse-piv/internal/keyring"
	"github.com/cse-piv/cse-piv/internal/ledger"
	"github.com/cse-piv/cse-piv/internal/maintenance"
	"github.com/cse-piv/cse-piv/internal/piv"
	"github.com/cse-piv/cse-piv/internal/piv/attestation"
	"github.com/cse-piv/cse-piv/internal/registered"
	"github.com/cse-piv/cse-piv/internal/registration"
	"github.com/cse-piv/cse-piv/internal/safetext"
	"github.com/cse-piv/cse-piv/internal/spreadsheet"
	"github.com/cse-piv/cse-piv/internal/termination"
)

// hintCase is an error and what its hint says on the command line.
type hintCase struct {
	err  error
	want string
}

// hintCases has each error that has a hint.
func hintCases() []hintCase {
	tomorrow := time.Date(2026, 11, 29, 8, 0, 0, 0, time.UTC)
	return []hintCase{
		{&config.UnknownKeyError{Key: "concurency", Known: []string{"chain", "concurrency"}}, "did you mean: concurrency"},
		{&config.UnknownKeyError{Key: "gmail", Known: []string{"chain"}}, "cse-piv config show"},
		{&config.UnknownProfileError{Name: "stuff", Known: []string{"staff"}}, "did you mean: --profile staff"},
		{&config.UnknownProfileError{Name: "stuff"}, "cse-piv profile list"},
		{&enroll.ProfileError{Profile: "staff"}, "cse-piv profile show staff"},
		{&failure.ForeignError{Flag: "gmail-endpoint", Variable: "CSE_PIV_GMAIL_ENDPOINT"}, "leave out --gmail-endpoint and CSE_PIV_GMAIL_ENDPOINT"},
		{&failure.EndpointError{Flag: "gmail-endpoint", Variable: "CSE_PIV_GMAIL_ENDPOINT", Err: errors.New("x")}, "correct --gmail-endpoint or CSE_PIV_GMAIL_ENDPOINT"},
		{&gmail.ClockError{Ahead: 10 * time.Minute}, "set this machine's clock"},
		{&failure.NoAnswerError{Within: "30 s"}, "what it waits for"},
		{&failure.NoAuthoritiesError{Source: "roots.pem"}, "https://developers.yubico.com/PKI/"},
		{&failure.AuthoritiesError{Path: "yubico.pem", Err: errors.New("damaged")}, "cse-piv attestation update"},
		{failure.ErrFactoryPIN, "cse-piv enroll"},
		{failure.ErrFactoryKeyPIN, "cse-piv card pin change"},
		{&keyring.UnavailableError{Err: errors.New("no D-Bus")}, "--keep-login"},
		{&enroll.MissingError{What: "the PIN", Question: enroll.QuestionPIN}, "add --pin-file FILE or --pin-fd N (--yes asks nothing)"},
		{&enroll.MissingError{Question: enroll.QuestionManagementKey}, "--management-key-file FILE"},
		{&enroll.MissingError{Question: enroll.QuestionNewCard}, "--new-card"},
		{&enroll.MissingError{Question: enroll.QuestionNoPIN}, "--allow-pin-never"},
		{&enroll.MissingError{Question: enroll.QuestionUnattested}, "--allow-unattested"},
		{&enroll.MissingError{Question: enroll.QuestionOccupied}, "--source existing or --overwrite"},
		{&enroll.MissingError{Question: enroll.QuestionOverwrite, Want: "4711"}, "--confirm 4711"},
		{&enroll.MissingError{Question: enroll.QuestionReplaceCard}, "--replace-card"},
		{&enroll.MissingError{Question: enroll.QuestionChangeIssuer}, "--change-issuer"},
		{&enroll.MissingError{Question: enroll.QuestionEscrow}, "--escrow-plain"},
		{&enroll.ConflictError{Keys: []string{"9d", "9c"}, Serial: 4711}, "--replace 9d,9c --confirm 4711"},
		{&enroll.OtherCardError{Cards: []string{"card 1", "card 2"}, Serial: 3}, "from card 1 and card 2 to card 3 add --replace-card"},
		{&enroll.OtherKeyError{Where: enroll.InTheSlot}, "another slot"},
		{&enroll.OtherKeyError{Where: "from file"}, "evidence folder"},
		{&enroll.NoAttestationError{}, "4.3.5"},
		{&enroll.NotNewError{Err: &piv.WrongPINError{Tries: 2}}, "without --new-card"},
		{&enroll.PerhapsNewError{WrongPINError: &piv.WrongPINError{Tries: 2}}, "add --new-card"},
		{&enroll.AttestedError{}, "another generated"},
		{&piv.PrintedError{}, "leave out --protect-management-key"},
		{&enroll.IssuerChangedError{}, "--change-issuer"},
		{fmt.Errorf("%w: %w", enroll.ErrDeclined, &enroll.IssuerChangedError{}), "--change-issuer"},
		{&enroll.OccupiedError{}, "--overwrite"},
		{&enroll.OccupiedError{Email: "grace@lab.example", UsedFor: "ada@lab.example"}, "put the card of grace@lab.example in; only if ada@lab.example"},
		{&enroll.OtherAddressError{Email: "grace@lab.example", UsedFor: "ada@lab.example"}, "cse-piv leave ada@lab.example"},
		{&enroll.UsageError{Err: &enroll.OtherCardConfirmedError{Confirmed: "1", Serial: 4711}}, "--confirm 4711"},
		{&enroll.EmptyError{}, "--source existing"},
		{&enroll.OtherAddressError{}, "issued for this user"},
		{&enroll.LimitedUseError{}, "--allow-limited-use"},
		{&enroll.NotAsAskedError{Err: &enroll.LimitedUseError{}}, "--allow-limited-use"},
		{&enroll.NotAsAskedError{Err: &enroll.OtherAddressError{}}, "sign the request once more"},
		{enroll.ErrUnattested, "--allow-unattested"},
		{enroll.ErrNoIssuer, "--issuer"},
		{&evidence.JournalError{Folder: "/evidence/ada", Err: errors.New("no JSON")}, "/evidence/ada"},
		{evidence.ErrBusy, "other run"},
		{&issuer.WaitingError{Dir: "in", Request: "ada.csr", Expected: "ada.pem"}, "put the certificate beside it as ada.pem"},
		{&issuer.WaitingError{Dir: "in", Request: "ada.csr", Expected: "ada.pem", Found: &issuer.ExpiredError{}}, "have ada.csr signed again"},
		{&issuer.WaitingError{Request: "https://ca.example", RetryAfter: time.Hour}, "in 1 h 0 min"},
		{&issuer.WaitingError{}, "approved"},
		{&issuer.OtherKeyError{Request: "ada.csr"}, "ada.csr"},
		{fmt.Errorf("x: %w", issuer.ErrOtherRequest), "move it away"},
		{&ca.OpenKeyError{Path: "/ca/key.pem"}, "chmod 600 /ca/key.pem"},
		{&issuer.TLSError{Err: errors.New("unknown authority")}, "trusts the authority"},
		{&issuer.TLSError{Err: &net.OpError{Op: "remote error", Err: errors.New("certificate required")}}, "--issuer-cert FILE"},
		{&issuer.AnswerError{Status: 302, Location: "https://x"}, "leads to"},
		{&issuer.AnswerError{Status: 401}, "--issuer-user"},
		{&issuer.RootError{}, "--issuer-fingerprint"},
		{fmt.Errorf("x: %w", ca.ErrUnknownSerial), "cse-piv ca list"},
		{&ca.MissingError{Folder: "ca"}, "cse-piv ca init"},
		{&failure.RefusedError{Unread: 1, Of: 1}, "PKCS#12"},
		{&failure.RefusedError{Unread: 1, Closed: 1, Of: 1}, "give its password with --password-file FILE"},
		{&failure.RefusedError{Unread: 2, Closed: 1, Of: 2}, "why one cannot be read"},
		{&failure.RefusedError{Refused: 1, Of: 1}, "send the CA"},
		{&issuer.ProvisionerError{Err: issuer.ErrProvisionerPassword}, "--issuer-password-file"},
		{&issuer.ProvisionerError{}, "--issuer-provisioner"},
		{issuer.ErrNoKey, "put the card in"},
		{&issuer.NotAttestedError{}, "P-256"},
		{&issuer.AnswerError{Status: 403}, "allow"},
		{&issuer.AnswerError{Status: 200, HTML: true}, "HTTPS_PROXY"},
		{&issuer.AnswerError{Status: 404}, "check the address"},
		{&issuer.AnswerError{Status: 400}, "message says why"},
		{&issuer.AnswerError{Status: 500}, "again"},
		{&certpath.NoPathError{Fault: certpath.Fault{Cause: certpath.CauseMissing}}, "missing certificates with --chain FILE"},
		{&certpath.NoPathError{Fault: certpath.Fault{Cause: certpath.CauseOtherKey}}, "--chain FILE"},
		{&certpath.NoPathError{Fault: certpath.Fault{Cause: certpath.CauseAlgorithm}}, "ask those who issued it"},
		{&certpath.NoPathError{Fault: certpath.Fault{Cause: certpath.CauseGivenUp}}, "only the authorities above"},
		{&failure.SigningCardError{Serial: 1}, "--serial SERIAL"},
		{&piv.SeveralCardsError{}, "--serial SERIAL"},
		{&piv.WrongPINError{Tries: 2}, "cse-piv card pin unblock"},
		{&piv.LastTryError{}, "last try"},
		{&piv.EmptySlotError{}, "cse-piv card show; then name one of them with --slot SLOT"},
		{&piv.EmptySlotError{Unknown: true}, "cse-piv card show"},
		{&piv.FactoryError{Reference: "PIN"}, "give the factory PIN"},
		{&piv.FactoryError{Reference: "PUK"}, "leave out --puk-file"},
		{&maintenance.RecordError{Err: &piv.WrongPINError{Reference: "PUK", Tries: 2}}, "give that one with --puk-file FILE or --puk-fd N"},
		{&piv.UnsupportedError{}, "--algorithm"},
		{&failure.NobodyError{}, "--ldap-base"},
		{&failure.NobodyError{Only: true}, "--only"},
		{&failure.BatchError{}, "cse-piv report -o failures.html"},
		{&failure.BatchError{Reported: true}, "what the report says"},
		{&failure.BatchError{DryRun: true}, "--report FILE.html"},
		{&failure.BatchError{DryRun: true, Reported: true}, "leave out --dry-run"},
		{&prepare.Fault{Reason: "chain-no-root"}, "--chain FILE"},
		{&prepare.Fault{Reason: source.ReasonNotChosen}, "--choose-issuer"},
		{&prepare.Fault{Reason: "leaf-ambiguous"}, "--choose-policy"},
		{&source.Error{Reason: source.ReasonOutside, Err: errors.New("outside")}, "--allow-outside"},
		{&source.Error{Reason: source.ReasonMalformed, Expected: "double the quotes", Err: errors.New("a quote")}, "double the quotes"},
		{&source.Error{Err: errors.New("x"), Expected: "use ldaps://"}, "use ldaps://"},
		{&source.LostError{Err: errors.New("closed")}, "again"},
		{&batch.InternalError{}, "report it"},
		{&batch.InterruptedError{}, "go on"},
		{&batch.TakenOverError{}, "cse-piv report"},
		{&batch.StoppedError{Err: &gmail.Error{Kind: gmail.KindScope}}, "Manage Domain Wide Delegation"},
		{&ledger.InUseError{}, "--wait"},
		{&failure.NoRunError{Err: ledger.ErrNoRun}, "--dry-run --report FILE.html"},
		{&failure.RecordsError{Closed: 2, Total: 2, Sealed: 1}, "--escrow-identity FILE"},
		{fmt.Errorf("run 7: %w", ledger.ErrNoRun), "cse-piv report --list"},
		{attestation.ErrUntrustedRoot, "cse-piv attestation update"},
		{&failure.RecordsError{Closed: 2, Total: 2}, "cse-piv escrow list"},
		{&failure.ConfirmError{Want: "ada@lab.example", Losses: make([]string, 5)}, "add --confirm ada@lab.example; to see first all that it does: the same with --dry-run"},
		{&ledger.MissingError{}, "cse-piv batch SOURCE"},
		{&enroll.NotEnteredError{Err: &ledger.InUseError{}}, "again: only the ledger is left"},
		{&enroll.NotEnteredError{Err: errors.New("x")}, "again: only the ledger is left"},
		{&ledger.Error{Err: durable.ErrDiskFull}, "room on the disk"},
		{&ledger.Error{Err: syscall.EIO}, "the disk of the ledger, or the way to it, fails"},
		{&ledger.Error{Err: &os.PathError{Err: os.ErrPermission}}, "--store"},
		{&ledger.Error{Ledger: "l.db", Err: &ledger.TakenError{}}, "l.db.lock"},
		{&ledger.Error{Err: &ledger.NewerError{}}, "newer"},
		{&ledger.Error{Err: &ledger.OlderError{}}, "cse-piv worker"},
		{&ledger.Error{Ledger: "postgres://db", Err: errors.New("closed")}, "PostgreSQL answers"},
		{&ledger.UnreachableError{Err: errors.New("refused")}, "PostgreSQL runs there"},
		{&gmail.Error{Kind: gmail.KindScope}, gmail.Scope},
		{&gmail.Error{Kind: gmail.KindScope, ClientID: "100042"}, "client ID 100042 for " + gmail.Scope},
		{&gmail.Error{Kind: gmail.KindScope, Detail: gmail.DetailOtherDomain, ClientID: "100042"}, "client ID 100042 for"},
		{&issuer.UnreachableError{Err: errors.New("x")}, "the EST server"},
		{&issuer.UnreachableError{Err: &safetext.ProxyError{Status: 407}}, "HTTPS_PROXY=http://NAME:PASSWORD@HOST:PORT"},
		{&gmail.Error{Kind: gmail.KindCredentials, Detail: gmail.DetailNoCredentials}, "CSE_PIV_CREDENTIALS"},
		{&gmail.Error{Kind: gmail.KindRateLimited, RetryAt: tomorrow}, "after 2026-11-29 08:00:00 UTC"},
		{&gmail.Error{Kind: gmail.KindRateLimited}, "some minutes"},
		{&gmail.Error{Kind: gmail.KindKeyPairDisabled, User: "ada@example.com", KeyPairID: "k1"}, "cse-piv keypair enable ada@example.com k1"},
		{&gmail.Error{Kind: gmail.KindInvalid, Method: "keypairs.create"}, "cse-piv batch"},
		{&gmail.Error{Kind: gmail.KindInvalid, Method: "identities.patch"}, "cse-piv status"},
		{&gmail.Error{Kind: gmail.KindInvalid, Method: "endpoint"}, "correct"},
		{&gmail.Error{Kind: gmail.KindPrecondition, Method: "identities.create"}, "chain validation"},
		{&gmail.Error{Kind: gmail.KindPrecondition, Method: "keypairs.create"}, "switched on"},
		{durable.ErrReadOnly, "--evidence"},
		{durable.ErrInUse, "close it in the other program"},
		{&spreadsheet.Error{Err: errors.New("it is UTF-16"), Expected: "save it as CSV UTF-8"}, "CSV UTF-8"},
		{&desk.RosterError{Line: 1, Err: &desk.HeadingError{}}, "such as: email,serial,note"},
		{&desk.NobodyError{}, "a line for each person"},
		{&enroll.UsageError{Err: &enroll.NewPINError{}}, "--pin-file FILE"},
		{&failure.MissingSecretError{Flag: "puk"}, "--puk-file FILE"},
		{&failure.NoEscrowError{}, "--escrow-dir"},
		{&failure.NoRecordError{}, "cse-piv escrow list"},
		{&escrow.OtherCardError{Serial: 31415926}, "begins with 31415926-"},
		{&enroll.TriesError{}, "leave out --pin-tries"},
		{&piv.PolicyError{}, "--pin-policy"},
		{escrow.ErrNoIdentity, "--escrow-identity"},
		{maintenance.ErrNoCertificate, "openssl pkcs12"},
		{&maintenance.UnsupportedKeyError{}, "leave this file out"},
		{&maintenance.UnsupportedKeyError{Algorithm: piv.RSA3072}, "a card that takes such keys"},
		{&failure.ManyAddressesError{}, "--email ADDRESS"},
		{&certificate.CipherError{Cipher: "Camellia"}, "openssl pkcs12"},
		{&certificate.KindError{Kind: certificate.KindPrivateKey}, "take the private key out"},
		{&certificate.KindError{Kind: certificate.KindRequest}, "give that request to the CA"},
		{&certificate.KindError{Kind: certificate.KindPage}, "in a browser"},
		{&failure.ConfirmError{Want: "ada@example.com"}, "--confirm ada@example.com"},
		{&failure.ConfirmError{Want: "12", Users: 12}, "add --confirm 12, which is how many users lose something"},
		{&failure.ConfirmError{Want: "ada@example.com", Given: "ada", Flag: "confirm-end"}, "type --confirm-end ada@example.com"},
		{&registered.EnabledError{}, "cse-piv keypair disable"},
		{&registered.UnknownKeyPairError{}, "cse-piv keypair list"},
		{&registered.DisabledError{}, "cse-piv keypair enable"},
		{&registered.ChangedError{}, "cse-piv status"},
		{&registration.OtherAddressError{Email: "ada@lab.example"}, "cse-piv identity list ada@lab.example"},
		{&termination.WhichCardError{Cards: []uint32{1, 2}}, "--serial"},
		{&termination.WhichCardError{Email: "ada@lab.example"}, "cse-piv status ada@lab.example"},
		{&termination.UnknownCardError{}, "cse-piv status"},
		{&termination.SameCardError{}, "cse-piv keypair list"},
		{&termination.KeyInUseError{}, "the card keeps the key"},
		{&failure.PerhapsChangedError{What: "PIN", Err: piv.ErrRemoved}, "the card has the new one"},
		{&termination.NotMovedError{}, "run the same command again"},
		{&termination.NotMovedError{Email: "ada@lab.example", InReader: true}, "put the new card in"},
		{&enroll.NoEvidenceError{}, "--evidence FOLDER"},
		{&enroll.UnknownBeforeError{}, "--no-identity"},
	}
}

// TestHints: each error has what helps against it, however deep in others it is; at a
// desk nobody is told to type a command again.
func TestHints(t *testing.T) {
	for _, test := range append(hintCases(), renewalCases()...) {
		for _, err := range []error{test.err, fmt.Errorf("at the desk: %w", &enroll.StepError{Err: test.err}), errors.Join(errors.New("besides"), test.err)} {
			if hint := hint.For(err); !strings.Contains(hint, test.want) {
				t.Errorf("%T: %v: the hint is %q, without %q", test.err, err, hint, test.want)
			}
		}
		if hint := hint.AtDesk(test.err); hint == "" || strings.Contains(hint, "same command") {
			t.Errorf("%T: at a desk the hint is %q", test.err, hint)
		}
	}
}

// TestHintsOfGmail: each detail and each kind has a hint, except for answers that
// nothing is known of.
func TestHintsOfGmail(t *testing.T) {
	for detail, want := range map[gmail.Detail]string{
		gmail.DetailIntermediary: "proxy", gmail.DetailAccountGone: "suspended", gmail.DetailNoCredentials: "--credentials", gmail.DetailMachine: "gcloud",
		gmail.DetailTokenCreator: "serviceAccountTokenCreator", gmail.DetailTokenEndpoint: "token_uri", gmail.DetailOtherDomain: "Manage Domain Wide Delegation",
		gmail.DetailClock: "clock", gmail.DetailKeyGone: "new key", gmail.DetailServiceAccountGone: "service account", gmail.DetailGrant: "clock",
	} {
		if hint := hint.For(&gmail.Error{Kind: gmail.KindCredentials, Detail: detail}); !strings.Contains(hint, want) {
			t.Errorf("%s: %q", detail, hint)
		}
	}
	for _, reason := range batch.Reasons() {
		if hint.For(&gmail.Error{Kind: gmail.Kind(reason.Name), Method: "keypairs.create"}) == "" && reason.Name != "other" {
			t.Errorf("%s has no hint", reason.Name)
		}
	}
}

// TestReasonsInTheDocs: each reason has its row there.
func TestReasonsInTheDocs(t *testing.T) {
	data, err := os.ReadFile("../../../docs/reference/failure-reasons.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range batch.Reasons() {
		helps := hint.OfReason(r.Name)
		if row := fmt.Sprintf("\n| `%s` | `%s` | %s | %s |\n", r.Class, r.Name, r.Meaning, helps); helps == "" || !strings.Contains(string(data), row) {
			t.Errorf("docs/reference/failure-reasons.md has no row %s", row)
		}
	}
}
