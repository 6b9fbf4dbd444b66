package cli_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// shellBlock is a block of commands in a text that can be typed as they stand.
var shellBlock = regexp.MustCompile("(?s)\n```sh\n(.*?)```")

// typed writes the commands that a text shows in blocks of sh into scripts: typed
// FILE SCRIPT SCRIPT, where the second has what follows the heading Many machines.
func typed(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: typed FILE SCRIPT SCRIPT")
	}
	text, err := os.ReadFile(filepath.Join(docs, args[0]))
	ts.Check(err)
	alone, shared, _ := strings.Cut(string(text), "\n## Many machines\n")
	for i, part := range []string{alone, shared} {
		var script strings.Builder
		for _, block := range shellBlock.FindAllStringSubmatch(part, -1) {
			script.WriteString(block[1])
		}
		if script.Len() == 0 {
			ts.Fatalf("%s shows no commands", args[0])
		}
		ts.Check(os.WriteFile(ts.MkAbs(args[i+1]), []byte("set -x\n"+script.String()), 0o600))
	}
}

// docs is the folder of the documentation.
var docs, _ = filepath.Abs("../../docs")
