package enroll_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/evidence"
	"github.com/cse-piv/cse-piv/internal/gmail"
	"github.com/cse-piv/cse-piv/internal/lab/workspace"
	"github.com/cse-piv/cse-piv/internal/piv"
	"github.com/cse-piv/cse-piv/internal/piv/attestation"
	"github.com/cse-piv/cse-piv/internal/secret"
)

// split makes the desk's request one for two keys.
func (d *desk) split() {
	signing, encryption := d.request.Keys[0], d.request.Keys[0]
	signing.Slot, signing.Use = piv.SlotSignature, certificate.UseSign
	encryption.Use = certificate.UseEncrypt
	d.request.Keys = []enroll.KeyRequest{signing, encryption}
}

func TestEveryKindOfKey(t *testing.T) {
	for _, c := range []struct {
		firmware  string
		algorithm piv.Algorithm
		split     bool
	}{
		{"5.4.3", piv.RSA2048, false},
		{"5.4.3", piv.ECCP384, true},
		{"5.7.4", piv.RSA3072, false},
		{"5.7.4", piv.RSA2048, true},
		{"5.7.4", piv.ECCP256, true},
	} {
		name := c.firmware + "-" + string(c.algorithm)
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, c.firmware)
			d.request.Keys[0].Algorithm = c.algorithm
			if c.split {
				d.split()
			}
			receipt := d.mustRun()
			d.checkWhole(receipt)
			if receipt.Keys[0].Algorithm != string(c.algorithm) || !receipt.Keys[0].Attested || receipt.Card.Firmware != c.firmware {
				t.Errorf("receipt %+v", receipt)
			}
			if c.split != (receipt.Identity.PrimaryKeyPairID == "") || c.split != (receipt.Identity.SigningKeyPairID != receipt.Identity.EncryptionKeyPairID) {
				t.Errorf("identity %+v for split %v", receipt.Identity, c.split)
			}
			d.deps = d.newFixture()
			d.checkWhole(d.mustRun())
		})
	}
}

func TestCardThatCannotIsRefusedUntouched(t *testing.T) {
	d := newDesk(t, "5.4.3")
	d.request.Keys[0].Algorithm = piv.RSA4096
	_, err := d.run()
	var unsupported *piv.UnsupportedError
	if !errors.As(err, &unsupported) {
		t.Fatalf("RSA 4096 on firmware 5.4.3: %v", err)
	}
	d.checkUntouched()
}

func TestASlotThatCannotBeToldEmptyIsNotOverwrittenUnasked(t *testing.T) {
	d := newDesk(t, "5.2.7")
	_, err := d.run()
	var occupied *enroll.OccupiedError
	if !errors.As(err, &occupied) || !strings.Contains(occupied.Contents, "cannot tell") {
		t.Fatalf("a slot that may hold an imported key: %v", err)
	}
	d.checkUntouched()
}

// checkUntouched is a card and a user that nothing happened to.
func (d *desk) checkUntouched() {
	d.t.Helper()
	snapshot := d.card.Snapshot()
	if !snapshot.PIN.Default || !snapshot.PUK.Default || !snapshot.ManagementKey.Default || snapshot.PIN.Tries != snapshot.PIN.Max {
		d.t.Error("the card's PIN, PUK or management key was changed or tried")
	}
	if _, there := snapshot.Slots[byte(piv.SlotKeyManagement)]; there {
		d.t.Error("a key was generated")
	}
	if n := len(practice.Gmail().KeyPairs(d.email)); n != 0 {
		d.t.Errorf("Gmail has %d key pairs", n)
	}
}

func TestUntrustedAttestationStopsBeforeTheRequest(t *testing.T) {
	d := newDesk(t, "5.7.4")
	d.deps.Trust = attestation.YubicoTrust()
	_, err := d.run()
	if !errors.Is(err, attestation.ErrRefused) {
		t.Fatalf("a practice card was taken for a YubiKey: %v", err)
	}
	if requests, _ := filepath.Glob(filepath.Join(d.escrow, "evidence", d.email, "*", "request-*")); len(requests) != 0 {
		t.Errorf("a certificate was requested: %v", requests)
	}
}

// importedCard says of its keys that they were imported.
type importedCard struct{ enroll.Card }

