package enroll_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/escrow"
	"github.com/cse-piv/cse-piv/internal/gmail"
	"github.com/cse-piv/cse-piv/internal/issuer"
	"github.com/cse-piv/cse-piv/internal/lab"
	"github.com/cse-piv/cse-piv/internal/lab/yubikey"
	"github.com/cse-piv/cse-piv/internal/piv"
	"github.com/cse-piv/cse-piv/internal/piv/attestation"
	"github.com/cse-piv/cse-piv/internal/registration"
	"github.com/cse-piv/cse-piv/internal/secret"
)

// practice is the lab of this test process: libpcsclite remembers its daemon's
// socket from the first call on, so there is one for all tests.
var practice *lab.Lab

// weather is the background that every test runs in unless it says otherwise.
var weather = []string{"api:5%", "card:reset:2%"}

func TestMain(m *testing.M) { os.Exit(runTests(m)) }

func runTests(m *testing.M) int {
	dir, err := os.MkdirTemp("", "lab")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	practice, err = lab.Start(context.Background(), lab.Options{
		Dir: dir, Readers: 2, NoCard: true, Seed: 1, GenerateRSA: makeRSA,
		PowerGrace: time.Hour, // what is left unlocked stays so, however slow the machine
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, "starting the practice lab:", err)
		return 1
	}
	defer practice.Close()
	os.Setenv("PCSCLITE_CSOCK_NAME", practice.Env()["PCSCLITE_CSOCK_NAME"])
	return m.Run()
}

// beforeRSA is called before a card makes an RSA key.
var beforeRSA atomic.Pointer[func()]

func makeRSA(bits int) (*rsa.PrivateKey, error) {
	if before := beforeRSA.Load(); before != nil {
		(*before)()
	}
	if make := quickRSA.Load(); make != nil {
		return (*make)(bits)
	}
	return rsa.GenerateKey(rand.Reader, bits)
}

// quickRSA makes RSA keys instead of crypto/rsa where it is set.
var quickRSA atomic.Pointer[func(bits int) (*rsa.PrivateKey, error)]

// card is a piv.Card as an enrollment uses it.
type card struct{ *piv.Card }

func (c card) AllowLastTry() enroll.Card { return card{c.Card.AllowLastTry()} }

var serials atomic.Uint32

// desk is one card and one user, both new, at the lab.
type desk struct {
	t       testing.TB
	card    *yubikey.Card
	serial  uint32
	email   string
	deps    enroll.Dependencies
	request enroll.Request
	escrow  string
}

func newDesk(t testing.TB, firmware string) *desk {
	t.Helper()
	d := &desk{t: t, serial: 20_000_000 + serials.Add(1), escrow: t.TempDir()}
	d.email = fmt.Sprintf("user%d@lab.example", d.serial)
	setFaults(t, "off")
	card, err := practice.NewCard(lab.CardSpec{Serial: d.serial, Firmware: firmware})
	if err != nil {
		t.Fatal(err)
	}
	d.card = card
	d.insert()
	t.Cleanup(func() { setFaults(t, "off"); _ = practice.Pull(0) })
	d.deps = d.newFixture()
	d.request = enroll.Request{
		Email: d.email, Serial: d.serial, PIN: secret.FromString("271828"),
		Keys: []enroll.KeyRequest{{
			Slot: piv.SlotKeyManagement, Use: certificate.UseBoth, Source: enroll.SourceGenerate,
			Algorithm: piv.ECCP256, PINPolicy: piv.PINDefault, TouchPolicy: piv.TouchDefault,
		}},
	}
	setFaults(t, weather...)
	return d
}

// insert puts the desk's card into the first reader, whatever is in it.
func (d *desk) insert() {
	d.t.Helper()
	_ = practice.Pull(0)
	if err := practice.Insert(0, d.card); err != nil {
		d.t.Fatal(err)
	}
}

