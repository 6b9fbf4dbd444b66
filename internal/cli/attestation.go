package cli

import (
	"crypto/x509"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/durable"
	"github.com/cse-piv/cse-piv/internal/piv"
	"github.com/cse-piv/cse-piv/internal/piv/attestation"
)

func newAttestation(streams *Streams) *cobra.Command {
	command := &cobra.Command{Use: "attestation", Short: "Check proofs that keys were born on cards", Args: cobra.NoArgs, RunE: showHelp}
	command.AddCommand(newAttestationVerify(streams))
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

func newAttestationVerify(streams *Streams) *cobra.Command {
	var options verifyOptions
	command := &cobra.Command{
		Use: "verify --slot-cert FILE [--attestation-cert FILE]", Short: "Verify an attestation, offline",
		Long: "verify checks every link from a slot's attestation up to a pinned Yubico root, and that it is\n" +
			"about the slot, card, request and certificate that it is said to be about.\n" +
			"Exit code 0: it holds. 7: it is refused, and the message says why.",
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			chain, trust, expect, err := options.load()
			if err != nil {
				return err
			}
			facts, err := attestation.Verify(chain, trust, expect)
			if options.json {
				verdict := verdictJSON{"attested", "", facts}
				if err != nil {
					verdict.Verdict, verdict.Reason = "refused", attestation.Reason(err)
				}
				if printErr := printJSON(streams.Out, verdict); printErr != nil {
					return printErr
				}
				return err
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
	addSerialFlag(flags, &options.serial, "`serial` number that the card must have")
	flags.StringVar(&options.slot, "slot", "", "`slot` that the key must be in")
	jsonFlag(command, &options.json)
	return command
}

// verdictJSON is the output of attestation verify --json; the names are a contract.
type verdictJSON struct {
	Verdict string             `json:"verdict"`          // "attested" or "refused"
	Reason  string             `json:"reason,omitempty"` // a stable name of why it is refused
	Facts   *attestation.Facts `json:"facts,omitempty"`  // what the attestation says
}

func (o *verifyOptions) load() (chain attestation.Chain, trust attestation.Trust, expect attestation.Expect, err error) {
	if o.slotCert == "" {
		return chain, trust, expect, usageErrorf("--slot-cert is needed")
	}
	slot, err := readCertificates([]string{o.slotCert})
	if err != nil {
		return chain, trust, expect, err
	}
	chain.Slot, chain.Intermediates = slot[0], slot[1:]
	if o.deviceCert != "" {
		device, err := readCertificates([]string{o.deviceCert})
		if err != nil {
			return chain, trust, expect, err
		}
		chain.Device, chain.Intermediates = device[0], append(chain.Intermediates, device[1:]...)
	} else if len(slot) > 1 {
		chain.Device, chain.Intermediates = slot[1], slot[2:]
	} else {
		return chain, trust, expect, usageErrorf("--attestation-cert is needed: %s holds only the slot's attestation", o.slotCert)
	}
	more, err := readCertificates(o.intermediates)
	if err != nil {
		return chain, trust, expect, err
	}
	chain.Intermediates = append(chain.Intermediates, more...)
	trust = attestation.YubicoTrust()
	if len(o.roots) > 0 {
		if trust, err = attestation.LoadRoots(o.roots...); err != nil {
			return chain, trust, expect, usageErrorf("--roots: %w", err)
		}
	}
	expect, err = o.expect()
	return chain, trust, expect, err
}

func (o *verifyOptions) expect() (expect attestation.Expect, err error) {
	expect.Serial = o.serial
	if o.slot != "" {
		slot, err := piv.ParseSlot(o.slot)
		if err != nil {
			return expect, usageErrorf("%w", err)
		}
		expect.Slot = slot.String()
	}
	if o.csr != "" {
		if expect.CSR, err = readRequest(o.csr); err != nil {
			return expect, usageErrorf("--csr: %w", err)
		}
	}
	if o.certificate != "" {
		certificates, err := readCertificates([]string{o.certificate})
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
