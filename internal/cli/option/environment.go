package option

import (
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/cse-piv/cse-piv/internal/cli/usage"
)

// EnvironmentPrefix starts the names of the environment variables that stand
// for flags: CSE_PIV_CREDENTIALS for --credentials.
const EnvironmentPrefix = "CSE_PIV_"

// EnvironmentAnnotation is the annotation of a flag that names its environment variable.
const EnvironmentAnnotation = "environment"

// FromEnvironment lets a flag be given by the environment. Flags that agree to a
// loss are not: those are typed each time.
func FromEnvironment(flags *pflag.FlagSet, names ...string) {
	for _, name := range names {
		if err := flags.SetAnnotation(name, EnvironmentAnnotation, []string{EnvironmentName(name)}); err != nil {
			panic(err) // a flag that this program does not define
		}
		flag := flags.Lookup(name)
		flag.Usage += fmt.Sprintf(" (%s)", EnvironmentName(name))
	}
}

// EnvironmentName returns the variable that stands for a flag.
func EnvironmentName(flag string) string {
	return EnvironmentPrefix + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// ApplyEnvironment sets the flags that were not typed from the environment.
func ApplyEnvironment(cmd *cobra.Command) (err error) {
	cmd.Flags().VisitAll(func(flag *pflag.Flag) {
		if err != nil || flag.Changed || len(flag.Annotations[EnvironmentAnnotation]) == 0 {
			return
		}
		name := EnvironmentName(flag.Name)
		if value := os.Getenv(name); value != "" {
			if setErr := cmd.Flags().Set(flag.Name, value); setErr != nil {
				err = usage.FlagError(cmd, setErr)
			}
			flag.Changed = false // nobody typed it
		}
	})
	return err
}
