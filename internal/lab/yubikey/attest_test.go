package yubikey

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"math/big"
	"testing"
)

// deviceCertificateOf reads f9's certificate as a client does.
func deviceCertificateOf(h *host) *x509.Certificate {
	h.Helper()
	object, rest, ok := nextTLV(h.ok(0, insGetData, 0x3f, 0xff, getData(objectAttestation)))
	if !ok || len(rest) > 0 || object.tag != tagData {
		h.Fatal("the attestation certificate is not in tag 53")
	}
	fields, ok := parseTLVs(object.value)
	if !ok || len(fields) != 3 || fields[0].tag != tagCertificate {
		h.Fatalf("the attestation certificate is %x", object.value)
	}
	certificate, err := x509.ParseCertificate(fields[0].value)
	if err != nil {
		h.Fatal(err)
	}
	return certificate
}

func yubico(arc int) asn1.ObjectIdentifier {
	return asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 41482, 3, arc}
}

func extension(id asn1.ObjectIdentifier, value ...byte) pkix.Extension {
	return pkix.Extension{Id: id, Value: value}
}

func TestAttestation(t *testing.T) {
	serial := []byte{0x02, 0x04, 0x00, 0xae, 0x13, 0xfb} // 11408379
	tests := []struct {
		v    Version
		a    algorithm
		slot slotID
		want []pkix.Extension
	}{
		{v574, rsa2048, slotKeyManagement, []pkix.Extension{
			extension(yubico(3), 5, 7, 4), extension(yubico(7), serial...),
			extension(yubico(8), 2, 1), extension(yubico(9), 3)}},
		{v574, ed25519Key, slotSignature, []pkix.Extension{
			extension(yubico(3), 5, 7, 4), extension(yubico(7), serial...),
			extension(yubico(8), 3, 1), extension(yubico(9), 3)}},
		{v543, eccP384, slotRetiredLast, []pkix.Extension{
			extension(yubico(3), 5, 4, 3), extension(yubico(7), serial...),
			extension(yubico(8), 2, 1), extension(yubico(9), 3)}},
		{v437, rsa2048, slotCardAuth, []pkix.Extension{
			extension(yubico(3), 4, 3, 7), extension(yubico(8), 1, 1)}},
	}
	for _, test := range tests {
		t.Run(fmt.Sprint(test.v, " ", test.a), func(t *testing.T) {
			h := newHost(t, test.v)
			h.generateIn(test.slot, test.a, 0, 0)
			slot, device := h.attestation(test.slot), deviceCertificateOf(h)
			if err := device.CheckSignature(slot.SignatureAlgorithm, slot.RawTBSCertificate, slot.Signature); err != nil {
				t.Errorf("f9 did not sign it: %v", err)
			}
			if fmt.Sprint(slot.Extensions) != fmt.Sprint(test.want) {
				t.Errorf("extensions are %v, want %v", slot.Extensions, test.want)
			}
			// As the card writes it: SEQUENCE, SET, SEQUENCE, OID, UTF8String.
			cn := "YubiKey PIV Attestation " + test.slot.String()
			if !bytes.HasSuffix(slot.RawSubject, append([]byte{asn1.TagUTF8String, byte(len(cn))}, cn...)) {
				t.Errorf("subject is %x, want the UTF8String %q", slot.RawSubject, cn)
			}
			if !bytes.Equal(slot.RawIssuer, device.RawSubject) {
				t.Errorf("issuer is %v, want %v", slot.Issuer, device.Subject)
			}
			if !slot.NotBefore.Equal(device.NotBefore) || !slot.NotAfter.Equal(device.NotAfter) {
				t.Errorf("valid %v to %v, want f9's dates", slot.NotBefore, slot.NotAfter)
			}
			if n := len(slot.SerialNumber.Bytes()); n != 16 || slot.SerialNumber.Sign() <= 0 {
				t.Errorf("serial number %x has %d bytes, want 16", slot.SerialNumber, n)
			}
			public := h.Snapshot().Slots[byte(test.slot)].PublicKey
			if !public.(interface{ Equal(crypto.PublicKey) bool }).Equal(slot.PublicKey) {
				t.Error("another key is attested")
			}
			if again := h.attestation(test.slot); again.SerialNumber.Cmp(slot.SerialNumber) == 0 {
				t.Error("two attestations have the same serial number")
			}
		})
	}
}

func TestAttestationChain(t *testing.T) {
	for v, length := range map[Version]int{{5, 1, 2}: 3, v543: 3, {5, 7, 3}: 3, v574: 5} {
		h := newHost(t, v)
		h.generateIn(slotKeyManagement, eccP256, 0, 0)
		roots, intermediates := x509.NewCertPool(), x509.NewCertPool()
		for _, root := range testAuthority().Roots() {
			roots.AddCert(root)
		}
		for _, intermediate := range testAuthority().Intermediates() {
			intermediates.AddCert(intermediate)
		}
		intermediates.AddCert(deviceCertificateOf(h))
		chains, err := h.attestation(slotKeyManagement).Verify(x509.VerifyOptions{
			Roots: roots, Intermediates: intermediates, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
		})
		if err != nil || len(chains) != 1 || len(chains[0]) != length {
			t.Errorf("%v: chains %v: %v; want slot, f9, root or slot, f9, two intermediates, root", v, chains, err)
		}
	}
}

