package cli

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"

	"github.com/cse-piv/cse-piv/internal/cli/stdio"
)

var manual = flag.String("manual", "", "write the manual pages to this `folder`, dated SOURCE_DATE_EPOCH")

// TestManualPages: each command that is shown has a manual page with its flags, in section 1.
// With -args -manual FOLDER the pages stay there: scripts/release puts them into packages.
func TestManualPages(t *testing.T) {
	dir := *manual
	if dir == "" {
		dir = t.TempDir()
	}
	root := newRoot(&stdio.Streams{}, &runLog{})
	root.DisableAutoGenTag = true
	header := &doc.GenManHeader{Title: "CSE-PIV", Section: "1", Source: "cse-piv", Manual: "User Commands"}
	if err := doc.GenManTree(root, header, dir); err != nil {
		t.Fatal(err)
	}
	var check func(*cobra.Command)
	check = func(command *cobra.Command) {
		if command.Hidden {
			return
		}
		page, err := os.ReadFile(filepath.Join(dir, strings.ReplaceAll(command.CommandPath(), " ", "-")+".1"))
		if err != nil {
			t.Error(err)
		}
		for _, want := range []string{".SH NAME", ".SH SYNOPSIS", `\fB-h\fP`} {
			if !strings.Contains(string(page), want) {
				t.Errorf("the page of %s has no %s", command.CommandPath(), want)
			}
		}
		for _, below := range command.Commands() {
			if below.IsAvailableCommand() && !below.IsAdditionalHelpTopicCommand() {
				check(below)
			}
		}
	}
	check(root)
}
