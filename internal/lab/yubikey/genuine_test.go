package yubikey

import (
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// genuine are attestations of real YubiKeys, kept outside the project.
const genuine = "../../../../shared/samples/attestation"

// form is what certificates of one kind have in common.
type form struct {
	Version      int
	KeyType      x509.PublicKeyAlgorithm
	NeverExpires bool
	// Extensions by identifier, in order, with those values that do not depend on
	// the card.
	Extensions []string
	// Of a slot's attestation only: f9's certificate has a practice name, and is
	// signed on P-256, where the keys of the lab's CAs are quickly made.
	Subject   string
	Signature x509.SignatureAlgorithm
}

func formOf(certificate *x509.Certificate, slot bool) form {
	f := form{Version: certificate.Version, KeyType: certificate.PublicKeyAlgorithm, NeverExpires: certificate.NotAfter.Year() == 9999}
	if slot {
		f.Subject, f.Signature = certificate.Subject.String(), certificate.SignatureAlgorithm
	}
	for _, e := range certificate.Extensions {
		text := e.Id.String()
		if e.Id.Equal(oidFirmware) || e.Id.Equal(oidPolicies) || e.Id.Equal(oidBasicConstraints) {
			text += fmt.Sprintf(" %v %x", e.Critical, e.Value)
		} else {
			text += fmt.Sprintf(" %v, tag %v", e.Critical, len(e.Value) > 1 && e.Value[0] == asn1.TagInteger)
		}
		f.Extensions = append(f.Extensions, text)
	}
	return f
}

// TestLikeGenuineAttestations compares the certificates of the lab's cards with
// those of real ones of the same firmware.
func TestLikeGenuineAttestations(t *testing.T) {
	for _, c := range []struct {
		firmware     Version
		slot, device string
		in           slotID
		key          algorithm
		pin, touch   byte
	}{
		{v437, "piv-go-ValidChain2018-slot9a.pem", "piv-go-ValidChain2018-f9.pem", slotAuthentication, eccP256, 0, 0},
		{v543, "piv-go-ValidChain-slot9a.pem", "piv-go-ValidChain-f9.pem", slotAuthentication, eccP256, 0, 0},
		{v574, "sshcerts-YUBIKEY_5C_5_7_4_ATTESTATION.pem", "sshcerts-YUBIKEY_5C_5_7_4_INTERMEDIATE.pem", slotRetiredFirst, eccP384, pinNever, touchAlways},
	} {
		t.Run(c.firmware.String(), func(t *testing.T) {
			slot, device := sample(t, c.slot), sample(t, c.device)
			h := newHost(t, c.firmware)
			h.generateIn(c.in, c.key, c.pin, c.touch)
			if diff := cmp.Diff(formOf(slot, true), formOf(h.attestation(c.in), true)); diff != "" {
				t.Errorf("the attestation, real (-) and the lab's (+):\n%s", diff)
			}
			if diff := cmp.Diff(formOf(device, false), formOf(deviceCertificateOf(h), false)); diff != "" {
				t.Errorf("f9's certificate, real (-) and the lab's (+):\n%s", diff)
			}
		})
	}
}

func sample(t *testing.T, name string) *x509.Certificate {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(genuine, name))
	if err != nil {
		t.Skip("NOT TESTED: ", err)
	}
	block, _ := pem.Decode(raw)
	if block == nil {
		t.Fatalf("%s is not PEM", name)
	}
	certificate, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return certificate
}
