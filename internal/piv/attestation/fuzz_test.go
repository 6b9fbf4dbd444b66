package attestation

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// FuzzParseStatement feeds arbitrary extension values.
func FuzzParseStatement(f *testing.F) {
	f.Add([]byte{5, 7, 4}, []byte{2, 4, 0, 0xbc, 0x61, 0x4e}, []byte{2, 1}, []byte{3})
	f.Add([]byte{}, []byte{2, 1, 0}, []byte{9, 9}, []byte{})
	f.Fuzz(func(t *testing.T, firmware, serial, policy, form []byte) {
		cert := &x509.Certificate{Extensions: []pkix.Extension{
			{Id: arc(extFirmware), Value: firmware}, {Id: arc(extSerial), Value: serial},
			{Id: arc(extKeyPolicy), Value: policy}, {Id: arc(extFormFactor), Value: form},
		}}
		said, err := parseStatement(cert)
		if err != nil {
			if !errors.Is(err, ErrMalformedExtension) {
				t.Fatalf("not typed: %v", err)
			}
			return
		}
		// What was accepted has exactly one encoding.
		encoded, err := asn1.Marshal(int64(said.serial))
		if err != nil {
			t.Fatal(err)
		}
		if said.serial == 0 || string(encoded) != string(serial) {
			t.Errorf("serial %x read as %d", serial, said.serial)
		}
		if said.pinPolicy == "" || said.touchPolicy == "" || len(form) != 1 || len(firmware) != 3 {
			t.Errorf("accepted %x %x %x as %+v", firmware, policy, form, said)
		}
	})
}

// FuzzVerify feeds arbitrary certificates: whatever happens, nothing but the
// genuine chain is believed.
func FuzzVerify(f *testing.F) {
	der := func(name string) []byte {
		data, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			f.Fatal(err)
		}
		block, _ := pem.Decode(data)
		return block.Bytes
	}
	genuine := map[string]bool{}
	for _, firmware := range []string{"4.3.7", "5.2.7", "5.4.3", "5.7.4"} {
		slot, device := der(firmware+"-slot.pem"), der(firmware+"-device.pem")
		f.Add(slot, device)
		f.Add(device, slot)
		genuine[string(slot)] = true
	}
	f.Fuzz(func(t *testing.T, slotDER, deviceDER []byte) {
		slot, _ := x509.ParseCertificate(slotDER)
		device, _ := x509.ParseCertificate(deviceDER)
		facts, err := Verify(Chain{Slot: slot, Device: device}, YubicoTrust(), Expect{})
		switch {
		case err != nil && !errors.Is(err, ErrRefused):
			t.Errorf("not a refusal: %v", err)
		case err == nil && !genuine[string(slotDER)]:
			t.Errorf("believed: %+v", facts)
		}
	})
}

// FuzzParseBundle: what is accepted survives being written again.
func FuzzParseBundle(f *testing.F) {
	slot, err := os.ReadFile("testdata/5.7.4-slot.pem")
	if err != nil {
		f.Fatal(err)
	}
	device, err := os.ReadFile("testdata/5.7.4-device.pem")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(append(slot, device...))
	f.Add(slot)
	f.Fuzz(func(t *testing.T, data []byte) {
		chain, err := ParseBundle(data)
		if err != nil {
			return
		}
		again, err := ParseBundle(EncodeBundle(chain))
		if err != nil {
			t.Fatalf("written and not read: %v", err)
		}
		if !again.Slot.Equal(chain.Slot) || !again.Device.Equal(chain.Device) {
			t.Error("changed by a round trip")
		}
	})
}
