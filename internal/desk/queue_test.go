package desk_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
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
	"github.com/cse-piv/cse-piv/internal/smime"
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

// begun writes the evidence of an enrollment that asked for a certificate, and
// returns the desk and the request.
func begun(t *testing.T, email string, serial uint32) (*desk.Desk, *x509.CertificateRequest, *evidence.Folder) {
	t.Helper()
	d := &desk.Desk{Dependencies: enroll.Dependencies{Evidence: t.TempDir()}}
	folder, err := evidence.Begin(d.Dependencies.Evidence, email, serial, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	journal := evidence.Journal{Version: 1, Email: email, Serial: serial, Plan: []evidence.PlannedKey{{Slot: "9d", Use: "both", Source: "generate", Algorithm: "eccp256"}}}
	if err := folder.WriteJournal(journal); err != nil {
		t.Fatal(err)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := smime.CreateRequest(t.Context(), key, smime.RequestOptions{Email: email, Use: "both"})
	if err != nil {
		t.Fatal(err)
	}
	if err := folder.Write("request-9d.csr", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der})); err != nil {
		t.Fatal(err)
	}
	request, err := x509.ParseCertificateRequest(der)
	if err != nil {
		t.Fatal(err)
	}
	return d, request, folder
}

// TestACardThatWasOnlyTriedIsNobodys: nothing was changed on it, so another one can be
// taken for the person, and it for somebody else.
func TestACardThatWasOnlyTriedIsNobodys(t *testing.T) {
	d := &desk.Desk{Dependencies: enroll.Dependencies{Evidence: t.TempDir()}}
	person := desk.Person{Email: "ada@example.com"}
	folder, err := evidence.Begin(d.Dependencies.Evidence, person.Email, 7, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	journal := evidence.NewJournal()
	journal.Email, journal.Serial = person.Email, 7
	journal.Plan = []evidence.PlannedKey{{Slot: "9d", Use: "both", Source: "generate", Algorithm: "eccp256"}}
	for _, test := range []struct {
		state evidence.SecretState
		want  uint32
	}{{evidence.SecretOwn, 0}, {evidence.SecretSetting, 7}} {
		journal.Secrets[evidence.SecretPIN] = evidence.SecretJournal{State: test.state}
		if err := folder.WriteJournal(journal); err != nil {
			t.Fatal(err)
		}
		entry := d.QueueEntry(t.Context(), person)
		entries := []desk.QueueEntry{entry}
		request := desk.RequestFor(enroll.Request{}, entries, entry)
		if entry.Stage != enroll.StageBegun || len(request.Keys) != 1 || request.Serial != test.want || (desk.Holder(entries, 7, "") != "") != (test.want != 0) {
			t.Errorf("%s: %+v, %+v", test.state, entry, request)
		}
	}
}

// answers is an issuer with one answer.
type answers func(issuer.Request) ([]*x509.Certificate, error)

func (answers) Name() string { return "test" }

func (a answers) Issue(_ context.Context, request issuer.Request) ([]*x509.Certificate, error) {
	return a(request)
}

func TestPlaceIsWhatTheEvidenceTells(t *testing.T) {
	d, _, folder := begun(t, "ada@example.com", 7)
	for name, test := range map[string]struct {
		person desk.Person
		want   enroll.Stage
	}{
		"the card of the evidence":  {desk.Person{Email: "ada@example.com", Serial: 7}, enroll.StageWaiting},
		"any card":                  {desk.Person{Email: "ADA@example.com"}, enroll.StageWaiting},
		"another card was assigned": {desk.Person{Email: "ada@example.com", Serial: 8}, enroll.StageNone},
		"somebody else":             {desk.Person{Email: "grace@example.com"}, enroll.StageNone},
	} {
		if got := d.QueueEntry(t.Context(), test.person); got.Stage != test.want || got.Problem != nil || got.Person != test.person {
			t.Errorf("%s: %+v, want %s", name, got, test.want)
		}
	}
	if err := os.WriteFile(folder.File("journal.json"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := d.QueueEntry(t.Context(), desk.Person{Email: "ada@example.com"}); got.Problem == nil || got.Stage != enroll.StageBegun {
		t.Errorf("with a broken journal: %+v", got)
	}
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

// TestPlaceOfSomebodyWhoIsRegisteredElsewhere: the ledger tells where this desk's
// evidence tells nothing.
func TestPlaceOfSomebodyWhoIsRegisteredElsewhere(t *testing.T) {
	when := time.Date(2026, 11, 2, 3, 4, 5, 0, time.UTC)
	broken := errors.New("the ledger does not answer")
	d := &desk.Desk{Dependencies: enroll.Dependencies{Evidence: t.TempDir()}}
	d.Registered = func(_ context.Context, email string) (*desk.Registered, error) {
		switch email {
		case "ada@example.com":
			return &desk.Registered{When: when, By: "grace@desk-2", Cards: []string{"YubiKey 5C NFC, serial 1234, slot 9d"}}, nil
		case "broken@example.com":
			return nil, broken
		}
		return nil, nil
	}
	for name, test := range map[string]struct {
		person desk.Person
		stage  enroll.Stage
	}{
		"any card":                     {desk.Person{Email: "ada@example.com"}, enroll.StageDone},
		"the card that was assigned":   {desk.Person{Email: "ada@example.com", Serial: 1234}, enroll.StageDone},
		"another was assigned to them": {desk.Person{Email: "ada@example.com", Serial: 123}, enroll.StageNone},
		"somebody else":                {desk.Person{Email: "bob@example.com"}, enroll.StageNone},
	} {
		entry := d.QueueEntry(t.Context(), test.person)
		if entry.Stage != test.stage || entry.Problem != nil {
			t.Errorf("%s: %v, %v", name, entry.Stage, entry.Problem)
		}
		if done := entry.Stage == enroll.StageDone; done != (entry.By == "grace@desk-2") || done != entry.When.Equal(when) {
			t.Errorf("%s: by %q, %v", name, entry.By, entry.When)
		}
	}
	if entry := d.QueueEntry(t.Context(), desk.Person{Email: "broken@example.com"}); !errors.Is(entry.Problem, broken) {
		t.Error(entry.Problem)
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

// TestPlaceIsThatOfTheCardThatWasSetAside: a spare card that was begun with later
// does not hide what was done with it.
func TestPlaceIsThatOfTheCardThatWasSetAside(t *testing.T) {
	d, _, folder := begun(t, "ada@example.com", 1234)
	if err := folder.Write(evidence.ReceiptName, []byte("{}")); err != nil {
		t.Fatal(err)
	}
	if _, err := evidence.Begin(d.Dependencies.Evidence, "ada@example.com", 999, time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	for serial, want := range map[uint32]enroll.Stage{1234: enroll.StageDone, 0: enroll.StageBegun, 999: enroll.StageBegun, 5: enroll.StageNone} {
		if entry := d.QueueEntry(t.Context(), desk.Person{Email: "ada@example.com", Serial: serial}); entry.Stage != want || entry.Problem != nil {
			t.Errorf("card %d: %v, %v", serial, entry.Stage, entry.Problem)
		}
	}
}
