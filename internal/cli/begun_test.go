package cli_test

import (
	"encoding/json"
	"os"
	"path/filepath"

	"github.com/rogpeppe/go-internal/testscript"
)

// untouched checks that nothing happened to a user and the card: untouched EMAIL
// FILE, where FILE is what card show --json said before.
func untouched(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: untouched EMAIL FILE")
	}
	before := ts.ReadFile(args[1])
	ts.Check(ts.Exec("cse-piv", "card", "show", "--json"))
	if now := ts.ReadFile("stdout"); now != before {
		ts.Fatalf("the card was changed: %s", now)
	}
	holds(ts, false, []string{args[0], "0", "0"})
	for _, kept := range []string{"evidence", "escrow"} {
		path := filepath.Join(ts.Getenv("XDG_DATA_HOME"), "cse-piv", kept)
		if entries, err := os.ReadDir(path); len(entries) > 0 || err == nil {
			ts.Fatalf("%s is there: %v", path, entries)
		}
	}
}

// keyOf puts the fingerprint of a receipt's first certificate, by which its key is
// named, into a variable: key FILE VARIABLE.
func keyOf(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: key FILE VARIABLE")
	}
	var receipt struct {
		Keys []struct {
			Leaf string `json:"leaf_sha256"`
		} `json:"keys"`
	}
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &receipt))
	ts.Setenv(args[1], receipt.Keys[0].Leaf)
}
