package internal_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	quoted     = regexp.MustCompile("`([^`\n]+)`")
	ourPath    = regexp.MustCompile(`^(internal|cmd|docs|scripts)(/[\w.-]+)+$|^[\w/]+\.go$`)
	testName   = regexp.MustCompile(`\b(?:Test|Fuzz)[A-Z]\w+`)
	definition = regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`)
)

// TestPathsAreThere: files, folders and tests that ARCHITECTURE.md and CONTRIBUTING.md
// name are there. A path of Go may be shortened from the left.
func TestPathsAreThere(t *testing.T) {
	files, tests := sources(t)
	for _, page := range []string{"../ARCHITECTURE.md", "../CONTRIBUTING.md"} {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		paths := 0
		for _, match := range quoted.FindAllStringSubmatch(string(text), -1) {
			for word := range strings.FieldsSeq(match[1]) {
				word = strings.TrimPrefix(word, "./")
				if !ourPath.MatchString(word) {
					continue
				}
				paths++
				_, err := os.Stat(filepath.Join("..", word))
				if err != nil && !slices.ContainsFunc(files, func(file string) bool { return strings.HasSuffix(file, "/"+word) }) {
					t.Errorf("%s: there is no %s", page, word)
				}
			}
			for _, name := range testName.FindAllString(match[1], -1) {
				if !tests[name] {
					t.Errorf("%s: there is no %s", page, name)
				}
			}
		}
		if paths < 10 {
			t.Errorf("%s: only %d paths were found", page, paths)
		}
	}
}

// sources are the files of Go, and the names of tests in them.
func sources(t *testing.T) (files []string, tests map[string]bool) {
	t.Helper()
	tests = map[string]bool{}
	err := filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || filepath.Ext(path) != ".go" {
			return err
		}
		files = append(files, "/"+filepath.ToSlash(path))
		source, err := os.ReadFile(path)
		for _, match := range definition.FindAllSubmatch(source, -1) {
			tests[string(match[1])] = true
		}
		return err
	})
	if err != nil || len(files) < 100 || len(tests) < 100 {
		t.Fatalf("%d files and %d tests: %v", len(files), len(tests), err)
	}
	return files, tests
}
