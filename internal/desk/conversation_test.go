package desk_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/cse-piv/cse-piv/internal/desk"
	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/gmail"
	"github.com/cse-piv/cse-piv/internal/issuer"
	"github.com/cse-piv/cse-piv/internal/piv"
)

// TestConversation tells events, and looks where they lead and who is not done then.
func TestConversation(t *testing.T) {
	for name, test := range map[string]struct {
		events []any
		phase  desk.Phase
		left   error
		begun  int
		set    func(p *played)
	}{
		"to the receipt, and to the next one":           {events: after(toWork, ended{}, desk.GoOn), phase: desk.PhaseUser, begun: 1},
		"from the receipt to the end":                   {events: after(toWork, ended{}, desk.Stop), phase: desk.PhaseEnd, begun: 1},
		"back from the user to the start":               {events: []any{desk.GoOn, desk.Back}, phase: desk.PhaseStart},
		"another user":                                  {events: []any{desk.GoOn, picked(ada), desk.Back}, phase: desk.PhaseUser},
		"Gmail refuses: not further":                    {events: []any{desk.GoOn, picked(ada), desk.GoOn}, phase: desk.PhaseUser, set: func(p *played) { p.gmailErr = errRefused }},
		"Gmail refuses: parked":                         {events: []any{desk.GoOn, picked(ada), desk.Park}, phase: desk.PhaseUser, left: errRefused, set: func(p *played) { p.gmailErr = errRefused }},
		"no card":                                       {events: after(toCard, in(), desk.GoOn), phase: desk.PhaseCard},
		"no card, parked":                               {events: after(toCard, in(), desk.Park), phase: desk.PhaseUser, left: piv.ErrNoCard},
		"no card, and the desk is left":                 {events: after(toCard, in(), desk.Stop), phase: desk.PhaseEnd},
		"several cards: one is chosen":                  {events: after(toCard, in(adas, graces), desk.GoOn, desk.CardChosen{Serial: graces}, desk.GoOn), phase: desk.PhasePlan},
		"several cards: none is chosen":                 {events: after(toCard, in(adas, graces), desk.GoOn), phase: desk.PhaseCard},
		"a card that cannot be read":                    {events: after(toCard, in(9), desk.GoOn), phase: desk.PhaseCard},
		"a card whose PIN is blocked":                   {events: after(toCard, in(adas), desk.GoOn), phase: desk.PhaseCard, set: func(p *played) { p.cards[adas] = desk.CardStatus{Identity: piv.Identity{Serial: adas}} }},
		"the plan's card is pulled":                     {events: after(toPlan, in(), desk.GoOn), phase: desk.PhasePlan},
		"the plan's card is put back":                   {events: after(toPlan, in(), in(adas), desk.GoOn), phase: desk.PhaseWork, begun: 1},
		"the plan is refused":                           {events: after(toPlan, desk.GoOn), phase: desk.PhasePlan, set: func(p *played) { p.refused = errRefused }},
		"the plan is refused, and stopped":              {events: after(toPlan, desk.GoOn, desk.Stop), phase: desk.PhaseEnd, left: errRefused, set: func(p *played) { p.refused = errRefused }},
		"a loss is not agreed to":                       {events: after(toPlan, desk.GoOn), phase: desk.PhasePlan, set: func(p *played) { p.losses = []string{keyWasThere} }},
		"a loss is not agreed to, and parked":           {events: after(toPlan, desk.GoOn, desk.Park), phase: desk.PhaseUser, left: enroll.ErrDeclined, set: func(p *played) { p.losses = []string{keyWasThere} }},
		"a loss is agreed to with another serial":       {events: after(toPlan, desk.SerialTyped{Text: "8"}, desk.GoOn), phase: desk.PhasePlan, set: func(p *played) { p.losses = []string{keyWasThere} }},
		"a loss is agreed to":                           {events: after(toPlan, desk.SerialTyped{Text: "7"}, desk.GoOn), phase: desk.PhaseWork, begun: 1, set: func(p *played) { p.losses = []string{keyWasThere} }},
		"a loss is agreed to for once":                  {events: after(toPlan, desk.SerialTyped{Text: "7"}, desk.GoOn, ended{err: errRefused}, desk.Back, desk.GoOn), phase: desk.PhasePlan, left: errRefused, begun: 1, set: func(p *played) { p.losses = []string{keyWasThere} }},
		"a loss is agreed to, and tried again":          {events: after(toPlan, desk.SerialTyped{Text: "7"}, desk.GoOn, ended{err: errRefused}, desk.Again), phase: desk.PhaseWork, left: errRefused, begun: 2, set: func(p *played) { p.losses = []string{keyWasThere} }},
		"a failure":                                     {events: after(toWork, ended{err: errRefused}), phase: desk.PhaseFailure, left: errRefused, begun: 1},
		"a failure, back to the plan":                   {events: after(toWork, ended{err: errRefused}, desk.Back), phase: desk.PhasePlan, left: errRefused, begun: 1},
		"a failure that is put right":                   {events: after(toWork, ended{err: errRefused}, desk.Again, ended{}), phase: desk.PhaseDone, begun: 2},
		"declined":                                      {events: after(toWork, ended{err: fmt.Errorf("review: %w", enroll.ErrDeclined)}), phase: desk.PhasePlan, left: enroll.ErrDeclined, begun: 1},
		"stopped, whatever that came to":                {events: after(toWork, ended{err: errRefused, stopped: true}), phase: desk.PhasePlan, begun: 1},
		"done before it could be stopped":               {events: after(toWork, ended{stopped: true}), phase: desk.PhaseDone, begun: 1},
		"interrupted":                                   {events: after(toWork, ended{err: context.Canceled}), phase: desk.PhasePlan, begun: 1},
		"waits":                                         {events: after(toWork, ended{err: errWaits}), phase: desk.PhaseCertificate, left: errWaits, begun: 1},
		"waits, and is parked":                          {events: after(toWork, ended{err: errWaits}, desk.Park), phase: desk.PhaseUser, left: errWaits, begun: 1},
		"waits, looked for in vain":                     {events: after(toWork, ended{err: errWaits}, enroll.StageWaiting, desk.GoOn), phase: desk.PhaseCertificate, left: errWaits, begun: 1},
		"waits, and it has come":                        {events: after(toWork, ended{err: errWaits}, enroll.StageReady, desk.GoOn), phase: desk.PhaseWork, begun: 2},
		"waits, and it comes by itself":                 {events: after(toWork, ended{err: errWaits}, enroll.StageReady, desk.CertificatesDue{}), phase: desk.PhaseCertificate, begun: 1},
		"who waits already needs no card":               {events: after([]any{enroll.StageWaiting}, toCard...), phase: desk.PhaseCertificate, left: errWaits},
		"an old run says nothing":                       {events: after(toWork, desk.RunEnded{Run: -1, Err: errRefused}), phase: desk.PhaseWork, begun: 1},
		"an answer about another user says nothing":     {events: []any{desk.GoOn, picked(ada), desk.GmailRead{Email: grace, Err: errRefused}, desk.GoOn}, phase: desk.PhaseCard},
		"an answer to an older question for the plan":   {events: after(toPlan, desk.PlanRead{Number: 0, Err: errRefused}, desk.GoOn), phase: desk.PhaseWork, begun: 1},
		"what has no meaning where it is chosen is not": {events: []any{desk.TakeAnyway, desk.Back, desk.KeyChosen{}, desk.SerialTyped{}, desk.CertificatesDue{}}, phase: desk.PhaseStart},
	} {
		t.Run(name, func(t *testing.T) {
			p := play(enroll.Request{Keys: keys}, false)
			if test.set != nil {
				test.set(p)
			}
			p.fold(test.events...)
			if p.Phase != test.phase || len(p.begun) != test.begun {
				t.Errorf("it is at %q after %d runs, want %q after %d", p.Phase, len(p.begun), test.phase, test.begun)
			}
			left := p.Left()
			if waiting := new(*issuer.WaitingError); errors.As(test.left, waiting) && errors.As(left, waiting) {
				return
			}
			if !errors.Is(left, test.left) {
				t.Errorf("left is %v, want %v", left, test.left)
			}
		})
	}
}

