// Package practicecmd is lab and demo: the practice lab, alone or with the wizard on it.
package practicecmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/cse-piv/cse-piv/internal/cli/failure"
	"github.com/cse-piv/cse-piv/internal/cli/option"
	"github.com/cse-piv/cse-piv/internal/cli/setting"
	"github.com/cse-piv/cse-piv/internal/cli/stdio"
	"github.com/cse-piv/cse-piv/internal/cli/usage"
	"github.com/cse-piv/cse-piv/internal/lab"
	"github.com/cse-piv/cse-piv/internal/lab/timing"
	"github.com/cse-piv/cse-piv/internal/lab/yubikey"
)

// labFlags say what the practice lab is made of.
type labFlags struct {
	firmware, cardTiming, cardState, cardFrom, domain string
	serial                                            uint32
	readers                                           int
	trustRoots, faults                                []string
	latency                                           time.Duration
	seed                                              uint64
	typed                                             *pflag.FlagSet // these flags alone
}

func (f *labFlags) add(command *pflag.FlagSet) {
	flags := pflag.NewFlagSet("", pflag.ContinueOnError)
	f.typed = flags
	defer command.AddFlagSet(flags)
	flags.StringVar(&f.firmware, "firmware", "5.7.4", "firmware `version` of the virtual YubiKey: 4.2.7, 4.3.7, 5.1.2, 5.2.7, 5.4.3, 5.7.4 or another from 4.0.0 on")
	flags.Uint32Var(&f.serial, "card-serial", 0, "serial `number` of the virtual YubiKey")
	flags.StringVar(&f.cardTiming, "card-timing", "", "have the virtual YubiKey take its time: \"real\" for that of a YubiKey 5, or a `file` with a table (see docs/how-to/the-practice-lab.md)")
	flags.StringVar(&f.cardState, "card-state", "", "`file` that the virtual YubiKey lives in, so that it can be taken home")
	flags.StringVar(&f.cardFrom, "card-from", "", "`folder` with what an issuer put on the virtual YubiKey: certificates, PKCS#12 files, data objects")
	f.readers = 1
	option.AddNumber(flags, &f.readers, "readers", 1, option.AnyNumber, "number of readers, each with a card")
	flags.StringVar(&f.domain, "domain", "", "the practice `domain`, in which every address is a user (default that of the card from --card-from, else lab.example)")
	flags.StringSliceVar(&f.trustRoots, "trust-root", nil, "`file` with a further root that the domain trusts")
	option.AddWait(flags, &f.latency, "latency", "added to each answer of the API")
	flags.StringArrayVar(&f.faults, "fault", nil, "a `fault` to make: api:5%, api:lost@2, card:pull@17, cse-off and others (repeatable; see docs/reference/practice-lab.md)")
	flags.Uint64Var(&f.seed, "seed", 1, "seed of random faults")
}

// domainName is a domain of a user's address (RFC 1035 section 2.3.1, RFC 1123 section 2.1).
var domainName = regexp.MustCompile(`(?i)^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?$`)

// check refuses what no lab can be made of: flags that were typed without a value, and
// values that are none.
func (f *labFlags) check() (err error) {
	f.typed.VisitAll(func(flag *pflag.Flag) {
		if !flag.Changed {
			return
		}
		value := flag.Value.String()
		if several, ok := flag.Value.(pflag.SliceValue); ok && slices.Contains(several.GetSlice(), "") || value == "" || value == "[]" {
			err = errors.Join(err, usage.Errorf("--%s is empty", flag.Name))
		}
	})
	switch {
	case err != nil:
		return err
	case f.domain != "" && (len(f.domain) > 253 || !domainName.MatchString(f.domain)):
		return usage.Errorf("--domain %q is no domain name, such as lab.example", f.domain)
	case f.typed.Lookup("card-serial").Changed && f.serial == 0:
		return usage.Errorf("--card-serial 0 is not a serial number")
	}
	return nil
}

func (f *labFlags) options(dir string, messages io.Writer) (lab.Options, error) {
	options := lab.Options{
		Dir: dir, Firmware: f.firmware, Serial: f.serial, CardState: f.cardState, CardFrom: f.cardFrom, Readers: f.readers, Domain: f.domain,
		TrustRoots: f.trustRoots, Latency: f.latency, Faults: f.faults, Seed: f.seed, Log: messages,
	}
	if err := f.check(); err != nil {
		return lab.Options{}, err
	}
	if _, err := yubikey.ParseFirmware(f.firmware); err != nil {
		return lab.Options{}, usage.Errorf("--firmware: %w", err)
	}
	if f.cardTiming != "" {
		table, err := timing.Load(f.cardTiming)
		if err != nil {
			return lab.Options{}, usage.Errorf("--card-timing: %w", err)
		}
		options.CardTiming = &table
	}
	return options, nil
}

