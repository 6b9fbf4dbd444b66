package desk_test

import (
	"context"
	"crypto/x509"
	"slices"
	"strings"
	"testing"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/desk"
	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/evidence"
	"github.com/cse-piv/cse-piv/internal/gmail"
	"github.com/cse-piv/cse-piv/internal/piv"
	"github.com/cse-piv/cse-piv/internal/registered"
	"github.com/cse-piv/cse-piv/internal/status"
	"github.com/cse-piv/cse-piv/internal/termination"
)

// hasIdentity is somebody whom Gmail has with a key pair of a card.
var hasIdentity = desk.AtGmail{KeyPairs: []gmail.KeyPair{{ID: "one", Enabled: true}}, Identity: &gmail.Identity{Email: ada, PrimaryKeyPairID: "one"}}

func (p *played) commands() (all []status.Command) {
	for _, choice := range p.MenuChoices() {
		all = append(all, choice.Command)
	}
	return all
}

// TestMenuOfAUser: what is chosen of somebody in the queue leads to the reason, to what is begun,
// and after it to the next one.
func TestMenuOfAUser(t *testing.T) {
	p := play(enroll.Request{Keys: keys}, false).fold(desk.GoOn, picked(ada))
	if got := p.commands(); len(got) != 0 {
		t.Errorf("of somebody whom Gmail does not have: %v", got)
	}
	p.fold(desk.GmailRead{Email: ada, AtGmail: hasIdentity}, desk.More)
	if p.Phase != desk.PhaseMenu || len(p.Menu.Choices) != 5 {
		t.Fatalf("phase %s, %+v", p.Phase, p.Menu)
	}
	p.fold(desk.MenuChosen{At: 3})
	if p.Phase != desk.PhaseMenu || p.Menu.Choices[1].Reason != termination.ReasonStolen {
		t.Fatalf("the reason is not asked: %+v", p.Menu)
	}
	p.fold(desk.MenuChosen{At: 1})
	want := desk.Task{Command: status.CommandLost, Reason: termination.ReasonStolen, Email: ada}
	if p.Phase != desk.PhaseWork || len(p.begun) != 1 || *p.begun[0].Task != want {
		t.Fatalf("phase %s, begun %+v", p.Phase, p.begun)
	}
	// A no leads back to the person, a failure can be tried again.
	p.fold(ended{err: enroll.ErrDeclined})
	if p.Phase != desk.PhaseUser || p.Picked.Email != ada || p.Failures.Has(ada) {
		t.Errorf("after a no: %s, %+v", p.Phase, p.Failures)
	}
	p.fold(desk.More, desk.MenuChosen{At: 3}, desk.MenuChosen{At: 1}, ended{err: &desk.TaskError{Task: want, Err: errRefused}})
	if p.Phase != desk.PhaseFailure || !p.Failures.Has(ada) {
		t.Errorf("after a failure: %s", p.Phase)
	}
	p.fold(desk.Again, ended{})
	if p.Phase != desk.PhaseDone || len(p.begun) != 3 || p.Failures.Has(ada) {
		t.Errorf("after it was done: %s", p.Phase)
	}
	if p.fold(desk.GoOn); p.Phase != desk.PhaseUser || p.Person.Email != "" {
		t.Errorf("then: %s, %s", p.Phase, p.Person.Email)
	}
}

// TestMenuOfACard: a blocked card gets a new PIN, and then its user is served.
func TestMenuOfACard(t *testing.T) {
	p := play(enroll.Request{Keys: keys}, false)
	blocked := cardOf(adas)
	blocked.Status.PIN.Tries, blocked.Status.PUK.Tries = 0, 3
	p.cards[adas] = blocked
	p.fold(toCard...).fold(in(adas), desk.GoOn)
	if p.Phase != desk.PhaseCard || len(p.commands()) != 1 || p.commands()[0] != status.CommandUnblock {
		t.Fatalf("phase %s, %v", p.Phase, p.commands())
	}
	p.fold(desk.More, in())
	if p.Phase != desk.PhaseCard {
		t.Fatalf("a menu of a card that is out: %s", p.Phase)
	}
	p.fold(in(adas), desk.More, desk.MenuChosen{At: 0})
	if p.Phase != desk.PhaseWork || p.begun[0].Task.Serial != adas {
		t.Fatalf("phase %s, begun %+v", p.Phase, p.begun)
	}
	p.cards[adas] = cardOf(adas)
	if p.fold(ended{}, desk.GoOn); p.Phase != desk.PhaseCard || !p.Ready() {
		t.Errorf("phase %s, ready %v", p.Phase, p.Ready())
	}
	if p.fold(desk.GoOn); p.Phase != desk.PhasePlan {
		t.Errorf("then: %s", p.Phase)
	}
}