func (d *desk) newFixture() enroll.Dependencies {
	d.t.Helper()
	env := practice.Env()
	domain, err := gmail.Open(gmail.Config{
		CredentialsFile: env["CSE_PIV_CREDENTIALS"], Endpoint: env["CSE_PIV_GMAIL_ENDPOINT"], RetryBase: time.Millisecond,
	})
	if err != nil {
		d.t.Fatal(err)
	}
	trust, err := attestation.LoadRoots(env["CSE_PIV_ATTESTATION_ROOTS"])
	if err != nil {
		d.t.Fatal(err)
	}
	ca, err := issuer.NewEST(env["CSE_PIV_ISSUER"], issuer.ESTOptions{})
	if err != nil {
		d.t.Fatal(err)
	}
	store, err := escrow.NewPlainFile(d.escrow)
	if err != nil {
		d.t.Fatal(err)
	}
	return enroll.Dependencies{
		OpenCard: func(ctx context.Context, serial uint32, touch func(piv.Slot)) (enroll.Card, error) {
			opened, err := piv.Open(ctx, serial, piv.Options{OnTouch: touch})
			return card{opened}, err
		},
		WaitForCard: piv.Wait,
		Account:     func(ctx context.Context, email string) (registration.Account, error) { return domain.User(ctx, email) },
		Issuer:      ca, Escrow: store, Trust: trust, Prompter: enroll.Unattended{},
		Recover: func(ctx context.Context, serial uint32) ([]escrow.Record, error) {
			return escrow.ReadAll(ctx, d.escrow, serial)
		},
		Evidence: filepath.Join(d.escrow, "evidence"), Operator: "tester", Tool: "test", CardTimeout: 150 * time.Millisecond,
		Notify: func(event enroll.Event) { d.t.Logf("%s %s %s %s", event.Step, event.Slot, event.State, event.Message) },
	}
}

func (d *desk) run() (*enroll.Receipt, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	return enroll.Run(ctx, d.deps, d.request)
}

func (d *desk) mustRun() *enroll.Receipt {
	d.t.Helper()
	receipt, err := d.run()
	if err != nil {
		d.t.Fatal(err)
	}
	return receipt
}

// checkWhole is the first law: one key pair for each key, one identity, no
// secret lost, no try burnt, no factory secret left.
func (d *desk) checkWhole(receipt *enroll.Receipt) {
	d.t.Helper()
	pairs := practice.Gmail().KeyPairs(d.email)
	if len(pairs) != len(d.request.Keys) {
		d.t.Errorf("Gmail has %d key pairs for %d keys", len(pairs), len(d.request.Keys))
	}
	if identities := practice.Gmail().Identities(d.email); len(identities) != 1 {
		d.t.Errorf("Gmail has %d identities, want 1", len(identities))
	}
	snapshot := d.card.Snapshot()
	if snapshot.PIN.Tries != snapshot.PIN.Max || snapshot.PUK.Tries != snapshot.PUK.Max {
		d.t.Errorf("tries were burnt: PIN %d of %d, PUK %d of %d", snapshot.PIN.Tries, snapshot.PIN.Max, snapshot.PUK.Tries, snapshot.PUK.Max)
	}
	if snapshot.PIN.Value != "271828" {
		d.t.Error("the card's PIN is not the user's")
	}
	d.checkEscrow(snapshot)
	if d.request.ProtectManagementKey {
		d.checkProtected(snapshot)
	}
	if receipt == nil || len(receipt.Keys) != len(d.request.Keys) || receipt.Email != d.email || receipt.Card.Serial != d.serial {
		d.t.Errorf("receipt %+v", receipt)
	}
}

// checkProtected finds the card's management key where the PIN leads to it.
func (d *desk) checkProtected(snapshot yubikey.Snapshot) {
	d.t.Helper()
	printed, key := snapshot.Objects[0x5FC109], snapshot.ManagementKey.Value
	if !bytes.Equal(printed, slices.Concat([]byte{0x88, byte(2 + len(key)), 0x89, byte(len(key))}, key)) {
		d.t.Errorf("PRINTED has %d bytes, and not the management key of %d", len(printed), len(key))
	}
	if admin := snapshot.Objects[0x5FFF00]; !bytes.Equal(admin, []byte{0x80, 0x03, 0x81, 0x01, 0x02}) {
		d.t.Errorf("ADMIN DATA is % X", admin)
	}
}

// checkEscrow finds the card's present PUK and management key among those that
// were sealed.
func (d *desk) checkEscrow(snapshot yubikey.Snapshot) {
	d.t.Helper()
	records, err := escrow.ReadAll(context.Background(), d.escrow, d.serial)
	if err != nil {
		d.t.Fatal(err)
	}
	var puk, managementKey bool
	for _, record := range records {
		puk = puk || record.PUK.Equal(secret.FromString(snapshot.PUK.Value))
		managementKey = managementKey || record.ManagementKey.Equal(secret.New(snapshot.ManagementKey.Value))
	}
	if !puk || !managementKey {
		d.t.Errorf("of %d escrow records, PUK found: %v, management key found: %v", len(records), puk, managementKey)
	}
}

func setFaults(t testing.TB, faults ...string) {
	t.Helper()
	if err := practice.SetFaults(faults...); err != nil {
		t.Fatal(err)
	}
}

func isCardTrouble(err error) bool {
	for _, trouble := range []error{piv.ErrRemoved, piv.ErrReset, piv.ErrNoCard, piv.ErrNoReader} {
		if errors.Is(err, trouble) {
			return true
		}
	}
	return false
}
