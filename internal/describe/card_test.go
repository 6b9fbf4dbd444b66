package describe_test

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cse-piv/cse-piv/internal/describe"
	"github.com/cse-piv/cse-piv/internal/piv"
)

func TestSlotsOfACard(t *testing.T) {
	key, unreadable := &piv.KeyInfo{Algorithm: piv.RSA2048, Origin: piv.Generated, PINPolicy: piv.PINOnce, TouchPolicy: piv.TouchNever}, errors.New("it is cut off")
	last := piv.SlotRetiredFirst + 19
	old := &x509.Certificate{Subject: pkix.Name{CommonName: "Old"}, NotAfter: time.Date(2020, 2, 29, 0, 0, 0, 0, time.UTC)}
	got := describe.Slots(piv.Status{Slots: []piv.SlotContents{
		{Slot: last, CertificateErr: unreadable}, {Slot: piv.SlotKeyManagement, Key: key}, {Slot: piv.SlotRetiredFirst},
		{Slot: piv.SlotSignature, KeyUnknown: true}, {Slot: piv.SlotRetiredFirst + 1, KeyUnknown: true},
		{Slot: piv.SlotRetiredFirst + 2, KeyUnknown: true, Certificate: old},
	}})
	const unknown = "cannot tell whether there is a key: firmware before 5.3 does not show imported ones"
	want := []describe.Value{
		{Label: "9A authentication", Text: "empty", Tone: describe.Faint},
		{Label: "9C digital signature", Text: unknown + "; no certificate"},
		{Label: "9D key management", Text: "rsa2048, generated, PIN once, touch never; no certificate"},
		{Label: "9E card authentication", Text: "empty", Tone: describe.Faint},
		{Label: "84 retired key 3", Text: unknown + "; certificate of CN=Old, valid until 2020-02-29"},
		{Label: "95 retired key 20", Text: "no key; certificate: it is cut off"},
		{Label: "82 to 95", Text: "not known of 1 of 20 slots whether they hold a key", Tone: describe.Faint},
		{Label: "82 to 95", Text: "17 of 20 slots are empty", Tone: describe.Faint},
	}
	if difference := cmp.Diff(want, got); difference != "" {
		t.Error(difference)
	}
}

func TestTriesAreCounted(t *testing.T) {
	for _, test := range []struct {
		pin  piv.Counter
		want describe.Value
	}{
		{piv.Counter{Tries: 3, Factory: piv.Yes}, describe.Value{Text: "3 tries left, still the factory one"}},
		{piv.Counter{Tries: 1, Factory: piv.No}, describe.Value{Text: "1 try left, not the factory one", Tone: describe.Warning}},
		{piv.Counter{Tries: 0, Factory: piv.No}, describe.Value{Text: "blocked", Tone: describe.Bad}},
		{piv.Counter{Tries: piv.UnknownTries}, describe.Value{Text: "tries not known, not known whether it is the factory one"}},
	} {
		test.want.Label = "PIN"
		if got := describe.Protection(piv.Status{Protection: piv.Protection{PIN: test.pin}})[0]; !cmp.Equal(got, test.want) {
			t.Errorf("%+v, want %+v", got, test.want)
		}
	}
	if got := describe.Tries(1); got.Text != "1 try left: a wrong one blocks it" || got.Tone != describe.Bad {
		t.Errorf("%+v", got)
	}
}

func TestOwner(t *testing.T) {
	for want, certificate := range map[string]*x509.Certificate{
		"ada@example.com a@example.com": {Subject: pkix.Name{CommonName: "Ada"}, EmailAddresses: []string{"ada@example.com", "a@example.com"}},
		"CN=Ada":                        {Subject: pkix.Name{CommonName: "Ada"}},
	} {
		if got := describe.Owner(certificate); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
