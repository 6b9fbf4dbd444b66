package cli

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/cse-piv/cse-piv/internal/cli/failure"
	"github.com/cse-piv/cse-piv/internal/cli/setting"
	"github.com/cse-piv/cse-piv/internal/cli/stdio"
)

// commandsPage shows every command with every flag.
func commandsPage(*testing.T) string {
	var text strings.Builder
	text.WriteString("# Commands\n\nEvery command and every flag. `cse-piv help COMMAND` shows the same. A flag with a variable is a setting: what is\n" +
		"not typed comes from the variable, or from [config.toml](settings.md); every command takes `--config FILE` (`CSE_PIV_CONFIG`). No flag takes a secret: secrets come from files and descriptors, or are typed. `NO_COLOR` takes the colours away, `TERM=dumb` and `CSE_PIV_ACCESSIBLE` the full screen.\n\n" +
		"What no flag names another place for is in the data folder: `cse-piv` in `$XDG_DATA_HOME` or `~/.local/share`, on Windows in\n" +
		"`%LocalAppData%`, on macOS in `~/Library/Application Support`. `cse-piv completion SHELL` makes the completion of a shell.\n")
	root := newRoot(&stdio.Streams{}, &runLog{})
	text.WriteString("\nThese flags are of every command:\n\n" + markdown(flagRows(root.PersistentFlags())...))
	var show func(*cobra.Command)
	show = func(command *cobra.Command) {
		if command.Runnable() && command.HasParent() && !command.HasSubCommands() {
			text.WriteString(commandSection(command))
		}
		for _, sub := range command.Commands() {
			if sub.Name() != "completion" { // cobra's, named above
				show(sub)
			}
		}
	}
	show(root)
	return text.String()
}

func commandSection(command *cobra.Command) string {
	text := "\n## " + command.CommandPath() + "\n\n" + command.Short + ".\n\n```\n" + strings.TrimSuffix(command.UseLine(), " [flags]") + "\n"
	if command.Long != "" {
		text += "\n" + command.Long + "\n"
	}
	if command.Example != "" {
		text += strings.ReplaceAll("\n"+command.Example, "\n  ", "\n") + "\n"
	}
	text += "```\n"
	if rows := flagRows(command.LocalFlags()); len(rows) > 1 {
		text += "\n" + markdown(rows...)
	}
	return text
}

// flagRows are the rows of a table of flags, its head included.
func flagRows(flags *pflag.FlagSet) [][]string {
	rows := [][]string{{"flag", "what it does", "variable"}}
	flags.VisitAll(func(flag *pflag.Flag) {
		if !flag.Hidden && flag.Name != "help" {
			rows = append(rows, flagRow(flag))
		}
	})
	return rows
}

func flagRow(flag *pflag.Flag) []string {
	kind, usage := pflag.UnquoteUsage(flag)
	name := "--" + flag.Name
	if flag.Shorthand != "" {
		name = "-" + flag.Shorthand + ", " + name
	}
	variable := ""
	if names := flag.Annotations[setting.EnvironmentAnnotation]; len(names) > 0 {
		variable = names[0]
		usage = strings.Replace(usage, " ("+variable+")", "", 1)
	}
	if unset := []string{"", "0", "0s", "false", "[]", "-1"}; !slices.Contains(unset, flag.DefValue) {
		usage += " (default " + flag.DefValue + ")"
	}
	return []string{quoted(strings.TrimSpace(name + " " + strings.ToUpper(kind))), usage, quoted(variable)}
}

// exitCodesPage shows the constants of failure/exit.go and what stands beside them.
func exitCodesPage(t *testing.T) string {
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join("failure", "exit.go"), nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	rows := [][]string{{"code", "meaning"}}
	ast.Inspect(file, func(n ast.Node) bool {
		if spec, ok := n.(*ast.ValueSpec); ok && len(spec.Values) == 1 && strings.HasPrefix(spec.Names[0].Name, "Exit") {
			if value, ok := spec.Values[0].(*ast.BasicLit); ok {
				rows = append(rows, []string{value.Value, strings.TrimSpace(spec.Comment.Text())})
			}
		}
		return true
	})
	if len(rows) < 11 {
		t.Errorf("only %d exit codes were found", len(rows)-1)
	}
	reasons := [][]string{{"code", "reasons"}}
	for code := failure.ExitError; code <= failure.ExitInterrupted; code++ {
		var names []string
		for _, end := range failure.Endings() {
			if name := quoted(end.Reason); end.Code == code && !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
		if code == failure.ExitError {
			names = append(names, quoted(failure.OtherReason))
		}
		if len(names) > 0 {
			reasons = append(reasons, []string{strconv.Itoa(code), strings.Join(names, ", ")})
		}
	}
	return "# Exit codes\n\nOf every command. A worker that is told to stop ends with 0.\n\n" + markdown(rows...) +
		"\nIn JSON the code has a reason beside it. With codes 1 and 2 that may also be a [failure reason](failure-reasons.md): what Gmail\nanswered, or what is wrong with a row.\n\n" + markdown(reasons...)
}
