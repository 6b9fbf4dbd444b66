package attestation_test

import (
	"crypto/x509"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/cse-piv/cse-piv/internal/piv/attestation"
)

// realTrust is Yubico's trust at a fixed time.
func realTrust() attestation.Trust {
	trust := attestation.YubicoTrust()
	trust.Now = func() time.Time { return now }
	return trust
}

func realChain(t testing.TB, firmware string) attestation.Chain {
	t.Helper()
	return attestation.Chain{Slot: fromFile(t, firmware+"-slot.pem"), Device: fromFile(t, firmware+"-device.pem")}
}

func TestRealYubiKeys(t *testing.T) {
	for firmware, want := range map[string]attestation.Facts{
		"5.2.7": {Serial: 15890263, Firmware: "5.2.7", FormFactor: "USB-A keychain", Slot: "9a", Algorithm: "rsa2048",
			PINPolicy: "once", TouchPolicy: "never", Root: "CN=Yubico PIV Root CA Serial 263751", Yubico: true},
		"5.4.3": {Serial: 15732500, Firmware: "5.4.3", FormFactor: "USB-C nano", Slot: "9a", Algorithm: "eccp256",
			PINPolicy: "once", TouchPolicy: "never", Root: "CN=Yubico PIV Root CA Serial 263751", Yubico: true},
		"5.7.4": {Serial: 33064031, Firmware: "5.7.4", FormFactor: "USB-C keychain", Slot: "9a", Algorithm: "eccp384",
			PINPolicy: "once", TouchPolicy: "cached", Root: "CN=Yubico Attestation Root 1", Yubico: true},
	} {
		t.Run(firmware, func(t *testing.T) {
			chain := realChain(t, firmware)
			facts, err := attestation.Verify(chain, realTrust(), attestation.Expect{Slot: "9a", Serial: want.Serial})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, *facts, cmpopts.IgnoreFields(attestation.Facts{}, "Chain", "Path", "Advisories")); diff != "" {
				t.Error(diff)
			}
			if advised := len(facts.Advisories) == 1; advised != (firmware == "5.4.3") {
				t.Errorf("advisories: %v", facts.Advisories)
			}
			if got := len(facts.Chain); got != map[string]int{"5.2.7": 3, "5.4.3": 3, "5.7.4": 5}[firmware] {
				t.Errorf("chain of %d certificates", got)
			}
		})
	}
}

// A card of 2018: certified by the U2F root, no basicConstraints in f9, and
// neither serial number nor form factor, as always before firmware 5.0. Who asks
// for a card by its serial number does not get it proven.
func TestRealYubiKeyOf2018(t *testing.T) {
	facts, err := attestation.Verify(realChain(t, "4.3.7"), realTrust(), attestation.Expect{Slot: "9a"})
	if err != nil {
		t.Fatal(err)
	}
	if facts.Serial != 0 || facts.FormFactor != "" || facts.Firmware != "4.3.7" || !strings.Contains(facts.Text(), "serial not attested, firmware 4.3.7") {
		t.Errorf("facts: %+v\n%s", facts, facts.Text())
	}
	_, err = attestation.Verify(realChain(t, "4.3.7"), realTrust(), attestation.Expect{Serial: 12345678})
	if !errors.Is(err, attestation.ErrMissingExtension) {
		t.Errorf("with a serial number expected: %v", err)
	}
}

func TestRealYubiKeysMixed(t *testing.T) {
	old, young := realChain(t, "4.3.7"), realChain(t, "5.4.3")
	for _, chain := range []attestation.Chain{
		{Slot: old.Slot, Device: young.Device},
		{Slot: young.Slot, Device: old.Device},
	} {
		if _, err := attestation.Verify(chain, realTrust(), attestation.Expect{}); !errors.Is(err, attestation.ErrSlotSignature) {
			t.Errorf("certificates of two cards: %v", err)
		}
	}
}

func TestRealRootsAreApart(t *testing.T) {
	for firmware, root := range map[string]string{
		"5.4.3": "roots/yubico-attestation-root-1.pem",
		"5.7.4": "roots/yubico-piv-root-263751.pem",
	} {
		trust, err := attestation.LoadRoots(root)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := attestation.Verify(realChain(t, firmware), trust, attestation.Expect{}); !errors.Is(err, attestation.ErrUntrustedRoot) {
			t.Errorf("%s under %s: %v", firmware, root, err)
		}
	}
}

// Each of Yubico's intermediates that does not serve PIV, as a device
// certificate's issuer. Their keys are not to be had, so what is shown is that
// they are refused one step up: as device certificates of their own.
func TestYubicoIntermediatesAreNoDeviceCertificates(t *testing.T) {
	slot := realChain(t, "5.7.4").Slot
	for _, ca := range attestation.YubicoTrust().Intermediates {
		if _, err := attestation.Verify(attestation.Chain{Slot: slot, Device: ca}, realTrust(), attestation.Expect{}); !errors.Is(err, attestation.ErrSlotSignature) {
			t.Errorf("%s: %v", ca.Subject, err)
		}
	}
}

func TestYubicoTrust(t *testing.T) {
	trust := attestation.YubicoTrust()
	want := map[string]bool{
		"Yubico PIV Root CA Serial 263751":    true,
		"Yubico U2F Root CA Serial 457200631": true,
		"Yubico Attestation Root 1":           true,
	}
	for _, root := range trust.Roots {
		if !want[root.Subject.CommonName] {
			t.Errorf("unexpected root %s", root.Subject)
		}
		delete(want, root.Subject.CommonName)
	}
	if len(want) > 0 {
		t.Errorf("missing roots: %v", want)
	}

	// Every intermediate leads to a pinned root by signatures alone.
	all := append(append([]*x509.Certificate(nil), trust.Roots...), trust.Intermediates...)
	names := map[string]bool{}
	for _, cert := range trust.Intermediates {
		names[cert.Subject.CommonName] = true
		signed := false
		for _, issuer := range all {
			signed = signed || cert.CheckSignatureFrom(issuer) == nil
		}
		if !signed {
			t.Errorf("%s is signed by none of the others", cert.Subject)
		}
	}
	for _, name := range []string{"Yubico PIV Attestation A 1", "Yubico PIV Attestation B 1", "Yubico PIV Attestation B2 1"} {
		if !names[name] {
			t.Errorf("%s is missing", name)
		}
	}

	// What a caller does to it stays with the caller.
	trust.Roots[0] = nil
	if attestation.YubicoTrust().Roots[0] == nil {
		t.Error("the pinned roots can be changed from outside")
	}
}
