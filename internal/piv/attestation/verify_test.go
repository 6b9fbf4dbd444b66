package attestation_test

import (
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/cse-piv/cse-piv/internal/piv/attestation"
)

type extensions = map[int]pkix.Extension

func TestVerifyAcceptsAndTellsFacts(t *testing.T) {
	a := newAuthority(t)
	key := p256(t)
	slot := attest(t, a.device, key.Public(), nil)
	facts, err := attestation.Verify(
		attestation.Chain{Slot: slot, Device: a.device.cert},
		a.trust(),
		attestation.Expect{Slot: "0x9D", Serial: slotSerial, PublicKey: key.Public(), CSR: request(t, key),
			Certificate: issue(t, template("Ada"), key, nil).cert})
	if err != nil {
		t.Fatal(err)
	}
	if facts.Serial != slotSerial || facts.Firmware != "5.7.4" || facts.FormFactor != "USB-C keychain" ||
		facts.Slot != "9d" || facts.Algorithm != "eccp256" || facts.PINPolicy != "once" || facts.TouchPolicy != "never" ||
		facts.FIPS || facts.CSPN || facts.Yubico || facts.Root != "CN=Test Attestation Root" {
		t.Errorf("facts = %+v", facts)
	}
	want := []*x509.Certificate{slot, a.device.cert, a.intermediate.cert, a.root.cert}
	if len(facts.Chain) != len(want) {
		t.Fatalf("chain of %d certificates", len(facts.Chain))
	}
	for i, cert := range want {
		if !facts.Chain[i].Equal(cert) || facts.Path[i].Subject != cert.Subject.String() {
			t.Errorf("chain[%d] = %s", i, facts.Chain[i].Subject)
		}
	}
}

// The intermediates may come with the attestation instead of with the trust.
func TestVerifyUsesOfferedIntermediates(t *testing.T) {
	a := newAuthority(t)
	chain := attestation.Chain{Slot: attest(t, a.device, p256(t).Public(), nil), Device: a.device.cert}
	trust := a.trust()
	trust.Intermediates = nil
	if _, err := attestation.Verify(chain, trust, attestation.Expect{}); !errors.Is(err, attestation.ErrUntrustedRoot) {
		t.Errorf("without intermediates: %v", err)
	}
	chain.Intermediates = []*x509.Certificate{nil, a.root.cert, a.device.cert, a.intermediate.cert}
	if _, err := attestation.Verify(chain, trust, attestation.Expect{}); err != nil {
		t.Errorf("with intermediates: %v", err)
	}
}

func TestVerifyAlgorithms(t *testing.T) {
	a := newAuthority(t)
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	ed, _, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	x, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for want, key := range map[string]crypto.PublicKey{
		"rsa2048": rsaKeys()[0].Public(),
		"eccp256": p256(t).Public(),
		"eccp384": p384.Public(),
		"ed25519": ed,
		"x25519":  x.PublicKey(),
	} {
		chain := attestation.Chain{Slot: attest(t, a.device, key, nil), Device: a.device.cert}
		facts, err := attestation.Verify(chain, a.trust(), attestation.Expect{PublicKey: key})
		if err != nil {
			t.Errorf("%s: %v", want, err)
		} else if facts.Algorithm != want {
			t.Errorf("%s: algorithm %q", want, facts.Algorithm)
		}
	}
}

func TestVerifyComparesECPointsAcrossTypes(t *testing.T) {
	a := newAuthority(t)
	key := p256(t)
	point, err := key.PublicKey.ECDH()
	if err != nil {
		t.Fatal(err)
	}
	chain := attestation.Chain{Slot: attest(t, a.device, key.Public(), nil), Device: a.device.cert}
	if _, err := attestation.Verify(chain, a.trust(), attestation.Expect{PublicKey: point}); err != nil {
		t.Error(err)
	}
}

