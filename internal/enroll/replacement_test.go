package enroll_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/issuer"
	"github.com/cse-piv/cse-piv/internal/termination"
)

// TestGivenUpIsBegunAnew: an enrollment that was given up stands in nobody's way, what is finished is not given up, and
// whoever enrolls the card after all goes on with its key, and replaces what is asked for then.
func TestGivenUpIsBegunAnew(t *testing.T) {
	d := sweptCard{firmware: "5.7.4", algorithm: "eccp256"}.desk(t)
	setFaults(t, "off")
	issuing := d.deps.Issuer
	waiting, err := issuer.NewFile(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	giveUp := func() {
		t.Helper()
		if err := enroll.GiveUp(t.Context(), d.deps.Evidence, d.email, d.serial, time.Now()); err != nil {
			t.Fatal(err)
		}
	}
	d.deps.Issuer, d.request.Replaces = waiting, &enroll.Replacement{Reason: termination.ReasonLost, Cards: []uint32{7}}
	if _, err := d.run(); len(issuer.Waits(err)) == 0 {
		t.Fatal(err)
	}
	for range 2 {
		giveUp()
		progress, err := enroll.ReadProgress(d.deps.Evidence, d.email, 0)
		earlier, earlierErr := enroll.ReadEarlier(d.deps.Evidence, d.email, 0)
		if err != nil || earlierErr != nil || progress.Stage != enroll.StageNone || !earlier.GivenUp || !earlier.Open || earlier.Replaces != nil {
			t.Fatalf("%+v, %+v, %v, %v", progress, earlier, err, earlierErr)
		}
	}
	before, err := enroll.ReadProgress(d.deps.Evidence, d.email, d.serial)
	if err != nil || before.Replaces != nil {
		t.Fatalf("%+v, %v", before, err)
	}
	d.request.Replaces = nil
	if _, err := d.run(); len(issuer.Waits(err)) == 0 {
		t.Fatal(err)
	}
	progress, err := enroll.ReadProgress(d.deps.Evidence, d.email, 0)
	if err != nil || progress.Stage != enroll.StageWaiting || progress.Replaces != nil || progress.Folder != before.Folder {
		t.Fatalf("%+v, %v", progress, err)
	}
	d.deps.Issuer, d.request.ChangeIssuer = issuing, true
	d.mustRun()
	giveUp()
	if progress, err := enroll.ReadProgress(d.deps.Evidence, d.email, 0); err != nil || progress.Stage != enroll.StageDone {
		t.Fatalf("%+v, %v", progress, err)
	}
}

// TestReplacementIsWrittenDown: what the card takes the place of is known while the certificate is waited
// for, is kept by whoever goes on without saying it, and counts until the use of the former card has ended,
// although the receipt is written. A journal of before says of no replacement.
func TestReplacementIsWrittenDown(t *testing.T) {
	d := sweptCard{firmware: "5.7.4", algorithm: "eccp256"}.desk(t)
	setFaults(t, "off")
	issuing := d.deps.Issuer
	waiting, err := issuer.NewFile(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	d.deps.Issuer = waiting
	want := &enroll.Replacement{Reason: termination.ReasonLost, Cards: []uint32{7}, KeyPairs: termination.KeyPairsLeave, Note: "on a train", Agreed: []string{"disable a"}}
	d.request.Replaces = want
	if _, err := d.run(); len(issuer.Waits(err)) == 0 {
		t.Fatal(err)
	}
	check := func(stage enroll.Stage, begun bool) {
		t.Helper()
		progress, err := enroll.ReadProgress(d.deps.Evidence, d.email, 0)
		earlier, earlierErr := enroll.ReadEarlier(d.deps.Evidence, d.email, d.serial)
		if err != nil || earlierErr != nil || progress.Stage != stage || (progress.Replaces != nil) != begun || (earlier.Replaces != nil) != begun {
			t.Fatalf("%+v, %+v, %v, %v", progress, earlier, err, earlierErr)
		}
		if begun && (earlier.Replaces.Reason != want.Reason || !slices.Equal(earlier.Replaces.Cards, want.Cards) || earlier.Replaces.KeyPairs != want.KeyPairs ||
			earlier.Replaces.Note != want.Note || !slices.Equal(earlier.Replaces.Agreed, want.Agreed)) {
			t.Errorf("%+v", earlier.Replaces)
		}
	}
	check(enroll.StageWaiting, true)
	d.request.Replaces, d.deps.Issuer, d.request.ChangeIssuer = nil, issuing, true
	d.mustRun()
	check(enroll.StageBegun, true)
	for range 2 {
		if err := enroll.EndReplacement(t.Context(), d.deps.Evidence, d.email, d.serial, time.Now()); err != nil {
			t.Fatal(err)
		}
		check(enroll.StageDone, false)
	}
	d.request.Replaces = want
	d.mustRun() // the same once more is no new replacement
	check(enroll.StageDone, false)
	another := *want
	another.Reason = termination.ReasonBroken
	d.request.Replaces, want = &another, &another
	d.mustRun()
	check(enroll.StageBegun, true)
	if _, err := enroll.ReadEarlier(d.deps.Evidence, "nobody@lab.example", 0); !errors.As(err, new(*enroll.NoEvidenceError)) {
		t.Error(err)
	}
}