func (c importedCard) Slot(ctx context.Context, slot piv.Slot) (piv.SlotContents, error) {
	contents, err := c.Card.Slot(ctx, slot)
	if contents.Key != nil {
		contents.Key.Origin = piv.Imported
	}
	return contents, err
}

func TestImportedKeyNeedsConsent(t *testing.T) {
	d := newDesk(t, "5.7.4")
	d.mustRun()
	open := d.deps.OpenCard
	d.deps.OpenCard = func(ctx context.Context, serial uint32, touch func(piv.Slot)) (enroll.Card, error) {
		opened, err := open(ctx, serial, touch)
		return importedCard{opened}, err
	}
	d.email = "second-" + d.email
	d.request.Email = d.email
	d.request.Keys[0].Source = enroll.SourceExisting
	// The certificate on the card is for somebody else.
	if _, err := d.run(); !errors.Is(err, enroll.ErrUnattested) {
		t.Fatalf("an imported key was taken: %v", err)
	}
	d.request.AllowUnattested = true
	d.deps.Chain = append(d.deps.Chain, practice.CA().Issuing(), practice.CA().Root())
	_, err := d.run()
	var chain *enroll.ChainError
	if !errors.As(err, &chain) {
		t.Fatalf("a certificate for another address was taken: %v", err)
	}
}

// TestGeneratedKeyHasToBeAttested: a card that says of the key that it just made that
// it was imported does not get it enrolled, whatever is allowed for keys that were
// there, nor when the run is repeated.
func TestGeneratedKeyHasToBeAttested(t *testing.T) {
	d := newDesk(t, "5.7.4")
	open := d.deps.OpenCard
	d.deps.OpenCard = func(ctx context.Context, serial uint32, touch func(piv.Slot)) (enroll.Card, error) {
		opened, err := open(ctx, serial, touch)
		return importedCard{opened}, err
	}
	d.request.AllowUnattested = true
	for range 2 {
		if _, err := d.run(); !errors.Is(err, attestation.ErrRefused) && !errors.Is(err, enroll.ErrUnattested) {
			t.Errorf("it ended as %v", err)
		}
	}
	if pairs := practice.Gmail().KeyPairs(d.email); len(pairs) != 0 {
		t.Errorf("%d key pairs of a key that nobody attests", len(pairs))
	}
}

func TestExistingKeyIsRegisteredWithItsCertificate(t *testing.T) {
	d := newDesk(t, "5.7.4")
	first := d.mustRun()
	d.deps = d.newFixture()
	d.deps.Issuer = nil
	d.deps.Evidence = t.TempDir() // another desk, which knows nothing
	d.request.Keys[0].Source = enroll.SourceExisting
	d.deps.Chain = append(d.deps.Chain, practice.CA().Issuing(), practice.CA().Root())
	second := d.mustRun()
	if second.Keys[0] != first.Keys[0] {
		t.Errorf("the same key was registered as %+v and %+v", first.Keys[0], second.Keys[0])
	}
	d.checkWhole(second)
}

func TestSecondCardKeepsTheFirstKeyPairEnabled(t *testing.T) {
	first := newDesk(t, "5.7.4")
	first.mustRun()
	second := newDesk(t, "5.7.4")
	second.email, second.request.Email = first.email, first.email
	second.request.ReplaceCard = true
	receipt := second.mustRun()
	pairs := practice.Gmail().KeyPairs(first.email)
	if len(pairs) != 2 {
		t.Fatalf("%d key pairs", len(pairs))
	}
	for _, pair := range pairs {
		if !pair.Enabled {
			t.Errorf("key pair %s is disabled: old mail is unreadable", pair.ID)
		}
	}
	data, err := os.ReadFile(filepath.Join(receipt.Evidence, "receipt.json"))
	if err != nil {
		t.Fatal(err)
	}
	var audited struct {
		Replaced *enroll.ReceiptIdentity `json:"replaced_identity"`
		Operator string                  `json:"operator"`
	}
	if err := json.Unmarshal(data, &audited); err != nil {
		t.Fatal(err)
	}
	if audited.Replaced == nil || audited.Replaced.PrimaryKeyPairID == receipt.Identity.PrimaryKeyPairID || audited.Operator != "tester" {
		t.Errorf("the receipt does not say what was replaced and by whom: %s", data)
	}
}

