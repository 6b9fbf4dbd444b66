// Package cli is the command line: one file for each command, flags in,
// dependencies built, result out. Data goes to standard output, everything else
// to standard error; what the exit codes mean stands in exit.go.
package cli

import (
	"context"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// Streams are the process's standard streams.
type Streams struct {
	In       io.Reader
	Out, Err io.Writer
	// Terminal says that both input and error output are a terminal, so that a
	// person can be asked.
	Terminal bool
}

// Main runs the process's command line and returns its exit code.
func Main() int {
	leaveNoCore()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-signals
		// Before anybody is told of the first: a second interrupt ends the process at once.
		signal.Stop(signals)
		cancel()
	}()
	return Run(ctx, os.Args[1:], Streams{
		In: os.Stdin, Out: os.Stdout, Err: os.Stderr,
		Terminal: term.IsTerminal(int(os.Stdin.Fd())) && term.IsTerminal(int(os.Stderr.Fd())),
	})
}

// Run runs one command line and returns its exit code.
func Run(ctx context.Context, args []string, streams Streams) int {
	out := &watchedWriter{Writer: streams.Out}
	streams.Out = out
	root := newRoot(&streams)
	root.SetArgs(args)
	root.SetIn(streams.In)
	root.SetOut(out)
	root.SetErr(streams.Err)
	command, err := root.ExecuteContextC(ctx)
	if err != nil {
		tell(&streams, out, command, args, err)
	}
	return exitCode(err)
}

func newRoot(streams *Streams) *cobra.Command {
	root := &cobra.Command{
		Use:   "cse-piv",
		Short: "Enroll smart cards for Gmail client-side encryption",
		Long: "cse-piv takes a user and a YubiKey from nothing to \"this person can sign and read\n" +
			"client-side encrypted Gmail with this card\". The private key never leaves the card.",
		Version:           version(),
		SilenceErrors:     true,
		SilenceUsage:      true,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error { return applyEnvironment(cmd) },
		RunE: func(cmd *cobra.Command, _ []string) error {
			return cmd.Help()
		},
	}
	root.SetVersionTemplate(versionLine() + "\n")
	root.SetFlagErrorFunc(flagError)
	root.SetHelpCommand(newHelp())
	root.AddCommand(
		newEnroll(streams), newCard(streams), newEscrow(streams), newAttestation(streams),
		newBatch(streams), newWorker(streams), newReport(streams), newStatus(streams),
		newKeyPair(streams), newIdentity(streams), newCert(streams), newCA(streams), newDemo(streams), newLab(streams),
	)
	root.InitDefaultCompletionCmd()
	if completion, _, err := root.Find([]string{"completion"}); err == nil {
		completion.RunE = showHelp // so that what follows it is looked at
	}
	checkArguments(root)
	completeValues(root)
	return root
}
