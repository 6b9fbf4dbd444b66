// Package attestationcmd is attestation: proof that a key was born on a YubiKey, judged
// apart from any enrollment, and the intermediates that lead from cards to pinned roots.
package attestationcmd

import (
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/cli/option"
	"github.com/cse-piv/cse-piv/internal/cli/stdio"
	"github.com/cse-piv/cse-piv/internal/cli/usage"
	"github.com/cse-piv/cse-piv/internal/durable"
	"github.com/cse-piv/cse-piv/internal/piv"
	"github.com/cse-piv/cse-piv/internal/piv/attestation"
)

// New returns the command attestation.
func New(streams *stdio.Streams) *cobra.Command {
	command := &cobra.Command{Use: "attestation", Short: "Check proofs that keys were born on cards", RunE: usage.ShowHelp}
	command.AddCommand(newAttestationVerify(streams), newUpdate(streams))
	return command
}

// verifyOptions is what attestation verify takes.
type verifyOptions struct {
	slotCert, deviceCert string
	intermediates, roots []string
	csr, certificate     string
	serial               uint32
	slot                 string
	json                 bool
}

func newAttestationVerify(streams *stdio.Streams) *cobra.Command {
	var options verifyOptions
	command := &cobra.Command{
		Use: "verify [FILE...]", Short: "Verify an attestation, offline",
		Long: "verify checks every link from a slot's attestation up to a pinned Yubico root, and that it is\n" +
			"about the slot, card, request and certificate that it is said to be about. The files may come\n" +
			"in any order: attestation, the card's attestation certificate, intermediates, and a request or\n" +
			"certificate that must be for the attested key. Which is which is seen by what is in them; the\n" +
			"flags say it beforehand. Of a folder, such as one of evidence, all certificates and requests are taken.\n" +
			"Exit code 0: it holds. 7: it is refused, and the message says why.",
		RunE: func(_ *cobra.Command, files []string) error {
			chain, trust, expect, err := options.load(files)
			if err != nil {
				return err
			}
			facts, err := attestation.Verify(chain, trust, expect)
			if options.json {
				verdict := VerdictJSON{"attested", "", facts, streams.FailureOf(err)}
				if err != nil {
					verdict.Verdict, verdict.Reason = "refused", attestation.Reason(err)
				}
				return errors.Join(stdio.JSON(streams.Out, verdict), stdio.Told(err))
			}
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(streams.Out, "attested\n"+facts.Text())
			return err
		},
	}
	flags := command.Flags()
	flags.StringVar(&options.slotCert, "slot-cert", "", "`file` with the slot's attestation; a bundle of ours may hold the whole chain")
	flags.StringVar(&options.deviceCert, "attestation-cert", "", "`file` with the card's attestation certificate (f9)")
	flags.StringSliceVar(&options.intermediates, "intermediates", nil, "`file` with further intermediates")
	flags.StringSliceVar(&options.roots, "roots", nil, "`file` with the roots to trust instead of Yubico's")
	flags.StringVar(&options.csr, "csr", "", "`file` with a certificate request that must be for the attested key")
	flags.StringVar(&options.certificate, "cert", "", "`file` with a certificate that must be for the attested key")
	option.AddSerial(flags, &options.serial, "`serial` number that the card must have")
	flags.StringVar(&options.slot, "slot", "", "`slot` that the key must be in")
	option.AddJSON(command, &options.json)
	return command
}

// VerdictJSON is the output of attestation verify --json; the names are a contract.
type VerdictJSON struct {
	Verdict string             `json:"verdict"`          // "attested" or "refused"
	Reason  string             `json:"reason,omitempty"` // a stable name of why it is refused
	Facts   *attestation.Facts `json:"facts,omitempty"`  // what the attestation says
	Error   *stdio.Failure     `json:"error,omitempty"`  // with which the command ends
}

// load reads what is to be verified: from files that are told apart by their contents,
// or from the flags, each of which says what its file is.
func (o *verifyOptions) load(files []string) (chain attestation.Chain, trust attestation.Trust, expect attestation.Expect, err error) {
	if expect, err = o.expect(); err != nil {
		return chain, trust, expect, err
	}
	switch flags := o.slotCert != "" || o.deviceCert != "" || o.csr != "" || o.certificate != ""; {
	case len(files) > 0 && flags:
		err = usage.Errorf("files, and --slot-cert, --attestation-cert, --csr and --cert exclude each other")
	case len(files) > 0:
		chain, err = sortFiles(files, &expect)
	case o.slotCert == "":
		err = usage.Errorf("cse-piv attestation verify needs a FILE")
	default:
		chain, err = o.named()
	}
	if err != nil {
		return chain, trust, expect, err
	}
	more, err := option.ReadCertificates(o.intermediates)
	if err != nil {
		return chain, trust, expect, err
	}
	chain.Intermediates = append(chain.Intermediates, more...)
	if len(o.roots) == 0 {
		trust, err = option.YubicoTrust()
		return chain, trust, expect, err
	}
	if trust, err = attestation.LoadRoots(o.roots...); err != nil {
		return chain, trust, expect, usage.Errorf("--roots: %w", err)
	}
	return chain, trust, expect, nil
}