func TestVerifyRefuses(t *testing.T) {
	a := newAuthority(t)
	other := newAuthority(t)
	key, stranger := p256(t), p256(t)
	good := func(edit func(*x509.Certificate, extensions)) attestation.Chain {
		return attestation.Chain{Slot: attest(t, a.device, key.Public(), edit), Device: a.device.cert}
	}
	drop := func(last int) attestation.Chain {
		return good(func(_ *x509.Certificate, ext extensions) { delete(ext, last) })
	}
	set := func(last int, value ...byte) attestation.Chain {
		return good(func(_ *x509.Certificate, ext extensions) { ext[last] = yubicoExt(last, value...) })
	}
	named := func(name pkix.Name) attestation.Chain {
		return good(func(tmpl *x509.Certificate, _ extensions) { tmpl.Subject = name })
	}
	forged := func() attestation.Chain {
		// The right names, signed by a key that is not f9's.
		imitation := issue(t, deviceTemplate(), p256(t), a.intermediate)
		return attestation.Chain{Slot: attest(t, imitation, key.Public(), nil), Device: a.device.cert}
	}
	badRequest := request(t, key)
	badRequest.Signature = append([]byte(nil), badRequest.Signature...)
	badRequest.Signature[len(badRequest.Signature)-1] ^= 1

	for name, test := range map[string]struct {
		chain  attestation.Chain
		expect attestation.Expect
		want   error
	}{
		"no slot certificate":   {attestation.Chain{Device: a.device.cert}, attestation.Expect{}, attestation.ErrNotAttestation},
		"no device certificate": {attestation.Chain{Slot: good(nil).Slot}, attestation.Expect{}, attestation.ErrNotAttestation},
		"imported key: an ordinary certificate": {
			attestation.Chain{Slot: issue(t, template("Ada"), key, a.device).cert, Device: a.device.cert},
			attestation.Expect{}, attestation.ErrNotAttestation},
		"forged leaf":                {forged(), attestation.Expect{}, attestation.ErrSlotSignature},
		"another card's device":      {attestation.Chain{Slot: good(nil).Slot, Device: other.device.cert}, attestation.Expect{}, attestation.ErrSlotSignature},
		"device of another name":     {attestation.Chain{Slot: good(nil).Slot, Device: a.intermediate.cert}, attestation.Expect{}, attestation.ErrSlotSignature},
		"untrusted root":             {attestation.Chain{Slot: attest(t, other.device, key.Public(), nil), Device: other.device.cert, Intermediates: []*x509.Certificate{other.intermediate.cert, other.root.cert}}, attestation.Expect{}, attestation.ErrUntrustedRoot},
		"no firmware":                {drop(3), attestation.Expect{}, attestation.ErrMissingExtension},
		"no serial":                  {drop(7), attestation.Expect{}, attestation.ErrMissingExtension},
		"no key policy":              {drop(8), attestation.Expect{}, attestation.ErrMissingExtension},
		"short firmware":             {set(3, 5, 7), attestation.Expect{}, attestation.ErrMalformedExtension},
		"wrapped firmware":           {set(3, 4, 3, 5, 7, 4), attestation.Expect{}, attestation.ErrMalformedExtension},
		"serial no integer":          {set(7, 4, 1, 1), attestation.Expect{}, attestation.ErrMalformedExtension},
		"serial with more after":     {set(7, 2, 1, 1, 0), attestation.Expect{}, attestation.ErrMalformedExtension},
		"serial negative":            {set(7, 2, 1, 0xff), attestation.Expect{}, attestation.ErrMalformedExtension},
		"serial zero":                {set(7, 2, 1, 0), attestation.Expect{}, attestation.ErrMalformedExtension},
		"serial of 33 bits":          {set(7, 2, 5, 1, 0, 0, 0, 0), attestation.Expect{}, attestation.ErrMalformedExtension},
		"serial not minimal":         {set(7, 2, 2, 0, 1), attestation.Expect{}, attestation.ErrMalformedExtension},
		"serial empty":               {set(7), attestation.Expect{}, attestation.ErrMalformedExtension},
		"policy of one octet":        {set(8, 2), attestation.Expect{}, attestation.ErrMalformedExtension},
		"unknown PIN policy":         {set(8, 9, 1), attestation.Expect{}, attestation.ErrMalformedExtension},
		"PIN policy default":         {set(8, 0, 1), attestation.Expect{}, attestation.ErrMalformedExtension},
		"unknown touch policy":       {set(8, 1, 9), attestation.Expect{}, attestation.ErrMalformedExtension},
		"form factor of two octets":  {set(9, 1, 1), attestation.Expect{}, attestation.ErrMalformedExtension},
		"unknown critical extension": {good(func(_ *x509.Certificate, ext extensions) { e := yubicoExt(12, 1); e.Critical = true; ext[12] = e }), attestation.Expect{}, attestation.ErrMalformedExtension},
		"wrong slot":                 {good(nil), attestation.Expect{Slot: "9c"}, attestation.ErrWrongSlot},
		"no slot in the subject":     {named(pkix.Name{CommonName: "YubiKey PIV Attestation"}), attestation.Expect{}, attestation.ErrWrongSlot},
		"f9 as the slot":             {named(pkix.Name{CommonName: "YubiKey PIV Attestation f9"}), attestation.Expect{}, attestation.ErrWrongSlot},
		"upper case slot":            {named(pkix.Name{CommonName: "YubiKey PIV Attestation 9D"}), attestation.Expect{}, attestation.ErrWrongSlot},
		"slot and more":              {named(pkix.Name{CommonName: "YubiKey PIV Attestation 9d "}), attestation.Expect{}, attestation.ErrWrongSlot},
		"subject with two names":     {named(pkix.Name{CommonName: "YubiKey PIV Attestation 9d", Organization: []string{"X"}}), attestation.Expect{}, attestation.ErrWrongSlot},
		"wrong serial":               {good(nil), attestation.Expect{Serial: slotSerial + 1}, attestation.ErrWrongSerial},
		"key differs":                {good(nil), attestation.Expect{PublicKey: stranger.Public()}, attestation.ErrKeyMismatch},
		"key of another kind":        {good(nil), attestation.Expect{PublicKey: rsaKeys()[0].Public()}, attestation.ErrKeyMismatch},
		"key of no kind":             {good(nil), attestation.Expect{PublicKey: "key"}, attestation.ErrKeyMismatch},
		"request for another key":    {good(nil), attestation.Expect{CSR: request(t, stranger)}, attestation.ErrCSRMismatch},
		"request badly signed":       {good(nil), attestation.Expect{CSR: badRequest}, attestation.ErrCSRMismatch},
		"certificate of another key": {good(nil), attestation.Expect{Certificate: other.root.cert}, attestation.ErrCertificateMismatch},
	} {
		t.Run(name, func(t *testing.T) {
			facts, err := attestation.Verify(test.chain, a.trust(), test.expect)
			if !errors.Is(err, test.want) {
				t.Fatalf("got %v (facts %+v), want %v", err, facts, test.want)
			}
			if facts != nil {
				t.Error("facts with a refusal")
			}
			if !errors.Is(err, attestation.ErrRefused) || attestation.Reason(err) == "" {
				t.Errorf("not recognised as a refusal: %v", err)
			}
		})
	}
}

