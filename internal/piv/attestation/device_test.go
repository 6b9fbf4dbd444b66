package attestation

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"testing"
)

// Yubico's own authorities cannot be imitated in a test of [Verify]: their keys
// are Yubico's. The rule about names is tested by itself.
func TestDeviceIssuersUnderYubicoRoots(t *testing.T) {
	trust := YubicoTrust()
	byName := map[string]*x509.Certificate{}
	for _, cert := range append(trust.Roots, trust.Intermediates...) {
		byName[cert.Subject.CommonName] = cert
	}
	device := func(name string) *x509.Certificate {
		return &x509.Certificate{Subject: pkix.Name{CommonName: name}}
	}
	for _, test := range []struct {
		device, issuer, root string
		accepted             bool
	}{
		{"YubiKey PIV Attestation", "Yubico PIV Attestation A 1", "Yubico Attestation Root 1", true},
		{"YubiKey PIV Attestation", "Yubico PIV Attestation B 1", "Yubico Attestation Root 1", true},
		{"YubiKey PIV Attestation", "Yubico PIV Attestation B2 1", "Yubico Attestation Root 1", true},
		{"Yubico PIV Attestation", "Yubico PIV Root CA Serial 263751", "Yubico PIV Root CA Serial 263751", true},
		{"Yubico PIV Attestation", "Yubico U2F Root CA Serial 457200631", "Yubico U2F Root CA Serial 457200631", true},
		{"YubiKey PIV Attestation", "Yubico U2F Root CA Serial 457200631", "Yubico U2F Root CA Serial 457200631", false},
		{"Yubico U2F EE Serial 1955003842", "Yubico U2F Root CA Serial 457200631", "Yubico U2F Root CA Serial 457200631", false},
		{"YubiKey PIV Attestation", "Yubico FIDO Attestation A 1", "Yubico Attestation Root 1", false},
		{"YubiKey PIV Attestation", "Yubico FIDO Attestation B 1", "Yubico Attestation Root 1", false},
		{"YubiKey PIV Attestation", "Yubico OPGP Attestation A 1", "Yubico Attestation Root 1", false},
		{"YubiKey PIV Attestation", "Yubico OPGP Attestation B 1", "Yubico Attestation Root 1", false},
		{"YubiKey PIV Attestation", "Yubico SD Attestation A 1", "Yubico Attestation Root 1", false},
		{"YubiKey PIV Attestation", "Yubico SD Attestation B 1", "Yubico Attestation Root 1", false},
		{"YubiKey PIV Attestation", "Yubico Attestation Intermediate A 1", "Yubico Attestation Root 1", false},
		{"YubiKey PIV Attestation", "Yubico Attestation Root 1", "Yubico Attestation Root 1", false},
		{"Anything else", "Yubico PIV Attestation A 1", "Yubico Attestation Root 1", false},
	} {
		issuer, root := byName[test.issuer], byName[test.root]
		if issuer == nil || root == nil {
			t.Fatalf("%s or %s is not at hand", test.issuer, test.root)
		}
		err := checkDeviceIssuer([]*x509.Certificate{device(test.device), issuer, root})
		if test.accepted && err != nil || !test.accepted && !errors.Is(err, ErrDeviceIssuer) {
			t.Errorf("%q issued by %q: %v", test.device, test.issuer, err)
		}
	}
}
