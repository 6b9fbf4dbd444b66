package enroll_test

import (
	"context"
	"crypto"
	"errors"
	"strings"
	"testing"

	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/piv"
	"github.com/cse-piv/cse-piv/internal/piv/attestation"
	"github.com/cse-piv/cse-piv/internal/secret"
)

// stubbornCard generates other keys than it is asked for, or says that it is of
// another firmware than it attests.
type stubbornCard struct {
	enroll.Card
	change   func(*piv.GenerateOptions)
	firmware *piv.Version
}

func (c stubbornCard) AllowLastTry() enroll.Card {
	c.Card = c.Card.AllowLastTry()
	return c
}

func (c stubbornCard) Identity() piv.Identity {
	identity := c.Card.Identity()
	if c.firmware != nil {
		identity.Firmware = *c.firmware
	}
	return identity
}

func (c stubbornCard) Generate(ctx context.Context, key secret.Secret, slot piv.Slot, options piv.GenerateOptions) (crypto.PublicKey, error) {
	if c.change != nil {
		c.change(&options)
	}
	return c.Card.Generate(ctx, key, slot, options)
}

// TestWhatIsAttestedIsWhatWasAskedFor, or the run stops before a certificate is
// asked for.
func TestWhatIsAttestedIsWhatWasAskedFor(t *testing.T) {
	for what, card := range map[string]stubbornCard{
		"PIN policy":   {change: func(o *piv.GenerateOptions) { o.PINPolicy = piv.PINNever }},
		"touch policy": {change: func(o *piv.GenerateOptions) { o.TouchPolicy = piv.TouchCached }},
		"algorithm":    {change: func(o *piv.GenerateOptions) { o.Algorithm = piv.ECCP384 }},
		"firmware":     {firmware: &piv.Version{Major: 5, Minor: 7, Patch: 1}},
	} {
		t.Run(what, func(t *testing.T) {
			d := newDesk(t, "5.7.4")
			setFaults(t, "off")
			open := d.deps.OpenCard
			d.deps.OpenCard = func(ctx context.Context, serial uint32, touch func(piv.Slot)) (enroll.Card, error) {
				opened, err := open(ctx, serial, touch)
				card.Card = opened
				return card, err
			}
			_, err := d.run()
			var differs *enroll.AttestedError
			if !errors.As(err, &differs) || differs.What != what || !errors.Is(err, attestation.ErrRefused) {
				t.Fatalf("it ended as %v", err)
			}
			var step *enroll.StepError
			if !errors.As(err, &step) || step.Step.ID != "attest" {
				t.Errorf("it was noticed in %v", err)
			}
		})
	}
}

// TestPoliciesByDefault are the slot's own, and are not taken for others.
func TestPoliciesByDefault(t *testing.T) {
	for slot, want := range map[piv.Slot]string{piv.SlotSignature: "always", piv.SlotAuthentication: "once", piv.SlotCardAuthentication: "never"} {
		d := newDesk(t, "5.4.3")
		d.request.Keys[0].Slot = slot
		d.request.AllowPINNever = true
		if key := d.mustRun().Keys[0]; key.PINPolicy != want || key.TouchPolicy != "never" {
			t.Errorf("slot %s: the receipt says PIN %s, touch %s", slot, key.PINPolicy, key.TouchPolicy)
		}
	}
}

// TestKeyThatAsksForNoPIN is said, and where nobody chose it it takes a flag or a
// yes, before the card is changed.
func TestKeyThatAsksForNoPIN(t *testing.T) {
	d := newDesk(t, "5.7.4")
	setFaults(t, "off")
	d.request.Keys[0].Slot = piv.SlotCardAuthentication
	_, err := d.run()
	var missing *enroll.MissingError
	if !errors.As(err, &missing) || missing.Question != enroll.QuestionNoPIN {
		t.Fatalf("slot 9e: %v", err)
	}
	d.checkUntouched()

	var said []string
	notify := d.deps.Notify
	d.deps.Notify = func(event enroll.Event) {
		notify(event)
		if event.State == enroll.StateNote {
			said = append(said, event.Message)
		}
	}
	d.deps.Prompter = &person{t: t, agrees: map[string]bool{"pin-never": false}}
	if _, err := d.run(); !errors.Is(err, enroll.ErrDeclined) {
		t.Fatalf("a no is %v", err)
	}
	d.checkUntouched()
	d.deps.Prompter = &person{t: t, agrees: map[string]bool{"pin-never": true}}
	if key := d.mustRun().Keys[0]; key.PINPolicy != "never" || key.NoPIN() == "" {
		t.Errorf("the receipt says %+v", key)
	}
	if !strings.Contains(strings.Join(said, "\n"), "it asks for no PIN: whoever holds the card") {
		t.Errorf("said was %q", said)
	}

	// The key that is on a card, as another desk finds it.
	d.deps = d.newFixture()
	d.deps.Evidence = t.TempDir()
	d.deps.Chain = append(d.deps.Chain, practice.CA().Issuing(), practice.CA().Root())
	d.request.Keys[0].Source = enroll.SourceExisting
	if _, err := d.run(); !errors.As(err, &missing) {
		t.Fatalf("an existing key: %v", err)
	}
	d.request.AllowPINNever = true
	d.mustRun()

	// Who asks for it has chosen it.
	d = newDesk(t, "5.7.4")
	d.request.Keys[0].PINPolicy = piv.PINNever
	d.mustRun()
}

// TestOtherRootsAndEndpointsAreSaid in the events, the review and the receipt.
func TestOtherRootsAndEndpointsAreSaid(t *testing.T) {
	d := newDesk(t, "5.7.4")
	d.deps.GmailEndpoint = practice.Env()["CSE_PIV_GMAIL_ENDPOINT"]
	var said []string
	notify := d.deps.Notify
	d.deps.Notify = func(event enroll.Event) {
		notify(event)
		if event.State == enroll.StateNote && event.Step == "read-card" {
			said = append(said, event.Message)
		}
	}
	var reviewed enroll.Review
	d.deps.Review = func(_ context.Context, review enroll.Review) error {
		reviewed = review
		return nil
	}
	d.request.Review = true
	receipt := d.mustRun()
	if all := strings.Join(said, "\n"); !strings.Contains(all, d.deps.GmailEndpoint+", which is not Google's") || !strings.Contains(all, "which are not Yubico's") {
		t.Errorf("said was %q", said)
	}
	key := receipt.Keys[0]
	if key.AttestationRoot == "" || key.YubicoRoot || !strings.Contains(key.Proof(), "up to "+key.AttestationRoot+", which is not Yubico's") {
		t.Errorf("the receipt says %+v", key)
	}
	if receipt.GmailEndpoint != d.deps.GmailEndpoint || reviewed.GmailEndpoint != receipt.GmailEndpoint || reviewed.Keys[0].Root != key.AttestationRoot || reviewed.Keys[0].YubicoRoot {
		t.Errorf("the receipt says %q, the review %+v", receipt.GmailEndpoint, reviewed.Keys[0])
	}
	if built := (enroll.Dependencies{Trust: attestation.YubicoTrust()}).Notices(); len(built) != 0 {
		t.Errorf("of what is built in is said %q", built)
	}
}
