package enroll_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/x509"
	"errors"
	"strconv"
	"testing"
	"time"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/escrow"
	"github.com/cse-piv/cse-piv/internal/issuer"
	"github.com/cse-piv/cse-piv/internal/lab"
	"github.com/cse-piv/cse-piv/internal/piv"
	"github.com/cse-piv/cse-piv/internal/secret"
)

// What others do while an enrollment is under way, or between two runs of it.

// meanwhile does something while the PIN is asked for.
type meanwhile struct {
	enroll.Unattended
	do func()
}

func (m meanwhile) Secret(context.Context, enroll.SecretQuestion) (secret.Secret, error) {
	m.do()
	return secret.FromString("271828"), nil
}

// patientIssuer never signs.
type patientIssuer struct{ issuer.Issuer }

func (patientIssuer) Issue(context.Context, issuer.Request) ([]*x509.Certificate, error) {
	return nil, &issuer.WaitingError{Request: "the request"}
}

// open opens the desk's card as another program would.
func (d *desk) open() *piv.Card {
	d.t.Helper()
	opened, err := piv.Open(d.t.Context(), d.serial, piv.Options{KeepOpen: time.Nanosecond}) // nobody waits for it
	if err != nil {
		d.t.Fatal(err)
	}
	return opened
}

// held is what slot 9d holds.
func (d *desk) held() piv.SlotContents {
	d.t.Helper()
	held, err := d.open().Slot(d.t.Context(), piv.SlotKeyManagement)
	if err != nil || held.Key == nil {
		d.t.Fatal(held, err)
	}
	return held
}

// preview is what a run for the request would come to.
func (d *desk) preview(request enroll.Request) *enroll.Preview {
	d.t.Helper()
	preview, err := enroll.NewPreview(d.t.Context(), d.deps, request)
	if err != nil {
		d.t.Fatal(err)
	}
	return preview
}

// mustWait runs an enrollment that ends for want of a certificate.
func (d *desk) mustWait() {
	d.t.Helper()
	ca := d.deps.Issuer
	d.deps.Issuer = patientIssuer{ca}
	defer func() { d.deps.Issuer = ca }()
	if _, err := d.run(); len(issuer.Waits(err)) == 0 {
		d.t.Fatal(err)
	}
}

// TestCardThatWaitsHasTheFactoryManagementKey: whoever keeps the card meanwhile has to
// know, until it is replaced.
func TestCardThatWaitsHasTheFactoryManagementKey(t *testing.T) {
	d := newDesk(t, "5.7.4")
	setFaults(t, "off")
	told := func() bool {
		t.Helper()
		progress, err := enroll.ReadProgress(d.deps.Evidence, d.email, d.serial)
		if err != nil {
			t.Fatal(err)
		}
		return progress.FactoryManagementKey
	}
	d.mustWait()
	if !told() {
		t.Error("it is not told of a card that waits")
	}
	// Somebody else replaces it, as with ykman.
	own := secret.New(bytes.Repeat([]byte{0x5a}, 24))
	err := d.usingCard(func(card *piv.Card) error {
		return card.ChangeManagementKey(t.Context(), piv.FactoryManagementKey(), own)
	})
	if err != nil {
		t.Fatal(err)
	}
	d.request.ManagementKey = own
	d.mustWait()
	if told() {
		t.Error("it is told of a card that has another")
	}

	d = newDesk(t, "5.2.7")
	setFaults(t, "off")
	d.request.NewCard, d.request.Overwrite, d.request.Confirm = true, true, strconv.FormatUint(uint64(d.serial), 10)
	d.mustWait()
	if !told() {
		t.Error("it is not told of a card that cannot tell itself")
	}
	d.mustRun()
	if told() {
		t.Error("it is told of a card that is done")
	}
}

// usingCard opens the desk's card as another program would.
func (d *desk) usingCard(use func(*piv.Card) error) error {
	opened, err := piv.Open(d.t.Context(), d.serial, piv.Options{})
	if err != nil {
		return err
	}
	return errors.Join(use(opened), opened.Release(d.t.Context()))
}

// TestKeyThatCameMeanwhileIsNotOverwritten: the slot was empty when the plan was
// settled, and is not any more when the key is to be generated.
func TestKeyThatCameMeanwhileIsNotOverwritten(t *testing.T) {
	d := newDesk(t, "5.7.4")
	setFaults(t, "off")
	d.request.PIN = secret.Secret{}
	var other crypto.PublicKey
	d.deps.Prompter = meanwhile{do: func() {
		var err error
		if other, err = d.open().Generate(t.Context(), piv.FactoryManagementKey(), piv.SlotKeyManagement, piv.GenerateOptions{Algorithm: piv.ECCP256}); err != nil {
			t.Fatal(err)
		}
	}}
	_, err := d.run()
	var occupied *enroll.OccupiedError
	if !errors.As(err, &occupied) {
		t.Error(err)
	}
	if !certificate.SameKey(d.held().Key.PublicKey, other) {
		t.Error("the key that came meanwhile is gone")
	}
}

