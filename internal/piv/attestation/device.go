package attestation

import (
	"bytes"
	"crypto/x509"
	"fmt"
	"strings"
	"unicode"

	"github.com/cse-piv/cse-piv/internal/safetext"
)

// checkDevice checks that a device certificate may sign attestations. Some f9
// certificates of firmware 4.3 and 5.2.4 lack basicConstraints; those were all
// issued by a root directly, so the lack is forgiven there and nowhere else.
//
// That matters: a slot certificate lacks basicConstraints too, and its holder
// can sign anything with the slot's key. Taken for a device certificate it would
// vouch for keys that were never on a card.
func checkDevice(device *x509.Certificate, issuedByRoot bool) error {
	name := safetext.Clean(device.Subject.String())
	_, isSlot := slotOf(device)
	_, hasSerial := extension(device, extSerial)
	_, hasPolicy := extension(device, extKeyPolicy)
	switch {
	case isSlot || hasSerial || hasPolicy:
		return fmt.Errorf("%w: %q is itself the attestation of a key in a slot", ErrDeviceCertificate, name)
	case device.BasicConstraintsValid && !device.IsCA:
		return fmt.Errorf("%w: %q is not a CA certificate", ErrDeviceCertificate, name)
	case !device.BasicConstraintsValid && !issuedByRoot:
		return fmt.Errorf("%w: %q has no basic constraints", ErrDeviceCertificate, name)
	case device.KeyUsage != 0 && device.KeyUsage&x509.KeyUsageCertSign == 0:
		return fmt.Errorf("%w: the key usage of %q leaves out certificate signing", ErrDeviceCertificate, name)
	case len(device.UnhandledCriticalExtensions) > 0:
		return fmt.Errorf("%w: %q has an unknown critical extension %v", ErrDeviceCertificate, name, device.UnhandledCriticalExtensions[0])
	}
	return nil
}

// Names of Yubico's authorities that issue PIV device certificates.
const (
	yubicoPIVRoot     = "Yubico PIV Root CA Serial 263751"
	yubicoU2FRoot     = "Yubico U2F Root CA Serial 457200631"
	yubicoPIVIssuers  = "Yubico PIV Attestation " // followed by "A 1", "B 1", "B2 1" and so on
	yubicoPIVDevice   = "Yubico PIV Attestation"
	yubicoPIVDevice57 = "YubiKey PIV Attestation" // from firmware 5.7.4 on
)

// checkDeviceIssuer checks that the authority that issued the device certificate
// (path[1]) does so for PIV. Under Yubico's roots the issuers are known by name;
// under any other root (a company's own, the practice lab's) an issuer is
// refused only when its name says that it serves another applet.
func checkDeviceIssuer(path []*x509.Certificate) error {
	device, issuer, root := path[0], path[1], path[len(path)-1]
	if err := checkIssuerName(issuer); err != nil && !isYubicoRoot(issuer) {
		return err
	}
	if !isYubicoRoot(root) {
		return nil
	}
	deviceName, issuerName := device.Subject.CommonName, issuer.Subject.CommonName
	switch {
	case deviceName != yubicoPIVDevice && deviceName != yubicoPIVDevice57:
		return fmt.Errorf("%w: %q is not the name of a PIV device certificate", ErrDeviceIssuer, safetext.Clean(deviceName))
	case issuerName == yubicoPIVRoot, strings.HasPrefix(issuerName, yubicoPIVIssuers):
		return nil
	case issuerName == yubicoU2FRoot && deviceName == yubicoPIVDevice:
		// Cards made in 2018 with their device certificate from the wrong root.
		return nil
	}
	return fmt.Errorf("%w: %q", ErrDeviceIssuer, safetext.Clean(issuerName))
}

// checkIssuerName refuses an issuer that is named after another applet.
func checkIssuerName(issuer *x509.Certificate) error {
	words := strings.FieldsFunc(issuer.Subject.CommonName, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r)
	})
	for _, word := range words {
		switch strings.ToUpper(word) {
		case "FIDO", "U2F", "OPGP", "OPENPGP", "SD", "YUBIHSM":
			return fmt.Errorf("%w: %q issues for %s", ErrDeviceIssuer, safetext.Clean(issuer.Subject.String()), safetext.Clean(word))
		}
	}
	return nil
}

// isYubicoRoot tells whether cert is one of the pinned roots, wherever it was
// loaded from.
func isYubicoRoot(cert *x509.Certificate) bool {
	for _, root := range YubicoTrust().Roots {
		if bytes.Equal(root.RawSubjectPublicKeyInfo, cert.RawSubjectPublicKeyInfo) &&
			bytes.Equal(root.RawSubject, cert.RawSubject) {
			return true
		}
	}
	return false
}
