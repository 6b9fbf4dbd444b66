package attestation

import "errors"

// ErrRefused matches (errors.Is) every refusal of this package, whatever its
// reason; errors that are no verdict, such as an unreadable file, do not match.
var ErrRefused = errors.New("attestation refused")

// The refusals of [Verify]. Each wraps details; [Reason] gives its stable name.
var (
	// ErrNotAttestation: a certificate is missing, or the slot certificate is an
	// ordinary one. A card gives no attestation for an imported key.
	ErrNotAttestation = refusal("not-an-attestation", "not an attestation certificate")
	// ErrSlotSignature: the device certificate's key did not sign the slot
	// certificate.
	ErrSlotSignature = refusal("slot-signature", "the slot certificate was not signed by the device certificate")
	// ErrDeviceCertificate: the device certificate may not sign attestations. It
	// is no CA certificate, or is itself the attestation of a key in a slot.
	ErrDeviceCertificate = refusal("device-certificate", "the device certificate may not sign attestations")
	// ErrDeviceIssuer: the device certificate's issuer does not issue for PIV;
	// Yubico's FIDO, OpenPGP and secure-domain issuers share the PIV root.
	ErrDeviceIssuer = refusal("device-issuer", "the device certificate was not issued by a PIV attestation authority")
	// ErrUntrustedRoot: no path of valid signatures and CA certificates leads
	// from the device certificate to a trusted root.
	ErrUntrustedRoot = refusal("untrusted-root", "the device certificate does not lead to a trusted root")
	// ErrExpired: a certificate on the path is not valid at this time.
	ErrExpired = refusal("expired", "a certificate of the attestation is not valid now")
	// ErrMissingExtension: firmware, serial number or key policy is not attested.
	ErrMissingExtension = refusal("missing-extension", "the slot certificate lacks an attestation extension")
	// ErrMalformedExtension: an attested value is not encoded as specified.
	ErrMalformedExtension = refusal("malformed-extension", "an attestation extension is malformed")
	// ErrUnsupportedKey: the attested key is of a kind that PIV does not have.
	ErrUnsupportedKey = refusal("unsupported-key", "the attested key is of an unknown kind")
	// ErrWrongSlot: the subject names no slot, or another than expected.
	ErrWrongSlot = refusal("wrong-slot", "the attestation is for another slot")
	// ErrWrongSerial: another YubiKey than expected.
	ErrWrongSerial = refusal("wrong-serial", "the attestation is from another YubiKey")
	// ErrKeyMismatch: the attested key is not the expected one.
	ErrKeyMismatch = refusal("key-mismatch", "the attested key is not the key on the card")
	// ErrContradiction: what the card says of the key otherwise, in its metadata, is
	// not what it attests.
	ErrContradiction = refusal("contradiction", "the card says one thing of the key and attests another")
	// ErrCSRMismatch: the certificate request is for another key, or is not
	// signed by its key.
	ErrCSRMismatch = refusal("csr-mismatch", "the attested key is not the key of the certificate request")
	// ErrCertificateMismatch: the certificate is for another key.
	ErrCertificateMismatch = refusal("certificate-mismatch", "the attested key is not the key of the certificate")
	// ErrROCA: an RSA key from firmware that generates factorable ones
	// (YSA-2017-01, CVE-2017-15361).
	ErrROCA = refusal("roca", "RSA keys of this firmware can be factored")
)

// Reason returns the stable name of a refusal, such as "wrong-slot", for output
// that machines read; empty when err is no refusal.
func Reason(err error) string {
	var r *refused
	if errors.As(err, &r) {
		return r.reason
	}
	return ""
}

// refused is the type of all refusals.
type refused struct{ reason, text string }

func refusal(reason, text string) error { return &refused{reason, text} }

func (r *refused) Error() string { return r.text }

func (r *refused) Is(target error) bool { return target == ErrRefused }