func TestVerifyRefusesUnknownKeys(t *testing.T) {
	a := newAuthority(t)
	p521, err := ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	chain := attestation.Chain{Slot: attest(t, a.device, p521.Public(), nil), Device: a.device.cert}
	if _, err := attestation.Verify(chain, a.trust(), attestation.Expect{}); !errors.Is(err, attestation.ErrUnsupportedKey) {
		t.Errorf("P-521: %v", err)
	}
}

func TestVerifyROCA(t *testing.T) {
	a := newAuthority(t)
	for _, test := range []struct {
		firmware []byte
		key      crypto.PublicKey
		refused  bool
	}{
		{[]byte{4, 1, 9}, rsaKeys()[0].Public(), false},
		{[]byte{4, 2, 0}, rsaKeys()[0].Public(), true},
		{[]byte{4, 3, 4}, rsaKeys()[0].Public(), true},
		{[]byte{4, 3, 5}, rsaKeys()[0].Public(), false},
		{[]byte{5, 4, 3}, rsaKeys()[0].Public(), false},
		{[]byte{4, 3, 4}, p256(t).Public(), false},
	} {
		chain := attestation.Chain{Device: a.device.cert, Slot: attest(t, a.device, test.key, func(_ *x509.Certificate, ext extensions) {
			ext[3] = yubicoExt(3, test.firmware...)
		})}
		_, err := attestation.Verify(chain, a.trust(), attestation.Expect{})
		if errors.Is(err, attestation.ErrROCA) != test.refused || (err != nil) != test.refused {
			t.Errorf("firmware %v, %T: %v", test.firmware, test.key, err)
		}
	}
}

