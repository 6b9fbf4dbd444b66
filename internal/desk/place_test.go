package desk_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"os"
	"testing"
	"time"

	"github.com/cse-piv/cse-piv/internal/desk"
	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/evidence"
	"github.com/cse-piv/cse-piv/internal/smime"
)

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
