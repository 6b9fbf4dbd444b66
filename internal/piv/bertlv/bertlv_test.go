package bertlv

import (
	"bytes"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAppendThenNext(t *testing.T) {
	for _, tag := range []Tag{0x01, 0x53, 0x7F49, 0x5FC102, 0x5FFF01} {
		for _, n := range []int{0, 1, 127, 128, 255, 256, 3052, 65535, 65536} {
			value := bytes.Repeat([]byte{0xA5}, n)
			encoded := Append(nil, tag, value...)
			element, rest, err := Next(append(encoded, 0x99))
			if err != nil {
				t.Fatalf("tag %X, %d bytes: %v", uint32(tag), n, err)
			}
			if element.Tag != tag || !bytes.Equal(element.Value, value) || !bytes.Equal(rest, []byte{0x99}) {
				t.Errorf("tag %X, %d bytes: got tag %X, %d bytes, rest %X", uint32(tag), n, uint32(element.Tag), len(element.Value), rest)
			}
		}
	}
}

func TestAppendWritesMinimalLengths(t *testing.T) {
	if got := Append(nil, 0x53, make([]byte, 0x80)...)[:3]; !bytes.Equal(got, []byte{0x53, 0x81, 0x80}) {
		t.Errorf("128 bytes begin with %X", got)
	}
	if got := Append([]byte{1}, 0x5FC102); !bytes.Equal(got, []byte{1, 0x5F, 0xC1, 0x02, 0x00}) {
		t.Errorf("an empty object is %X", got)
	}
}

func TestNextAcceptsLongLengths(t *testing.T) {
	// Cards write 82 00 03 where 03 would do.
	element, _, err := Next([]byte{0x53, 0x82, 0x00, 0x03, 1, 2, 3})
	if err != nil || !bytes.Equal(element.Value, []byte{1, 2, 3}) {
		t.Fatalf("got %X, %v", element.Value, err)
	}
}

func TestMalformed(t *testing.T) {
	for _, data := range [][]byte{
		{}, {0x53}, {0x5F}, {0x5F, 0x81}, {0x1F, 0x81, 0x81, 0x81, 0x01, 0x00},
		{0x53, 0x80}, {0x53, 0x81}, {0x53, 0x82, 0x01}, {0x53, 0x84, 0, 0, 0, 1, 0}, {0x53, 0x02, 0x00},
	} {
		if _, _, err := Next(data); !errors.Is(err, ErrMalformed) {
			t.Errorf("%X: got %v", data, err)
		}
	}
}

func TestFind(t *testing.T) {
	data := []byte{0x01, 0x01, 0xAA, 0x02, 0x02, 0xBB, 0xCC}
	if value, err := Find(data, 0x02); err != nil || !bytes.Equal(value, []byte{0xBB, 0xCC}) {
		t.Errorf("got %X, %v", value, err)
	}
	if _, err := Find(data, 0x03); !errors.Is(err, ErrNotFound) {
		t.Errorf("absent tag: %v", err)
	}
	if _, err := Find(data[:5], 0x03); !errors.Is(err, ErrMalformed) {
		t.Errorf("cut off: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte{0x53, 0x82, 0x00, 0x03, 1, 2, 3})
	f.Add([]byte{0x7F, 0x49, 0x02, 0x86, 0x00})
	f.Fuzz(func(t *testing.T, data []byte) {
		elements, err := Parse(data)
		if err != nil {
			return
		}
		var encoded []byte
		for _, element := range elements {
			encoded = Append(encoded, element.Tag, element.Value...)
		}
		again, err := Parse(encoded)
		if err != nil {
			t.Fatalf("what was written does not parse: %v", err)
		}
		if diff := cmp.Diff(elements, again); diff != "" {
			t.Fatal(diff)
		}
		if len(encoded) > len(data) {
			t.Fatalf("%d bytes became %d", len(data), len(encoded))
		}
	})
}