func TestVerifyAdvisories(t *testing.T) {
	a := newAuthority(t)
	for _, test := range []struct {
		firmware []byte
		key      crypto.PublicKey
		want     string
	}{
		{[]byte{5, 7, 0}, p256(t).Public(), ""},
		{[]byte{5, 6, 9}, p256(t).Public(), "YSA-2024-03"},
		{[]byte{5, 6, 9}, rsaKeys()[0].Public(), ""},
		{[]byte{4, 4, 2}, rsaKeys()[0].Public(), "YSA-2019-02"},
		{[]byte{4, 4, 4}, p256(t).Public(), "YSA-2024-03 YSA-2019-02"},
		{[]byte{4, 4, 5}, rsaKeys()[0].Public(), ""},
	} {
		chain := attestation.Chain{Device: a.device.cert, Slot: attest(t, a.device, test.key, func(_ *x509.Certificate, ext extensions) {
			ext[3] = yubicoExt(3, test.firmware...)
		})}
		facts, err := attestation.Verify(chain, a.trust(), attestation.Expect{})
		if err != nil {
			t.Fatal(err)
		}
		var ids []string
		for _, advisory := range facts.Advisories {
			ids = append(ids, advisory.ID)
		}
		if got := strings.Join(ids, " "); got != test.want {
			t.Errorf("firmware %v, %T: advisories %q, want %q", test.firmware, test.key, got, test.want)
		}
	}
}

func TestVerifyCertifications(t *testing.T) {
	a := newAuthority(t)
	tmpl := deviceTemplate()
	tmpl.ExtraExtensions = append(tmpl.ExtraExtensions, yubicoExt(10, 1), yubicoExt(11, 1))
	certified := issue(t, tmpl, p256(t), a.intermediate)
	facts, err := attestation.Verify(attestation.Chain{Slot: attest(t, certified, p256(t).Public(), nil), Device: certified.cert}, a.trust(), attestation.Expect{})
	if err != nil {
		t.Fatal(err)
	}
	if !facts.FIPS || !facts.CSPN {
		t.Errorf("FIPS %v, CSPN %v from the device certificate", facts.FIPS, facts.CSPN)
	}
	slot := attest(t, a.device, p256(t).Public(), func(_ *x509.Certificate, ext extensions) { ext[9] = yubicoExt(9, 0x85) })
	facts, err = attestation.Verify(attestation.Chain{Slot: slot, Device: a.device.cert}, a.trust(), attestation.Expect{})
	if err != nil {
		t.Fatal(err)
	}
	if !facts.FIPS || facts.FormFactor != "USB-C and Lightning keychain" {
		t.Errorf("FIPS %v, form factor %q from the form factor octet", facts.FIPS, facts.FormFactor)
	}
}

func TestVerifyLeavesCertificatesAlone(t *testing.T) {
	device, slot := fromFile(t, "5.7.4-device.pem"), fromFile(t, "5.7.4-slot.pem")
	device.BasicConstraintsValid, device.IsCA = false, false
	trust := attestation.YubicoTrust()
	if _, err := attestation.Verify(attestation.Chain{Slot: slot, Device: device}, trust, attestation.Expect{}); !errors.Is(err, attestation.ErrDeviceCertificate) {
		t.Errorf("a device certificate without basic constraints under an intermediate: %v", err)
	}
	if device.BasicConstraintsValid || device.IsCA {
		t.Error("the device certificate was changed")
	}
}

