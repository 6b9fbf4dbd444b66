package desk_test

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"slices"
	"testing"

	"github.com/cse-piv/cse-piv/internal/desk"
	"github.com/cse-piv/cse-piv/internal/piv"
)

func TestSlotsOfACard(t *testing.T) {
	key, unreadable := &piv.KeyInfo{Algorithm: piv.RSA2048}, errors.New("it is cut off")
	last := piv.SlotRetiredFirst + 19
	card := desk.CardStatus{Status: piv.Status{Slots: []piv.SlotContents{
		{Slot: last, CertificateErr: unreadable}, {Slot: piv.SlotKeyManagement, Key: key}, {Slot: piv.SlotRetiredFirst},
		{Slot: piv.SlotSignature, KeyUnknown: true}, {Slot: piv.SlotRetiredFirst + 1, KeyUnknown: true},
	}}}
	shown, empty, unknown := card.Slots()
	var slots []piv.Slot
	for _, contents := range shown {
		slots = append(slots, contents.Slot)
	}
	want := []piv.Slot{piv.SlotAuthentication, piv.SlotSignature, piv.SlotKeyManagement, piv.SlotCardAuthentication, last}
	if !slices.Equal(slots, want) || empty != 18 || unknown != 1 {
		t.Fatalf("%v, %d empty ones and %d unknown, want %v, 18 and 1", slots, empty, unknown, want)
	}
	if shown[2].Key != key || shown[4].CertificateErr != unreadable || !shown[0].Empty() || shown[1].Empty() {
		t.Errorf("they hold %+v", shown)
	}
}

func TestOwner(t *testing.T) {
	for want, certificate := range map[string]*x509.Certificate{
		"ada@example.com a@example.com": {Subject: pkix.Name{CommonName: "Ada"}, EmailAddresses: []string{"ada@example.com", "a@example.com"}},
		"CN=Ada":                        {Subject: pkix.Name{CommonName: "Ada"}},
	} {
		if got := desk.Owner(certificate); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
