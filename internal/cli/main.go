// Package cli is the command line: the root of all commands, which are in packages below
// this one, and how a command ends. Data goes to standard output, everything else to
// standard error; what the exit codes mean stands in package failure.
package cli

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/cse-piv/cse-piv/internal/cli/attestationcmd"
	"github.com/cse-piv/cse-piv/internal/cli/batchcmd"
	"github.com/cse-piv/cse-piv/internal/cli/cacmd"
	"github.com/cse-piv/cse-piv/internal/cli/cardcmd"
	"github.com/cse-piv/cse-piv/internal/cli/certcmd"
	"github.com/cse-piv/cse-piv/internal/cli/configcmd"
	"github.com/cse-piv/cse-piv/internal/cli/credentialscmd"
	"github.com/cse-piv/cse-piv/internal/cli/doctorcmd"
	"github.com/cse-piv/cse-piv/internal/cli/enrollcmd"
	"github.com/cse-piv/cse-piv/internal/cli/escrowcmd"
	"github.com/cse-piv/cse-piv/internal/cli/failure"
	"github.com/cse-piv/cse-piv/internal/cli/gmailcmd"
	"github.com/cse-piv/cse-piv/internal/cli/practicecmd"
	"github.com/cse-piv/cse-piv/internal/cli/profilecmd"
	"github.com/cse-piv/cse-piv/internal/cli/program"
	"github.com/cse-piv/cse-piv/internal/cli/setting"
	"github.com/cse-piv/cse-piv/internal/cli/statuscmd"
	"github.com/cse-piv/cse-piv/internal/cli/stdio"
	"github.com/cse-piv/cse-piv/internal/cli/terminationcmd"
	"github.com/cse-piv/cse-piv/internal/cli/usage"
)

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
	return Run(ctx, os.Args[1:], stdio.Streams{
		In: os.Stdin, Out: os.Stdout, Err: os.Stderr,
		Terminal: term.IsTerminal(int(os.Stdin.Fd())) && term.IsTerminal(int(os.Stderr.Fd())),
	})
}

// Run runs one command line and returns its exit code.
func Run(ctx context.Context, args []string, streams stdio.Streams) int {
	out := &watchedWriter{Writer: streams.Out}
	streams.Out = out
	log := &runLog{}
	root := newRoot(&streams, log)
	root.SetArgs(args)
	root.SetIn(streams.In)
	root.SetOut(out)
	root.SetErr(streams.Err)
	command, err := root.ExecuteContextC(ctx)
	if err != nil {
		streams.Command = command
		tell(&streams, out, command, args, err)
	}
	log.close(err)
	return failure.ExitCode(err)
}

// Root returns the root of all commands, for who looks at them and runs none.
func Root() *cobra.Command { return newRoot(&stdio.Streams{}, &runLog{}) }

func newRoot(streams *stdio.Streams, log *runLog) *cobra.Command {
	root := &cobra.Command{
		Use:   "cse-piv",
		Short: "Enroll smart cards for Gmail client-side encryption",
		Long: "cse-piv takes a user and a YubiKey from nothing to \"this person can sign and read\n" +
			"client-side encrypted Gmail with this card\". The private key never leaves the card.",
		Version:       program.Version(),
		SilenceErrors: true,
		SilenceUsage:  true,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			streams.Command = cmd
			if err := setting.Apply(cmd, messagesOf(cmd, streams)); err != nil {
				return err
			}
			return log.open(cmd, streams)
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			return cmd.Help()
		},
	}
	setting.AddConfig(root.PersistentFlags())
	log.flags.Add(root.PersistentFlags())
	root.SetVersionTemplate(program.Line() + "\n")
	root.SetFlagErrorFunc(usage.FlagError)
	root.SetHelpCommand(newHelp())
	root.AddCommand(
		enrollcmd.New(streams), enrollcmd.NewRenew(streams), cardcmd.New(streams), escrowcmd.New(streams), attestationcmd.New(streams),
		batchcmd.New(streams), batchcmd.NewWorker(streams), batchcmd.NewReport(streams), statuscmd.New(streams), statuscmd.NewReconcile(streams),
		gmailcmd.NewKeyPair(streams), gmailcmd.NewIdentity(streams), certcmd.New(streams), cacmd.New(streams), practicecmd.NewDemo(streams), practicecmd.NewLab(streams),
		profilecmd.New(streams), enrollcmd.NewReplace(streams), terminationcmd.NewLost(streams), terminationcmd.NewLeave(streams), terminationcmd.NewUndo(streams), doctorcmd.New(streams), credentialscmd.New(streams),
	)
	root.AddCommand(configcmd.New(streams, setting.All(root))) // of all commands
	root.InitDefaultCompletionCmd()
	if completion, _, err := root.Find([]string{"completion"}); err == nil {
		completion.RunE = usage.ShowHelp // so that what follows it is looked at
	}
	usage.CheckArguments(root)
	completeValues(root)
	return root
}
