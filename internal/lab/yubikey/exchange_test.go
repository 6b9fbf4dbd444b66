package yubikey

import (
	"bytes"
	"encoding/hex"
	"testing"
)

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	raw, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestParseCommand(t *testing.T) {
	long := bytes.Repeat([]byte{0xaa}, 300)
	tests := []struct {
		name string
		raw  []byte
		data []byte
		le   int
		ok   bool
	}{
		{"case 1", unhex(t, "00fd0000"), nil, 256, true},
		{"case 2 short, all", unhex(t, "00fd000000"), nil, 256, true},
		{"case 2 short, some", unhex(t, "00fd000003"), nil, 3, true},
		{"case 3 short", unhex(t, "00cb3fff035c017e"), unhex(t, "5c017e"), 256, true},
		{"case 4 short", unhex(t, "00cb3fff035c017e10"), unhex(t, "5c017e"), 16, true},
		{"case 4 short, all", unhex(t, "00cb3fff035c017e00"), unhex(t, "5c017e"), 256, true},
		{"case 2 extended", unhex(t, "00fd0000000000"), nil, 65536, true},
		{"case 2 extended, some", unhex(t, "00fd0000000102"), nil, 258, true},
		{"case 3 extended", append(unhex(t, "00db3fff00012c"), long...), long, 65536, true},
		{"case 4 extended", append(append(unhex(t, "00db3fff00012c"), long...), 0x01, 0x00), long, 256, true},
		{"case 4 extended, all", append(append(unhex(t, "00db3fff00012c"), long...), 0, 0), long, 65536, true},
		{"nothing", nil, nil, 0, false},
		{"half a header", unhex(t, "00fd00"), nil, 0, false},
		{"data missing", unhex(t, "00cb3fff055c01"), nil, 0, false},
		{"data left over", unhex(t, "00cb3fff035c017e0000"), nil, 0, false},
		{"six bytes, the fifth zero", unhex(t, "00fd00000000"), nil, 0, false},
		{"extended without data", unhex(t, "00fd000000000000"), nil, 0, false},
		{"extended data missing", unhex(t, "00fd00000000ffaa"), nil, 0, false},
		{"extended with one byte of Le", unhex(t, "00fd0000000001aa00"), nil, 0, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			cmd, ok := parseCommand(test.raw)
			if ok != test.ok {
				t.Fatalf("parsed: %v, want %v", ok, test.ok)
			}
			if ok && (!bytes.Equal(cmd.data, test.data) || cmd.le != test.le) {
				t.Errorf("data %x, le %d; want %x, %d", cmd.data, cmd.le, test.data, test.le)
			}
		})
	}
}

func TestWrongLengthAnswered(t *testing.T) {
	h := newHost(t, v574)
	if _, sw := h.raw([]byte{0x00, 0xfd}); sw != swWrongLength {
		t.Errorf("half a header answered %04x, want 6700", uint16(sw))
	}
}

func TestClassByte(t *testing.T) {
	h := newHost(t, v574)
	for cla, want := range map[byte]status{
		0x00: swOK, 0x01: swNoLogicalChannel, 0x04: swNoSecureMessaging,
		0x0c: swNoSecureMessaging, 0x80: swUnknownClass, 0xff: swUnknownClass,
	} {
		if _, sw := h.send(cla, insGetVersion, 0, 0, nil); sw != want {
			t.Errorf("class %02x answered %04x, want %04x", cla, uint16(sw), uint16(want))
		}
	}
}

// storeObject puts an object of n bytes and returns what GET DATA must answer.
func storeObject(h *host, id objectID, n int) []byte {
	h.Helper()
	value := make([]byte, n)
	for i := range value {
		value[i] = byte(i * 7)
	}
	h.manage()
	h.ok(0, insPutData, 0x3f, 0xff, putData(id, value))
	return appendTLV(nil, tagData, value)
}

func TestShortResponsesComeInParts(t *testing.T) {
	h := newHost(t, v574)
	want := storeObject(h, 0x5fc105, 700) // 704 bytes with tag and length
	get := append([]byte{0x00, insGetData, 0x3f, 0xff, 0x05}, getData(0x5fc105)...)

	var got []byte
	part, sw := h.raw(get)
	for _, step := range []struct {
		bytes int
		sw    status
	}{{256, 0x6100}, {256, 0x61c0}, {192, swOK}} {
		if len(part) != step.bytes || sw != step.sw {
			t.Fatalf("part of %d bytes with %04x, want %d with %04x", len(part), uint16(sw), step.bytes, uint16(step.sw))
		}
		got = append(got, part...)
		if sw != swOK {
			part, sw = h.raw([]byte{0x00, insGetResponse, 0x00, 0x00, 0x00})
		}
	}
	if !bytes.Equal(got, want) {
		t.Error("the parts are not the object")
	}
	if _, sw := h.raw([]byte{0x00, insGetResponse, 0x00, 0x00, 0x00}); sw != swWrongData {
		t.Errorf("GET RESPONSE with nothing left answered %04x, want 6a80", uint16(sw))
	}
}

