package cli

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/cse-piv/cse-piv/internal/cli/practicecmd"
	"github.com/cse-piv/cse-piv/internal/cli/stdio"
)

// shown finds commands in texts: lines of a block, and words between backquotes.
var shown = regexp.MustCompile("(?m)^(?:\\$ )?cse-piv( [^\n]*)?$|`cse-piv( [^`\n]*)?`|: cse-piv( [^`\"\n]*)")

// TestCommandsThatTextsShow: what the documentation and the examples tell people
// to type is understood.
func TestCommandsThatTextsShow(t *testing.T) {
	texts := map[string]string{}
	for _, file := range documents(t) {
		if filepath.Dir(file) == filepath.Clean(referenceFolder) {
			continue // made from the commands
		}
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		texts[file] = strings.ReplaceAll(string(data), "\\\n", " ")
	}
	var collect func(*cobra.Command)
	collect = func(command *cobra.Command) {
		if command.Example != "" {
			texts["example of "+command.CommandPath()] = strings.ReplaceAll(command.Example, "\n  ", "\n")[2:]
		}
		for _, sub := range command.Commands() {
			collect(sub)
		}
	}
	collect(newRoot(&stdio.Streams{}, &runLog{}))
	count := 0
	for name, text := range texts {
		for _, match := range shown.FindAllStringSubmatch(text, -1) {
			line := strings.TrimSpace(match[1] + match[2] + match[3])
			count++
			if err := understood(line); err != nil {
				t.Errorf("%s: cse-piv %s: %v", name, line, err)
			}
		}
	}
	if count < 15 {
		t.Errorf("only %d commands were found", count)
	}
}

// documents are the files of the documentation.
func documents(t *testing.T) []string {
	t.Helper()
	var files []string
	for _, pattern := range []string{"*.md", "docs/*.md", "docs/*/*.md"} {
		found, err := filepath.Glob(filepath.Join("..", "..", pattern))
		if err != nil || len(found) == 0 {
			t.Fatal(pattern, err)
		}
		files = append(files, found...)
	}
	return files
}

// link finds where a page points to.
var link = regexp.MustCompile(`\]\(([^)\s]+)\)`)

// heading finds the headings of a page.
var heading = regexp.MustCompile(`(?m)^#+ (.+)$`)

// anchor is the name of a heading in a link.
func anchor(heading string) string {
	return strings.ReplaceAll(regexp.MustCompile(`[^\w -]`).ReplaceAllString(strings.ToLower(heading), ""), " ", "-")
}

// TestLinksLeadSomewhere: each link of a page is to a file, or a heading, that is there.
func TestLinksLeadSomewhere(t *testing.T) {
	for _, file := range documents(t) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range link.FindAllStringSubmatch(string(text), -1) {
			path, name, _ := strings.Cut(match[1], "#")
			if strings.Contains(path, "://") {
				continue
			}
			target := file
			if path != "" {
				target = filepath.Join(filepath.Dir(file), path)
			}
			there, err := os.ReadFile(target)
			if info, statErr := os.Stat(target); err != nil && (statErr != nil || !info.IsDir()) {
				t.Errorf("%s: %s is not there", file, match[1])
				continue
			}
			if name != "" && !slices.ContainsFunc(heading.FindAllStringSubmatch(string(there), -1), func(h []string) bool { return anchor(h[1]) == name }) {
				t.Errorf("%s: there is no heading %s", file, match[1])
			}
		}
	}
}

// TestPagesAreFound: each page is linked from the list of pages.
func TestPagesAreFound(t *testing.T) {
	list, err := os.ReadFile("../../docs/README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range documents(t) {
		path, err := filepath.Rel(filepath.Join("..", "..", "docs"), file)
		if err == nil && !strings.HasPrefix(path, "..") && path != "README.md" && !strings.Contains(string(list), "]("+filepath.ToSlash(path)+")") {
			t.Errorf("docs/README.md does not name %s", path)
		}
	}
}

// understood returns what the command line would be refused for.
func understood(line string) error {
	for _, end := range []string{" #", " &", " >", " 2>", " |", " <"} {
		line, _, _ = strings.Cut(line, end)
	}
	words := strings.Fields(line)
	if len(words) > 0 && words[0] == strings.ToUpper(words[0]) {
		return nil // speaks of commands in general
	}
	command, rest, err := newRoot(&stdio.Streams{}, &runLog{}).Find(words)
	if err != nil {
		return err
	}
	if !command.Runnable() || len(words) > 0 && words[0] == "help" {
		return nil
	}
	command.InitDefaultVersionFlag()
	if err := command.ParseFlags(rest); err != nil {
		return err
	}
	arguments := command.Flags().Args()
	if len(arguments) == 0 {
		return nil // named, not shown
	}
	return command.ValidateArgs(arguments)
}

// TestLabFlagsAreDocumented: docs/how-to/the-practice-lab.md names every flag that makes the lab.
func TestLabFlagsAreDocumented(t *testing.T) {
	text, err := os.ReadFile("../../docs/how-to/the-practice-lab.md")
	if err != nil {
		t.Fatal(err)
	}
	practicecmd.NewLab(&stdio.Streams{}).Flags().VisitAll(func(flag *pflag.Flag) {
		if !strings.Contains(string(text), "--"+flag.Name) {
			t.Errorf("docs/how-to/the-practice-lab.md says nothing of --%s", flag.Name)
		}
	})
}
