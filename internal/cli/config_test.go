package cli_test

import (
	"os"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// asOnWindows writes a file as Windows' editors do, with a mark and other line ends: windows FROM TO
func asOnWindows(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: windows FROM TO")
	}
	text := "\ufeff" + strings.ReplaceAll(ts.ReadFile(args[0]), "\n", "\r\n")
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(text), 0o600))
}

// uncomment makes the settings of a commented example count: uncomment FILE
func uncomment(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: uncomment FILE")
	}
	var lines []string
	for line := range strings.Lines(ts.ReadFile(args[0])) {
		if setting, is := strings.CutPrefix(line, "# "); is && (strings.Contains(line, " = ") || strings.Contains(line, "[profile.")) {
			line = setting
		}
		lines = append(lines, line)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(strings.Join(lines, "")), 0o600))
}
