// Package internal_test holds the house to its own rules; see ARCHITECTURE.md.
package internal_test

import (
	"encoding/json"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/cse-piv/cse-piv/"

// TestWhichWayThingsPoint: who may import what.
func TestWhichWayThingsPoint(t *testing.T) {
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports", "./...").Output()
	if err != nil {
		t.Fatal(err)
	}
	only := map[string][]string{
		"github.com/go-piv/piv-go/": {"internal/piv", "internal/lab/clients"},
		"google.golang.org/api/":    {"internal/gmail"},
		"github.com/go-ldap/":       {"internal/batch/source"},
		"charm.land/":               {"internal/tui"},
		module + "internal/lab":     {"internal/lab", "internal/cli"},
		module + "internal/cli":     {"internal/cli", "cmd/cse-piv"},
		module + "internal/tui":     {"internal/cli"},
		module + "internal/plain":   {"internal/cli"},
	}
	// One command is made of another: the demo of an enrollment, status of what keypair shows,
	// replace of an enrollment and the end of the former card's use.
	neighbours := []string{"internal/cli/practicecmd internal/cli/enrollcmd", "internal/cli/statuscmd internal/cli/gmailcmd", "internal/cli/enrollcmd internal/cli/terminationcmd"}
	leaves := []string{"piv", "smime", "issuer", "repository", "gmail", "escrow", "evidence", "ledger"}
	count := 0
	for decoder := json.NewDecoder(strings.NewReader(string(out))); decoder.More(); count++ {
		var p struct {
			ImportPath string
			Imports    []string
		}
		if err := decoder.Decode(&p); err != nil {
			t.Fatal(err)
		}
		name := strings.TrimPrefix(p.ImportPath, module)
		for _, imported := range p.Imports {
			for prefix, allowed := range only {
				if within(imported, prefix) && !slices.ContainsFunc(allowed, func(who string) bool { return within(name, who) }) {
					t.Errorf("%s imports %s", name, imported)
				}
			}
			_, product := strings.CutPrefix(imported, module)
			if within(name, "internal/lab") && product && !within(imported, module+"internal/lab") {
				t.Errorf("%s, the other end of the wire, imports %s", name, imported)
			}
			command := strings.HasSuffix(imported, "cmd") && within(imported, module+"internal/cli")
			if command && name != "internal/cli" && !slices.Contains(neighbours, name+" "+strings.TrimPrefix(imported, module)) {
				t.Errorf("%s imports the command %s", name, imported)
			}
			if name == "internal/tui" && slices.Contains([]string{"net/http", "database/sql", "os/exec"}, imported) {
				t.Errorf("%s imports %s", name, imported)
			}
			for _, leaf := range leaves {
				for _, other := range leaves {
					if leaf != other && within(name, "internal/"+leaf) && within(imported, module+"internal/"+other) {
						t.Errorf("%s imports %s", name, imported)
					}
				}
			}
		}
	}
	if count < 30 {
		t.Errorf("only %d packages were looked at", count)
	}
}

// within reports whether a package is the one that is named, or below it; a name
// with a slash at its end is a prefix.
func within(name, where string) bool {
	return name == where || strings.HasPrefix(name, strings.TrimSuffix(where, "/")+"/")
}