// sortFiles reads files of certificates and requests, and adds to what is expected
// what of them is the user's.
func sortFiles(files []string, expect *attestation.Expect) (attestation.Chain, error) {
	var all []*x509.Certificate
	files, err := filesIn(files)
	if err != nil {
		return attestation.Chain{}, err
	}
	for _, file := range files {
		data, err := durable.ReadFile(file, certificate.MaxFile)
		if err != nil {
			return attestation.Chain{}, usage.Errorf("%w", err)
		}
		request, requestErr := certificate.ParseRequest(data)
		certificates, err := certificate.Parse(data)
		switch {
		case err == nil:
			all = append(all, certificates...)
		case requestErr != nil:
			return attestation.Chain{}, usage.Errorf("%s holds neither a certificate nor a certificate request", file)
		case expect.CSR != nil:
			return attestation.Chain{}, usage.Errorf("%s is a second certificate request", file)
		default:
			expect.CSR = request
		}
	}
	chain, users, err := attestation.Sort(all)
	switch {
	case err != nil:
		return chain, usage.Errorf("%w", err)
	case len(users) > 1:
		return chain, usage.Errorf("there are certificates of %d users or uses: verify them one by one", len(users))
	case len(users) == 1:
		expect.Certificate = users[0]
	}
	return chain, nil
}

// filesIn returns the files, and of a folder, such as one of evidence, those in it that are named as
// certificates and requests.
func filesIn(paths []string) (files []string, err error) {
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil || !info.IsDir() {
			files = append(files, path) // what is wrong with it is said where it is read
			continue
		}
		before := len(files)
		entries, err := os.ReadDir(path)
		if err != nil {
			return nil, usage.Errorf("%w", err)
		}
		for _, entry := range entries {
			if slices.Contains([]string{".pem", ".p7pem", ".crt", ".cer", ".der", ".csr"}, strings.ToLower(filepath.Ext(entry.Name()))) {
				files = append(files, filepath.Join(path, entry.Name()))
			}
		}
		if len(files) == before {
			return nil, usage.Errorf("%s: no file in this folder is named as a certificate or a request", path)
		}
	}
	return files, nil
}

// named reads the chain from the flags that name its files.
func (o *verifyOptions) named() (chain attestation.Chain, err error) {
	slot, err := option.ReadCertificates([]string{o.slotCert})
	if err != nil {
		return chain, err
	}
	chain.Slot, chain.Intermediates = slot[0], slot[1:]
	switch {
	case o.deviceCert != "":
		device, err := option.ReadCertificates([]string{o.deviceCert})
		if err != nil {
			return chain, err
		}
		chain.Device, chain.Intermediates = device[0], append(chain.Intermediates, device[1:]...)
	case len(slot) > 1:
		chain.Device, chain.Intermediates = slot[1], slot[2:]
	default:
		return chain, usage.Errorf("--attestation-cert is needed: %s holds only the slot's attestation", o.slotCert)
	}
	return chain, nil
}

func (o *verifyOptions) expect() (expect attestation.Expect, err error) {
	expect.Serial = o.serial
	if o.slot != "" {
		slot, err := piv.ParseSlot(o.slot)
		if err != nil {
			return expect, usage.Errorf("%w", err)
		}
		expect.Slot = slot.String()
	}
	if o.csr != "" {
		if expect.CSR, err = readRequest(o.csr); err != nil {
			return expect, usage.Errorf("--csr: %w", err)
		}
	}
	if o.certificate != "" {
		certificates, err := option.ReadCertificates([]string{o.certificate})
		if err != nil {
			return expect, err
		}
		expect.Certificate = certificates[0]
	}
	return expect, nil
}

// readRequest reads a certificate request in PEM or DER.
func readRequest(file string) (*x509.CertificateRequest, error) {
	data, err := durable.ReadFile(file, certificate.MaxFile)
	if err != nil {
		return nil, err
	}
	csr, err := certificate.ParseRequest(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return csr, nil
}
