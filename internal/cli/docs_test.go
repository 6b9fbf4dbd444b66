package cli

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// shown finds commands in texts: lines of a block, and words between backquotes.
var shown = regexp.MustCompile("(?m)^(?:\\$ )?cse-piv( [^\n]*)?$|`cse-piv( [^`\n]*)?`|: cse-piv( [^`\"\n]*)")

// TestCommandsThatTextsShow: what the documentation and the examples tell people
// to type is understood.
func TestCommandsThatTextsShow(t *testing.T) {
	files, err := filepath.Glob("../../docs/*.md")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	texts := map[string]string{}
	for _, file := range append(files, "../../README.md", "../../SECURITY.md", "../../docs/explanation/threat-model.md") {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		texts[filepath.Base(file)] = strings.ReplaceAll(string(data), "\\\n", " ")
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
	collect(newRoot(&Streams{}))
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

// understood returns what the command line would be refused for.
func understood(line string) error {
	for _, end := range []string{" #", " &", " >", " 2>", " |", " <"} {
		line, _, _ = strings.Cut(line, end)
	}
	words := strings.Fields(line)
	if len(words) > 0 && words[0] == strings.ToUpper(words[0]) {
		return nil // speaks of commands in general
	}
	command, rest, err := newRoot(&Streams{}).Find(words)
	if err != nil {
		return err
	}
	if !command.Runnable() || len(words) > 0 && words[0] == "help" {
		return nil
	}
	if err := command.ParseFlags(rest); err != nil {
		return err
	}
	arguments := command.Flags().Args()
	if len(arguments) == 0 {
		return nil // named, not shown
	}
	return command.ValidateArgs(arguments)
}

// TestLabFlagsAreDocumented: docs/lab.md names every flag that makes the lab.
func TestLabFlagsAreDocumented(t *testing.T) {
	text, err := os.ReadFile("../../docs/lab.md")
	if err != nil {
		t.Fatal(err)
	}
	newLab(&Streams{}).Flags().VisitAll(func(flag *pflag.Flag) {
		if !strings.Contains(string(text), "--"+flag.Name) {
			t.Errorf("docs/lab.md says nothing of --%s", flag.Name)
		}
	})
}
