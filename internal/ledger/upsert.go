package ledger

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/cse-piv/cse-piv/internal/certificate"
)

// reasonTwice is the reason of an address that a source gives twice with
// different certificates.
const reasonTwice = "address-twice"

// upsert is what becomes of an entry when a source has it.
type upsert struct {
	stored
	replaced []Pair // that are no longer asked for
	newPairs bool   // the pairs are to be written
	dirty    bool
}

// newUpsert returns what becomes of what the ledger has of a user (have; nil for
// nothing) when a run's source asks for want. trust takes done entries at their
// word; otherwise they are to be looked at again.
func newUpsert(run int64, have *stored, want Entry, trust bool, now time.Time) upsert {
	want.Run, want.Updated = run, now
	if want.State == "" {
		want.State = StateWaiting
	}
	if want.Step == "" {
		want.Step = "read"
	}
	if have == nil {
		return upsert{stored: stored{Entry: want, revision: 1}, newPairs: true, dirty: true}
	}
	if have.Run == run {
		return upsertAgain(have, want, now)
	}
	m := upsert{stored: *have, dirty: true}
	m.Run, m.Where, m.Line, m.Email = run, want.Where, want.Line, want.Email
	m.Warnings, m.Attempts = want.Warnings, 0
	same := SamePairs(have.Pairs, want.Pairs)
	if want.State == StateFailed {
		// Nothing can be done by this row. What was registered stays known.
		m.State, m.Earlier, m.Updated = StateFailed, false, now
		m.revision++
		m.Class, m.Reason, m.Message, m.Hint = want.Class, want.Reason, want.Message, want.Hint
		return m
	}
	m.Class, m.Reason, m.Message, m.Hint = "", "", "", ""
	if same && (have.Step == StepIdentity || have.Step == StepEnrolled) && (have.State == StateDone || have.Earlier) {
		// Updated still says when it was done.
		m.Earlier = true
		if m.State = StateWaiting; trust {
			m.State = StateDone
		}
		// The chain may have changed above the leaf.
		m.Pairs, m.newPairs = carryOver(want.Pairs, have.Pairs), true
		return m
	}
	m.State, m.Earlier, m.Updated, m.newPairs = StateWaiting, false, now, true
	m.Pairs = carryOver(want.Pairs, have.Pairs)
	if !same {
		m.revision++
		m.Step = StepRead
		m.replaced = notIn(have.Pairs, want.Pairs)
	}
	return m
}

// upsertAgain is for an address that the same source had before.
func upsertAgain(have *stored, want Entry, now time.Time) upsert {
	m := upsert{stored: *have, dirty: true}
	first, second := have.Where, want.Where
	same := SamePairs(have.Pairs, want.Pairs)
	// What is wrong with the user is wrong with both rows.
	alike := same && len(want.Pairs) > 0 && have.State == StateFailed && want.State == StateFailed && have.Reason == want.Reason
	switch {
	case have.Reason == reasonTwice:
		m.Message = andThere(have.Message, second)
	case !alike && (have.State == StateFailed && have.Class == ClassRow || want.State == StateFailed || !same):
		m.State, m.Class, m.Reason, m.Earlier, m.Updated = StateFailed, ClassRow, reasonTwice, false, now
		m.Message = fmt.Sprintf("the address is there twice, with different certificates: %s, and %s", first, second)
		m.Hint = "keep the row that is right, remove the other, and run the same command again"
		m.revision++
	default:
		const again = "the address is there again, with the same certificates: "
		m.Warnings = slices.Clone(have.Warnings)
		if i := slices.IndexFunc(m.Warnings, func(w string) bool { return strings.HasPrefix(w, again) }); i >= 0 {
			m.Warnings[i] = andThere(m.Warnings[i], second)
		} else {
			m.Warnings = append(m.Warnings, again+second)
		}
	}
	return m
}

// andThere adds a place to a text that names some, but not without end.
func andThere(text, where string) string {
	const most, others = 5, ", and others"
	switch n := strings.Count(text, ", and "); {
	case strings.HasSuffix(text, others):
		return text
	case n >= most:
		return text + others
	}
	return text + ", and " + where
}

// SamePairs compares two lists of pairs by leaf and use, in any order.
func SamePairs(a, b []Pair) bool {
	return len(a) == len(b) && len(notIn(a, b)) == 0 && len(notIn(b, a)) == 0
}

// notIn returns the pairs whose leaf and use are not among others.
func notIn(pairs, others []Pair) []Pair {
	var out []Pair
	for _, pair := range pairs {
		if !slices.ContainsFunc(others, func(o Pair) bool { return o.Use == pair.Use && o.LeafSHA256 == pair.LeafSHA256 }) {
			out = append(out, pair)
		}
	}
	return out
}

// carryOver keeps what is known of leaves that are registered already.
func carryOver(pairs, known []Pair) []Pair {
	out := slices.Clone(pairs)
	for i := range out {
		for _, k := range known {
			// A pair without chain validation cannot serve for more than history.
			if k.KeyPairID != "" && strings.EqualFold(k.LeafSHA256, out[i].LeafSHA256) && (k.Use == certificate.UseHistory) == (out[i].Use == certificate.UseHistory) {
				out[i].KeyPairID, out[i].Created = k.KeyPairID, k.Created
				out[i].Superfluous, out[i].InKeyService = k.Superfluous, k.InKeyService
			}
		}
	}
	return out
}
