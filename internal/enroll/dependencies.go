package enroll

import (
	"context"
	"crypto"
	"crypto/ecdh"
	"crypto/x509"
	"time"

	"github.com/cse-piv/cse-piv/internal/escrow"
	"github.com/cse-piv/cse-piv/internal/issuer"
	"github.com/cse-piv/cse-piv/internal/ledger"
	"github.com/cse-piv/cse-piv/internal/piv"
	"github.com/cse-piv/cse-piv/internal/piv/attestation"
	"github.com/cse-piv/cse-piv/internal/registration"
	"github.com/cse-piv/cse-piv/internal/secret"
	"github.com/cse-piv/cse-piv/internal/smime"
)

// Dependencies is everything outside that an enrollment looks at and acts on.
type Dependencies struct {
	// OpenCard finds the card with that serial, or the only card for serial 0.
	// touch is called when the card waits for a finger on a slot's key. Its
	// errors are those of piv.Open.
	OpenCard func(ctx context.Context, serial uint32, touch func(piv.Slot)) (Card, error)
	// WaitForCard returns when the card with that serial is in a reader.
	WaitForCard func(ctx context.Context, serial uint32) error
	// Account opens Gmail's settings of one user.
	Account func(ctx context.Context, email string) (registration.Account, error)
	// EnableKeyPair enables one of a user's key pairs again, and writes down who did it. Only
	// requests with Copies need it.
	EnableKeyPair func(ctx context.Context, email, keyPairID string) error
	// GmailEndpoint is where Gmail is asked, if it is not at Google's own address.
	GmailEndpoint string
	Issuer        issuer.Issuer
	// Chain holds further certificates to build chains with.
	Chain []*x509.Certificate
	// Sources returns what is asked about certificates, within a context; nil for nothing.
	Sources func(ctx context.Context) smime.Sources
	// Escrow keeps generated secrets before they are set; nil where none was
	// named.
	Escrow escrow.Store
	// Recover returns what was sealed earlier for the card with that serial and can
	// be read back, newest first; nil where nothing can.
	Recover  func(ctx context.Context, serial uint32) ([]escrow.Record, error)
	Trust    attestation.Trust
	Prompter Prompter
	// Review is called where the request asks for a review, and returns nil when
	// a person agreed to the registration.
	Review func(ctx context.Context, review Review) error
	// Ledger takes the registration in besides the evidence, so that other desks
	// and batches know of it; nil for none.
	Ledger Ledger
	// NoteCHUID enters there which CHUID a card has, the SHA-256 of its contents, and returns
	// the serial numbers of other cards with the same; nil for no ledger.
	NoteCHUID func(ctx context.Context, serial uint32, chuid string) (others []uint32, err error)
	Evidence  string // root folder of the evidence
	Operator  string // who runs this, for the receipt
	Tool      string // name and version of this program, for the receipt
	Now       func() time.Time
	// Notify is called for each event, from one goroutine at a time.
	Notify func(Event)
	// CardTimeout is how long a card that is out is waited for: seconds where
	// nobody is there to put it back, longer at a desk.
	CardTimeout time.Duration
}

// Card is what an enrollment asks of a card; *piv.Card in production.
type Card interface {
	// AllowLastTry returns the card for a holder who agreed to risk the last try.
	AllowLastTry() Card
	Identity() piv.Identity
	Protection(ctx context.Context) (piv.Protection, error)
	Slot(ctx context.Context, slot piv.Slot) (piv.SlotContents, error)
	VerifyPIN(ctx context.Context, pin secret.Secret) error
	ChangePIN(ctx context.Context, old, new secret.Secret) error
	ChangePUK(ctx context.Context, old, new secret.Secret) error
	CheckManagementKey(ctx context.Context, key secret.Secret) error
	ChangeManagementKey(ctx context.Context, old, new secret.Secret) error
	AdminData(ctx context.Context) (piv.AdminData, error)
	CheckPrinted(ctx context.Context, pin secret.Secret) error
	ProtectedManagementKey(ctx context.Context, pin secret.Secret) (secret.Secret, error)
	ProtectManagementKey(ctx context.Context, pin, old, new secret.Secret) error
	Generate(ctx context.Context, managementKey secret.Secret, slot piv.Slot, options piv.GenerateOptions) (crypto.PublicKey, error)
	ImportKey(ctx context.Context, managementKey secret.Secret, slot piv.Slot, key crypto.Signer, options piv.ImportOptions) error
	PutCertificate(ctx context.Context, managementKey secret.Secret, slot piv.Slot, certificate *x509.Certificate) error
	DeleteCertificate(ctx context.Context, managementKey secret.Secret, slot piv.Slot) error
	// History reads the retired slots.
	History(ctx context.Context) (piv.History, error)
	MoveKey(ctx context.Context, managementKey secret.Secret, from, to piv.Slot) error
	WriteKeyHistory(ctx context.Context, managementKey secret.Secret) error
	RefreshCHUID(ctx context.Context, managementKey secret.Secret) error
	HasCHUID(ctx context.Context) (bool, error)
	CHUIDHash(ctx context.Context) (string, error)
	SetRetries(ctx context.Context, managementKey, pin secret.Secret, pinTries, pukTries int) error
	EnsureCHUID(ctx context.Context, managementKey secret.Secret) error
	Attest(ctx context.Context, slot piv.Slot) (slotCert, deviceCert *x509.Certificate, err error)
	Signer(ctx context.Context, slot piv.Slot, public crypto.PublicKey, pin secret.Secret) crypto.Signer
	Decrypt(ctx context.Context, slot piv.Slot, public crypto.PublicKey, pin secret.Secret, ciphertext []byte) ([]byte, error)
	ECDH(ctx context.Context, slot piv.Slot, public crypto.PublicKey, pin secret.Secret, peer *ecdh.PublicKey) ([]byte, error)
	// Release lets other programs at the card until the next of the methods, and
	// waits until the card has finished a command that was given up on.
	Release(ctx context.Context) error
}

// Ledger is where registrations of many desks are entered; *ledger.Ledger in
// production.
type Ledger interface {
	Enter(ctx context.Context, entry ledger.Entry, cards []ledger.CardCertificate) error
	// Has reports whether the registration is entered already, and on which card.
	Has(ctx context.Context, entry ledger.Entry, cards []ledger.CardCertificate) (bool, error)
}
