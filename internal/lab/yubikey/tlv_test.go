package yubikey

import (
	"bytes"
	"testing"
)

func TestTLVRoundTrip(t *testing.T) {
	for _, tag := range []uint32{0x53, 0x7f49, 0x5fc105} {
		for _, n := range []int{0, 1, 0x7f, 0x80, 0xff, 0x100, 0xffff} {
			encoded := appendTLV(nil, tag, bytes.Repeat([]byte{0xab}, n))
			object, rest, ok := nextTLV(append(encoded, 0xee))
			if !ok || object.tag != tag || len(object.value) != n || len(rest) != 1 {
				t.Errorf("tag %x with %d bytes came back as %x with %d", tag, n, object.tag, len(object.value))
			}
		}
	}
}

func TestTLVRefused(t *testing.T) {
	for _, s := range []string{
		"53", "5305aabb", "5381", "5382", "538201", "538302000000", "5380", "5f", "5fff", "5fffffff00", "1f8181",
	} {
		if _, ok := parseTLVs(unhex(t, s)); ok {
			t.Errorf("%s was taken", s)
		}
	}
}

func FuzzParseTLVs(f *testing.F) {
	f.Add([]byte{0x7c, 0x02, 0x81, 0x00})
	f.Add([]byte{0x5c, 0x03, 0x5f, 0xc1, 0x05, 0x53, 0x82, 0x00, 0x01, 0xaa})
	f.Fuzz(func(t *testing.T, data []byte) {
		objects, ok := parseTLVs(data)
		if !ok {
			return
		}
		var encoded []byte
		for _, object := range objects {
			encoded = appendTLV(encoded, object.tag, object.value)
		}
		again, ok := parseTLVs(encoded)
		if !ok || len(again) != len(objects) {
			t.Fatalf("%x came back as %x", data, encoded)
		}
		for i := range objects {
			if again[i].tag != objects[i].tag || !bytes.Equal(again[i].value, objects[i].value) {
				t.Fatalf("object %d of %x changed", i, data)
			}
		}
	})
}
