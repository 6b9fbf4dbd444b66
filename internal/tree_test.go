package internal_test

import (
	"os/exec"
	"path"
	"slices"
	"strings"
	"testing"
)

// TestFilesInTheTree: every file is of a kind that is meant to be here. What a test left
// behind in its folder, and was committed with the rest, is not.
func TestFilesInTheTree(t *testing.T) {
	out, err := exec.Command("git", "ls-files", "-z", "--cached", "--full-name", ":/").Output()
	if err != nil {
		t.Skipf("NOT TESTED: this is no work tree of git: %v", err)
	}
	kinds := []string{".go", ".mod", ".sum", ".md", ".txt", ".txtar", ".golden", ".sql", ".pem", ".c", ".svg", ".png", ".html", ".css", ".js", ".service", ".rules", ".gitignore"}
	unnamed := []string{"Makefile", ".ci/", "scripts/", "packaging/"} // where files are without an ending
	files := strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")
	for _, file := range files {
		kind := path.Ext(file)
		meant := slices.Contains(kinds, kind) || strings.Contains(file, "/testdata/fuzz/") ||
			kind == "" && slices.ContainsFunc(unnamed, func(where string) bool { return strings.HasPrefix(file, where) })
		if !meant {
			t.Errorf("%s: if this was not left behind by a test, add its kind here", file)
		}
	}
	if len(files) < 1000 {
		t.Errorf("only %d files were looked at", len(files))
	}
}