// TestMenuRenews: a renewal that is chosen is the plan's, with or without the card.
func TestMenuRenews(t *testing.T) {
	p := play(enroll.Request{Keys: keys}, false).fold(desk.GoOn, picked(ada), desk.GmailRead{Email: ada, AtGmail: hasIdentity},
		desk.More, desk.MenuChosen{At: 1}, in(adas), desk.GoOn)
	if p.Phase != desk.PhasePlan || p.PlannedRequest().Renew != enroll.RenewSameKey || p.Plan.Answer(enroll.OptionSource) != desk.SourceRenewSame {
		t.Errorf("phase %s, %+v", p.Phase, p.PlannedRequest())
	}
}

// hasCard is somebody whose identity uses a key pair on Ada's card.
var hasCard = desk.AtGmail{
	KeyPairs: []gmail.KeyPair{{ID: "one", Enabled: true, HardwareDescriptions: []string{registered.Description("YubiKey 5C NFC", adas, "9d")}}},
	Identity: &gmail.Identity{Email: ada, PrimaryKeyPairID: "one"},
}

// TestMenuIsWhatIsLegal: of a card only what its state allows is offered, and of a person what
// the registration at Gmail does.
func TestMenuIsWhatIsLegal(t *testing.T) {
	set := func(tries, pukTries int, slots ...piv.SlotContents) desk.CardStatus {
		card := cardOf(adas)
		card.Status.PIN, card.Status.PUK = piv.Counter{Tries: tries, Factory: piv.No}, piv.Counter{Tries: pukTries}
		card.Status.Slots = slots
		return card
	}
	fresh, old := cardOf(adas), cardOf(adas)
	fresh.Status.PIN.Factory = piv.Yes
	old.Status.PUK.Tries = piv.UnknownTries
	cert := &x509.Certificate{Raw: []byte("a certificate")}
	fingerprint := certificate.Fingerprint(cert)
	key := piv.SlotContents{Slot: piv.SlotKeyManagement, Key: &piv.KeyInfo{Origin: piv.Generated}, Certificate: cert}
	waiting := piv.SlotContents{Slot: piv.SlotKeyManagement, Key: &piv.KeyInfo{Origin: piv.Generated}}
	retired := piv.SlotContents{Slot: piv.SlotRetiredFirst, Certificate: cert}
	uses := desk.AtGmail{KeyPairs: []gmail.KeyPair{{ID: "one", Enabled: true, LeafSHA256: fingerprint, HardwareDescriptions: []string{"a card"}}}, Identity: &gmail.Identity{Email: ada, PrimaryKeyPairID: "one"}}
	person := []status.Command{status.CommandRenew, status.CommandRenew, status.CommandReplace, status.CommandLost, status.CommandLeave}
	for name, c := range map[string]struct {
		card  desk.CardStatus
		gmail desk.AtGmail
		stage enroll.Stage
		want  []status.Command
	}{
		"a new card":                     {card: fresh},
		"a card that does not tell":      {card: old, want: []status.Command{status.CommandUnblock, status.CommandChangePIN}},
		"a card with a PIN":              {card: set(3, 3), want: []status.Command{status.CommandUnblock, status.CommandChangePIN}},
		"a card that waits":              {card: set(3, 3, waiting), want: []status.Command{status.CommandUnblock, status.CommandChangePIN}},
		"a blocked card":                 {card: set(0, 3, waiting), want: []status.Command{status.CommandUnblock}},
		"a card whose PUK is blocked":    {card: set(0, 0, waiting)},
		"another card than the user's":   {card: fresh, gmail: hasIdentity, want: person},
		"the user's card":                {card: set(3, 3, key), gmail: uses, want: append([]status.Command{status.CommandUnblock, status.CommandChangePIN}, person...)},
		"the user's card, enrolled here": {card: set(3, 3, key), gmail: uses, stage: enroll.StageDone, want: append([]status.Command{status.CommandUnblock, status.CommandChangePIN}, append(person[:5:5], status.CommandUndo)...)},
		"the user's card with old keys":  {card: set(3, 3, key, retired), gmail: uses, want: append([]status.Command{status.CommandUnblock, status.CommandChangePIN}, append(person[:5:5], status.CommandHistory)...)},
		"the user's card, blocked":       {card: set(0, 3, key), gmail: uses, want: []status.Command{status.CommandUnblock, status.CommandReplace, status.CommandLost, status.CommandLeave}},
	} {
		p := play(enroll.Request{Keys: keys}, false)
		p.cards[adas], p.entry.Stage = c.card, enroll.StageNone
		if c.stage != "" {
			p.entry.Stage = c.stage
		}
		p.fold(desk.GoOn, picked(ada), desk.GmailRead{Email: ada, AtGmail: c.gmail}, desk.GoOn, in(adas))
		if got := p.commands(); p.Phase != desk.PhaseCard || !slices.Equal(got, c.want) {
			t.Errorf("%s: in %s %v, want %v", name, p.Phase, got, c.want)
		}
	}
}

