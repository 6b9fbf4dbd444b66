package cli

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/cse-piv/cse-piv/internal/cli/stdio"
)

var (
	// named finds what may be a command's name after the program's.
	named = regexp.MustCompile(`\bcse-piv ((?:[a-z][a-z-]* ?)+)`)
	// longFlag finds the long flags in a text.
	longFlag = regexp.MustCompile("(?:^|[\\s(\"'`/|\\[])--([a-z][a-z0-9-]*)")
)

// proseAfter are words that follow the program's name where it is spoken of.
var proseAfter = []string{"and", "cannot", "changes", "does", "enrolls", "enforces", "for", "has", "is", "itself", "knows", "made", "needs", "of", "on", "or", "puts", "says", "takes", "that", "to", "with"}

// foreignFlags are those of other programs that texts show.
var foreignFlags = []string{"check", "device", "iam-account", "ignore-missing", "kill", "member", "owner", "protect", "role", "subject"}

// TestNamedCommandsAndFlags: the program and its documentation name no command and
// no flag that there is none of: hints, messages, help texts, pages.
func TestNamedCommandsAndFlags(t *testing.T) {
	root := newRoot(&stdio.Streams{}, &runLog{})
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	root.InitDefaultHelpFlag()
	root.InitDefaultVersionFlag()
	commands, options := 0, 0
	for where, text := range namingTexts(t) {
		for _, match := range named.FindAllStringSubmatch(text, -1) {
			words := strings.Fields(match[1])
			if slices.Contains(proseAfter, words[0]) {
				continue
			}
			commands++
			command, rest, err := root.Find(words)
			if err != nil || command == root || !command.Runnable() && len(rest) > 0 {
				t.Errorf("%s names cse-piv %s, which there is not", where, match[1])
			}
		}
		for _, match := range longFlag.FindAllStringSubmatch(text, -1) {
			options++
			if !hasFlag(root, match[1]) && !slices.Contains(foreignFlags, match[1]) {
				t.Errorf("%s names the flag --%s, which no command has", where, match[1])
			}
		}
	}
	if commands < 40 || options < 150 {
		t.Errorf("only %d commands and %d flags were found", commands, options)
	}
}

// hasFlag reports whether a command or one below it has the flag, by any of its names.
func hasFlag(command *cobra.Command, name string) bool {
	return command.Flags().Lookup(name) != nil || command.PersistentFlags().Lookup(name) != nil ||
		slices.ContainsFunc(command.Commands(), func(sub *cobra.Command) bool { return hasFlag(sub, name) })
}

// namingTexts are the pages of the documentation, and what stands between quotes in
// the program's source, by where they stand.
func namingTexts(t *testing.T) map[string]string {
	t.Helper()
	texts := map[string]string{}
	for _, file := range documents(t) {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		texts[file] = string(data)
	}
	err := filepath.WalkDir("..", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || slices.Contains([]string{"pgtest", "ldaptest", "terminal"}, filepath.Base(filepath.Dir(path))) {
			return err
		}
		set := token.NewFileSet()
		parsed, err := parser.ParseFile(set, path, nil, 0)
		if err != nil {
			return err
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			if literal, ok := n.(*ast.BasicLit); ok && literal.Kind == token.STRING {
				if text, err := strconv.Unquote(literal.Value); err == nil {
					texts[set.Position(literal.Pos()).String()] = text
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return texts
}
