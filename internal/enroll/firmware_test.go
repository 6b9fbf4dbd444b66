package enroll_test

import (
	"bytes"
	"crypto/des"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"testing"
	"time"

	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/lab/ca"
	"github.com/cse-piv/cse-piv/internal/piv"
	"github.com/cse-piv/cse-piv/internal/secret"
)

// What cards of earlier firmware cannot do or do not tell.

// TestFirmwareThatCannotIsRefusedUntouched: before the PIN is asked for.
func TestFirmwareThatCannotIsRefusedUntouched(t *testing.T) {
	for name, test := range map[string]struct {
		firmware string
		change   func(*enroll.Request)
		refused  func(error) bool
	}{
		"no attestation": {"4.2.7", func(*enroll.Request) {}, isNoAttestation},
		"no attestation, existing": {"4.2.7", func(r *enroll.Request) {
			r.Keys[0].Source = enroll.SourceExisting
		}, isNoAttestation},
		"ROCA":     {"4.3.4", func(r *enroll.Request) { r.Keys[0].Algorithm = piv.RSA2048 }, isUnsupported},
		"RSA 3072": {"5.4.3", func(r *enroll.Request) { r.Keys[0].Algorithm = piv.RSA3072 }, isUnsupported},
		"RSA 4096": {"5.4.3", func(r *enroll.Request) { r.Keys[0].Algorithm = piv.RSA4096 }, isUnsupported},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, test.firmware)
			d.request.PIN = secret.Secret{}
			d.deps.Prompter = meanwhile{do: func() { t.Error("the PIN was asked for") }}
			test.change(&d.request)
			_, err := d.run()
			if !test.refused(err) {
				t.Errorf("it ended as %v", err)
			}
			var step *enroll.StepError
			if !errors.As(err, &step) || step.Step.ID != "read-card" {
				t.Errorf("not refused when the card is read: %v", err)
			}
			d.checkUntouched()
		})
	}
}

func isNoAttestation(err error) bool {
	var none *enroll.NoAttestationError
	return errors.As(err, &none)
}

func isUnsupported(err error) bool {
	var unsupported *piv.UnsupportedError
	return errors.As(err, &unsupported)
}

// TestUnattestedKeyOfUnknownOrigin: before 5.3 a card does not tell that a key
// was imported; it only does not attest it.
func TestUnattestedKeyOfUnknownOrigin(t *testing.T) {
	for _, firmware := range []string{"4.2.7", "4.3.7", "5.2.7", "5.4.3"} {
		t.Run(firmware, func(t *testing.T) {
			d := newDesk(t, firmware)
			setFaults(t, "off")
			d.giveImportedKey()
			d.request.Keys[0].Source = enroll.SourceExisting
			d.deps.Chain = append(d.deps.Chain, practice.CA().Issuing(), practice.CA().Root())
			want := enroll.ErrUnattested
			if _, err := d.run(); !errors.Is(err, want) && (firmware != "4.2.7" || !isNoAttestation(err)) {
				t.Fatalf("an imported key was taken: %v", err)
			}
			d.request.AllowUnattested = true
			receipt := d.mustRun()
			if pairs := practice.Gmail().KeyPairs(d.email); len(pairs) != 1 {
				t.Errorf("Gmail has %d key pairs", len(pairs))
			}
			if key := receipt.Keys[0]; key.Attested || key.Origin == string(piv.Generated) {
				t.Errorf("the receipt says %+v", key)
			}
		})
	}
}

// giveImportedKey puts a key and its certificate into the card, as a management
// system does, and the user's PIN.
func (d *desk) giveImportedKey() {
	d.t.Helper()
	d.importKeyAndCertificate("standard")
	d.setReferences("271828", "")
}

// importKeyAndCertificate puts a key into the card and a certificate of that profile
// (of ca.Named) beside it.
func (d *desk) importKeyAndCertificate(profileName string) {
	d.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		d.t.Fatal(err)
	}
	d.importKey(piv.SlotKeyManagement, key)
	profile, err := ca.Named(profileName, time.Now())
	if err != nil {
		d.t.Fatal(err)
	}
	chain, err := practice.CA().Issue(d.email, key, profile)
	if err != nil {
		d.t.Fatal(err)
	}
	if err := d.open().PutCertificate(d.t.Context(), piv.FactoryManagementKey(), piv.SlotKeyManagement, chain[0]); err != nil {
		d.t.Fatal(err)
	}
}

// importKey imports a P-256 key with the card's factory management key, command
// by command (SP 800-73-4 part 2, Yubico PIV extensions): the product cannot.
func (d *desk) importKey(slot piv.Slot, key *ecdsa.PrivateKey) {
	d.t.Helper()
	send := func(want string, command ...byte) []byte {
		d.t.Helper()
		answer := d.card.Transmit(command)
		if len(answer) < 2 || !bytes.HasPrefix(answer, []byte(want)) || !bytes.HasSuffix(answer, []byte{0x90, 0}) {
			d.t.Fatalf("%x is answered by %x", command, answer)
		}
		return answer[len(want) : len(answer)-2]
	}
	defer d.card.Reset()
	send("", 0, 0xA4, 4, 0, 5, 0xA0, 0, 0, 3, 8)
	factory := piv.FactoryManagementKey().Reveal()
	challenge := send("\x7C\x0A\x81\x08", 0, 0x87, 3, 0x9B, 4, 0x7C, 2, 0x81, 0)
	cipher, err := des.NewTripleDESCipher(factory)
	if err != nil {
		d.t.Fatal(err)
	}
	cipher.Encrypt(challenge, challenge)
	send("", append([]byte{0, 0x87, 3, 0x9B, 12, 0x7C, 10, 0x82, 8}, challenge...)...)
	private, err := key.ECDH()
	if err != nil {
		d.t.Fatal(err)
	}
	scalar := private.Bytes()
	send("", append([]byte{0, 0xFE, 0x11, byte(slot), byte(len(scalar) + 2), 6, byte(len(scalar))}, scalar...)...)
}
