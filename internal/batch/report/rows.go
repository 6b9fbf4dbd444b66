package report

import (
	"context"
	"strings"

	"github.com/cse-piv/cse-piv/internal/ledger"
)

// mostRows is how many users the page's table takes: a browser opens a page of
// that size, some 20 MB, within seconds. Users who are done give way to others.
const mostRows = 100_000

// The numbers of the outcomes in a row, as page.js knows them.
const (
	rowDone = iota
	rowEarlier
	rowFailed
	rowWaiting
	rowTakenOver
	rowAgain
)

// rows writes the users of a run for the page's script, compactly: what many
// have in common is said once, in the group.
type rows struct {
	most     int
	doneRoom int // how many done users still fit
	restRoom int // how many others
	groups   []ledger.Group
	index    map[groupKey]int
}

type groupKey struct {
	class  ledger.Class
	reason string
}

func newRows(counts ledger.Counts, groups []ledger.Group) *rows {
	r := &rows{most: mostRows, restRoom: mostRows, groups: groups, index: map[groupKey]int{}}
	r.doneRoom = max(0, r.most-counts.Failed-counts.Waiting-counts.TakenOver)
	for i, group := range groups {
		r.index[groupKey{group.Class, group.Reason}] = i
	}
	return r
}

func (r *rows) write(ctx context.Context, out *jsonStream, reader Reader, run ledger.Run) error {
	words := wordsOf(run)
	type group struct {
		Reason string `json:"reason"`
		Hint   string `json:"hint"`
	}
	groups := []group{}
	for _, g := range r.groups {
		groups = append(groups, group{g.Reason, g.Hint})
	}
	out.text("{\"outcomes\":")
	out.value([]string{words.Done, words.Earlier, words.Failed, words.Waiting, words.TakenOver, words.Again})
	out.text(",\"groups\":")
	out.value(groups)
	out.text(",\"users\":[")
	between := "\n"
	for entry, err := range reader.Entries(ctx, run.ID) {
		if err != nil {
			return err
		}
		if !r.fits(entry) {
			continue
		}
		out.text(between)
		out.value(r.row(entry))
		between = ",\n"
		if out.err != nil {
			return out.err
		}
	}
	out.text("\n]}")
	return out.err
}

func (r *rows) fits(entry ledger.Entry) bool {
	room := &r.restRoom
	if entry.State == ledger.StateDone {
		room = &r.doneRoom
	}
	*room--
	return *room >= 0
}

// row is [address, outcome, group or -1, detail, hint where it is not the
// group's, where, seconds since 1970, the first certificate's end in such].
func (r *rows) row(entry ledger.Entry) [8]any {
	row := [8]any{entry.Email, outcome(entry), -1, detail(entry), "", entry.Where, int64(0), int64(0)}
	if end := endOf(entry); !end.IsZero() {
		row[7] = end.Unix()
	}
	if !entry.Updated.IsZero() {
		row[6] = entry.Updated.Unix()
	}
	if entry.State != ledger.StateFailed {
		return row
	}
	group, known := r.index[groupKey{entry.Class, entry.Reason}]
	if known {
		row[2] = group
	}
	if !known || r.groups[group].Hint != entry.Hint {
		row[4] = entry.Hint
	}
	return row
}

func outcome(entry ledger.Entry) int {
	switch {
	case entry.State == ledger.StateFailed:
		return rowFailed
	case entry.TakenOver:
		return rowTakenOver
	case entry.State == ledger.StateWaiting && entry.Earlier:
		return rowAgain
	case entry.State == ledger.StateWaiting:
		return rowWaiting
	case entry.Earlier:
		return rowEarlier
	}
	return rowDone
}

// detail is why it failed, or which key pairs there are, and what was noticed.
func detail(entry ledger.Entry) string {
	var parts []string
	if entry.Message != "" && entry.State != ledger.StateDone {
		parts = append(parts, entry.Message)
	}
	if entry.State == ledger.StateDone {
		for _, pair := range entry.Pairs {
			if pair.KeyPairID != "" {
				parts = append(parts, "key pair "+pair.KeyPairID)
			}
			for _, id := range pair.Superfluous {
				parts = append(parts, "superfluous key pair "+id)
			}
			for _, id := range pair.InKeyService {
				parts = append(parts, "key pair in a key service "+id)
			}
		}
		for _, id := range entry.Replaced {
			parts = append(parts, "takes the place of key pair "+id+", which stays enabled")
		}
	}
	for _, warning := range entry.Warnings {
		parts = append(parts, "warning: "+warning)
	}
	return strings.Join(parts, "; ")
}
