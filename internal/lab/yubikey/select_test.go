package yubikey

import (
	"bytes"
	"encoding/binary"
	"testing"
)

func TestSelectPIV(t *testing.T) {
	h := newHost(t, v574)
	want := unhex(t, "61114f0600001000010079074f05a000000308")
	for _, aid := range []string{"a000000308", "a00000030800001000", "a000000308000010000100"} {
		if got := h.ok(0, insSelect, 4, 0, unhex(t, aid)); !bytes.Equal(got, want) {
			t.Errorf("%s answered %x, want %x", aid, got, want)
		}
	}
}

func TestSelectOthers(t *testing.T) {
	h := newHost(t, v574)
	for _, aid := range []string{"d27600012401", "a0000006472f0001", "a0000005272101", "a00000030", "a0000003080000100001000000"} {
		if len(aid)%2 == 1 {
			aid = aid[:len(aid)-1]
		}
		h.refused(swNotFound, 0, insSelect, 4, 0, unhex(t, aid))
	}
	h.refused(swWrongP1P2, 0, insSelect, 0, 0, unhex(t, "3f00"))
	h.ok(0, insGetVersion, 0, 0, nil) // PIV is still selected
}

func TestNothingSelected(t *testing.T) {
	h := newHost(t, v574)
	h.Reset()
	h.refused(swUnknownInstruction, 0, insGetVersion, 0, 0, nil)
}

func TestSelectionAndSecurityStatus(t *testing.T) {
	h := newHost(t, v574)
	h.verifyPIN(factoryPIN)
	h.selectPIV() // already selected: SP 800-73-4 keeps the status
	h.ok(0, insVerify, 0, referencePIN, nil)
	h.ok(0, insSelect, 4, 0, unhex(t, "a000000527471117"))
	h.selectPIV()
	h.refused(triesLeft(3), 0, insVerify, 0, referencePIN, nil)
}

func TestVersionAndSerial(t *testing.T) {
	h := newHost(t, v574)
	if got := h.ok(0, insGetVersion, 0, 0, nil); !bytes.Equal(got, []byte{5, 7, 4}) {
		t.Errorf("version is %x", got)
	}
	if got := h.ok(0, insGetSerial, 0, 0, nil); binary.BigEndian.Uint32(got) != testSerial {
		t.Errorf("serial is %x", got)
	}
	old := newHost(t, v437)
	old.refused(swUnknownInstruction, 0, insGetSerial, 0, 0, nil)
	old.ok(0, insSelect, 4, 0, unhex(t, "a000000527200101"))
	if got := old.ok(0, 0x01, 0x10, 0, nil); binary.BigEndian.Uint32(got) != testSerial {
		t.Errorf("serial over OTP is %x", got)
	}
}

func TestOTPApplet(t *testing.T) {
	h := newHost(t, v543)
	for _, status := range [][]byte{
		h.ok(0, insSelect, 4, 0, unhex(t, "a0000005272001")),
		h.ok(0, 0x03, 0, 0, nil),
	} {
		if !bytes.HasPrefix(status, []byte{5, 4, 3}) || len(status) != 6 {
			t.Errorf("status is %x", status)
		}
	}
	h.refused(swWrongParameters, 0, 0x01, 0x11, 0, nil)
	h.refused(swUnknownInstruction, 0, insGetVersion, 0, 0, nil)
}

// deviceInfo reads the management applet's data objects.
func deviceInfo(h *host) map[uint32][]byte {
	h.Helper()
	greeting := h.ok(0, insSelect, 4, 0, unhex(h.T, "a000000527471117"))
	if want := "Virtual mgr - FW version " + h.Firmware().String(); string(greeting) != want {
		h.Errorf("greeting is %q, want %q", greeting, want)
	}
	info := h.ok(0, insReadConfig, 0, 0, nil)
	if len(info) < 1 || int(info[0]) != len(info)-1 {
		h.Fatalf("device information %x has the wrong length byte", info)
	}
	fields, ok := parseTLVs(info[1:])
	if !ok {
		h.Fatalf("device information is %x", info)
	}
	byTag := map[uint32][]byte{}
	for _, field := range fields {
		byTag[field.tag] = field.value
	}
	return byTag
}

func TestDeviceInformation(t *testing.T) {
	h := newHost(t, v574)
	info := deviceInfo(h)
	for tag, want := range map[uint32][]byte{
		infoSerial:        binary.BigEndian.AppendUint32(nil, testSerial),
		infoFormFactor:    {FormFactorUSBCKeychain},
		infoVersion:       {5, 7, 4},
		infoUSBEnabled:    {0x02, 0x3b},
		infoNFCSupported:  {0x02, 0x3b},
		infoPINComplexity: {0},
	} {
		if !bytes.Equal(info[tag], want) {
			t.Errorf("tag %02x is %x, want %x", tag, info[tag], want)
		}
	}
	if further := h.ok(0, insReadConfig, 1, 0, nil); !bytes.Equal(further, []byte{0}) {
		t.Errorf("page 1 is %x", further)
	}
	h.refused(swWrongP1P2, 0, insReadConfig, 0, 1, nil)
	h.refused(swUnknownInstruction, 0, 0x1c, 0, 0, nil)
}

func TestDeviceInformationByModel(t *testing.T) {
	nano := newHost(t, v543, func(c *Config) { c.FormFactor = FormFactorUSBCNano | formFactorFIPS })
	info := deviceInfo(nano)
	if _, ok := info[infoNFCSupported]; ok {
		t.Error("a nano has NFC")
	}
	if !bytes.Equal(info[infoFormFactor], []byte{0x84}) {
		t.Errorf("form factor is %x, want 84", info[infoFormFactor])
	}
	old := deviceInfo(newHost(t, v437))
	if _, ok := old[infoFormFactor]; ok {
		t.Error("firmware 4 tells its form factor")
	}
	if !bytes.Equal(old[infoSerial], binary.BigEndian.AppendUint32(nil, testSerial)) {
		t.Errorf("serial is %x", old[infoSerial])
	}
}