// TestMenuNamesTheCardItNeeds: a renewal with none, another or a blocked card in the reader says which one has to be put in,
// waits for that one, and takes no other; what is undone of a card that is not there is said as well.
func TestMenuNamesTheCardItNeeds(t *testing.T) {
	texts := func(p *played) (all string) {
		for _, choice := range p.MenuChoices() {
			all += p.MenuText(choice).Text + "\n"
		}
		return all
	}
	const needs, keeps = "; card 7 has to be in the reader", "; card 7 keeps its key, unless it is in the reader"
	blocked := cardOf(graces)
	blocked.Status.PIN.Tries = 0
	for name, c := range map[string]struct {
		readers desk.ReadersRead
		card    desk.CardStatus // Grace's
		needs   bool
	}{
		"none":          {readers: in(), needs: true},
		"a fresh one":   {readers: in(graces), card: cardOf(graces), needs: true},
		"a blocked one": {readers: in(graces), card: blocked, needs: true},
		"the user's":    {readers: in(adas)},
	} {
		p := play(enroll.Request{Keys: keys}, false)
		p.entry.Stage, p.entry.Progress.Serial = enroll.StageDone, adas
		p.cards[graces] = c.card
		p.fold(desk.GoOn, picked(ada), desk.GmailRead{Email: ada, AtGmail: hasCard})
		if got := texts(p); strings.Count(got, needs) != 2 || strings.Count(got, keeps) != 1 {
			t.Errorf("of the user: %s", got)
		}
		p.fold(desk.GoOn, c.readers)
		if got := texts(p); p.Phase != desk.PhaseCard || strings.Count(got, needs) == 2 != c.needs || strings.Contains(got, keeps) != c.needs {
			t.Errorf("%s: in %s: %s", name, p.Phase, got)
			continue
		}
		p.fold(desk.More)
		at := slices.IndexFunc(p.Menu.Choices, func(choice desk.MenuChoice) bool { return choice.Renew == enroll.RenewNewKey })
		p.fold(desk.MenuChosen{At: at})
		if !c.needs {
			if p.Phase != desk.PhasePlan || p.Request.Serial != adas {
				t.Errorf("%s: in %s with card %d", name, p.Phase, p.Request.Serial)
			}
			continue
		}
		if p.Phase != desk.PhaseCard || p.Assigned != adas || p.Ready() {
			t.Errorf("%s: in %s, card %d is wanted, ready %v", name, p.Phase, p.Assigned, p.Ready())
		}
		if p.fold(in(adas), desk.GoOn); p.Phase != desk.PhasePlan || p.Request.Serial != adas || p.PlannedRequest().Renew != enroll.RenewNewKey {
			t.Errorf("%s: then in %s: %+v", name, p.Phase, p.Request)
		}
	}
	p := play(enroll.Request{Keys: keys}, false)
	p.entry.Stage, p.entry.Progress.Serial, p.entry.Renewal = enroll.StageWaiting, adas, &evidence.Renewal{Kind: string(enroll.RenewNewKey)}
	p.fold(desk.GoOn, picked(ada), desk.GmailRead{Email: ada, AtGmail: hasCard})
	if got := texts(p); strings.Count(got, "it was begun, and can be taken back only when it is finished"+needs) != 1 {
		t.Errorf("of a renewal that was begun: %s", got)
	}
}