// NewLab returns the command lab.
func NewLab(streams *stdio.Streams) *cobra.Command {
	var flags labFlags
	var dir string
	var fetchCRLs, directory bool
	var people int
	var pcscListen string
	command := &cobra.Command{
		Use:   "lab --dir DIR",
		Short: "Run the practice lab: a virtual YubiKey, a Gmail API and a CA",
		Long: "lab runs in the foreground until it is interrupted. When everything answers it prints\n" +
			"\"lab: ready\"; then \". DIR/env\" in another terminal points this program, ykman, opensc and\n" +
			"other tools at it. Nothing leaves this machine, unless --fetch-crls says so.",
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if dir == "" {
				return usage.Errorf("--dir is needed: the folder for the lab's files")
			}
			options, err := flags.options(dir, streams.Err)
			if err != nil {
				return err
			}
			options.FetchCRLs, options.People, options.PCSCListen, options.Directory = fetchCRLs, people, pcscListen, directory
			if options.NoSocket = !takesReaders(runtime.GOOS); options.NoSocket && pcscListen == "" {
				options.Readers = -1
				fmt.Fprint(streams.Err, withoutCards(dir, people))
			}
			running, err := lab.Start(cmd.Context(), options)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, running.Close()) }()
			fmt.Fprintln(streams.Out, "lab: ready")
			<-cmd.Context().Done()
			return nil
		},
	}
	command.Flags().StringVar(&dir, "dir", "", "`folder` for the lab's files (created)")
	command.Flags().BoolVar(&fetchCRLs, "fetch-crls", false, "fetch the revocation lists that certificates name from other machines, too")
	command.Flags().BoolVar(&directory, "directory", false, "delegate the reading of users in the directory to the service account, too; admin@ in the practice domain is its administrator")
	option.AddNumber(command.Flags(), &people, "people", 0, option.AnyNumber, "make certificates for that `number` of users, in the folder people of the lab, to rehearse a batch with")
	command.Flags().StringVar(&pcscListen, "pcsc-listen", "", "loopback `address`, such as 127.0.0.1:0, that serves the readers too; every program of this machine can use them there")
	flags.add(command.Flags())
	return command
}

// takesReaders reports whether a program can put readers before others on a system,
// which is named as in runtime.GOOS: pcsc-lite can be pointed at another daemon, the
// smart card services of Windows and macOS cannot.
func takesReaders(system string) bool { return system != "windows" && system != "darwin" }

// withoutCards says what a lab without cards is good for.
func withoutCards(dir string, people int) string {
	lines := []string{"lab: " + failure.ErrNoReaders.Error(), "lab: Gmail and the CA are there; rehearse a batch in another window:"}
	if people == 0 {
		lines[1] = "lab: Gmail and the CA are there; with --people 60 there would be certificates to rehearse a batch with, in another window:"
	}
	source := "    cse-piv batch " + filepath.Join(dir, "people")
	if runtime.GOOS == "windows" {
		lines = append(lines, "    call "+filepath.Join(dir, "env.cmd")+"      (in PowerShell: . "+filepath.Join(dir, "env.ps1")+")", source)
	} else {
		lines = append(lines, "    . "+filepath.Join(dir, "env"), source)
	}
	return strings.Join(lines, "\n") + "\n"
}

// startLab runs a lab for one command and points the command's flags at it.
func startLab(ctx context.Context, options lab.Options, set func(name, value string) error) (*lab.Lab, error) {
	running, err := lab.Start(ctx, options)
	if err != nil {
		return nil, err
	}
	for name, value := range running.Env() {
		flag := strings.ToLower(strings.ReplaceAll(strings.TrimPrefix(name, setting.EnvironmentPrefix), "_", "-"))
		if strings.HasPrefix(name, setting.EnvironmentPrefix) {
			if err := set(flag, value); err != nil {
				return nil, errors.Join(fmt.Errorf("pointing --%s at the lab: %w", flag, err), running.Close())
			}
		}
	}
	return running, nil
}
