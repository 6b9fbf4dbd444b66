package attestation_test

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/cse-piv/cse-piv/internal/piv/attestation"
)

func TestBundleRoundTrip(t *testing.T) {
	facts, err := attestation.Verify(realChain(t, "5.7.4"), realTrust(), attestation.Expect{})
	if err != nil {
		t.Fatal(err)
	}
	evidence := facts.Evidence()
	if len(evidence.Intermediates) != 2 {
		t.Fatalf("%d intermediates", len(evidence.Intermediates))
	}
	shuffled := evidence
	shuffled.Intermediates = append([]*x509.Certificate{nil}, evidence.Intermediates...)
	rand.Shuffle(len(shuffled.Intermediates), func(i, j int) {
		list := shuffled.Intermediates
		list[i], list[j] = list[j], list[i]
	})
	file := attestation.EncodeBundle(shuffled)
	if !bytes.Equal(file, attestation.EncodeBundle(evidence)) {
		t.Error("the order of the intermediates depends on how they were given")
	}
	read, err := attestation.ParseBundle(file)
	if err != nil {
		t.Fatal(err)
	}
	want, got := evidence.Certificates(), read.Certificates()
	if len(got) != len(want) {
		t.Fatalf("%d certificates, want %d", len(got), len(want))
	}
	for i := range want {
		if !got[i].Equal(want[i]) {
			t.Errorf("certificate %d is %s", i, got[i].Subject)
		}
	}
	// It proves the same with nothing but the root.
	trust := realTrust()
	trust.Intermediates = nil
	if _, err := attestation.Verify(read, trust, attestation.Expect{Serial: facts.Serial}); err != nil {
		t.Error(err)
	}
}

// A subject must not be able to break out of the line above its certificate.
func TestBundleSurvivesSubjects(t *testing.T) {
	a := newAuthority(t)
	slot := attest(t, a.device, p256(t).Public(), func(tmpl *x509.Certificate, _ extensions) {
		tmpl.Subject = pkix.Name{CommonName: "x\n-----BEGIN CERTIFICATE-----\nAAAA"}
	})
	chain, err := attestation.ParseBundle(attestation.EncodeBundle(attestation.Chain{Slot: slot, Device: a.device.cert}))
	if err != nil {
		t.Fatal(err)
	}
	if !chain.Slot.Equal(slot) || !chain.Device.Equal(a.device.cert) {
		t.Error("other certificates came back")
	}
}

func TestBundleRefuses(t *testing.T) {
	a := newAuthority(t)
	slot := attest(t, a.device, p256(t).Public(), nil)
	for name, data := range map[string][]byte{
		"empty":           nil,
		"one certificate": armour(slot.Raw),
		"no device":       attestation.EncodeBundle(attestation.Chain{Slot: slot}),
		"too large":       append(bytes.Repeat([]byte("x\n"), 64<<10), armour(slot.Raw, a.device.cert.Raw)...),
		"damaged":         bytes.Replace(armour(slot.Raw, a.device.cert.Raw), []byte("-----END"), []byte("---END"), 1),
	} {
		if _, err := attestation.ParseBundle(data); !errors.Is(err, attestation.ErrBundle) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := attestation.ParseBundle(data); !errors.Is(err, attestation.ErrBundle) {
			t.Errorf("%s, read: %v", name, err)
		}
	}
	if _, err := attestation.NewChain([]*x509.Certificate{slot, nil}); !errors.Is(err, attestation.ErrBundle) {
		t.Errorf("nil: %v", err)
	}
}

// The JSON names and values are a contract.
func TestFactsJSON(t *testing.T) {
	facts, err := attestation.Verify(realChain(t, "5.4.3"), realTrust(), attestation.Expect{})
	if err != nil {
		t.Fatal(err)
	}
	data, err := json.MarshalIndent(facts, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	const want = `{
 "serial": 15732500,
 "firmware": "5.4.3",
 "form_factor": "USB-C nano",
 "fips": false,
 "cspn": false,
 "slot": "9a",
 "algorithm": "eccp256",
 "pin_policy": "once",
 "touch_policy": "never",
 "root": "CN=Yubico PIV Root CA Serial 263751",
 "yubico": true,
 "chain": [
  {
   "subject": "CN=YubiKey PIV Attestation 9a",
   "issuer": "CN=Yubico PIV Attestation",
`
	if !strings.HasPrefix(string(data), want) {
		t.Errorf("JSON:\n%s", data)
	}
	for _, part := range []string{`"sha256": "`, `"not_after": "2052-04-17T00:00:00Z"`, `"advisories": [`, `"id": "YSA-2024-03"`, `"message": "`, `"url": "https://`} {
		if !strings.Contains(string(data), part) {
			t.Errorf("JSON lacks %s", part)
		}
	}
}

func TestFactsText(t *testing.T) {
	facts, err := attestation.Verify(realChain(t, "5.4.3"), realTrust(), attestation.Expect{})
	if err != nil {
		t.Fatal(err)
	}
	const want = `YubiKey:       serial 15732500, firmware 5.4.3
form factor:   USB-C nano
key:           eccp256 in slot 9a, generated on the card
PIN policy:    once
touch policy:  never
root:          CN=Yubico PIV Root CA Serial 263751
advisory:      YSA-2024-03: EUCLEAK: `
	if got := facts.Text(); !strings.HasPrefix(got, want) || strings.HasSuffix(got, "\n") {
		t.Errorf("text:\n%s", got)
	}
	a := newAuthority(t)
	facts, err = attestation.Verify(attestation.Chain{Slot: attest(t, a.device, p256(t).Public(), nil), Device: a.device.cert}, a.trust(), attestation.Expect{})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(facts.Text(), "not a Yubico root") {
		t.Errorf("text does not tell a strange root:\n%s", facts.Text())
	}
}