// TestOthersKeyIsNotTakenForOnesOwn: while Ada waits for her certificate, the
// card is given to Grace.
func TestOthersKeyIsNotTakenForOnesOwn(t *testing.T) {
	d := newDesk(t, "5.7.4")
	setFaults(t, "off")
	d.mustWait()
	ada := d.request
	d.request.Email = "grace-" + d.email
	d.request.Overwrite, d.request.Confirm = true, strconv.FormatUint(uint64(d.serial), 10)
	d.mustRun()
	before := d.held()

	if preview := d.preview(ada); preview.Slots[0].Action != enroll.ActionReplace {
		t.Errorf("%+v", preview.Slots)
	}
	d.request = ada
	_, err := d.run()
	var occupied *enroll.OccupiedError
	if !errors.As(err, &occupied) {
		t.Error(err)
	}
	if after := d.held(); !certificate.SameKey(after.Key.PublicKey, before.Key.PublicKey) || !after.Certificate.Equal(before.Certificate) {
		t.Error("Grace's key or certificate is gone")
	}
}

// TestOnlyTheLossThatWasAgreedToComes: the serial was typed for what a person saw.
func TestOnlyTheLossThatWasAgreedToComes(t *testing.T) {
	d := newDesk(t, "5.7.4")
	setFaults(t, "off")
	d.mustRun()
	before := d.held()
	d.request.Email = "grace-" + d.email
	d.request.Serial = d.serial
	d.request = d.request.Agree([]string{"slot 9c already holds something"})
	_, err := d.run()
	var occupied *enroll.OccupiedError
	if after := d.held(); !errors.As(err, &occupied) || !certificate.SameKey(after.Key.PublicKey, before.Key.PublicKey) {
		t.Fatalf("with another loss agreed to: %v", err)
	}
	preview, err := enroll.NewPreview(t.Context(), d.deps, d.request)
	if err != nil {
		t.Fatal(err)
	}
	d.request = d.request.Agree(preview.Losses())
	d.mustRun()
	if after := d.held(); certificate.SameKey(after.Key.PublicKey, before.Key.PublicKey) {
		t.Error("the key is the old one")
	}
}

// TestSecondRoundHasItsOwnEvidence: who was enrolled once and is being enrolled
// again counts as waiting, not as done.
func TestSecondRoundHasItsOwnEvidence(t *testing.T) {
	d := newDesk(t, "5.7.4")
	setFaults(t, "off")
	first := d.mustRun()
	// Another slot, in place of the first.
	d.request.Replace = d.preview(d.request).UsersKeys()
	d.request.Keys[0].Slot = piv.SlotSignature
	d.mustWait()
	standing, err := enroll.ReadProgress(d.deps.Evidence, d.email, 0)
	if err != nil || standing.Stage != enroll.StageWaiting || standing.Folder == first.Evidence {
		t.Errorf("%+v, %v", standing, err)
	}
	if waits, err := enroll.Poll(t.Context(), d.deps, d.email, d.serial); err != nil || len(waits) != 0 {
		t.Error(waits, err)
	}
	second := d.mustRun()
	if second.Evidence != standing.Folder || second.Keys[0].Slot != "9c" {
		t.Errorf("%+v", second)
	}
	if again := d.mustRun(); again.Evidence != second.Evidence || again.Keys[0].KeyPairID != second.Keys[0].KeyPairID {
		t.Errorf("%+v", again)
	}
}

// watched tells what its issuer was asked for last.
type watched struct {
	issuer.Issuer
	last *issuer.Request
}

func (w watched) Issue(ctx context.Context, request issuer.Request) ([]*x509.Certificate, error) {
	*w.last = request
	return w.Issuer.Issue(ctx, request)
}

// TestCertificateThatWasRenewedElsewhere: a key that is read is registered with
// the certificate that is on the card.
func TestCertificateThatWasRenewedElsewhere(t *testing.T) {
	d := newDesk(t, "5.7.4")
	setFaults(t, "off")
	var asked issuer.Request
	ca := d.deps.Issuer
	d.deps.Issuer = watched{ca, &asked}
	d.mustRun()
	renewed, err := ca.Issue(t.Context(), asked)
	if err != nil {
		t.Fatal(err)
	}
	records, err := escrow.ReadAll(t.Context(), d.escrow, d.serial)
	if err != nil || len(records) == 0 {
		t.Fatal(err)
	}
	if err := d.open().PutCertificate(t.Context(), records[0].ManagementKey, piv.SlotKeyManagement, renewed[0]); err != nil {
		t.Fatal(err)
	}
	d.request.Keys[0].Source = enroll.SourceExisting
	receipt := d.mustRun()
	if receipt.Keys[0].LeafSHA256 != certificate.Fingerprint(renewed[0]) || !d.held().Certificate.Equal(renewed[0]) {
		t.Error("the renewed certificate is not the one that is registered and on the card")
	}
}