func TestLeLimitsAPart(t *testing.T) {
	h := newHost(t, v574)
	want := storeObject(h, 0x5fc105, 60)
	get := append([]byte{0x00, insGetData, 0x3f, 0xff, 0x05}, getData(0x5fc105)...)
	first, sw := h.raw(append(get, 50))
	if len(first) != 50 || sw != swMoreData|12 {
		t.Fatalf("%d bytes with %04x, want 50 with 610c", len(first), uint16(sw))
	}
	rest, sw := h.raw([]byte{0x00, insGetResponse, 0x00, 0x00, 12})
	if sw != swOK || !bytes.Equal(append(first, rest...), want) {
		t.Errorf("the rest is %x with %04x", rest, uint16(sw))
	}
}

func TestExtendedResponseComesWhole(t *testing.T) {
	h := newHost(t, v574)
	want := storeObject(h, 0x5fc105, 3000)
	if got := h.ok(0, insGetData, 0x3f, 0xff, getData(0x5fc105)); !bytes.Equal(got, want) {
		t.Errorf("%d bytes, want the object of %d", len(got), len(want))
	}
}

func TestAnotherCommandEndsAResponse(t *testing.T) {
	h := newHost(t, v574)
	storeObject(h, 0x5fc105, 700)
	h.raw(append([]byte{0x00, insGetData, 0x3f, 0xff, 0x05}, getData(0x5fc105)...))
	h.ok(0, insGetVersion, 0, 0, nil)
	if _, sw := h.raw([]byte{0x00, insGetResponse, 0x00, 0x00, 0x00}); sw != swWrongData {
		t.Errorf("GET RESPONSE answered %04x, want 6a80", uint16(sw))
	}
}

// shortChain cuts a command into short APDUs of up to n bytes of data.
func shortChain(ins, p1, p2 byte, data []byte, n int) [][]byte {
	var parts [][]byte
	for len(data) > n {
		parts = append(parts, append([]byte{claChaining, ins, p1, p2, byte(n)}, data[:n]...))
		data = data[n:]
	}
	return append(parts, append([]byte{0x00, ins, p1, p2, byte(len(data))}, data...))
}

func TestChainedCommand(t *testing.T) {
	h := newHost(t, v574)
	h.manage()
	value := bytes.Repeat([]byte{0x5a}, 900)
	for i, part := range shortChain(insPutData, 0x3f, 0xff, putData(0x5fc10b, value), 255) {
		if data, sw := h.raw(part); sw != swOK || len(data) > 0 {
			t.Fatalf("part %d answered %x %04x", i, data, uint16(sw))
		}
	}
	if got := h.Snapshot().Objects[0x5fc10b]; !bytes.Equal(got, value) {
		t.Errorf("stored %d bytes, want %d", len(got), len(value))
	}
}

func TestBrokenChainIsForgotten(t *testing.T) {
	h := newHost(t, v574)
	h.manage()
	parts := shortChain(insPutData, 0x3f, 0xff, putData(0x5fc10b, bytes.Repeat([]byte{1}, 400)), 255)
	h.raw(parts[0])
	h.ok(0, insGetVersion, 0, 0, nil) // ends the chain
	if _, sw := h.raw(parts[1]); sw != swWrongData {
		t.Errorf("the last part alone answered %04x, want 6a80", uint16(sw))
	}
	if _, stored := h.Snapshot().Objects[0x5fc10b]; stored {
		t.Error("half a chain was stored")
	}
}

func TestCommandTooLong(t *testing.T) {
	h := newHost(t, v574)
	h.manage()
	h.refused(swWrongLength, 0, insPutData, 0x3f, 0xff, putData(0x5fc10b, make([]byte, 3100)))

	parts := shortChain(insPutData, 0x3f, 0xff, putData(0x5fc10b, make([]byte, 3100)), 255)
	var last status
	for _, part := range parts {
		if _, last = h.raw(part); last != swOK {
			break
		}
	}
	if last != swWrongLength {
		t.Errorf("the chain ended with %04x, want 6700", uint16(last))
	}
}

func TestResetLosesTheSession(t *testing.T) {
	h := newHost(t, v574)
	h.verifyPIN(factoryPIN)
	h.manage()
	storeObject(h, 0x5fc105, 700)
	h.raw(append([]byte{0x00, insGetData, 0x3f, 0xff, 0x05}, getData(0x5fc105)...))
	h.Reset()
	if _, sw := h.raw([]byte{0x00, insGetResponse, 0x00, 0x00, 0x00}); sw != swWrongData {
		t.Errorf("GET RESPONSE after a power cycle answered %04x", uint16(sw))
	}
	h.refused(swUnknownInstruction, 0, insGetVersion, 0, 0, nil)
	h.selectPIV()
	h.refused(triesLeft(3), 0, insVerify, 0, referencePIN, nil)
	h.refused(swSecurityStatus, 0, insPutData, 0x3f, 0xff, putData(0x5fc105, nil))
}
