package piv

import (
	"bytes"
	"testing"
)

func TestKeyHistory(t *testing.T) {
	for _, c := range []struct {
		object []byte
		want   KeyHistory
	}{
		{[]byte{0xC1, 1, 5, 0xC2, 1, 0, 0xFE, 0}, KeyHistory{OnCard: 5}},
		{[]byte{0xC1, 1, 0, 0xC2, 1, 0, 0xF3, 0, 0xFE, 0}, KeyHistory{}},
		{append([]byte{0xC1, 1, 1, 0xC2, 1, 2, 0xF3, 8}, append([]byte("http://x"), 0xFE, 0)...), KeyHistory{1, 2, "http://x"}},
	} {
		got, err := parseKeyHistory(c.object)
		if err != nil || got != c.want {
			t.Errorf("% X: %+v, %v", c.object, got, err)
		}
	}
	for name, object := range map[string][]byte{
		"nothing":           {},
		"no count":          {0xC1, 1, 1, 0xFE, 0},
		"two bytes":         {0xC1, 2, 0, 1, 0xC2, 1, 0},
		"more than it has":  {0xC1, 1, 21, 0xC2, 1, 0},
		"more together":     {0xC1, 1, 19, 0xC2, 1, 2},
		"twice":             {0xC1, 1, 1, 0xC1, 1, 2, 0xC2, 1, 0},
		"bytes at the end":  {0xC1, 1, 1, 0xC2, 1, 0, 0xFE},
		"an object's frame": {0x53, 6, 0xC1, 1, 1, 0xC2, 1, 0},
	} {
		if got, err := parseKeyHistory(object); err == nil {
			t.Errorf("%s is %+v", name, got)
		}
	}
	// SP 800-73-4 part 1, table 21: C1, C2, the URL where a certificate is not on the
	// card, FE.
	if got := (KeyHistory{OnCard: 3}).encode(); !bytes.Equal(got, []byte{0xC1, 1, 3, 0xC2, 1, 0, 0xFE, 0}) {
		t.Errorf("% X", got)
	}
	if got := (KeyHistory{OffCard: 1}).encode(); !bytes.Equal(got, []byte{0xC1, 1, 0, 0xC2, 1, 1, 0xF3, 0, 0xFE, 0}) {
		t.Errorf("% X", got)
	}
}

func FuzzKeyHistory(f *testing.F) {
	f.Add([]byte{0xC1, 1, 5, 0xC2, 1, 0, 0xFE, 0})
	f.Add([]byte{0xC1, 1, 1, 0xC2, 1, 1, 0xF3, 1, 'x', 0xFE, 0})
	f.Fuzz(func(t *testing.T, object []byte) {
		said, err := parseKeyHistory(object)
		if err != nil {
			return
		}
		if back, err := parseKeyHistory(said.encode()); err != nil || back != said {
			t.Errorf("%+v comes back as %+v, %v", said, back, err)
		}
	})
}
