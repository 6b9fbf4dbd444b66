package tui

import (
	"context"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"iter"
	"math/big"
	"testing"
	"time"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/desk"
	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/escrow"
	"github.com/cse-piv/cse-piv/internal/gmail"
	"github.com/cse-piv/cse-piv/internal/piv"
	"github.com/cse-piv/cse-piv/internal/registration"
)

const (
	ada, grace, hedy     = "ada@example.com", "grace@example.com", "hedy@example.com"
	adasCard, gracesCard = 12345678, 23456789
	gracesSecondCard     = 34567890
)

// fakeDesk is a desk without a world: what it answers is set beforehand.
type fakeDesk struct {
	people   []desk.Person
	checks   []desk.Check
	request  enroll.Request
	atGmail  map[string]desk.AtGmail
	gmailErr error
	cards    map[uint32]desk.CardStatus
	cardErr  error
	practice desk.Practice
	evidence string
	asked    []string // whose key pairs were asked for
	read     int      // how often a card was read
}

func newFakeDesk() *fakeDesk {
	return &fakeDesk{
		checks: []desk.Check{
			{Name: "credentials", State: desk.CheckOK, Detail: "service account desk@example.iam.gserviceaccount.com"},
			{Name: "domain", State: desk.CheckOK, Detail: "example.com: Gmail answers, client-side encryption is on"},
			{Name: "card readers", State: desk.CheckOK, Detail: "Yubico YubiKey OTP+FIDO+CCID 00 00"},
			{Name: "issuer", State: desk.CheckOK, Detail: "a person with a file, in /var/lib/desk/requests"},
			{Name: "escrow", State: desk.CheckOK, Detail: "sealed to 2 recipients"},
			{Name: "evidence", State: desk.CheckOK, Detail: "is kept in /var/lib/desk/evidence"},
		},
		request: enroll.Request{Keys: []enroll.KeyRequest{{
			Slot: piv.SlotKeyManagement, Use: certificate.UseBoth, Source: enroll.SourceGenerate,
			Algorithm: piv.RSA2048, PINPolicy: piv.PINDefault, TouchPolicy: piv.TouchDefault,
		}}},
		atGmail: map[string]desk.AtGmail{},
		cards:   map[uint32]desk.CardStatus{adasCard: newCard(adasCard), gracesCard: newCard(gracesCard), gracesSecondCard: newCard(gracesSecondCard)},
	}
}

// newCard is as it comes from the factory.
func newCard(serial uint32) desk.CardStatus {
	return desk.CardStatus{
		Identity: piv.Identity{Serial: serial, Firmware: piv.Version{Major: 5, Minor: 7, Patch: 4}, Model: "YubiKey 5C NFC", Reader: "Yubico YubiKey OTP+FIDO+CCID 00 00"},
		Status: piv.Status{Protection: piv.Protection{
			PIN: piv.Counter{Tries: 3, Max: 3, Factory: piv.Yes}, PUK: piv.Counter{Tries: 3, Max: 3, Factory: piv.Yes},
			ManagementKey: piv.ManagementKey{Algorithm: "aes192", Factory: piv.Yes},
		}},
		FormFactor: "USB-C keychain",
	}
}

// usedCard holds keys, one of them in slot 9D.
func usedCard(serial uint32) desk.CardStatus {
	card := newCard(serial)
	card.Identity.Firmware = piv.Version{Major: 5, Minor: 4, Patch: 3}
	card.Identity.Model, card.FormFactor = "YubiKey 5 NFC", "USB-A keychain"
	card.Status.PIN, card.Status.PUK = piv.Counter{Tries: 2, Max: 3, Factory: piv.No}, piv.Counter{Tries: 3, Max: 3, Factory: piv.No}
	card.Status.ManagementKey = piv.ManagementKey{Algorithm: "3des", Factory: piv.No}
	key := piv.KeyInfo{Algorithm: piv.RSA2048, Origin: piv.Generated, PINPolicy: piv.PINOnce, TouchPolicy: piv.TouchNever}
	card.Status.Slots = []piv.SlotContents{
		{Slot: piv.SlotSignature, Key: &piv.KeyInfo{Algorithm: piv.ECCP384, Origin: piv.Imported, PINPolicy: piv.PINAlways, TouchPolicy: piv.TouchCached}},
		{Slot: piv.SlotKeyManagement, Key: &key, Certificate: leafFor("old." + ada)},
		{Slot: piv.SlotRetiredFirst, Key: &key, Certificate: leafFor("older." + ada)},
		{Slot: piv.SlotRetiredFirst + 1, CertificateErr: errors.New("the certificate cannot be read: x509: malformed certificate")},
	}
	card.Advisories = []string{"YSA-2024-03: EUCLEAK: with the card in hand, its PIN and laboratory equipment, an elliptic-curve key can be read out of firmware before 5.7; prefer RSA on this card"}
	return card
}

