package enroll_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/issuer"
	"github.com/cse-piv/cse-piv/internal/piv"
	"github.com/cse-piv/cse-piv/internal/secret"
)

func TestLossesNamesEachOnce(t *testing.T) {
	preview := enroll.Preview{Slots: []enroll.SlotPreview{
		{Slot: piv.SlotSignature, Action: enroll.ActionReplace, Loss: []string{"the signing key", "old mail"}},
		{Slot: piv.SlotKeyManagement, Action: enroll.ActionReplace, Loss: []string{"the encryption key", "old mail"}},
	}}
	if got := preview.Losses(); !slices.Equal(got, []string{"the signing key", "old mail", "the encryption key"}) {
		t.Errorf("lost are %q", got)
	}
	preview = enroll.Preview{Slots: []enroll.SlotPreview{{Action: enroll.ActionGenerate}}}
	if got := preview.Losses(); got != nil {
		t.Errorf("of an empty slot %q are lost", got)
	}
}

func TestARequestIsTriedAgainWithoutWhatFailed(t *testing.T) {
	request := enroll.Request{Email: "ada@example.com", PIN: secret.FromString("271828"), Overwrite: true, Confirm: "31415926"}
	again := request.Again(fmt.Errorf("set or check the PIN: %w", &piv.WrongPINError{Tries: 2}))
	if !again.PIN.IsZero() || !again.Overwrite || again.Confirm != "31415926" {
		t.Errorf("after a wrong PIN: %+v", again)
	}
	again = request.Again(fmt.Errorf("get the certificate: %w", &issuer.WaitingError{}))
	if again.PIN.IsZero() || again.Overwrite || again.Confirm != "" {
		t.Errorf("after a wait: %+v", again)
	}
	again = request.Again(errors.New("the network is gone"))
	if again.PIN.IsZero() || !again.Overwrite || again.Confirm != "31415926" {
		t.Errorf("after a failure: %+v", again)
	}
}

func TestAgreementIsToWhatWasSeen(t *testing.T) {
	request := enroll.Request{Serial: 31415926}
	agreed := request.Agree([]string{"9d", "mail"})
	anything := request
	anything.Overwrite, anything.Confirm = true, "31415926" // of the command line
	for name, test := range map[string]struct {
		request enroll.Request
		serial  uint32
		losses  []string
		want    bool
	}{
		"what was seen":        {agreed, 31415926, []string{"9d", "mail"}, true},
		"less than was seen":   {agreed, 31415926, []string{"mail"}, true},
		"another loss besides": {agreed, 31415926, []string{"9d", "9c", "mail"}, false},
		"another card":         {agreed, 27182818, []string{"9d"}, false},
		"nothing agreed to":    {request, 31415926, []string{"9d"}, false},
		"taken back":           {agreed.Agree(nil), 31415926, []string{"9d"}, false},
		"any, by command line": {anything, 31415926, []string{"9d"}, true},
	} {
		if got := test.request.Agrees(test.serial, test.losses); got != test.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
