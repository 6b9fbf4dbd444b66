package practicecmd

import (
	"crypto/rand"
	"errors"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"runtime"

	"github.com/spf13/cobra"

	"github.com/cse-piv/cse-piv/internal/cli/enrollcmd"
	"github.com/cse-piv/cse-piv/internal/cli/failure"
	"github.com/cse-piv/cse-piv/internal/cli/option"
	"github.com/cse-piv/cse-piv/internal/cli/setting"
	"github.com/cse-piv/cse-piv/internal/cli/stdio"
	"github.com/cse-piv/cse-piv/internal/cli/usage"
	"github.com/cse-piv/cse-piv/internal/desk"
	"github.com/cse-piv/cse-piv/internal/durable"
	"github.com/cse-piv/cse-piv/internal/lab"
	"github.com/cse-piv/cse-piv/internal/secret"
)

// demoPeople stand in the queue of the wizard where no roster was given; the first
// is enrolled where nobody is there to choose.
var demoPeople = []desk.Person{
	{Email: "ada@", Note: "Ada Lovelace"}, {Email: "grace@", Note: "Grace Hopper"}, {Email: "hedy@", Note: "Hedy Lamarr"},
}

// pcscSocket names the environment variable by which libpcsclite finds its
// daemon. It is read at the first PC/SC call of the process.
const pcscSocket = "PCSCLITE_CSOCK_NAME"

// NewDemo returns the command demo.
func NewDemo(streams *stdio.Streams) *cobra.Command {
	var options enrollcmd.Options
	var practice labFlags
	var dir string
	command := &cobra.Command{
		Use:   "demo",
		Short: "Enroll a practice user with a virtual YubiKey: no card, no Google account",
		Long: "demo starts the practice lab and opens the wizard on it: virtual YubiKeys, Gmail and a CA,\n" +
			"over the same protocols as with a real card and the real Gmail. Ctrl+o opens the drawer of\n" +
			"practice cards: insert, pull and swap them, and see what happens. With --yes, or where there\n" +
			"is no terminal, it makes up the PIN and runs to the receipt by itself.",
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			made := dir == ""
			if made {
				if dir, err = os.MkdirTemp("", "cse-piv-demo-"); err != nil {
					return fmt.Errorf("making a folder for the demo: %w", err)
				}
			}
			err = runDemo(cmd, streams, &options, &practice, dir)
			if _, statErr := os.Stat(filepath.Join(dir, "evidence")); made && statErr != nil {
				err = errors.Join(err, os.RemoveAll(dir)) // nothing came of it
			}
			return err
		},
	}
	flags := command.Flags()
	options.Add(flags)
	options.Gmail.Add(flags)
	options.Issuer.Add(flags)
	options.Escrow.Add(flags)
	options.Trust.Add(flags)
	for _, name := range []string{"credentials", "impersonate", "service-account", "key-slot", "key-serial", "key-pin-file", "key-pin-fd", "self", "client", "no-browser",
		"gmail-endpoint", "auth-endpoint", "gmail-ca", "attestation-roots", "issuer", "issuer-dir", "ca-cert", "ca-key", "crl-url", "chain",
		"pin-file", "pin-fd", "puk-file", "puk-fd", "management-key-file", "management-key-fd"} {
		// An issued card needs its issuer's chain.
		flags.Lookup(name).Hidden = name != "chain"
		delete(flags.Lookup(name).Annotations, setting.EnvironmentAnnotation)
	}
	practice.add(flags)
	flags.StringVar(&dir, "dir", "", "`folder` for the lab and the evidence (default a temporary one, which stays)")
	flags.BoolVarP(&options.Yes, "yes", "y", false, "ask nothing and make up the PIN")
	options.AddFrontEnd(flags)
	option.AddJSON(command, &options.JSON)
	return command
}

func runDemo(cmd *cobra.Command, streams *stdio.Streams, options *enrollcmd.Options, practice *labFlags, dir string) (err error) {
	if !takesReaders(runtime.GOOS) {
		return failure.ErrNoReaders
	}
	if !streams.Terminal && !options.Plain {
		if options.Roster != "" && !options.Alone() {
			return usage.Errorf("--roster is for people at a desk, and there is no terminal: add --plain to have them asked on standard input")
		}
		options.Yes = true
	}
	_, messages := options.Progress(streams)
	labOptions, err := practice.options(filepath.Join(dir, "lab"), messages)
	if err != nil {
		return err
	}
	attended := !options.Alone()
	if attended {
		labOptions.ManualTouch, labOptions.Log = options.FullScreen(streams), nil // else nobody could touch
		if streams.Terminal && labOptions.CardTiming == nil {
			if labOptions.CardTiming, err = practiceTiming(); err != nil {
				return err
			}
		}
	}
	running, err := startLab(cmd.Context(), labOptions, func(name, value string) error {
		if cmd.Flags().Lookup(name) == nil {
			return nil // of commands that do what the demo does not
		}
		return cmd.Flags().Set(name, value)
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, running.Close()) }()
	if err := os.Setenv(pcscSocket, running.Env()[pcscSocket]); err != nil {
		return fmt.Errorf("pointing PC/SC at the lab: %w", err)
	}
	options.Evidence = filepath.Join(dir, "evidence")
	options.Store.Location = filepath.Join(dir, "ledger.db") // not where real registrations are
	options.Escrow.Folder = filepath.Join(dir, "escrow")
	options.Escrow.Plain = len(options.Escrow.To) == 0
	if !attended {
		if options.Yes {
			if err := givePIN(options, practice.cardFrom != "", dir); err != nil {
				return err
			}
		}
		return enrollcmd.RunAlone(cmd.Context(), streams, options, demoPersons(running)[0].Email)
	}
	options.Practice = newPractice(running)
	if options.Roster == "" {
		options.Persons = demoPersons(running)
	}
	return enrollcmd.RunDesk(cmd.Context(), streams, options, "")
}

// demoPersons are those whom the lab's issued card was issued for, or the practice
// people.
func demoPersons(running *lab.Lab) []desk.Person {
	var persons []desk.Person
	for _, address := range running.IssuedTo() {
		persons = append(persons, desk.Person{Email: address, Note: "the card's holder"})
	}
	for _, person := range demoPeople {
		person.Email += running.Domain()
		persons = append(persons, person)
	}
	return persons
}

// givePIN writes the PIN where the enrollment reads it: a random one for a new
// card, the practice one for a card that was issued with it.
func givePIN(options *enrollcmd.Options, issued bool, dir string) error {
	n, err := rand.Int(rand.Reader, big.NewInt(90_000_000))
	if err != nil {
		return fmt.Errorf("making up a PIN: %w", err)
	}
	pin := secret.FromString(new(big.Int).Add(n, big.NewInt(10_000_000)).String())
	if issued {
		pin = secret.FromString(lab.IssuedPIN)
	}
	options.PIN.File = filepath.Join(dir, "pin")
	if err := durable.WriteFile(options.PIN.File, pin.Reveal(), 0o600); err != nil {
		return fmt.Errorf("writing the practice PIN: %w", err)
	}
	return nil
}
