package attestation_test

import (
	"crypto/x509"
	"errors"
	"testing"
	"time"

	"github.com/cse-piv/cse-piv/internal/piv/attestation"
)

// under makes an authority whose intermediate and device templates are edited.
func under(t *testing.T, editCA, editDevice func(*x509.Certificate)) *authority {
	t.Helper()
	a := &authority{root: issue(t, ca("Test Attestation Root", 3), p256(t), nil)}
	tmpl := ca("Test PIV Attestation A 1", 1)
	if editCA != nil {
		editCA(tmpl)
	}
	a.intermediate = issue(t, tmpl, p256(t), a.root)
	tmpl = deviceTemplate()
	if editDevice != nil {
		editDevice(tmpl)
	}
	a.device = issue(t, tmpl, p256(t), a.intermediate)
	return a
}

func (a *authority) verify(t *testing.T) error {
	t.Helper()
	_, err := attestation.Verify(attestation.Chain{Slot: attest(t, a.device, p256(t).Public(), nil), Device: a.device.cert},
		a.trust(), attestation.Expect{})
	return err
}

func TestPathChecksEachCertificate(t *testing.T) {
	noCA := func(tmpl *x509.Certificate) {
		tmpl.BasicConstraintsValid, tmpl.IsCA, tmpl.MaxPathLen, tmpl.MaxPathLenZero = false, false, 0, false
	}
	falseCA := func(tmpl *x509.Certificate) { noCA(tmpl); tmpl.BasicConstraintsValid = true }
	noSigning := func(tmpl *x509.Certificate) { tmpl.KeyUsage = x509.KeyUsageDigitalSignature }
	critical := func(tmpl *x509.Certificate) {
		e := yubicoExt(99, 5, 0)
		e.Critical = true
		tmpl.ExtraExtensions = append(tmpl.ExtraExtensions, e)
	}
	named := func(name string) func(*x509.Certificate) {
		return func(tmpl *x509.Certificate) { tmpl.Subject.CommonName = name }
	}
	dates := func(from, to time.Time) func(*x509.Certificate) {
		return func(tmpl *x509.Certificate) { tmpl.NotBefore, tmpl.NotAfter = from, to }
	}
	past, future := dates(notBefore, now.Add(-time.Second)), dates(now.Add(time.Second), notAfter)

	for name, test := range map[string]struct {
		ca, device func(*x509.Certificate)
		want       error
	}{
		"good":                               {nil, nil, nil},
		"intermediate without CA":            {noCA, nil, attestation.ErrUntrustedRoot},
		"intermediate with CA false":         {falseCA, nil, attestation.ErrUntrustedRoot},
		"intermediate may not sign":          {noSigning, nil, attestation.ErrUntrustedRoot},
		"intermediate path length too short": {func(tmpl *x509.Certificate) { tmpl.MaxPathLen, tmpl.MaxPathLenZero = 0, true }, nil, attestation.ErrUntrustedRoot},
		"intermediate without path length":   {func(tmpl *x509.Certificate) { tmpl.MaxPathLen = -1 }, nil, nil},
		"intermediate with critical":         {critical, nil, attestation.ErrUntrustedRoot},
		"intermediate expired":               {past, nil, attestation.ErrExpired},
		"intermediate not yet valid":         {future, nil, attestation.ErrExpired},
		"FIDO intermediate":                  {named("Test FIDO Attestation A 1"), nil, attestation.ErrDeviceIssuer},
		"OpenPGP intermediate":               {named("Test OPGP Attestation A 1"), nil, attestation.ErrDeviceIssuer},
		"secure domain intermediate":         {named("Test SD Attestation A 1"), nil, attestation.ErrDeviceIssuer},
		"name with SD inside a word":         {named("Wisdom PIV CA"), nil, nil},
		"device without CA":                  {nil, noCA, attestation.ErrDeviceCertificate},
		"device with CA false":               {nil, falseCA, attestation.ErrDeviceCertificate},
		"device may not sign":                {nil, noSigning, attestation.ErrDeviceCertificate},
		"device with critical":               {nil, critical, attestation.ErrDeviceCertificate},
		"device expired":                     {nil, past, attestation.ErrExpired},
		"device not yet valid":               {nil, future, attestation.ErrExpired},
		"device named as a slot":             {nil, named("YubiKey PIV Attestation 9a"), attestation.ErrDeviceCertificate},
	} {
		t.Run(name, func(t *testing.T) {
			if err := under(t, test.ca, test.device).verify(t); !errors.Is(err, test.want) {
				t.Errorf("got %v, want %v", err, test.want)
			}
		})
	}
}

// A key in a slot can sign anything, and its certificate leads to the root. It
// must not pass for the device's own key.
func TestAttestedKeyCannotAttest(t *testing.T) {
	a := newAuthority(t)
	key := p256(t)
	slot := &entity{attest(t, a.device, key.Public(), nil), key}
	forged := attest(t, slot, p256(t).Public(), nil)
	chain := attestation.Chain{Slot: forged, Device: slot.cert, Intermediates: []*x509.Certificate{a.device.cert}}
	if _, err := attestation.Verify(chain, a.trust(), attestation.Expect{}); !errors.Is(err, attestation.ErrRefused) {
		t.Errorf("behind an intermediate: %v", err)
	}

	// The same on an old card, whose device certificate lacks basicConstraints
	// and was issued by the root itself.
	a.device = oldDevice(t, a.root)
	slot.cert = attest(t, a.device, key.Public(), nil)
	forged = attest(t, slot, p256(t).Public(), nil)
	chain = attestation.Chain{Slot: forged, Device: slot.cert, Intermediates: []*x509.Certificate{a.device.cert}}
	if _, err := attestation.Verify(chain, a.trust(), attestation.Expect{}); !errors.Is(err, attestation.ErrRefused) {
		t.Errorf("on an old card: %v", err)
	}

	// And where the device certificate itself is taken for a root.
	trust := a.trust()
	trust.Roots = append(trust.Roots, a.device.cert)
	if _, err := attestation.Verify(chain, trust, attestation.Expect{}); !errors.Is(err, attestation.ErrDeviceCertificate) {
		t.Errorf("with the device certificate as a root: %v", err)
	}
}