// TestFormerCardIsFound: a replacement that was begun is given up from the menu, by the command where it is written down;
// one of which nothing is written down is forgotten. Meanwhile nothing is renewed on the former card.
func TestFormerCardIsFound(t *testing.T) {
	p := play(enroll.Request{Keys: keys}, false)
	p.entry.Stage, p.entry.Progress.Serial = enroll.StageWaiting, graces
	p.entry.Replaces = &enroll.Replacement{Reason: termination.ReasonStolen, Cards: []uint32{adas}}
	p.fold(desk.GoOn, picked(ada), desk.GmailRead{Email: ada, AtGmail: hasCard}, desk.More)
	if !p.MayGiveUp() || !p.Menu.Choices[0].GivesUp || !strings.HasPrefix(p.MenuText(p.Menu.Choices[0]).Label, "the former card was found") {
		t.Fatalf("%+v", p.Menu)
	}
	if slices.Contains(p.commands(), status.CommandRenew) {
		t.Errorf("%v", p.commands())
	}
	want := desk.Task{Command: status.CommandUndo, Reason: termination.ReasonWrongPerson, Email: ada, Serial: graces, GivesUp: true}
	p.fold(desk.MenuChosen{At: 0})
	if p.Phase != desk.PhaseWork || len(p.begun) != 1 || *p.begun[0].Task != want || want.Title() != "the former card was found: keep it, and not the new one" {
		t.Fatalf("phase %s, begun %+v", p.Phase, p.begun)
	}
	p.entry.Stage, p.entry.Progress.Serial, p.entry.Replaces = enroll.StageDone, adas, nil
	if p.fold(ended{}); p.Phase != desk.PhaseDone || p.MayGiveUp() || p.GoesOn() {
		t.Errorf("phase %s, %+v", p.Phase, p.Entries)
	}
	p.fold(desk.GoOn, picked(ada), desk.GmailRead{Email: ada, AtGmail: hasCard}, desk.GoOn, in(adas))
	if p.Replaces() != "" || !p.Ready() {
		t.Errorf("after that: %q, ready %v", p.Replaces(), p.Ready())
	}

	p = play(enroll.Request{Keys: keys}, false).fold(desk.GoOn, picked(ada), desk.GmailRead{Email: ada, AtGmail: hasCard},
		desk.More, desk.MenuChosen{At: 2}, desk.MenuChosen{At: 4}, in(graces), desk.GoOn, desk.GoOn, ended{err: context.Canceled}, desk.Back)
	if !p.MayGiveUp() || p.Former(graces) {
		t.Fatalf("phase %s, %+v", p.Phase, p.Request)
	}
	if p.fold(in(adas), desk.More, desk.MenuChosen{At: 0}); p.Phase != desk.PhaseCard || p.MayGiveUp() || p.Replaces() != "" || len(p.begun) != 1 {
		t.Errorf("phase %s, %+v, begun %+v", p.Phase, p.Request, p.begun)
	}
}

// TestPurpose: what somebody is served for is said, and forgotten with them.
func TestPurpose(t *testing.T) {
	p := play(enroll.Request{Keys: keys}, false).fold(desk.GoOn, picked(ada), desk.GmailRead{Email: ada, AtGmail: hasCard}, desk.More)
	if p.fold(desk.MenuChosen{At: 1}); p.Phase != desk.PhaseCard || p.Purpose() != "renew: a new certificate for the same key" {
		t.Errorf("%s: %q", p.Phase, p.Purpose())
	}
	p.fold(desk.Back, picked(ada), desk.GmailRead{Email: ada, AtGmail: hasCard}, desk.More, desk.MenuChosen{At: 2}, desk.MenuChosen{At: 2})
	if p.Phase != desk.PhaseCard || p.Purpose() != "another card in the place of the present one: broken" {
		t.Errorf("%s: %q", p.Phase, p.Purpose())
	}
	if p.fold(desk.Back, picked(grace), desk.GmailRead{Email: grace}, desk.GoOn); p.Purpose() != "" {
		t.Errorf("of the next person: %q", p.Purpose())
	}
}
