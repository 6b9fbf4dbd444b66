package cardcmd

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/cse-piv/cse-piv/internal/cli/hint"
	"github.com/cse-piv/cse-piv/internal/cli/option"
	"github.com/cse-piv/cse-piv/internal/cli/stdio"
	"github.com/cse-piv/cse-piv/internal/status"
)

// StatesJSON is the output of card states --json; the names are a contract.
type StatesJSON struct {
	States      []status.Meaning  `json:"states"`
	Transitions []shownTransition `json:"transitions"`
}

// shownTransition is a transition, and what is typed for it.
type shownTransition struct {
	status.Transition
	CommandLine string `json:"command_line"`
}

func newStates(streams *stdio.Streams) *cobra.Command {
	var asJSON bool
	command := &cobra.Command{
		Use: "states", Short: "List the states that a card can be in, and what may be done with it in each",
		Long: "states lists what status --card can say of a card, and the commands that may follow. It asks\n" +
			"no card.",
		RunE: func(*cobra.Command, []string) error {
			if asJSON {
				return stdio.JSON(streams.Out, statesJSON())
			}
			return printStates(streams.Out)
		},
	}
	option.AddJSON(command, &asJSON)
	return command
}

func statesJSON() StatesJSON {
	all := StatesJSON{States: status.States()}
	for _, transition := range status.Transitions() {
		all.Transitions = append(all.Transitions, shownTransition{transition, hint.Command(transition.Command, "", "", 0)})
	}
	return all
}

func printStates(out io.Writer) error {
	for i, meaning := range status.States() {
		if i > 0 {
			fmt.Fprintln(out)
		}
		fmt.Fprintf(out, "%s: %s\n", meaning.State, meaning.Text)
		for _, transition := range meaning.State.Next() {
			fmt.Fprintf(out, "  %s\n      to %s: %s\n", hint.Command(transition.Command, "", "", 0), transition.To, transition.When)
		}
	}
	return nil
}
