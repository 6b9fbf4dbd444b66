package ledger

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// TestLook: the facts of a ledger are told without a change, also while a process works
// with it.
func TestLook(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	var missing *MissingError
	if _, err := Look(t.Context(), path); !errors.As(err, &missing) {
		t.Errorf("of no ledger: %v", err)
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("looking made the ledger")
	}
	book, err := Open(t.Context(), path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	facts, err := Look(t.Context(), path)
	if err != nil || !facts.InUse || facts.Holder != holderName() || facts.Has != facts.Known || facts.Has == 0 {
		t.Errorf("in use: %+v, %v", facts, err)
	}
	if err := book.Close(); err != nil {
		t.Fatal(err)
	}
	if facts, err = Look(t.Context(), path); err != nil || facts.InUse {
		t.Errorf("not in use: %+v, %v", facts, err)
	}
	// Somebody left word and died.
	if err := os.WriteFile(path+".holder", []byte("process 4711 on desk-2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if facts, err = Look(t.Context(), path); err != nil || facts.InUse {
		t.Errorf("left behind: %+v, %v", facts, err)
	}
}