// One person, who was named, is the only one: the conversation ends with them.
func TestConversationWithOnePerson(t *testing.T) {
	for name, test := range map[string]struct {
		events []any
		left   error
	}{
		"done":         {after(toWork, ended{}, desk.GoOn), nil},
		"nothing":      {[]any{desk.Stop}, context.Canceled},
		"no card":      {after(toCard, in(), desk.Stop), piv.ErrNoCard},
		"at the plan":  {after(toPlan, desk.Stop), context.Canceled},
		"failed":       {after(toWork, ended{err: errRefused}, desk.Stop), errRefused},
		"parked: ends": {after(toWork, ended{err: errRefused}, desk.Park), errRefused},
	} {
		p := play(enroll.Request{Keys: keys}, true).fold(test.events...)
		if got := p.Left(); p.Phase != desk.PhaseEnd || !errors.Is(got, test.left) {
			t.Errorf("%s: at %q with %v, want the end with %v", name, p.Phase, got, test.left)
		}
	}
}

// What the command line agreed to need not be typed, and that alone is agreed to.
func TestLossThatTheCommandLineAgreedTo(t *testing.T) {
	base := enroll.Request{Keys: keys, Overwrite: true, Confirm: "7"}
	p := play(base, false)
	p.losses = []string{keyWasThere}
	p.fold(toPlan...)
	if p.NeedsSerial() {
		t.Error("the serial number is asked for")
	}
	p.fold(desk.GoOn)
	if len(p.begun) != 1 || !p.begun[0].Request.Agrees(adas, []string{keyWasThere}) || p.begun[0].Request.Agrees(adas, []string{otherWasThere}) {
		t.Errorf("it began %+v", p.begun)
	}
	// It is for that card.
	p = play(base, false)
	p.losses = []string{keyWasThere}
	if p.fold(after(toCard, in(graces), desk.GoOn, desk.GoOn)...); p.Phase != desk.PhasePlan || !p.NeedsSerial() || len(p.begun) != 0 {
		t.Errorf("another card's loss is agreed to: %q", p.Phase)
	}
}