func TestVerifySmallSigningKey(t *testing.T) {
	t.Setenv("GODEBUG", "rsa1024min=0")
	small, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	a := newAuthority(t)
	device := issue(t, deviceTemplate(), small, a.intermediate)
	_, err = attestation.Verify(attestation.Chain{Slot: attest(t, device, p256(t).Public(), nil), Device: device.cert}, a.trust(), attestation.Expect{})
	if !errors.Is(err, attestation.ErrSlotSignature) {
		t.Errorf("RSA 1024 as the attestation key: %v", err)
	}
}

// TestVerifyHugeKeys: an RSA key that takes seconds to verify with verifies nothing.
func TestVerifyHugeKeys(t *testing.T) {
	a := newAuthority(t)
	huge := func(bits uint) *rsa.PublicKey {
		modulus := new(big.Int).Lsh(big.NewInt(1), bits-1)
		return &rsa.PublicKey{N: modulus.SetBit(modulus, 0, 1), E: 65537}
	}
	withKey := func(template *x509.Certificate, key *rsa.PublicKey, issuer *entity) *x509.Certificate {
		der, err := x509.CreateCertificate(rand.Reader, template, issuer.cert, key, issuer.key)
		if err != nil {
			t.Fatal(err)
		}
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		return cert
	}
	for _, bits := range []uint{65536, 1_000_000} {
		device := withKey(deviceTemplate(), huge(bits), a.intermediate)
		chain := attestation.Chain{Slot: attest(t, a.device, p256(t).Public(), nil), Device: device}
		began := time.Now()
		_, err := attestation.Verify(chain, a.trust(), attestation.Expect{})
		if !errors.Is(err, attestation.ErrSlotSignature) || !strings.Contains(err.Error(), "bound") {
			t.Errorf("a device's key of %d bits: %v", bits, err)
		}
		chain.Device, chain.Intermediates = a.device.cert, []*x509.Certificate{withKey(ca(a.intermediate.cert.Subject.CommonName, -1), huge(bits), a.root)}
		if _, err := attestation.Verify(chain, a.trust(), attestation.Expect{}); err != nil && !errors.Is(err, attestation.ErrRefused) {
			t.Errorf("an authority's key of %d bits: %v", bits, err)
		}
		chain = attestation.Chain{Slot: attest(t, a.device, huge(bits), nil), Device: a.device.cert}
		if _, err := attestation.Verify(chain, a.trust(), attestation.Expect{}); !errors.Is(err, attestation.ErrUnsupportedKey) {
			t.Errorf("an attested key of %d bits: %v", bits, err)
		}
		t.Logf("%d bits: %v", bits, time.Since(began).Round(100*time.Microsecond))
	}
}

func TestMessagesCarryNoControlCharacters(t *testing.T) {
	a := newAuthority(t)
	evil := pkix.Name{ExtraNames: []pkix.AttributeTypeAndValue{
		{Type: asn1.ObjectIdentifier{2, 5, 4, 3}, Value: "YubiKey\x1b[2J\u202e\nhint: all is well"}}}
	chain := attestation.Chain{Device: a.device.cert, Slot: attest(t, a.device, p256(t).Public(),
		func(tmpl *x509.Certificate, _ extensions) { tmpl.Subject = evil })}
	_, err := attestation.Verify(chain, a.trust(), attestation.Expect{})
	if err == nil || strings.ContainsAny(err.Error(), "\x1b\n\u202e") {
		t.Errorf("message %q", err)
	}
}

func TestVerifyWithoutClockUsesTheSystemTime(t *testing.T) {
	a := newAuthority(t)
	tmpl := deviceTemplate()
	tmpl.NotAfter = time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)
	old := issue(t, tmpl, p256(t), a.intermediate)
	trust := a.trust()
	trust.Now = nil
	_, err := attestation.Verify(attestation.Chain{Slot: attest(t, old, p256(t).Public(), nil), Device: old.cert}, trust, attestation.Expect{})
	if !errors.Is(err, attestation.ErrExpired) {
		t.Errorf("a device certificate that ended in 2024: %v", err)
	}
}