// TestFactoryPINWithOneTryLeft: the card says that it is the factory PIN, so
// nothing is at risk.
func TestFactoryPINWithOneTryLeft(t *testing.T) {
	d := newDesk(t, "5.7.4")
	setFaults(t, "off")
	for range 2 {
		if err := d.open().VerifyPIN(t.Context(), secret.FromString("999999")); err == nil {
			t.Fatal("a wrong PIN was taken")
		}
	}
	d.checkWhole(d.mustRun())
}

// slowCA signs when it is let.
type slowCA struct {
	issuer.Issuer
	begun, let chan struct{}
}

func (s slowCA) Issue(ctx context.Context, request issuer.Request) ([]*x509.Certificate, error) {
	close(s.begun)
	<-s.let
	return s.Issuer.Issue(ctx, request)
}

// TestCollectingBesideARun: an enrollment waits until the certificate that is
// being asked for is there, and does not ask for a second one.
func TestCollectingBesideARun(t *testing.T) {
	d := newDesk(t, "5.7.4")
	setFaults(t, "off")
	d.mustWait()
	slow := slowCA{d.deps.Issuer, make(chan struct{}), make(chan struct{})}
	deps := d.deps
	deps.Issuer = slow
	collected := make(chan error)
	go func() {
		_, err := enroll.Poll(context.Background(), deps, d.email, 0)
		collected <- err
	}()
	<-slow.begun
	// While somebody has the person, there is nothing to collect.
	if waits, err := enroll.Poll(t.Context(), d.deps, d.email, d.serial); len(waits) != 0 || err != nil {
		t.Error(waits, err)
	}
	time.AfterFunc(300*time.Millisecond, func() { close(slow.let) })
	first := d.mustRun()
	if err := <-collected; err != nil {
		t.Fatal(err)
	}
	if second := d.mustRun(); second.Keys[0].LeafSHA256 != first.Keys[0].LeafSHA256 {
		t.Error("another certificate was registered")
	}
	d.checkWhole(first)
}

// TestStoppedRunLeavesTheCardAtRest: who stops an enrollment while the card makes
// a key can look at the card at once.
func TestStoppedRunLeavesTheCardAtRest(t *testing.T) {
	d := newDesk(t, "5.7.4")
	setFaults(t, "off")
	making, made := make(chan struct{}), make(chan struct{})
	wait := func() {
		close(making)
		<-made
	}
	beforeRSA.Store(&wait)
	defer beforeRSA.Store(nil)
	d.request.Keys[0].Algorithm = piv.RSA2048
	ctx, stop := context.WithCancel(t.Context())
	go func() {
		<-making
		stop()
		time.AfterFunc(300*time.Millisecond, func() { close(made) })
	}()
	if _, err := enroll.Run(ctx, d.deps, d.request); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	select {
	case <-made:
	default:
		t.Error("the run ended before the card was done")
	}
	if preview := d.preview(d.request); preview.Slots[0].Action != enroll.ActionContinue {
		t.Errorf("%+v", preview.Slots)
	}
	d.checkWhole(d.mustRun())
}

// TestCardThatLeavesDuringTheReview: nothing is registered for a card that was pulled while
// somebody read the review, or whose place a blank one took.
func TestCardThatLeavesDuringTheReview(t *testing.T) {
	for name, leave := range map[string]func(*desk) error{
		"pulled": func(*desk) error { return practice.Pull(0) },
		"another one with its number": func(d *desk) error {
			blank, err := practice.NewCard(lab.CardSpec{Serial: d.serial})
			if err != nil {
				return err
			}
			return errors.Join(practice.Pull(0), practice.Insert(0, blank))
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, "5.7.4")
			d.request.Review = true
			d.deps.Review = func(context.Context, enroll.Review) error { return leave(d) }
			if _, err := d.run(); err == nil {
				t.Error("it is enrolled")
			} else {
				t.Log(err)
			}
			if pairs, identities := practice.Gmail().KeyPairs(d.email), practice.Gmail().Identities(d.email); len(pairs)+len(identities) != 0 {
				t.Errorf("Gmail has %d key pairs and %d identities", len(pairs), len(identities))
			}
			d.deps.Review = func(context.Context, enroll.Review) error { return nil }
			d.insert()
			d.checkWhole(d.mustRun())
		})
	}
}
