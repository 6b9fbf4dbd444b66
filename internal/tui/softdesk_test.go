package tui

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/desk"
	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/gmail"
	"github.com/cse-piv/cse-piv/internal/issuer"
	"github.com/cse-piv/cse-piv/internal/piv"
	"github.com/cse-piv/cse-piv/internal/registration"
	"github.com/cse-piv/cse-piv/internal/secret"
	"github.com/cse-piv/cse-piv/internal/sleep"
)

// softDesk is a desk on which enrollments really run: cards, an issuer and
// Gmail in memory, evidence on disk. It says nothing about the real ones; it
// lets the wizard be driven from the first question to the receipt.
type softDesk struct {
	cards   map[uint32]*softCard
	root    *x509.Certificate
	issuing *x509.Certificate
	rootKey *ecdsa.PrivateKey
	caKey   *ecdsa.PrivateKey
	slow    time.Duration // what creating a key pair takes

	mu         sync.Mutex
	signs      bool // whether the issuer answers
	pairs      map[string][]gmail.KeyPair
	identities map[string]gmail.Identity
}

func newSoftDesk(t testing.TB, serials ...uint32) *softDesk {
	t.Helper()
	w := &softDesk{slow: time.Second, cards: map[uint32]*softCard{}, signs: true, pairs: map[string][]gmail.KeyPair{}, identities: map[string]gmail.Identity{}}
	for _, serial := range serials {
		w.cards[serial] = newSoftCard(serial)
	}
	w.rootKey, w.caKey = newSoftCard(0).key, newSoftCard(0).key
	root := &x509.Certificate{
		SerialNumber: serialNumber(t), Subject: pkix.Name{CommonName: "Example Root CA"}, NotBefore: moment.AddDate(-5, 0, 0), NotAfter: moment.AddDate(15, 0, 0),
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign, BasicConstraintsValid: true, IsCA: true,
	}
	w.root = sign(t, root, root, w.rootKey.Public(), w.rootKey)
	issuing := *root
	issuing.SerialNumber, issuing.Subject.CommonName, issuing.NotAfter = serialNumber(t), "Example S/MIME Issuing CA 3", moment.AddDate(5, 0, 0)
	issuing.MaxPathLenZero, issuing.ExtKeyUsage = true, []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection}
	issuing.CRLDistributionPoints = []string{"http://crl.example.com/ca.crl"}
	w.issuing = sign(t, &issuing, w.root, w.caKey.Public(), w.rootKey)
	return w
}

func serialNumber(t testing.TB) *big.Int {
	t.Helper()
	n, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 126))
	if err != nil {
		t.Fatal(err)
	}
	return n.SetBit(n, 126, 1)
}

func sign(t testing.TB, template, parent *x509.Certificate, public crypto.PublicKey, key *ecdsa.PrivateKey) *x509.Certificate {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, template, parent, public, key)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return certificate
}

// desk returns the desk with those people.
func (w *softDesk) desk(t testing.TB, people ...desk.Person) *desk.Desk {
	fake := newFakeDesk()
	fake.people = people
	d := fake.desk(t)
	d.Request = enroll.Request{
		Keys:            []enroll.KeyRequest{{Slot: piv.SlotKeyManagement, Use: certificate.UseBoth, Source: enroll.SourceExisting, Algorithm: piv.ECCP256, PINPolicy: piv.PINDefault, TouchPolicy: piv.TouchDefault}},
		AllowUnattested: true, ManagementKey: secret.FromString(strings.Repeat("k", 24)),
	}
	began := time.Now()
	d.Dependencies.Now = func() time.Time { return moment.Add(time.Since(began)) }
	d.Dependencies.Operator, d.Dependencies.Tool, d.Dependencies.CardTimeout = "operator", "cse-piv", 10*time.Minute
	d.Dependencies.Issuer, d.Dependencies.Chain = softIssuer{t, w}, []*x509.Certificate{w.root}
	d.Dependencies.OpenCard = func(_ context.Context, serial uint32, _ func(piv.Slot)) (enroll.Card, error) {
		card := w.cards[serial]
		if card == nil || card.do(0, func() error { return nil }) != nil {
			return nil, piv.ErrNoCard
		}
		return card, nil
	}
	d.Dependencies.WaitForCard = func(ctx context.Context, serial uint32) error {
		for w.cards[serial].do(0, func() error { return nil }) != nil {
			if err := sleep.For(ctx, 100*time.Millisecond); err != nil {
				return err
			}
		}
		return nil
	}
	d.Dependencies.Account = func(_ context.Context, email string) (registration.Account, error) { return softAccount{w, email}, nil }
	d.AtGmail = func(_ context.Context, email string) (desk.AtGmail, error) {
		w.mu.Lock()
		defer w.mu.Unlock()
		return desk.AtGmail{KeyPairs: slices.Clone(w.pairs[email])}, nil
	}
	d.Status = func(ctx context.Context, serial uint32) (desk.CardStatus, error) {
		card := w.cards[serial]
		protection, err := card.Protection(ctx)
		if err != nil {
			return desk.CardStatus{}, err
		}
		held, err := card.Slot(ctx, piv.SlotKeyManagement)
		return desk.CardStatus{Identity: card.Identity(), Status: piv.Status{Protection: protection, Slots: []piv.SlotContents{held}}}, err
	}
	return d
}

