package termination_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cse-piv/cse-piv/internal/gmail"
	"github.com/cse-piv/cse-piv/internal/ledger"
	"github.com/cse-piv/cse-piv/internal/registered"
	"github.com/cse-piv/cse-piv/internal/termination"
)

const ada = "ada@example.com"

// pair is a key pair of a card; serial 0 is one with a description of somebody else's.
func pair(id string, serial uint32, enabled bool) gmail.KeyPair {
	description := "a card of an earlier year"
	if serial != 0 {
		description = registered.Description("YubiKey 5 NFC", serial, "9d")
	}
	return gmail.KeyPair{ID: id, LeafSHA256: "leaf-" + id, Enabled: enabled, HardwareDescriptions: []string{description}}
}

func single(id string) *gmail.Identity {
	return &gmail.Identity{Email: ada, PrimaryKeyPairID: id}
}

// planned are the changes of a plan, as short as can be.
func planned(plan termination.Plan) []string {
	changes := []string{}
	for _, effect := range plan.Effects {
		text := string(effect.Verb) + " " + effect.KeyPairID + effect.Identity.PrimaryKeyPairID
		if effect.Done {
			text += " done"
		}
		changes = append(changes, text)
	}
	return changes
}

// TestPlan: which key pairs a termination is about, and what it changes.
func TestPlan(t *testing.T) {
	service := gmail.KeyPair{ID: "service", LeafSHA256: "leaf-service", Enabled: true, KeyServices: []string{"https://kacls.example"}}
	one := registered.State{KeyPairs: []gmail.KeyPair{pair("a", 1, true)}, Identity: single("a")}
	two := registered.State{KeyPairs: []gmail.KeyPair{pair("a", 1, true), pair("b", 2, true), service}, Identity: single("a")}
	half := registered.State{KeyPairs: []gmail.KeyPair{pair("a", 1, true), pair("b", 2, true)}}
	moved := registered.State{KeyPairs: []gmail.KeyPair{pair("a", 1, true), pair("b", 2, true)}, Identity: single("b")}
	both := registered.State{
		KeyPairs: []gmail.KeyPair{pair("a", 1, true), pair("b", 2, true)},
		Identity: &gmail.Identity{Email: ada, SigningKeyPairID: "a", EncryptionKeyPairID: "b"},
	}
	nameless := registered.State{KeyPairs: []gmail.KeyPair{pair("n", 0, true), pair("b", 2, true)}, Identity: single("n")}
	lost := []ledger.CardCertificate{{Email: ada, Serial: 1, LeafSHA256: "leaf-a", State: ledger.CardLost}}
	for name, test := range map[string]struct {
		state   registered.State
		known   []ledger.CardCertificate
		request termination.Request
		want    []string
		refused any
	}{
		"lost":                             {one, nil, termination.Request{Reason: termination.ReasonLost}, []string{"delete ", "disable a"}, nil},
		"broken":                           {one, nil, termination.Request{Reason: termination.ReasonBroken}, []string{"delete "}, nil},
		"stolen, of two":                   {two, nil, termination.Request{Reason: termination.ReasonStolen}, []string{"delete ", "disable a"}, nil},
		"another one of two":               {two, nil, termination.Request{Reason: termination.ReasonStolen, Serial: 2}, []string{"disable b"}, nil},
		"to another card":                  {two, nil, termination.Request{Reason: termination.ReasonLost, Identity: single("b")}, []string{"set b", "disable a"}, nil},
		"to the same card":                 {two, nil, termination.Request{Reason: termination.ReasonLost, Identity: single("a")}, nil, new(*termination.SameCardError)},
		"to one that is not there":         {two, nil, termination.Request{Reason: termination.ReasonLost, Identity: single("z")}, nil, new(*registered.UnknownKeyPairError)},
		"left as they are":                 {one, nil, termination.Request{Reason: termination.ReasonStolen, KeyPairs: termination.KeyPairsLeave}, []string{"delete "}, nil},
		"disabled although it broke":       {one, nil, termination.Request{Reason: termination.ReasonBroken, KeyPairs: termination.KeyPairsDisable}, []string{"delete ", "disable a"}, nil},
		"who leaves, every card":           {two, nil, termination.Request{Reason: termination.ReasonLeft}, []string{"delete ", "disable a", "disable b", "disable service"}, nil},
		"who leaves without a card":        {registered.State{}, nil, termination.Request{Reason: termination.ReasonLeft}, []string{}, nil},
		"both cards used":                  {both, nil, termination.Request{Reason: termination.ReasonLost}, nil, new(*termination.WhichCardError)},
		"both cards used, one named":       {both, nil, termination.Request{Reason: termination.ReasonLost, Serial: 2}, []string{"delete ", "disable b"}, nil},
		"a card that is not there":         {one, nil, termination.Request{Reason: termination.ReasonLost, Serial: 7}, nil, new(*termination.UnknownCardError)},
		"nobody's":                         {registered.State{}, nil, termination.Request{Reason: termination.ReasonLost}, nil, new(*termination.WhichCardError)},
		"again without identity":           {half, lost, termination.Request{Reason: termination.ReasonLost}, []string{"disable a"}, nil},
		"again without identity or ledger": {half, nil, termination.Request{Reason: termination.ReasonLost}, nil, new(*termination.WhichCardError)},
		"again after moving":               {moved, lost, termination.Request{Reason: termination.ReasonLost, Identity: single("b")}, []string{"set b done", "disable a"}, nil},
		"no serial number":                 {nameless, nil, termination.Request{Reason: termination.ReasonLost}, []string{"delete ", "disable n"}, nil},
		"no serial number, the ledger's":   {nameless, []ledger.CardCertificate{{Serial: 9, LeafSHA256: "leaf-n"}}, termination.Request{Reason: termination.ReasonLost, Serial: 9}, []string{"delete ", "disable n"}, nil},
		"done":                             {registered.State{KeyPairs: []gmail.KeyPair{pair("a", 1, false)}}, nil, termination.Request{Reason: termination.ReasonLost}, []string{"disable a done"}, nil},
	} {
		test.request.Email = ada
		plan, err := termination.NewPlan(test.state, test.known, test.request)
		if test.refused != nil {
			if err == nil || !errors.As(err, test.refused) {
				t.Errorf("%s: error %v, want a %T", name, err, test.refused)
			}
			continue
		}
		if diff := cmp.Diff(test.want, planned(plan)); err != nil || diff != "" {
			t.Errorf("%s: %v\n%s", name, err, diff)
		}
	}
}

// TestRules: each reason has one rule, and no rule loses what could be kept: where nobody
// else has the card, its key pairs stay enabled.
func TestRules(t *testing.T) {
	seen := map[termination.Reason]bool{}
	for _, rule := range termination.Rules() {
		if seen[rule.Reason] || rule.Card == "" || rule.Why == "" {
			t.Errorf("%+v", rule)
		}
		seen[rule.Reason] = true
		if again, found := termination.RuleOf(rule.Reason); !found || again != rule {
			t.Errorf("%s: %+v", rule.Reason, again)
		}
	}
	for _, reason := range []termination.Reason{termination.ReasonBroken, termination.ReasonNameChange, termination.ReasonOther} {
		if rule, _ := termination.RuleOf(reason); rule.Disable {
			t.Errorf("%s disables", reason)
		}
	}
	if _, found := termination.RuleOf("bored"); found {
		t.Error("any word is a reason")
	}
}
