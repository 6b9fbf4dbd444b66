package option

import "github.com/spf13/cobra"

// AddJSON adds the flag --json.
func AddJSON(command *cobra.Command, value *bool) {
	command.Flags().BoolVar(value, "json", false, "print JSON")
}
