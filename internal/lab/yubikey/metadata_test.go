package yubikey

import (
	"bytes"
	"testing"
)

func TestMetadataOfReferences(t *testing.T) {
	h := newHost(t, v574)
	for p2, want := range map[byte]string{
		0x80: "0101ff05010106020303",
		0x81: "0101ff05010106020303",
		0x9b: "01010a02020001050101",
	} {
		if got := h.ok(0, insGetMetadata, 0, p2, nil); !bytes.Equal(got, unhex(t, want)) {
			t.Errorf("metadata of %02x is %x, want %s", p2, got, want)
		}
	}
	h.send(0, insVerify, 0, referencePIN, padReference("000000"))
	h.ok(0, insChangeReference, 0, referencePUK, pins(factoryPUK, "13579135"))
	h.manage()
	h.ok(0, insSetManagementKey, 0xff, 0xfd, setManagementData(aes256, bytes.Repeat([]byte{3}, 32)))
	for p2, want := range map[byte]string{
		0x80: "0101ff05010106020302",
		0x81: "0101ff05010006020303",
		0x9b: "01010c02020003050100",
	} {
		if got := h.ok(0, insGetMetadata, 0, p2, nil); !bytes.Equal(got, unhex(t, want)) {
			t.Errorf("metadata of %02x is %x, want %s", p2, got, want)
		}
	}
}

func TestMetadataOfKeys(t *testing.T) {
	h := newHost(t, v574)
	public := h.generateIn(slotSignature, eccP256, 0, touchCached)
	got := h.ok(0, insGetMetadata, 0, byte(slotSignature), nil)
	want := append(unhex(t, "010111020203030301010443"), public[3:]...) // 7f49 43 …
	if !bytes.Equal(got, want) {
		t.Errorf("metadata is %x, want %x", got, want)
	}
	h.refused(swReferenceNotFound, 0, insGetMetadata, 0, byte(slotAuthentication), nil)
	h.refused(swReferenceNotFound, 0, insGetMetadata, 0, 0x04, nil)
	h.refused(swWrongParameters, 0, insGetMetadata, 1, byte(slotSignature), nil)
	device := h.ok(0, insGetMetadata, 0, byte(slotAttestation), nil)
	if want := unhex(t, "0101070202020103010204"); !bytes.HasPrefix(device, want) {
		t.Errorf("metadata of f9 is %x, want %x…", device, want)
	}
}

func TestMetadataCameWith53(t *testing.T) {
	newHost(t, Version{5, 2, 7}).refused(swUnknownInstruction, 0, insGetMetadata, 0, 0x80, nil)
	newHost(t, Version{5, 3, 0}).ok(0, insGetMetadata, 0, 0x80, nil)
}
