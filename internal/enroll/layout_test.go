package enroll_test

import (
	"slices"
	"testing"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/piv"
)

func TestLayouts(t *testing.T) {
	key := enroll.KeyRequest{Slot: piv.SlotAuthentication, Source: enroll.SourceGenerate, Algorithm: piv.ECCP256, PINPolicy: piv.PINOnce, TouchPolicy: piv.TouchAlways}
	single := enroll.LayoutSingle.Keys(key)
	if len(single) != 1 || single[0].Slot != piv.SlotAuthentication || single[0].Use != certificate.UseBoth {
		t.Fatalf("a single key is %+v", single)
	}
	split := enroll.LayoutSplit.Keys(key)
	if len(split) != 2 || split[0].Slot != piv.SlotSignature || split[0].Use != certificate.UseSign ||
		split[1].Slot != piv.SlotKeyManagement || split[1].Use != certificate.UseEncrypt {
		t.Fatalf("split keys are %+v", split)
	}
	for _, keys := range [][]enroll.KeyRequest{single, split} {
		request := enroll.Request{Email: "ada@example.com", Keys: keys}
		if err := request.Validate(); err != nil {
			t.Errorf("%+v: %v", keys, err)
		}
		layout, common := enroll.LayoutOf(keys)
		if again := layout.Keys(common); !slices.Equal(again, keys) {
			t.Errorf("%+v became %+v", keys, again)
		}
	}
	if _, common := enroll.LayoutOf(split); common.Slot != piv.SlotKeyManagement {
		t.Errorf("one key instead of two would be in slot %s", common.Slot)
	}
}

func TestAlgorithmsAreWhatTheCardCanGenerateAndGmailTakes(t *testing.T) {
	for firmware, want := range map[piv.Version][]piv.Algorithm{
		{Major: 5, Minor: 7, Patch: 4}: {piv.RSA2048, piv.RSA3072, piv.RSA4096, piv.ECCP256, piv.ECCP384},
		{Major: 5, Minor: 4, Patch: 3}: {piv.RSA2048, piv.ECCP256, piv.ECCP384},
		{Major: 4, Minor: 3, Patch: 1}: {piv.ECCP256, piv.ECCP384}, // whose RSA keys can be factored
	} {
		if got := enroll.Algorithms(firmware); !slices.Equal(got, want) {
			t.Errorf("firmware %s: %v, want %v", firmware, got, want)
		}
	}
}