// Another card than was assigned, or somebody else's, is used only where a person
// says so, and that is forgotten when it is pulled.
func TestStrangeCard(t *testing.T) {
	aside := desk.QueueEntry{Person: desk.Person{Email: ada, Serial: adas}, Progress: enroll.Progress{Stage: enroll.StageNone}}
	theirs := desk.QueueEntry{Person: desk.Person{Email: grace}, Progress: enroll.Progress{Stage: enroll.StageDone, Serial: graces}}
	for name, entry := range map[string]desk.QueueEntry{"assigned": aside, "somebody else's": theirs} {
		p := play(enroll.Request{Keys: keys}, false, entry)
		person := desk.Person{Email: ada}
		if entry.Email == ada {
			person = entry.Person
		}
		p.fold(desk.GoOn, desk.Picked{Person: person}, desk.GoOn, in(graces), desk.GoOn)
		if p.Phase != desk.PhaseCard || !p.Strange(graces) {
			t.Errorf("%s: the card is taken unasked", name)
		}
		if p.fold(desk.TakeAnyway, desk.GoOn); p.Phase != desk.PhasePlan {
			t.Errorf("%s: the card is not taken: %q", name, p.Phase)
		}
		if p.fold(in(), in(graces)); p.Phase != desk.PhaseCard || !p.Strange(graces) {
			t.Errorf("%s: pulled and put back, it is taken: %q", name, p.Phase)
		}
	}
}

