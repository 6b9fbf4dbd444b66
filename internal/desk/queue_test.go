package desk_test

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cse-piv/cse-piv/internal/desk"
	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/evidence"
	"github.com/cse-piv/cse-piv/internal/issuer"
	"github.com/cse-piv/cse-piv/internal/lab/ca"
	"github.com/cse-piv/cse-piv/internal/ledger"
	"github.com/cse-piv/cse-piv/internal/piv"
	"github.com/cse-piv/cse-piv/internal/secret"
)

func standing(email string, stage enroll.Stage, serial uint32) desk.QueueEntry {
	return desk.QueueEntry{Person: desk.Person{Email: email}, Progress: enroll.Progress{Stage: stage, Serial: serial}}
}

func TestNext(t *testing.T) {
	failed := func(email string) bool { return email == "failed@example.com" }
	ready := standing("ready@example.com", enroll.StageReady, 1)
	todo := standing("todo@example.com", enroll.StageNone, 0)
	begun := standing("begun@example.com", enroll.StageBegun, 2)
	waiting := standing("waiting@example.com", enroll.StageWaiting, 3)
	done := standing("done@example.com", enroll.StageDone, 4)
	bad := standing("failed@example.com", enroll.StageBegun, 5)
	for name, test := range map[string]struct {
		entries []desk.QueueEntry
		want    int
	}{
		"an empty queue":                   {nil, -1},
		"the first to do":                  {[]desk.QueueEntry{done, todo, begun}, 1},
		"who was begun is to do":           {[]desk.QueueEntry{done, begun, todo}, 1},
		"whose certificate is there first": {[]desk.QueueEntry{todo, waiting, ready}, 2},
		"not those who wait or are done":   {[]desk.QueueEntry{waiting, done}, -1},
		"not those who failed here":        {[]desk.QueueEntry{bad, todo}, 1},
	} {
		if got := desk.Next(test.entries, failed); got != test.want {
			t.Errorf("%s: %d, want %d", name, got, test.want)
		}
	}
}

