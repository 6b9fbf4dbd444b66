package piv

import (
	"bytes"
	"testing"

	"github.com/cse-piv/cse-piv/internal/piv/bertlv"
)

// decimals reads five-bit groups: four bits of a digit, least significant first, and
// odd parity.
func decimals(t *testing.T, packed []byte) (digits []byte) {
	t.Helper()
	for i := 0; i+5 <= 8*len(packed); i += 5 {
		var digit, ones byte
		for j := range 5 {
			bit := packed[(i+j)/8] >> (7 - (i+j)%8) & 1
			ones += bit
			if j < 4 {
				digit |= bit << j
			}
		}
		if ones%2 != 1 && i+5 < 8*len(packed) { // the last group is the check character
			t.Errorf("group %d has even parity", i/5)
		}
		digits = append(digits, digit)
	}
	return digits
}

func TestCHUIDNamesNoFederalAgency(t *testing.T) {
	chuid, err := newCHUID()
	if err != nil {
		t.Fatal(err)
	}
	fascn, err := bertlv.Find(chuid, tagFASCN)
	if err != nil {
		t.Fatal(err)
	}
	const start, separator, end = 0xB, 0xD, 0xF
	digits := decimals(t, fascn)
	want := []byte{
		start, 9, 9, 9, 9, separator, 9, 9, 9, 9, separator, 9, 9, 9, 9, 9, 9, separator, 0, separator, 1, separator,
		0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 1, end,
	}
	if !bytes.Equal(digits[:len(want)], want) {
		t.Errorf("the FASC-N reads %X", digits)
	}
	guid, err := bertlv.Find(chuid, tagGUID)
	if err != nil || len(guid) != 16 || guid[6]>>4 != 4 || guid[8]>>6 != 2 {
		t.Errorf("GUID % X, %v", guid, err)
	}
	if date, err := bertlv.Find(chuid, tagExpiration); err != nil || len(date) != 8 {
		t.Errorf("expiration %q, %v", date, err)
	}
}

func TestCCCNamesACard(t *testing.T) {
	ccc, err := newCCC()
	if err != nil {
		t.Fatal(err)
	}
	if identifier, err := bertlv.Find(ccc, 0xF0); err != nil || len(identifier) != 21 {
		t.Errorf("card identifier % X, %v", identifier, err)
	}
}