// desk returns the desk that answers so.
func (f *fakeDesk) desk(t testing.TB) *desk.Desk {
	if f.evidence == "" {
		f.evidence = t.TempDir()
	}
	d := &desk.Desk{
		People: f.people, Request: f.request, Practice: f.practice,
		Checks: func(context.Context) []desk.Check { return f.checks },
		AtGmail: func(_ context.Context, email string) (desk.AtGmail, error) {
			f.asked = append(f.asked, email)
			return f.atGmail[email], f.gmailErr
		},
		// What is in the readers is played with insert.
		Watch: func(context.Context) iter.Seq2[[]piv.Found, error] {
			return func(func([]piv.Found, error) bool) {}
		},
		Status: func(_ context.Context, serial uint32) (desk.CardStatus, error) {
			f.read++
			return f.cards[serial], f.cardErr
		},
		Hint: hintOf,
		// What these report is played.
		Task: func(context.Context, desk.Task, enroll.Prompter, func(string)) ([]string, error) { return nil, nil },
		Replace: func(context.Context, enroll.Request, desk.FrontEnd) (*enroll.Receipt, []string, error) {
			return nil, nil, nil
		},
	}
	d.Dependencies = enroll.Dependencies{
		Evidence: f.evidence,
		OpenCard: func(_ context.Context, serial uint32, _ func(piv.Slot)) (enroll.Card, error) {
			card, ok := f.cards[serial]
			if !ok {
				return nil, piv.ErrNoCard
			}
			return fakeCard{card: card}, f.cardErr
		},
		Account: func(_ context.Context, email string) (registration.Account, error) {
			return fakeAccount{atGmail: f.atGmail[email]}, nil
		},
		Issuer: softIssuer{}, Escrow: noEscrow{},
		Now: func() time.Time { return moment },
	}
	return d
}

// hintOf says what to do, where the error knows it.
func hintOf(err error) string {
	var hinted interface{ Hint() string }
	if errors.As(err, &hinted) {
		return hinted.Hint()
	}
	if errors.Is(err, piv.ErrPINBlocked) {
		return "unblock it with the PUK, or reset the card with cse-piv card reset, which loses its keys"
	}
	return ""
}

// fakeCard can be looked at, and no more.
type fakeCard struct {
	enroll.Card
	card desk.CardStatus
}

func (c fakeCard) Identity() piv.Identity { return c.card.Identity }

func (fakeCard) Release(context.Context) error { return nil }

func (c fakeCard) Slot(_ context.Context, slot piv.Slot) (piv.SlotContents, error) {
	for _, held := range c.card.Status.Slots {
		if held.Slot == slot {
			return held, nil
		}
	}
	return piv.SlotContents{Slot: slot}, nil
}

func (c fakeCard) Protection(context.Context) (piv.Protection, error) {
	return c.card.Status.Protection, nil
}

func (fakeCard) AdminData(context.Context) (piv.AdminData, error) { return piv.AdminData{}, nil }

func (fakeCard) Attest(context.Context, piv.Slot) (slotCert, deviceCert *x509.Certificate, err error) {
	return nil, nil, piv.ErrNotAttestable
}

// fakeAccount is a user's side of Gmail that can be looked at, and no more.
type fakeAccount struct {
	registration.Account
	atGmail desk.AtGmail
}

func (a fakeAccount) KeyPairs(context.Context) ([]gmail.KeyPair, error) {
	return a.atGmail.KeyPairs, nil
}

func (a fakeAccount) Identity(context.Context) (gmail.Identity, error) {
	if a.atGmail.Identity == nil {
		return gmail.Identity{}, gmail.ErrNotFound
	}
	return *a.atGmail.Identity, nil
}

// noEscrow is a place for secrets that nothing comes to.
type noEscrow struct{ escrow.Store }

// readers are readers with those cards; without one, an empty reader.
func (f *fakeDesk) readers(serials ...uint32) []piv.Found {
	var found []piv.Found
	for i, serial := range serials {
		reader := fmt.Sprintf("Yubico YubiKey OTP+FIDO+CCID %02d 00", i)
		identity := f.cards[serial].Identity
		identity.Reader = reader
		found = append(found, piv.Found{Reader: reader, Identity: identity})
	}
	if len(serials) == 0 {
		found = append(found, piv.Found{Reader: "HID Global OMNIKEY 3x21 Smart Card Reader 00 00", Err: piv.ErrNoCard})
	}
	return found
}

// leafFor is a certificate to look at, not one to verify.
func leafFor(email string) *x509.Certificate {
	return &x509.Certificate{
		Raw: []byte("the certificate of " + email), Subject: pkix.Name{CommonName: "Ada Lovelace"}, EmailAddresses: []string{email},
		SerialNumber: big.NewInt(1), NotBefore: moment, NotAfter: moment.AddDate(1, 0, 0),
	}
}

// chainFor is a leaf with the certificates above it.
func chainFor(email string) []*x509.Certificate {
	authority := func(name string, years int) *x509.Certificate {
		return &x509.Certificate{Raw: []byte(name), RawSubject: []byte(name), RawIssuer: []byte("Example Root CA"), Subject: pkix.Name{CommonName: name, Organization: []string{"Example"}}, NotBefore: moment.AddDate(-2, 0, 0), NotAfter: moment.AddDate(years, 0, 0), IsCA: true}
	}
	return []*x509.Certificate{leafFor(email), authority("Example S/MIME Issuing CA 3", 5), authority("Example Root CA", 18)}
}

// pairOf is a key pair at Gmail.
func pairOf(id string, enabled bool, description string) gmail.KeyPair {
	return gmail.KeyPair{ID: id, Enabled: enabled, NotAfter: moment.AddDate(0, 6, 0), HardwareDescriptions: []string{description}}
}

// fakePractice is a drawer with cards in it.
type fakePractice struct {
	did []string
	err error
}

func (*fakePractice) Acts() []desk.Act {
	return []desk.Act{{ID: "pull 0", Title: "pull the card out"}, {ID: "new 0", Title: "put a new card in"}, {ID: "ca", Title: "let the CA take its time"}}
}

func (p *fakePractice) Do(_ context.Context, id string) error {
	p.did = append(p.did, id)
	return p.err
}