// answer says whether the issuer answers from now on.
func (w *softDesk) answer(signs bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.signs = signs
}

// found is what the readers hold.
func (w *softDesk) found(serials ...uint32) []piv.Found {
	var found []piv.Found
	for _, serial := range serials {
		found = append(found, piv.Found{Reader: "Yubico YubiKey OTP+FIDO+CCID 00 00", Identity: w.cards[serial].Identity()})
	}
	return found
}

// softIssuer signs what it is asked for, or lets it wait.
type softIssuer struct {
	t        testing.TB
	commands *softDesk
}

func (softIssuer) Name() string { return "file" }

func (i softIssuer) Issue(_ context.Context, request issuer.Request) ([]*x509.Certificate, error) {
	i.commands.mu.Lock()
	defer i.commands.mu.Unlock()
	if !i.commands.signs {
		return nil, &issuer.WaitingError{Dir: "/requests", Request: request.Email + ".csr.pem", Expected: request.Email + ".pem"}
	}
	csr, err := x509.ParseCertificateRequest(request.CSR)
	if err != nil {
		return nil, err
	}
	leaf := sign(i.t, &x509.Certificate{
		SerialNumber: serialNumber(i.t), Subject: pkix.Name{CommonName: request.Email}, NotBefore: moment.AddDate(0, 0, -1), NotAfter: moment.AddDate(1, 0, 0),
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageKeyAgreement, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection},
		EmailAddresses: []string{request.Email}, CRLDistributionPoints: []string{"http://crl.example.com/ca.crl"},
	}, i.commands.issuing, csr.PublicKey, i.commands.caKey)
	return []*x509.Certificate{leaf, i.commands.issuing}, nil
}

// softAccount is one user at Gmail.
type softAccount struct {
	commands *softDesk
	email    string
}

func (a softAccount) KeyPairs(context.Context) ([]gmail.KeyPair, error) {
	a.commands.mu.Lock()
	defer a.commands.mu.Unlock()
	return slices.Clone(a.commands.pairs[a.email]), nil
}

func (a softAccount) CreateKeyPair(_ context.Context, _ []gmail.KeyPair, request gmail.KeyPairRequest) (gmail.KeyPair, bool, error) {
	time.Sleep(a.commands.slow)
	a.commands.mu.Lock()
	defer a.commands.mu.Unlock()
	pair := gmail.KeyPair{ID: "pair-of-" + a.email, LeafSHA256: request.LeafSHA256, Enabled: true, NotAfter: moment.AddDate(1, 0, 0), HardwareDescriptions: []string{request.Description}}
	a.commands.pairs[a.email] = append(a.commands.pairs[a.email], pair)
	return pair, true, nil
}

func (a softAccount) Identity(context.Context) (gmail.Identity, error) {
	a.commands.mu.Lock()
	defer a.commands.mu.Unlock()
	identity, found := a.commands.identities[a.email]
	if !found {
		return identity, gmail.ErrNotFound
	}
	return identity, nil
}

func (a softAccount) CreateIdentity(_ context.Context, want gmail.Identity) (gmail.Identity, error) {
	a.commands.mu.Lock()
	defer a.commands.mu.Unlock()
	a.commands.identities[a.email] = want
	return want, nil
}

func (a softAccount) PatchIdentity(ctx context.Context, want gmail.Identity) (gmail.Identity, error) {
	return a.CreateIdentity(ctx, want)
}