// The questions follow the answers, and what nobody chose is as it was begun.
func TestPlanQuestions(t *testing.T) {
	p := play(enroll.Request{Keys: keys}, false).fold(toPlan...)
	hidden := func(option enroll.Option) bool {
		for _, question := range p.Plan.Questions {
			if question.Option == option {
				return question.Hidden
			}
		}
		return true
	}
	p.fold(desk.KeyChosen{Option: enroll.OptionLayout, ID: string(enroll.LayoutSplit)})
	if !hidden(enroll.OptionSlot) || hidden(enroll.OptionAlgorithm) || len(p.PlannedRequest().Keys) != 2 {
		t.Errorf("split: %+v", p.Plan.Questions)
	}
	p.fold(desk.KeyChosen{Option: enroll.OptionSource, ID: string(enroll.SourceExisting)}, desk.KeyChosen{Option: enroll.OptionLayout, ID: string(enroll.LayoutSingle)})
	if hidden(enroll.OptionSlot) || !hidden(enroll.OptionAlgorithm) || p.PlannedRequest().Keys[0].Source != enroll.SourceExisting {
		t.Errorf("existing: %+v", p.Plan.Questions)
	}
	p.fold(desk.KeyChosen{Option: enroll.OptionSlot, ID: "no slot"})
	if got := p.Plan.Answer(enroll.OptionSlot); got != "9d" {
		t.Errorf("what is not offered was chosen: %q", got)
	}
	// A serial number that was typed is for those losses.
	p.losses = []string{keyWasThere}
	p.fold(desk.Again, desk.SerialTyped{Text: "7"})
	p.losses = []string{keyWasThere, otherWasThere}
	if p.fold(desk.Again, desk.GoOn); p.Phase != desk.PhasePlan || p.Plan.Serial != "" {
		t.Errorf("what was typed for another loss agrees: %q, %q", p.Phase, p.Plan.Serial)
	}
}

// What was asked before somebody was served says nothing of them any more, and
// nobody's certificate is asked for twice at once, or while they are served.
func TestQueueOfTheConversation(t *testing.T) {
	waits := desk.QueueEntry{Person: desk.Person{Email: ada}, Progress: enroll.Progress{Stage: enroll.StageWaiting, Serial: adas}}
	talk, _ := desk.NewConversation(enroll.Request{Keys: keys}, false)
	talk.Take(desk.QueueRead{Number: 1, Entries: []desk.QueueEntry{waits}})
	if first, second := talk.Take(desk.CertificatesDue{}), talk.Take(desk.CertificatesDue{}); len(first) != 1 || len(second) != 0 {
		t.Errorf("asked for %v and %v", first, second)
	}
	if tally := talk.Tally(); !talk.Roster || tally != (desk.Tally{All: 1, Waiting: 1}) {
		t.Errorf("the tally is %+v", tally)
	}
	p := play(enroll.Request{Keys: keys}, false).fold(toWork...).fold(ended{})
	p.fold(desk.EntryRead{Number: 1, Entry: waits}, desk.QueueRead{Number: 1, Entries: []desk.QueueEntry{waits}})
	if entry, _ := p.Entry(ada); entry.Stage != enroll.StageDone || len(p.Receipts) != 1 {
		t.Errorf("an old answer makes her %q", entry.Stage)
	}
}