// TestIdentityIsPutRightByTheSameCommand: it was deleted, or set to another key pair.
func TestIdentityIsPutRightByTheSameCommand(t *testing.T) {
	d := newDesk(t, "5.7.4")
	first := d.mustRun()
	env := practice.Env()
	domain, err := gmail.Open(gmail.Config{CredentialsFile: env["CSE_PIV_CREDENTIALS"], Endpoint: env["CSE_PIV_GMAIL_ENDPOINT"], RetryBase: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer domain.Close()
	user, err := domain.User(t.Context(), d.email)
	if err != nil {
		t.Fatal(err)
	}
	if err := user.DeleteIdentity(t.Context()); err != nil {
		t.Fatal(err)
	}
	again := d.mustRun()
	if again.Identity != first.Identity || again.Identity.PrimaryKeyPairID == "" {
		t.Errorf("%+v, first %+v", again.Identity, first.Identity)
	}
	d.checkWhole(again)
	other, err := practice.Gmail().AddKeyPair(d.email, workspace.NewKeyPair{Chain: practice.Gmail().KeyPairs(d.email)[0].Chain})
	if err != nil {
		t.Fatal(err)
	}
	// The double is in the identity, so it serves, and the first is superfluous.
	if _, err := user.PatchIdentity(t.Context(), gmail.Identity{PrimaryKeyPairID: other}); err != nil {
		t.Fatal(err)
	}
	var notes []string
	d.deps.Notify = func(event enroll.Event) {
		if event.State == enroll.StateNote {
			notes = append(notes, event.Message)
		}
	}
	last := d.mustRun()
	told := slices.ContainsFunc(notes, func(note string) bool {
		return strings.Contains(note, first.Identity.PrimaryKeyPairID+" is superfluous")
	})
	if last.Identity.PrimaryKeyPairID != other || !told {
		t.Errorf("%+v, notes %q", last.Identity, notes)
	}
}

func TestNothingSecretIsWrittenOrReported(t *testing.T) {
	d := newDesk(t, "5.7.4")
	puk := secret.FromString("31415926")
	d.request.PUK = puk
	var events strings.Builder
	d.deps.Notify = func(event enroll.Event) {
		line, err := json.Marshal(event)
		if err != nil {
			t.Error(err)
		}
		events.Write(line)
	}
	receipt := d.mustRun()
	all := events.String()
	files, err := filepath.Glob(filepath.Join(receipt.Evidence, "*"))
	if err != nil || len(files) < 6 {
		t.Fatalf("evidence %v, %v", files, err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all += string(data)
	}
	for _, value := range []string{"271828", "31415926"} {
		if strings.Contains(all, value) {
			t.Errorf("the secret %s is in the evidence or the events", value)
		}
	}
}

func TestUsageIsRefusedBeforeAnything(t *testing.T) {
	d := newDesk(t, "5.7.4")
	for name, spoil := range map[string]func(*enroll.Request){
		"address": func(r *enroll.Request) { r.Email = "nobody" },
		"pin":     func(r *enroll.Request) { r.PIN = secret.FromString("12345") },
		"factory": func(r *enroll.Request) { r.PIN = piv.FactoryPIN() },
		"puk":     func(r *enroll.Request) { r.PUK = piv.FactoryPUK() },
		"keys":    func(r *enroll.Request) { r.Keys = nil },
		"x25519": func(r *enroll.Request) {
			r.Keys = []enroll.KeyRequest{{Slot: piv.SlotKeyManagement, Use: certificate.UseBoth, Source: enroll.SourceGenerate, Algorithm: piv.X25519}}
		},
	} {
		request := d.request
		spoil(&request)
		if _, err := enroll.Run(context.Background(), d.deps, request); !enroll.IsUsage(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
	d.checkUntouched()
}

func TestOneUserIsEnrolledByOneProcess(t *testing.T) {
	d := newDesk(t, "5.7.4")
	unlock, err := evidence.TryLock(d.deps.Evidence, d.email)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.run(); !errors.Is(err, evidence.ErrBusy) {
		t.Fatalf("somebody else enrolls the user: %v", err)
	}
	if n := len(practice.Gmail().KeyPairs(d.email)); n != 0 {
		t.Errorf("%d key pairs were registered", n)
	}
	if err := unlock(); err != nil {
		t.Fatal(err)
	}
	d.checkWhole(d.mustRun())
}