func TestLeft(t *testing.T) {
	refused, broken := errors.New("the attestation is refused"), errors.New("the journal is broken")
	wait := &issuer.WaitingError{Request: "the CA"}
	failures := desk.Failures{"failed@example.com": refused, "failed-again@example.com": refused}
	done := standing("done@example.com", enroll.StageDone, 1)
	again := standing("failed-again@example.com", enroll.StageDone, 6) // once done, and not this time
	failed := standing("failed@example.com", enroll.StageBegun, 2)
	unreadable := standing("broken@example.com", enroll.StageBegun, 3)
	unreadable.Problem = broken
	waiting := standing("waiting@example.com", enroll.StageWaiting, 4)
	waiting.Waits = []*issuer.WaitingError{wait}
	todo, ready := standing("todo@example.com", enroll.StageNone, 0), standing("ready@example.com", enroll.StageReady, 5)
	for name, test := range map[string]struct {
		entries []desk.QueueEntry
		want    error
	}{
		"nobody":                             {nil, nil},
		"those who were not turned to":       {[]desk.QueueEntry{done, todo, ready}, nil},
		"what failed":                        {[]desk.QueueEntry{done, failed, todo}, refused},
		"what failed the second time":        {[]desk.QueueEntry{done, again, todo}, refused},
		"what cannot be read":                {[]desk.QueueEntry{failed, unreadable}, broken},
		"somebody who waits before failures": {[]desk.QueueEntry{failed, waiting, unreadable}, wait},
	} {
		if got := desk.Left(test.entries, failures); !errors.Is(got, test.want) || (test.want == nil && got != nil) {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
	}
	waiting.Waits = nil // nobody asked the issuer yet
	var unknown *issuer.WaitingError
	if err := desk.Left([]desk.QueueEntry{waiting}, failures); !errors.As(err, &unknown) {
		t.Errorf("somebody who waits for an unknown request: %v", err)
	}
}

func TestHolder(t *testing.T) {
	entries := []desk.QueueEntry{standing("Ada@example.com", enroll.StageDone, 1), standing("grace@example.com", enroll.StageNone, 2), {Person: desk.Person{Email: "hedy@example.com", Serial: 4}, Progress: enroll.Progress{Stage: enroll.StageNone}}}
	for _, test := range []struct {
		serial uint32
		email  string
		want   string
	}{
		{1, "grace@example.com", "Ada@example.com"},
		{1, "ada@example.com", ""}, // it is their own
		{2, "ada@example.com", ""}, // nothing was begun with it
		{3, "ada@example.com", ""},
		{4, "ada@example.com", "hedy@example.com"}, // it was assigned to her
		{4, "hedy@example.com", ""},
	} {
		if got := desk.Holder(entries, test.serial, test.email); got != test.want {
			t.Errorf("card %d for %s is held by %q, want %q", test.serial, test.email, got, test.want)
		}
	}
}

func TestFindCard(t *testing.T) {
	entries := []desk.QueueEntry{standing("ada@example.com", enroll.StageDone, 1), {Person: desk.Person{Email: "hedy@example.com", Serial: 4}, Progress: enroll.Progress{Stage: enroll.StageNone}}}
	for typed, want := range map[string]int{"1": 0, "4": 1, "0": -1, "2": -1, "": -1, "ada": -1, "4294967300": -1} {
		if got := desk.FindCard(entries, typed); got != want {
			t.Errorf("%q: %d, want %d", typed, got, want)
		}
	}
}

func TestStrange(t *testing.T) {
	entries := []desk.QueueEntry{standing("ada@example.com", enroll.StageDone, 1), standing("grace@example.com", enroll.StageBegun, 2)}
	for name, test := range map[string]struct {
		assigned, serial uint32
		want             bool
	}{
		"nobody's":                         {0, 3, false},
		"her own":                          {0, 2, false},
		"the last person's":                {0, 1, true},
		"another than was assigned":        {2, 3, true},
		"assigned, though somebody had it": {1, 1, false},
	} {
		if got := desk.Strange(entries, "Grace@example.com", test.assigned, test.serial); got != test.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestRequestFor(t *testing.T) {
	keys := enroll.LayoutSingle.Keys(enroll.KeyRequest{Slot: piv.SlotKeyManagement, Source: enroll.SourceGenerate, Algorithm: piv.RSA2048})
	before := enroll.LayoutSplit.Keys(enroll.KeyRequest{Source: enroll.SourceGenerate, Algorithm: piv.ECCP256})
	base := enroll.Request{Serial: 100, Keys: keys, PIN: secret.FromString("271828")}
	for name, test := range map[string]struct {
		entry  desk.QueueEntry
		serial uint32
		keys   int
	}{
		"nobody's card":  {desk.QueueEntry{Person: desk.Person{Email: "a@example.com"}}, 100, 1},
		"assigned":       {desk.QueueEntry{Person: desk.Person{Email: "a@example.com", Serial: 7}}, 7, 1},
		"begun":          {desk.QueueEntry{Person: desk.Person{Email: "a@example.com"}, Progress: enroll.Progress{Stage: enroll.StageBegun, Serial: 9, Keys: before}}, 9, 2},
		"waiting":        {desk.QueueEntry{Person: desk.Person{Email: "a@example.com", Serial: 9}, Progress: enroll.Progress{Stage: enroll.StageWaiting, Serial: 9, Keys: before}}, 9, 2},
		"done":           {desk.QueueEntry{Person: desk.Person{Email: "a@example.com"}, Progress: enroll.Progress{Stage: enroll.StageDone, Serial: 9, Keys: before}}, 100, 2},
		"without a plan": {desk.QueueEntry{Person: desk.Person{Email: "a@example.com"}, Progress: enroll.Progress{Stage: enroll.StageBegun, Serial: 9}}, 100, 1},
	} {
		got := desk.RequestFor(base, nil, test.entry)
		if got.Email != "a@example.com" || got.Serial != test.serial || len(got.Keys) != test.keys || got.PIN.IsZero() {
			t.Errorf("%s: card %d and %d keys, want card %d and %d", name, got.Serial, len(got.Keys), test.serial, test.keys)
		}
	}
}

// answers is an issuer with one answer.
type answers func(issuer.Request) ([]*x509.Certificate, error)

func (answers) Name() string { return "test" }

func (a answers) Issue(_ context.Context, request issuer.Request) ([]*x509.Certificate, error) {
	return a(request)
}

func TestQueueKeepsTheRostersOrder(t *testing.T) {
	d, _, _ := begun(t, "ada@example.com", 7)
	d.People = []desk.Person{{Email: "grace@example.com", Note: "at ten"}, {Email: "ada@example.com"}}
	queue, err := d.Queue(t.Context())
	if err != nil || len(queue) != 2 || queue[0].Person != d.People[0] || queue[0].Stage != enroll.StageNone || queue[1].Stage != enroll.StageWaiting {
		t.Errorf("%+v, %v", queue, err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := d.Queue(ended); !errors.Is(err, context.Canceled) {
		t.Errorf("after its end: %v", err)
	}
}

func TestCollect(t *testing.T) {
	authority, err := ca.New(ca.Config{})
	if err != nil {
		t.Fatal(err)
	}
	d, request, _ := begun(t, "ada@example.com", 7)
	person := desk.Person{Email: "ada@example.com"}

	wait := &issuer.WaitingError{Request: "the CA"}
	d.Dependencies.Issuer = answers(func(issuer.Request) ([]*x509.Certificate, error) { return nil, wait })
	if got := d.Collect(t.Context(), person); got.Stage != enroll.StageWaiting || got.Problem != nil || len(got.Waits) != 1 || got.Waits[0] != wait {
		t.Errorf("while the CA takes its time: %+v", got)
	}

	gone := errors.New("the CA is gone")
	d.Dependencies.Issuer = answers(func(issuer.Request) ([]*x509.Certificate, error) { return nil, gone })
	if got := d.Collect(t.Context(), person); got.Stage != enroll.StageWaiting || !errors.Is(got.Problem, gone) {
		t.Errorf("while the CA is gone: %+v", got)
	}

	profile, err := ca.Named("standard", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	asked := 0
	d.Dependencies.Issuer = answers(func(got issuer.Request) ([]*x509.Certificate, error) {
		if asked++; got.Email != person.Email || got.Slot != "9d" || string(got.CSR) != string(request.Raw) {
			t.Errorf("asked for %s, slot %s", got.Email, got.Slot)
		}
		return authority.Sign(request, profile)
	})
	if got := d.Collect(t.Context(), person); got.Stage != enroll.StageReady || got.Problem != nil || len(got.Waits) != 0 {
		t.Errorf("when the certificate is there: %+v", got)
	}
	if got := d.Collect(t.Context(), person); got.Stage != enroll.StageReady || asked != 1 {
		t.Errorf("afterwards: %+v, asked %d times", got, asked)
	}
}

// TestAfterAnotherCard: another card than was assigned is a person's own once an
// enrollment with it stands, and not where it was declined or stopped.
func TestAfterAnotherCard(t *testing.T) {
	d, _, _ := begun(t, "ada@example.com", 999)
	person := desk.Person{Email: "ada@example.com", Serial: 1234}
	for _, test := range []struct {
		err    error
		serial uint32
		stage  enroll.Stage
	}{
		{nil, 999, enroll.StageWaiting},
		{&issuer.WaitingError{}, 999, enroll.StageWaiting},
		{errors.New("broken"), 999, enroll.StageWaiting},
		{fmt.Errorf("no: %w", enroll.ErrDeclined), 1234, enroll.StageNone},
		{context.Canceled, 1234, enroll.StageNone},
	} {
		if entry := d.After(t.Context(), person, 999, test.err); entry.Person.Serial != test.serial || entry.Stage != test.stage {
			t.Errorf("%v: card %d, %v", test.err, entry.Person.Serial, entry.Stage)
		}
	}
	if entry := d.After(t.Context(), person, 1000, errors.New("nothing was begun")); entry.Person.Serial != 1234 {
		t.Errorf("card %d is the person's, with which nothing was begun", entry.Person.Serial)
	}
	if entry := d.After(t.Context(), desk.Person{Email: "ada@example.com"}, 999, nil); entry.Person.Serial != 0 {
		t.Errorf("card %d was assigned, though nobody did", entry.Person.Serial)
	}
}

// TestRequestForAMistakenCard: a broken-off enrollment with a card that is somebody
// else's does not make it the person's.
func TestRequestForAMistakenCard(t *testing.T) {
	keys := []enroll.KeyRequest{{}}
	theirs := desk.QueueEntry{Person: desk.Person{Email: "grace@example.com"}, Progress: enroll.Progress{Stage: enroll.StageDone, Serial: 7}}
	for stage, want := range map[enroll.Stage]uint32{enroll.StageBegun: 0, enroll.StageWaiting: 7, enroll.StageReady: 7} {
		entry := desk.QueueEntry{Person: desk.Person{Email: "ada@example.com"}, Progress: enroll.Progress{Stage: stage, Serial: 7, Keys: keys}}
		if got := desk.RequestFor(enroll.Request{}, []desk.QueueEntry{theirs, entry}, entry); got.Serial != want || len(got.Keys) != 1 {
			t.Errorf("%s: card %d", stage, got.Serial)
		}
		if got := desk.RequestFor(enroll.Request{}, []desk.QueueEntry{entry}, entry); got.Serial != 7 {
			t.Errorf("%s: card %d, which is nobody else's", stage, got.Serial)
		}
	}
}

// TestStandingWhenTheUseOfTheCardEnded: who lost the card or left is not just done, and who was
// enrolled by mistake is to do again.
func TestStandingWhenTheUseOfTheCardEnded(t *testing.T) {
	d, _, folder := begun(t, "ada@example.com", 1234)
	if err := folder.Write(evidence.ReceiptName, []byte("{}")); err != nil {
		t.Fatal(err)
	}
	when := time.Date(2026, 11, 2, 12, 0, 0, 0, time.UTC)
	for state, want := range map[ledger.CardState]string{
		ledger.CardInUse: "done ", ledger.CardSuperseded: "done ", ledger.CardLost: "card lost 2026-11-02", ledger.CardStolen: "card stolen 2026-11-02",
		ledger.CardBroken: "card broken 2026-11-02", ledger.CardWithdrawn: "left 2026-11-02", ledger.CardReturned: "card returned 2026-11-02",
		ledger.CardErased: "card erased 2026-11-02", ledger.CardUndone: "to do",
	} {
		card := ledger.CardCertificate{Serial: 1234, State: state, Changed: when}
		d.Cards = func(context.Context, string) ([]ledger.CardCertificate, error) {
			return []ledger.CardCertificate{card}, nil
		}
		talk, _ := desk.NewConversation(enroll.Request{}, false)
		entry := d.QueueEntry(t.Context(), desk.Person{Email: "ada@example.com"})
		if got := talk.Standing(entry).Text; !strings.HasPrefix(got, want) || (entry.Stage == enroll.StageNone) != (state == ledger.CardUndone) {
			t.Errorf("%s: %q, %s", state, got, entry.Stage)
		}
		card.Serial = 999
		if entry := d.QueueEntry(t.Context(), desk.Person{Email: "ada@example.com"}); entry.Stage != enroll.StageDone || entry.Ended != nil {
			t.Errorf("%s, of another card: %+v", state, entry)
		}
	}
	broken := errors.New("the ledger does not answer")
	d.Cards = func(context.Context, string) ([]ledger.CardCertificate, error) { return nil, broken }
	if entry := d.QueueEntry(t.Context(), desk.Person{Email: "ada@example.com"}); !errors.Is(entry.Problem, broken) {
		t.Error(entry.Problem)
	}
}