// Who is parked comes after everybody else, and is shown so until they are served.
func TestPutOff(t *testing.T) {
	entry := func(email string) desk.QueueEntry {
		return desk.QueueEntry{Person: desk.Person{Email: email, Name: "N", Note: "at ten", Serial: 9, OtherDomain: true}, Progress: enroll.Progress{Stage: enroll.StageNone}}
	}
	p := play(enroll.Request{Keys: keys}, false, entry(ada), entry(grace)).fold(desk.GoOn)
	next := func(want int, when string) {
		t.Helper()
		if got := p.Next(); got != want || p.Phase != desk.PhaseUser {
			t.Errorf("%s: %d is next, in %q", when, got, p.Phase)
		}
	}
	next(0, "at first")
	p.fold(picked(ada), desk.Park)
	next(1, "ada is parked")
	if about := strings.Join(p.About(p.Entries[0]), ", "); about != "card 9, parked, other domain, N, at ten" {
		t.Errorf("of ada it is shown: %s", about)
	}
	p.fold(desk.Park)
	next(0, "both are parked")
	if len(p.Failures) > 0 || p.Tally().Failed > 0 {
		t.Errorf("somebody failed: %v", p.Failures)
	}
	p.fold(picked(ada), desk.GoOn, desk.Back)
	next(0, "ada was turned to")
	if about := strings.Join(p.About(p.Entries[0]), ", "); about != "card 9, other domain, N, at ten" {
		t.Errorf("of ada it is shown: %s", about)
	}
}

// Each check stands by itself: one that takes its time hides no other, and an answer
// to earlier checks says nothing.
func TestChecks(t *testing.T) {
	talk, _ := desk.NewConversation(enroll.Request{Keys: keys}, false)
	slow := func(name string) desk.Check {
		return desk.Check{Name: name, Finish: func(context.Context) desk.Check { return desk.Check{Name: name, State: desk.CheckOK} }}
	}
	checks := []desk.Check{{Name: "escrow", State: desk.CheckOK}, slow("domain"), slow("readers")}
	first := talk.Take(desk.Checked{Checks: checks})
	second := talk.Take(desk.Checked{Checks: checks})
	if len(first) != 2 || len(second) != 2 {
		t.Fatalf("%v and %v are to be done", first, second)
	}
	do := func(effect desk.Effect) { talk.Take((&desk.Desk{}).Do(t.Context(), effect)) }
	do(first[0])
	if talk.Checks[1].State != desk.CheckRunning {
		t.Error("the answer to an earlier check counts")
	}
	do(second[1])
	if talk.Checks[0].State != desk.CheckOK || talk.Checks[1].State != desk.CheckRunning || talk.Checks[2].State != desk.CheckOK {
		t.Errorf("the checks are %+v", talk.Checks)
	}
	talk.Take(desk.Retried{Err: errRefused})
	if talk.Retry == nil || talk.Retry.Err != errRefused {
		t.Error("it is not known what is tried again")
	}
	do(second[0])
	if talk.Checking() || talk.Retry != nil {
		t.Error("it goes on trying after the answer")
	}
}

// After an answer of Gmail's alone, what was agreed to is not asked again.
func TestAgainAsksForWhatIsMissing(t *testing.T) {
	atGmail, onCard := error(&enroll.StepError{Err: &gmail.Error{}}), error(&enroll.StepError{Err: piv.ErrCardFull})
	for name, test := range map[string]struct {
		err    error
		action desk.Action
		agreed bool
	}{
		"Gmail alone":                 {atGmail, desk.Again, true},
		"the card":                    {onCard, desk.Again, false},
		"Gmail alone, but a new plan": {atGmail, desk.Back, false},
	} {
		p := play(enroll.Request{Keys: keys}, false).fold(toWork...)
		p.fold(desk.ReviewAgreed{Run: p.Run.ID, Review: enroll.Review{Email: ada}}, ended{err: test.err}, test.action)
		if test.action == desk.Back {
			p.fold(desk.GoOn)
		}
		if last := p.begun[len(p.begun)-1]; len(p.begun) != 2 || (last.Agreed != nil) != test.agreed {
			t.Errorf("%s: %d runs, agreed to %v", name, len(p.begun), last.Agreed)
		}
		if got := desk.RemembersPIN(test.err); got != (test.err == atGmail) {
			t.Errorf("%s: the PIN is remembered: %v", name, got)
		}
	}
}