// oldDevice makes a device certificate as firmware 4.3 and 5.2.4 had them.
func oldDevice(t *testing.T, issuer *entity) *entity {
	t.Helper()
	tmpl := template("Yubico PIV Attestation")
	tmpl.ExtraExtensions = append(tmpl.ExtraExtensions, yubicoExt(3, 5, 2, 4))
	return issue(t, tmpl, p256(t), issuer)
}

func TestOldDeviceCertificateIsToleratedUnderARootOnly(t *testing.T) {
	a := newAuthority(t)
	a.device = oldDevice(t, a.root)
	if err := a.verify(t); err != nil {
		t.Errorf("issued by the root: %v", err)
	}
	a.device = oldDevice(t, a.intermediate)
	if err := a.verify(t); !errors.Is(err, attestation.ErrDeviceCertificate) {
		t.Errorf("issued by an intermediate: %v", err)
	}
}

// Roots are trusted as they are: the U2F root's path length of 0 would forbid
// the device certificates it signed.
func TestRootPathLengthIsNotEnforced(t *testing.T) {
	a := &authority{root: issue(t, ca("Test Root", 0), p256(t), nil)}
	a.device = issue(t, deviceTemplate(), p256(t), a.root)
	a.intermediate = a.device
	if err := a.verify(t); err != nil {
		t.Error(err)
	}
}

func TestRootValidityIsEnforced(t *testing.T) {
	tmpl := ca("Test Root", 3)
	tmpl.NotAfter = now.Add(-time.Hour)
	a := &authority{root: issue(t, tmpl, p256(t), nil)}
	a.device = issue(t, deviceTemplate(), p256(t), a.root)
	a.intermediate = a.device
	if err := a.verify(t); !errors.Is(err, attestation.ErrExpired) {
		t.Error(err)
	}
}

func TestSlotValidityIsEnforced(t *testing.T) {
	a := newAuthority(t)
	slot := attest(t, a.device, p256(t).Public(), func(tmpl *x509.Certificate, _ extensions) { tmpl.NotAfter = now.Add(-time.Hour) })
	_, err := attestation.Verify(attestation.Chain{Slot: slot, Device: a.device.cert}, a.trust(), attestation.Expect{})
	if !errors.Is(err, attestation.ErrExpired) {
		t.Error(err)
	}
}

// A root with the right name and the wrong key, beside the right one.
func TestRootsOfOneName(t *testing.T) {
	a := newAuthority(t)
	imitation := issue(t, ca("Test Attestation Root", 3), p256(t), nil)
	trust := a.trust()
	trust.Roots = []*x509.Certificate{nil, imitation.cert, a.root.cert}
	chain := attestation.Chain{Slot: attest(t, a.device, p256(t).Public(), nil), Device: a.device.cert}
	if _, err := attestation.Verify(chain, trust, attestation.Expect{}); err != nil {
		t.Error(err)
	}
	trust.Roots = []*x509.Certificate{imitation.cert}
	if _, err := attestation.Verify(chain, trust, attestation.Expect{}); !errors.Is(err, attestation.ErrUntrustedRoot) {
		t.Errorf("the imitation alone: %v", err)
	}
}

// Many certificates of one name and key, in a circle, must not keep the search
// busy: it ends, with a refusal.
func TestSearchEnds(t *testing.T) {
	key := p256(t)
	issuer := &entity{issue(t, ca("Loop", -1), key, nil).cert, key}
	chain := attestation.Chain{}
	for range 30 {
		chain.Intermediates = append(chain.Intermediates, issue(t, ca("Loop", -1), key, issuer).cert)
	}
	device := issue(t, deviceTemplate(), p256(t), issuer)
	chain.Slot, chain.Device = attest(t, device, p256(t).Public(), nil), device.cert
	_, err := attestation.Verify(chain, newAuthority(t).trust(), attestation.Expect{})
	if !errors.Is(err, attestation.ErrUntrustedRoot) {
		t.Error(err)
	}
}

func TestNoTrustTrustsNothing(t *testing.T) {
	a := newAuthority(t)
	chain := attestation.Chain{Slot: attest(t, a.device, p256(t).Public(), nil), Device: a.device.cert,
		Intermediates: []*x509.Certificate{a.intermediate.cert, a.root.cert}}
	if _, err := attestation.Verify(chain, attestation.Trust{}, attestation.Expect{}); !errors.Is(err, attestation.ErrUntrustedRoot) {
		t.Error(err)
	}
	// A device certificate that is itself the root vouches for nothing.
	self := issue(t, deviceTemplate(), p256(t), nil)
	chain = attestation.Chain{Slot: attest(t, self, p256(t).Public(), nil), Device: self.cert}
	trust := attestation.Trust{Roots: []*x509.Certificate{self.cert}}
	if _, err := attestation.Verify(chain, trust, attestation.Expect{}); !errors.Is(err, attestation.ErrUntrustedRoot) {
		t.Errorf("a self-signed device certificate among the roots: %v", err)
	}
}
