package cli

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/cse-piv/cse-piv/internal/batch"
	"github.com/cse-piv/cse-piv/internal/cli/option"
	"github.com/cse-piv/cse-piv/internal/cli/setting"
	"github.com/cse-piv/cse-piv/internal/cli/usage"
	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/lab/fault"
	"github.com/cse-piv/cse-piv/internal/lab/yubikey"
	"github.com/cse-piv/cse-piv/internal/piv"
)

// completeValues has the shell offer, for each flag and argument of a command and those
// below it, the values that there are, files or folders where those are wanted, and
// else nothing.
func completeValues(command *cobra.Command) {
	command.Flags().VisitAll(func(flag *pflag.Flag) {
		complete := valuesOf(flag)
		if complete == nil {
			return
		}
		if err := command.RegisterFlagCompletionFunc(flag.Name, complete); err != nil {
			panic(err) // a flag that has one already
		}
	})
	if command.ValidArgsFunction == nil {
		command.ValidArgsFunction = func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			names := usage.ArgumentNames(cmd)
			if len(names) == 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			name := names[min(len(args), len(names)-1)]
			if strings.Contains(name, "FILE") || strings.Contains(name, "SOURCE") {
				return nil, cobra.ShellCompDirectiveDefault
			}
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
	}
	for _, sub := range command.Commands() {
		completeValues(sub)
	}
}

// valuesOf returns what completes a flag; nil for files, which shells offer by
// themselves.
func valuesOf(flag *pflag.Flag) cobra.CompletionFunc {
	switch flag.Name {
	case "layout":
		return fixed("single\tone key for signing and encryption", "split\tsigning in 9c, encryption in 9d")
	case "algorithm":
		return fixed(texts(enroll.MailAlgorithms())...)
	case "slot":
		return fixed(texts(piv.Slots())...)
	case "source":
		return fixed("generate\ta new key on the card", "existing\tthe key that is in the slot")
	case "pin-policy":
		return fixed("default", "never", "once", "always")
	case "touch-policy":
		return fixed("default", "never", "cached", "always")
	case "issuer":
		return fixed("file\trequests go to a folder", "local\t--ca-cert and --ca-key sign", "step-ca\ta step-ca, by a provisioner's password", "step-ca-acme\ta step-ca, by the card's attestation", "https://\tan EST server")
	case "format":
		return fixed("csv", "json", "html")
	case "firmware":
		return fixed(texts(yubikey.Profiles())...)
	case "retry":
		values := []string{batch.RetryFailed + "\twhoever failed"}
		for _, reason := range batch.Reasons() {
			values = append(values, reason.Name+"\t"+reason.Meaning)
		}
		return fixed(values...)
	case "fault":
		var values []string
		for _, form := range fault.Forms() {
			values = append(values, form.Spec+"\t"+form.About)
		}
		return fixed(values...)
	case "profile":
		if flag.Value.Type() == "name" {
			return enrollmentProfiles
		}
		return fixed("public\tas Google asks of public authorities", "private\tas the API needs it of a root of your own")
	case "revocation":
		return fixed(option.RevocationOff+"\tnobody is asked", option.RevocationSoft+"\tnot knowing is a warning", option.RevocationHard+"\tnot knowing is an error")
	case "serial":
		return cardsInReaders
	}
	if choice, is := flag.Value.(interface{ Values() []string }); is {
		return fixed(choice.Values()...)
	}
	switch kind, _ := pflag.UnquoteUsage(flag); kind {
	case "file", "file|pattern", "recipient":
		return nil
	case "folder":
		return func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return nil, cobra.ShellCompDirectiveFilterDirs
		}
	}
	return fixed()
}

func fixed(values ...string) cobra.CompletionFunc {
	return cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp)
}

// texts returns how values are written on the command line.
func texts[T any](values []T) []string {
	all := make([]string, len(values))
	for i, value := range values {
		all[i] = fmt.Sprint(value)
	}
	return all
}

// enrollmentProfiles offers the names of the enrollment profiles.
func enrollmentProfiles(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
	profiles, err := setting.ReadProfiles(cmd)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var names []string
	for _, profile := range profiles {
		names = append(names, profile.Name+"\t"+profile.Description)
	}
	return append(names, setting.NoProfile+"\tno profile"), cobra.ShellCompDirectiveNoFileComp
}

// cardsInReaders offers the serial numbers of the cards that are there. A person waits
// for it, so a reader that does not answer is given up soon.
func cardsInReaders(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
	ctx, cancel := context.WithTimeout(cmd.Context(), 5*time.Second)
	defer cancel()
	found, err := piv.List(ctx)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var serials []string
	for _, reader := range found {
		if serial := reader.Identity.Serial; reader.Err == nil && serial != 0 {
			serials = append(serials, strconv.FormatUint(uint64(serial), 10)+"\t"+reader.Identity.Model)
		}
	}
	slices.Sort(serials)
	return serials, cobra.ShellCompDirectiveNoFileComp
}