// TestDeviceCertificateWithoutConstraints is what x509 does not take for a CA's
// certificate, as with some real cards.
func TestDeviceCertificateWithoutConstraints(t *testing.T) {
	for _, v := range []Version{v437, {5, 2, 7}} {
		h := newHost(t, v)
		h.generateIn(slotKeyManagement, eccP256, 0, 0)
		slot, device := h.attestation(slotKeyManagement), deviceCertificateOf(h)
		if err := device.CheckSignature(slot.SignatureAlgorithm, slot.RawTBSCertificate, slot.Signature); err != nil {
			t.Errorf("%v: f9 did not sign it: %v", v, err)
		}
		if err := device.CheckSignatureFrom(testAuthority().Roots()[1]); err != nil {
			t.Errorf("%v: the root did not sign f9: %v", v, err)
		}
		want := []pkix.Extension{extension(yubico(3), v.Major, v.Minor, v.Patch)}
		if device.BasicConstraintsValid || fmt.Sprint(device.Extensions) != fmt.Sprint(want) {
			t.Errorf("%v: extensions of f9 are %v, want %v", v, device.Extensions, want)
		}
	}
}

// TestX25519Attestation looks into the encoding: crypto/x509 does not tell the
// public keys of certificates for X25519.
func TestX25519Attestation(t *testing.T) {
	h := newHost(t, v574)
	h.generateIn(slotKeyManagement, x25519Key, 0, 0)
	slot := h.attestation(slotKeyManagement)
	want, err := x509.MarshalPKIXPublicKey(h.Snapshot().Slots[byte(slotKeyManagement)].PublicKey)
	if err != nil || !bytes.Equal(slot.RawSubjectPublicKeyInfo, want) {
		t.Errorf("attested key is %x, want %x (%v)", slot.RawSubjectPublicKeyInfo, want, err)
	}
}

func TestAttestationShowsPolicies(t *testing.T) {
	h := newHost(t, v574)
	for pin := byte(pinNever); pin <= pinAlways; pin++ {
		for touch := byte(touchNever); touch <= touchCached; touch++ {
			h.generateIn(slotAuthentication, eccP256, pin, touch)
			if got := h.attestation(slotAuthentication).Extensions[2].Value; !bytes.Equal(got, []byte{pin, touch}) {
				t.Errorf("policies are %x, want %02x%02x", got, pin, touch)
			}
		}
	}
}

func TestAttestRefused(t *testing.T) {
	h := newHost(t, v574)
	h.refused(swWrongData, 0, insAttest, byte(slotKeyManagement), 0, nil) // empty
	h.refused(swWrongData, 0, insAttest, byte(slotAttestation), 0, nil)
	h.refused(swWrongData, 0, insAttest, 0x9b, 0, nil)
	h.refused(swWrongParameters, 0, insAttest, byte(slotKeyManagement), 1, nil)
}

// TestReplacedAttestationKey follows what a company does that wants its own
// attestation chain on its cards.
func TestReplacedAttestationKey(t *testing.T) {
	h := newHost(t, v574)
	h.generateIn(slotKeyManagement, eccP256, 0, 0)
	key := mustRSA(t, 2048)
	h.manage()
	h.ok(0, insImportKey, byte(rsa2048), byte(slotAttestation), rsaParts(key))
	own, err := testAuthority().issueDevice(profileOf(v574, 0), key.Public())
	if err != nil {
		t.Fatal(err)
	}
	h.ok(0, insPutData, 0x3f, 0xff, putData(objectAttestation, appendTLV(nil, tagCertificate, own.Raw)))
	if err := h.attestation(slotKeyManagement).CheckSignatureFrom(own); err != nil {
		t.Error(err)
	}
	for _, wrong := range [][]byte{{1, 2, 3}, appendTLV(nil, tagCertificate, []byte{0x30, 0x00}), appendTLV(nil, tagCertInfo, own.Raw)} {
		h.ok(0, insPutData, 0x3f, 0xff, putData(objectAttestation, wrong))
		h.refused(swWrongData, 0, insAttest, byte(slotKeyManagement), 0, nil)
	}
	h.ok(0, insPutData, 0x3f, 0xff, putData(objectAttestation, appendTLV(nil, tagCertificate, own.Raw)))
	h.ok(0, insImportKey, byte(ed25519Key), byte(slotAttestation), appendTLV(nil, 0x07, make([]byte, 32)))
	h.refused(swWrongData, 0, insAttest, byte(slotKeyManagement), 0, nil)
}

func TestLargeSerialNumber(t *testing.T) {
	h := newHost(t, v574, func(c *Config) { c.Serial = 0xffffffff })
	h.generateIn(slotAuthentication, eccP256, 0, 0)
	var serial *big.Int
	if _, err := asn1.Unmarshal(h.attestation(slotAuthentication).Extensions[1].Value, &serial); err != nil || serial.Uint64() != 0xffffffff {
		t.Errorf("serial number is %v (%v)", serial, err)
	}
}
