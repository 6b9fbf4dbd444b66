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

// textBlock is a block of what commands print.
var textBlock = regexp.MustCompile("(?s)\n```text\n(.*?)```")

// typed writes the commands that a text shows in blocks of sh into scripts: typed
// FILE SCRIPT [SCRIPT], where the second has what follows the heading Many machines.
func typed(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 || len(args) > 3 {
		ts.Fatalf("usage: typed FILE SCRIPT [SCRIPT]")
	}
	text, err := os.ReadFile(filepath.Join(docs, args[0]))
	ts.Check(err)
	parts := []string{string(text)}
	if len(args) == 3 {
		alone, shared, _ := strings.Cut(parts[0], "\n## Many machines\n")
		parts = []string{alone, shared}
	}
	for i, part := range parts {
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

// numbers are what differs from run to run: folders, times and serial numbers.
var numbers = regexp.MustCompile(`/\S+/first/|\d{8}T\d{6}Z|\b\d{8}\b`)

// shows checks that the last command printed each line that a text shows in blocks of
// text: shows FILE.
func shows(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: shows FILE")
	}
	text, err := os.ReadFile(filepath.Join(docs, args[0]))
	ts.Check(err)
	printed := numbers.ReplaceAllString("\n"+ts.ReadFile("stdout")+"\n"+ts.ReadFile("stderr")+"\n", "#")
	lines := 0
	for _, block := range textBlock.FindAllStringSubmatch(string(text), -1) {
		for line := range strings.Lines(block[1]) {
			lines++
			if !strings.Contains(printed, "\n"+numbers.ReplaceAllString(line, "#")) {
				ts.Fatalf("%s shows what was not printed: %s", args[0], line)
			}
		}
	}
	if lines == 0 {
		ts.Fatalf("%s shows nothing", args[0])
	}
}

// docs is the folder of the documentation.
var docs, _ = filepath.Abs("../../docs")
