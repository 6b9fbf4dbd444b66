package desk_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/cse-piv/cse-piv/internal/desk"
	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/issuer"
	"github.com/cse-piv/cse-piv/internal/piv"
)

// What failed counts until it is put right, and stopping puts nothing right.
func TestFailuresAreNotedUntilTheyArePutRight(t *testing.T) {
	refused := errors.New("the attestation is refused")
	wait := fmt.Errorf("get the certificate: %w", &issuer.WaitingError{Request: "the CA"})
	for name, test := range map[string]struct {
		came []error
		want error
	}{
		"nothing":                {nil, nil},
		"a failure":              {[]error{refused}, refused},
		"a no":                   {[]error{fmt.Errorf("review: %w", enroll.ErrDeclined)}, enroll.ErrDeclined},
		"the latest":             {[]error{enroll.ErrDeclined, refused}, refused},
		"stopped":                {[]error{context.Canceled}, nil},
		"stopped afterwards":     {[]error{refused, fmt.Errorf("attest: %w", context.Canceled)}, refused},
		"put right":              {[]error{refused, nil}, nil},
		"waiting, not failed":    {[]error{refused, wait}, nil},
		"failed after the wait":  {[]error{wait, refused}, refused},
		"failed after a receipt": {[]error{nil, refused}, refused},
	} {
		failures := desk.Failures{}
		for _, err := range test.came {
			failures.Note("Ada@example.com", err)
		}
		got := failures.Of("ada@Example.com")
		if !errors.Is(got, test.want) || failures.Has("ADA@example.com") != (test.want != nil) || failures.Has("grace@example.com") {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
	}
}

func TestLeftOfOne(t *testing.T) {
	refused := errors.New("the attestation is refused")
	wait := &issuer.WaitingError{Request: "the CA"}
	waiting := standing("ada@example.com", enroll.StageWaiting, 1)
	waiting.Waits = []*issuer.WaitingError{wait}
	for name, test := range map[string]struct {
		entry    desk.QueueEntry
		failures desk.Failures
		want     error
	}{
		"nothing was begun": {standing("ada@example.com", enroll.StageNone, 0), nil, context.Canceled},
		"stopped":           {standing("ada@example.com", enroll.StageBegun, 1), nil, context.Canceled},
		"waiting":           {waiting, nil, wait},
		"failed":            {standing("ada@example.com", enroll.StageBegun, 1), desk.Failures{"ada@example.com": refused}, refused},
		"done":              {standing("ada@example.com", enroll.StageDone, 1), nil, nil},
	} {
		if got := desk.LeftOf(test.entry, test.failures); !errors.Is(got, test.want) || test.want == nil && got != nil {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
	}
}

// The last error of a desk with many says whose it is.
func TestLeftNamesWho(t *testing.T) {
	entries := []desk.QueueEntry{{Person: desk.Person{Email: ada}, Problem: errRefused}, {Person: desk.Person{Email: grace}}}
	failures := desk.Failures{}
	if err := desk.Left(entries, failures); !errors.Is(err, errRefused) || err.Error() != ada+": "+errRefused.Error() {
		t.Errorf("it says %v", err)
	}
	failures.Note(grace, piv.ErrNoCard)
	if err := desk.Left(entries, failures); !errors.Is(err, piv.ErrNoCard) || !strings.HasPrefix(err.Error(), grace+": ") {
		t.Errorf("it says %v", err)
	}
	if err := desk.LeftOf(entries[0], failures); err != errRefused {
		t.Errorf("for one person it says %v", err)
	}
}

// Everybody counts once: who failed with the certificate there is not ready to go on.
func TestTally(t *testing.T) {
	entry := func(email string, stage enroll.Stage, problem error) desk.QueueEntry {
		return desk.QueueEntry{Person: desk.Person{Email: email}, Progress: enroll.Progress{Stage: stage}, Problem: problem}
	}
	p := play(enroll.Request{Keys: keys}, false, entry(ada, enroll.StageReady, nil), entry(grace, enroll.StageNone, nil), entry("hedy@example.com", enroll.StageDone, errRefused), entry("x@example.com", enroll.StageBegun, errRefused))
	p.Failures.Note(ada, errRefused)
	if got, want := p.Tally(), (desk.Tally{All: 4, Done: 1, Failed: 2, ToDo: 1}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}
