package status

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"math/big"
	"slices"
	"testing"
	"time"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/evidence"
	"github.com/cse-piv/cse-piv/internal/gmail"
	"github.com/cse-piv/cse-piv/internal/ledger"
	"github.com/cse-piv/cse-piv/internal/piv"
	"github.com/cse-piv/cse-piv/internal/registered"
)

// leafOf makes a certificate of a user.
func leafOf(t *testing.T, email string) *x509.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(7), EmailAddresses: []string{email}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return certificate
}

// TestCardStates: each state is told by what the card, Gmail and the ledger say.
func TestCardStates(t *testing.T) {
	leaf, other := leafOf(t, "ada@lab.example"), leafOf(t, "bob@lab.example")
	generated := &piv.KeyInfo{Origin: piv.Generated, PublicKey: leaf.PublicKey}
	set := piv.Protection{PIN: piv.Counter{Tries: 3, Max: 3, Factory: piv.No}}
	factory := piv.Protection{PIN: piv.Counter{Tries: 3, Max: 3, Factory: piv.Yes}}
	in := func(protection piv.Protection, slots ...piv.SlotContents) piv.Status {
		return piv.Status{Protection: protection, Slots: slots}
	}
	slot := func(slot piv.Slot, certificate *x509.Certificate) piv.SlotContents {
		return piv.SlotContents{Slot: slot, Key: generated, Certificate: certificate}
	}
	entered := func(state ledger.CardState) []ledger.CardCertificate {
		return []ledger.CardCertificate{{Email: "Ada@lab.example", Serial: 7, Slot: "9d", LeafSHA256: certificate.Fingerprint(leaf), State: state}}
	}
	gmailHas := func(identity string) *registered.State {
		state := &registered.State{KeyPairs: []gmail.KeyPair{{ID: "1", LeafSHA256: certificate.Fingerprint(leaf), Enabled: true, HardwareDescriptions: []string{"card"}}}}
		if identity != "" {
			state.Identity = &gmail.Identity{PrimaryKeyPairID: identity}
		}
		return state
	}
	blocked := set
	blocked.PIN.Tries = 0
	old := piv.SlotContents{Slot: piv.SlotSignature, KeyUnknown: true}
	mismatched := func(certificate *x509.Certificate) piv.SlotContents {
		return piv.SlotContents{Slot: piv.SlotKeyManagement, Key: &piv.KeyInfo{Origin: piv.Generated, PublicKey: other.PublicKey}, Certificate: certificate}
	}
	imported := piv.SlotContents{Slot: piv.SlotKeyManagement, Key: &piv.KeyInfo{Origin: piv.Imported}}
	broken := piv.SlotContents{Slot: piv.SlotKeyManagement, CertificateErr: errors.New("no certificate")}
	eve := &Begun{Email: "eve@lab.example", Serial: 7}
	renewal := func(kind string) *Begun {
		old := evidence.OldKey{Certificate: certificate.Fingerprint(leaf)}
		return &Begun{Email: "ada@lab.example", Serial: 7, Renewal: &evidence.Renewal{Kind: kind, Keys: map[string]evidence.OldKey{"9d": old}}}
	}
	replacement := &Begun{Email: "ada@lab.example", Serial: 7, MovesFrom: []string{"card 8"}}
	// the certificate of card 8, which the identity uses
	onOther := &registered.State{KeyPairs: []gmail.KeyPair{{ID: "8", LeafSHA256: "8", Enabled: true, HardwareDescriptions: []string{"YubiKey, serial 8, slot 9d"}}}, Identity: &gmail.Identity{PrimaryKeyPairID: "8"}}
	for name, c := range map[string]struct {
		card  Card
		want  State
		owner string
	}{
		"as from the factory":                        {Card{Status: in(factory)}, StateEmpty, ""},
		"firmware that cannot tell":                  {Card{Status: in(piv.Protection{PIN: piv.Counter{Tries: 3}}, old)}, StateUnknown, ""},
		"only a PIN":                                 {Card{Status: in(set)}, StatePersonalised, ""},
		"a new key":                                  {Card{Status: in(set, slot(piv.SlotKeyManagement, nil))}, StateWaiting, ""},
		"a new key of an enrollment":                 {Card{Status: in(set, slot(piv.SlotKeyManagement, nil)), Begun: eve, Ledger: entered(ledger.CardReturned)}, StateWaiting, "eve@lab.example"},
		"nothing any more":                           {Card{Status: in(factory), Begun: eve}, StateEmpty, ""},
		"a new key, and one in history":              {Card{Status: in(set, slot(0x82, leaf), slot(piv.SlotKeyManagement, nil)), Gmail: gmailHas(""), Ledger: entered(ledger.CardSuperseded)}, StateWaiting, "Ada@lab.example"},
		"a renewal that waits":                       {Card{Status: in(set, slot(0x82, leaf), slot(piv.SlotKeyManagement, nil)), Gmail: gmailHas("1"), Ledger: entered(ledger.CardInUse)}, StateRenewing, "Ada@lab.example"},
		"the same, and Gmail not asked":              {Card{Status: in(set, slot(0x82, leaf), slot(piv.SlotKeyManagement, nil)), Ledger: entered(ledger.CardInUse)}, StateRenewing, "Ada@lab.example"},
		"a renewed certificate that Gmail has not":   {Card{Status: in(set, slot(0x82, leaf), slot(piv.SlotKeyManagement, other)), Gmail: gmailHas("1"), Ledger: entered(ledger.CardInUse)}, StateRenewing, "Ada@lab.example"},
		"an old certificate in its slot":             {Card{Status: in(set, mismatched(leaf)), Gmail: gmailHas("1"), Ledger: entered(ledger.CardInUse)}, StateRenewing, "Ada@lab.example"},
		"a renewal begun, and nothing changed":       {Card{Status: in(set, slot(piv.SlotKeyManagement, leaf)), Begun: renewal("new-key"), Gmail: gmailHas("1"), Ledger: entered(ledger.CardInUse)}, StateRenewing, "Ada@lab.example"},
		"a renewal begun, and nobody answers":        {Card{Status: in(set, slot(piv.SlotKeyManagement, leaf)), Begun: renewal("same-key")}, StateRenewing, "ada@lab.example"},
		"a renewal begun, and the card lost":         {Card{Status: in(set, slot(piv.SlotKeyManagement, leaf)), Begun: renewal("new-key"), Gmail: gmailHas(""), Ledger: entered(ledger.CardLost)}, StateSuperseded, "Ada@lab.example"},
		"a renewal begun, and Gmail on another card": {Card{Status: in(set, slot(piv.SlotKeyManagement, leaf)), Begun: renewal("new-key"), Gmail: onOther, Ledger: entered(ledger.CardSuperseded)}, StateSuperseded, "Ada@lab.example"},
		"a renewal begun, and the card erased":       {Card{Status: in(factory), Begun: renewal("new-key"), Gmail: gmailHas("1"), Ledger: entered(ledger.CardInUse)}, StateEmpty, "Ada@lab.example"},
		"a renewal finished elsewhere":               {Card{Status: in(set, slot(piv.SlotKeyManagement, leaf)), Begun: &Begun{Serial: 7, Renewal: &evidence.Renewal{}}, Gmail: gmailHas("1"), Ledger: entered(ledger.CardInUse)}, StateRegistered, "Ada@lab.example"},
		"a replacement that waits":                   {Card{Status: in(set, slot(piv.SlotKeyManagement, nil)), Begun: replacement, Gmail: onOther}, StateReplacing, "ada@lab.example"},
		"a replacement that was given up":            {Card{Status: in(set, slot(piv.SlotKeyManagement, nil)), Begun: &Begun{Email: "ada@lab.example", Serial: 7, GivenUp: true}, Gmail: onOther}, StateWaiting, "ada@lab.example"},
		"a replacement that Gmail tells":             {Card{Status: in(set, slot(piv.SlotKeyManagement, nil)), Gmail: onOther}, StateReplacing, ""},
		"a replacement with its certificate":         {Card{Status: in(set, slot(piv.SlotKeyManagement, leaf)), Begun: replacement, Gmail: onOther}, StateReplacing, "ada@lab.example"},
		"a replacement, and Gmail not asked":         {Card{Status: in(set, slot(piv.SlotKeyManagement, leaf)), Begun: replacement}, StateReplacing, "ada@lab.example"},
		"a replacement that the ledger has not yet":  {Card{Status: in(set, slot(piv.SlotKeyManagement, leaf)), Begun: replacement, Gmail: gmailHas("1")}, StateReplacing, "ada@lab.example"},
		"an enrollment with its certificate":         {Card{Status: in(set, slot(piv.SlotKeyManagement, leaf)), Begun: eve, Gmail: gmailHas("")}, StateWaiting, "eve@lab.example"},
		"an imported key":                            {Card{Status: in(set, imported)}, StateForeign, ""},
		"a certificate nobody can read":              {Card{Status: in(set, broken)}, StateForeign, ""},
		"somebody's certificate":                     {Card{Status: in(set, slot(piv.SlotKeyManagement, other)), Gmail: gmailHas("1")}, StateForeign, "bob@lab.example"},
		"the identity's":                             {Card{Status: in(set, slot(piv.SlotKeyManagement, leaf)), Gmail: gmailHas("1")}, StateRegistered, "ada@lab.example"},
		"the identity's, and another's":              {Card{Status: in(set, slot(piv.SlotAuthentication, other), slot(piv.SlotKeyManagement, leaf)), Gmail: gmailHas("1"), Ledger: entered(ledger.CardInUse)}, StateRegistered, "Ada@lab.example"},
		"at Gmail, and not used":                     {Card{Status: in(set, slot(piv.SlotKeyManagement, leaf)), Gmail: gmailHas("2"), Ledger: entered(ledger.CardInUse)}, StateSuperseded, "Ada@lab.example"},
		"lost once, as the ledger says":              {Card{Status: in(set, slot(piv.SlotKeyManagement, leaf)), Gmail: &registered.State{}, Ledger: entered(ledger.CardLost)}, StateSuperseded, "Ada@lab.example"},
		"in the ledger, and no Gmail":                {Card{Status: in(set, slot(piv.SlotKeyManagement, leaf)), Ledger: entered(ledger.CardInUse)}, StateRegistered, "Ada@lab.example"},
		"in the ledger once, no Gmail":               {Card{Status: in(set, slot(piv.SlotKeyManagement, leaf)), Ledger: entered(ledger.CardReturned)}, StateSuperseded, "Ada@lab.example"},
		"erased, and known in the ledger":            {Card{Status: in(factory), Ledger: entered(ledger.CardInUse)}, StateEmpty, "Ada@lab.example"},
		"too many wrong PINs":                        {Card{Status: in(blocked, slot(piv.SlotKeyManagement, leaf)), Gmail: gmailHas("1")}, StateBlocked, "ada@lab.example"},
	} {
		c.card.Identity.Serial = 7
		if state := c.card.State(); state != c.want {
			t.Errorf("%s: %s, want %s", name, state, c.want)
		}
		if owner := c.card.Owner(); owner != c.owner {
			t.Errorf("%s: %q is whose it is, want %q", name, owner, c.owner)
		}
	}
}

