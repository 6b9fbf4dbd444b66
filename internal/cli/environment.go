package cli

import (
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// environmentPrefix starts the names of the environment variables that stand
// for flags: CSE_PIV_CREDENTIALS for --credentials.
const environmentPrefix = "CSE_PIV_"

const fromEnvironment = "environment"

// environmentFlag lets a flag be given by the environment. Flags that agree to a
// loss are not: those are typed each time.
func environmentFlag(flags *pflag.FlagSet, names ...string) {
	for _, name := range names {
		if err := flags.SetAnnotation(name, fromEnvironment, []string{environmentName(name)}); err != nil {
			panic(err) // a flag that this program does not define
		}
		flag := flags.Lookup(name)
		flag.Usage += fmt.Sprintf(" (%s)", environmentName(name))
	}
}

func environmentName(flag string) string {
	return environmentPrefix + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// applyEnvironment sets the flags that were not typed from the environment.
func applyEnvironment(cmd *cobra.Command) (err error) {
	cmd.Flags().VisitAll(func(flag *pflag.Flag) {
		if err != nil || flag.Changed || len(flag.Annotations[fromEnvironment]) == 0 {
			return
		}
		name := environmentName(flag.Name)
		if value := os.Getenv(name); value != "" {
			if setErr := cmd.Flags().Set(flag.Name, value); setErr != nil {
				err = flagError(cmd, setErr)
			}
			flag.Changed = false // nobody typed it
		}
	})
	return err
}
