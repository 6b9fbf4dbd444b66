package batchcmd

import (
	"errors"
	"io"
	"path/filepath"
	"testing"

	"github.com/cse-piv/cse-piv/internal/batch"
	"github.com/cse-piv/cse-piv/internal/cli/stdio"
	"github.com/cse-piv/cse-piv/internal/ledger"
)

// TestALedgerThatIsGoneIsToldOnce: where a run ended because of its ledger, the
// summary that cannot be read says nothing new.
func TestALedgerThatIsGoneIsToldOnce(t *testing.T) {
	l, err := ledger.Open(t.Context(), filepath.Join(t.TempDir(), "ledger.db"), ledger.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	streams, options := &stdio.Streams{Out: io.Discard, Err: io.Discard}, &batchOptions{}
	task := &batch.Options{Ledger: l}
	gone := &ledger.Error{Ledger: l.Name(), Err: errors.New("gone")}
	if err := options.conclude(t.Context(), streams, task, 1, gone); err != gone {
		t.Errorf("%v, and not %v alone", err, gone)
	}
	if err := options.conclude(t.Context(), streams, task, 1, nil); err == nil {
		t.Error("nothing was said at all")
	}
}
