// Package setting is what flags are when nobody types them: of an environment variable, of
// config.toml or of an enrollment profile in it, and which of these it was.
package setting

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/cse-piv/cse-piv/internal/cli/stdio"
	"github.com/cse-piv/cse-piv/internal/cli/usage"
	"github.com/cse-piv/cse-piv/internal/config"
	"github.com/cse-piv/cse-piv/internal/durable"
)

// EnvironmentPrefix starts the names of the environment variables that stand
// for flags: CSE_PIV_CREDENTIALS for --credentials.
const EnvironmentPrefix = "CSE_PIV_"

// EnvironmentAnnotation is the annotation of a flag that names its environment variable.
const EnvironmentAnnotation = "environment"

// Mark makes settings of flags: what is not typed comes from the environment variable
// of the flag or, where that is not set, from the key of config.toml that has the flag's name.
// Flags that agree to a loss are no settings: those are typed each time.
func Mark(flags *pflag.FlagSet, names ...string) {
	for _, name := range names {
		annotate(flags, name, EnvironmentAnnotation, EnvironmentName(name))
		flag := flags.Lookup(name)
		flag.Usage += fmt.Sprintf(" (%s)", EnvironmentName(name))
	}
}

// secretAnnotation is the annotation of a flag that names the file of a secret.
const secretAnnotation = "secret"

// MarkSecret says of a flag that it names the file of a secret, NAME-file of a secret NAME. The
// secret itself is refused in config.toml.
func MarkSecret(flags *pflag.FlagSet, name string) {
	annotate(flags, name, secretAnnotation, strings.TrimSuffix(name, "-file"))
}

func isSecret(flag *pflag.Flag) bool { return len(flag.Annotations[secretAnnotation]) > 0 }

func annotate(flags *pflag.FlagSet, name, annotation string, values ...string) {
	if err := flags.SetAnnotation(name, annotation, values); err != nil {
		panic(err) // a flag that this program does not define
	}
}

// EnvironmentName returns the variable that stands for a flag.
func EnvironmentName(flag string) string {
	return EnvironmentPrefix + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// notInFile are the settings that cannot stand in the file that they lead to, or lead into.
func notInFile() []string { return []string{configFlag, profileFlag} }

func isSetting(flag *pflag.Flag) bool { return len(flag.Annotations[EnvironmentAnnotation]) > 0 }

// All returns the settings of all commands, by their names; where several commands have one
// of a name, it is the flag of the first.
func All(root *cobra.Command) map[string]*pflag.Flag {
	return flagsOf(root, func(flag *pflag.Flag) bool { return isSetting(flag) && !slices.Contains(notInFile(), flag.Name) })
}

// flagsOf returns the flags that are wanted of a command and those below it, by their names.
func flagsOf(command *cobra.Command, wanted func(*pflag.Flag) bool) map[string]*pflag.Flag {
	all := map[string]*pflag.Flag{}
	command.Flags().VisitAll(func(flag *pflag.Flag) {
		if wanted(flag) {
			all[flag.Name] = flag
		}
	})
	for _, sub := range command.Commands() {
		for name, flag := range flagsOf(sub, wanted) {
			if all[name] == nil {
				all[name] = flag
			}
		}
	}
	return all
}

// Apply gives the flags of a command that were not typed what the environment or
// config.toml says, and has the enrollment profile chosen that is named. The whole of
// config.toml is checked, whichever command it is for. Its errors are usage errors. Warnings go
// to messages.
func Apply(cmd *cobra.Command, messages io.Writer) error {
	var settings []*pflag.Flag
	cmd.Flags().VisitAll(func(flag *pflag.Flag) {
		if isSetting(flag) && flag.Name != configFlag {
			settings = append(settings, flag)
		}
	})
	file := &config.File{}
	if hasSettings(cmd) {
		var err error
		if file, err = readConfig(cmd); err != nil {
			return usage.Errorf("%w", err)
		}
	}
	profiles, err := checkFile(cmd, file)
	if err != nil {
		return usage.Errorf("%w", err)
	}
	if warning, _ := durable.WriteWarning(file.Path); file.Path != "" && warning != "" {
		stdio.Warning(messages, "the configuration "+warning)
	}
	for _, flag := range settings {
		if flag.Changed {
			continue
		}
		if err := applySetting(cmd.Flags(), flag, file); err != nil {
			return err
		}
	}
	if chosen := profileOf(cmd.Flags()); chosen != nil {
		return chosen.offer(cmd.Flags(), profiles)
	}
	return nil
}

// hasSettings reports whether a command has settings besides those of every command; help
// and completion have none, and work whatever stands in config.toml.
func hasSettings(cmd *cobra.Command) bool {
	found := false
	cmd.LocalNonPersistentFlags().VisitAll(func(flag *pflag.Flag) { found = found || isSetting(flag) })
	return found
}

// applySetting sets a flag that was not typed.
func applySetting(flags *pflag.FlagSet, flag *pflag.Flag, file *config.File) error {
	variable := EnvironmentName(flag.Name)
	if value := os.Getenv(variable); value != "" {
		setOrigin(flag, Origin{Kind: OriginVariable, Variable: variable})
		err := flags.Set(flag.Name, value)
		flag.Changed = false // nobody typed it
		if err != nil {
			return usage.FlagError(nil, err)
		}
		return nil
	}
	value, stands := file.Settings.Values[flag.Name]
	if !stands {
		return nil
	}
	setOrigin(flag, Origin{Kind: OriginFile, File: value.Origin.File, Line: value.Origin.Line})
	if err := setValue(flag, value); err != nil {
		return usage.Errorf("%w", err)
	}
	return nil
}