// TestNextHasItsKeys: nothing is offered for keys that the card does not have where they would be
// looked for.
func TestNextHasItsKeys(t *testing.T) {
	key := func(slots ...piv.Slot) (status piv.Status) {
		status.PIN = piv.Counter{Tries: 3, Factory: piv.No}
		for _, slot := range slots {
			status.Slots = append(status.Slots, piv.SlotContents{Slot: slot, Key: &piv.KeyInfo{Origin: piv.Imported}})
		}
		return status
	}
	unknown := key(piv.SlotAuthentication)
	unknown.Slots = append(unknown.Slots, piv.SlotContents{Slot: piv.SlotKeyManagement, KeyUnknown: true})
	known := []ledger.CardCertificate{{Email: "ada@lab.example", State: ledger.CardReturned}}
	for name, test := range map[string]struct {
		card  Card
		state State
		slot  piv.Slot
		want  []Command
	}{
		"in retired slots alone":        {Card{Status: key(0x82, 0x83)}, StateForeign, 0, []Command{CommandEnroll, CommandReset}},
		"in 9d":                         {Card{Status: key(piv.SlotKeyManagement, 0x82)}, StateForeign, piv.SlotKeyManagement, []Command{CommandEnrollExisting, CommandEnrollOver, CommandReset}},
		"in 9a":                         {Card{Status: key(piv.SlotAuthentication, 0x82)}, StateForeign, piv.SlotAuthentication, []Command{CommandEnrollExisting, CommandEnroll, CommandReset}},
		"in 9a, and 9d does not tell":   {Card{Status: unknown}, StateForeign, piv.SlotAuthentication, []Command{CommandEnrollExisting, CommandEnrollOver, CommandReset}},
		"superseded, in a retired slot": {Card{Status: key(0x82), Ledger: known}, StateSuperseded, 0, []Command{CommandEnroll, CommandUnblock, CommandReset}},
		"superseded, in 9c":             {Card{Status: key(piv.SlotSignature), Ledger: known}, StateSuperseded, piv.SlotSignature, []Command{CommandEnrollExisting, CommandUnblock, CommandReset}},
	} {
		var got []Command
		for _, transition := range test.card.Next() {
			got = append(got, transition.Command)
		}
		if state := test.card.State(); state != test.state || test.card.KeySlot() != test.slot || !slices.Equal(got, test.want) {
			t.Errorf("%s: %s, slot %s, %v", name, state, test.card.KeySlot(), got)
		}
	}
}

// TestTransitions: every state has a meaning and a way out, and can be come to.
func TestTransitions(t *testing.T) {
	reached := map[State]bool{StateForeign: true, StateBlocked: true, StateWaiting: true, StateReplacing: true, StateRenewing: true} // by others, by wrong PINs, and half way
	for _, transition := range Transitions() {
		reached[transition.To] = true
	}
	for _, meaning := range States() {
		if meaning.Text == "" || len(meaning.State.Next()) == 0 || !reached[meaning.State] {
			t.Errorf("%+v", meaning)
		}
	}
	known := map[State]bool{}
	for _, meaning := range States() {
		known[meaning.State] = true
	}
	for _, transition := range Transitions() {
		if !known[transition.From] || !known[transition.To] || transition.Command == "" || transition.When == "" {
			t.Errorf("%+v", transition)
		}
	}
}
