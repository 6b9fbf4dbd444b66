package yubikey

import (
	"bytes"
	"testing"
)

func TestObjects(t *testing.T) {
	h := newHost(t, v574)
	h.refused(swNotFound, 0, insGetData, 0x3f, 0xff, getData(0x5fc102))
	want := storeObject(h, 0x5fc102, 59)
	if got := h.ok(0, insGetData, 0x3f, 0xff, getData(0x5fc102)); !bytes.Equal(got, want) {
		t.Errorf("CHUID is %x, want %x", got, want)
	}
	h.ok(0, insPutData, 0x3f, 0xff, putData(0x5fc102, nil)) // deletes
	h.refused(swNotFound, 0, insGetData, 0x3f, 0xff, getData(0x5fc102))
	h.ok(0, insPutData, 0x3f, 0xff, putData(0x5fc102, nil)) // nothing to delete
}

func TestObjectTags(t *testing.T) {
	h := newHost(t, v574)
	h.manage()
	for _, id := range []objectID{0x5fc101, 0x5fc10d, 0x5fc120, 0x5fff00, 0x5fff15, 0x5f0000, 0x5fffff} {
		want := storeObject(h, id, 20)
		if got := h.ok(0, insGetData, 0x3f, 0xff, getData(id)); !bytes.Equal(got, want) {
			t.Errorf("%06x is %x, want %x", uint32(id), got, want)
		}
	}
	h.manage()
	for _, tag := range []string{"5c0353c105", "5c017f", "5c045fc10500"} {
		h.refused(swNotFound, 0, insGetData, 0x3f, 0xff, unhex(t, tag))
		h.refused(swWrongData, 0, insPutData, 0x3f, 0xff, append(unhex(t, tag), 0x53, 0x01, 0xaa))
	}
}

func TestDiscovery(t *testing.T) {
	h := newHost(t, v574)
	want := unhex(t, "7e124f0ba0000003080000100001005f2f024000")
	if got := h.ok(0, insGetData, 0x3f, 0xff, unhex(t, "5c017e")); !bytes.Equal(got, want) {
		t.Errorf("discovery object is %x, want %x", got, want)
	}
	h.manage()
	h.ok(0, insPutData, 0x3f, 0xff, unhex(t, "7e0301aabb"))
	if got := h.ok(0, insGetData, 0x3f, 0xff, unhex(t, "5c017e")); !bytes.Equal(got, unhex(t, "7e0301aabb")) {
		t.Errorf("discovery object is %x after it was written", got)
	}
	h.refused(swNotFound, 0, insGetData, 0x3f, 0xff, unhex(t, "5c027f61"))
	h.ok(0, insPutData, 0x3f, 0xff, unhex(t, "7f6102aabb"))
	if got := h.ok(0, insGetData, 0x3f, 0xff, unhex(t, "5c027f61")); !bytes.Equal(got, unhex(t, "7f6102aabb")) {
		t.Errorf("biometric group is %x", got)
	}
}

func TestObjectsThatWantThePIN(t *testing.T) {
	h := newHost(t, v574)
	for _, id := range []objectID{objectPrinted, objectFingerprints, objectFacialImage, objectIris} {
		h.refused(swSecurityStatus, 0, insGetData, 0x3f, 0xff, getData(id))
		h.verifyPIN(factoryPIN)
		h.refused(swNotFound, 0, insGetData, 0x3f, 0xff, getData(id))
		want := storeObject(h, id, 28)
		if got := h.ok(0, insGetData, 0x3f, 0xff, getData(id)); !bytes.Equal(got, want) {
			t.Errorf("%06x is %x, want %x", uint32(id), got, want)
		}
		h.ok(0, insVerify, 0xff, referencePIN, nil)
	}
}

func TestObjectParameters(t *testing.T) {
	h := newHost(t, v574)
	h.refused(swWrongP1P2, 0, insGetData, 0x3f, 0xfe, getData(0x5fc102))
	h.refused(swWrongP1P2, 0, insPutData, 0x00, 0xff, putData(0x5fc102, nil))
	for _, malformed := range []string{"", "5c", "5c035fc1", "53035fc102", "5c035fc10200"} {
		h.refused(swWrongData, 0, insGetData, 0x3f, 0xff, unhex(t, malformed))
	}
	h.refused(swSecurityStatus, 0, insPutData, 0x3f, 0xff, putData(0x5fc102, []byte{1}))
	h.manage()
	for _, malformed := range []string{"", "5c035fc102", "5c035fc10254011a", "5c035fc102530200", "53011a5c035fc102", "5c035fc10253011a53011b"} {
		h.refused(swWrongData, 0, insPutData, 0x3f, 0xff, unhex(t, malformed))
	}
}

func TestObjectSizes(t *testing.T) {
	h := newHost(t, v574)
	certificate := func(n int) []byte {
		value := appendTLV(nil, tagCertificate, make([]byte, n))
		return appendTLV(appendTLV(value, tagCertInfo, []byte{0}), tagErrorDetection, nil)
	}
	h.manage()
	h.ok(0, insPutData, 0x3f, 0xff, putData(0x5fc105, certificate(3052)))
	h.refused(swFull, 0, insPutData, 0x3f, 0xff, putData(0x5fc105, certificate(3053)))
	if got := len(h.Snapshot().Objects[0x5fc105]); got != len(certificate(3052)) {
		t.Errorf("%d bytes after a refused write", got)
	}

	// Sixteen certificates of the largest size fit, a seventeenth does not.
	for i := range 15 {
		h.ok(0, insPutData, 0x3f, 0xff, putData(0x5fc10d+objectID(i), certificate(3052)))
	}
	h.refused(swFull, 0, insPutData, 0x3f, 0xff, putData(0x5fc10a, certificate(3052)))
	h.ok(0, insPutData, 0x3f, 0xff, putData(0x5fc105, certificate(3052))) // in place of itself
	h.ok(0, insPutData, 0x3f, 0xff, putData(0x5fc105, nil))
	h.ok(0, insPutData, 0x3f, 0xff, putData(0x5fc10a, certificate(3052)))
}

func TestCardFull(t *testing.T) {
	h := newHost(t, v574)
	storeObject(h, 0x5fc105, 100)
	h.SetCardFull(true)
	h.refused(swFull, 0, insPutData, 0x3f, 0xff, putData(0x5fc10b, []byte{1}))
	h.refused(swFull, 0, insPutData, 0x3f, 0xff, putData(0x5fc105, make([]byte, 100)))
	h.ok(0, insPutData, 0x3f, 0xff, putData(0x5fc105, nil))
	h.SetCardFull(false)
	h.ok(0, insPutData, 0x3f, 0xff, putData(0x5fc10b, []byte{1}))
}
