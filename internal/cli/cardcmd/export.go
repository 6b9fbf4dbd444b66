package cardcmd

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/certpath"
	"github.com/cse-piv/cse-piv/internal/cli/option"
	"github.com/cse-piv/cse-piv/internal/cli/setting"
	"github.com/cse-piv/cse-piv/internal/cli/stdio"
	"github.com/cse-piv/cse-piv/internal/durable"
	"github.com/cse-piv/cse-piv/internal/piv"
	"github.com/cse-piv/cse-piv/internal/piv/attestation"
)

func newCardExport(streams *stdio.Streams) *cobra.Command {
	var options cardFlags
	var trust option.Trust
	var chain []string
	var dir string
	var overwrite bool
	command := &cobra.Command{
		Use: "export", Short: "Write a slot's certificate, its chain and its attestation to a folder",
		RunE: func(cmd *cobra.Command, _ []string) error {
			parts, err := option.ReadCertificates(chain)
			if err != nil {
				return err
			}
			trusted, err := trust.OpenAndSay(streams.Err)
			if err != nil {
				return err
			}
			export := Exporter{dir: dir, overwrite: overwrite}
			err = options.useSlot(cmd.Context(), func(card *piv.Card, slot piv.Slot) error {
				export.base = fmt.Sprintf("%d-%s", card.Identity().Serial, slot)
				return export.slot(cmd.Context(), card, slot, parts, trusted)
			})
			if err != nil {
				return err
			}
			return export.print(streams, options.json)
		},
	}
	options.add(command, true)
	trust.Add(command.Flags())
	command.Flags().StringVar(&dir, "dir", ".", "`folder` to write to (created)")
	command.Flags().StringSliceVar(&chain, "chain", nil, "`file` or folder with intermediate and root certificates to build the chain with")
	command.Flags().BoolVar(&overwrite, "overwrite", false, "replace files that an earlier export with other contents left")
	setting.Mark(command.Flags(), "chain")
	return command
}

// Exporter writes what is taken off a card. It replaces no file with other contents
// unless it is to overwrite.
type Exporter struct {
	dir, base string
	overwrite bool
	Files     []string `json:"files"`           // that were written, or are there already
	Notes     []string `json:"notes,omitempty"` // what is not there, and why
}

// slot takes off the card what is in the slot.
func (e *Exporter) slot(ctx context.Context, card *piv.Card, slot piv.Slot, parts []*x509.Certificate, trusted attestation.Trust) error {
	contents, err := card.Slot(ctx, slot)
	if err != nil {
		return err
	}
	if err := e.certificate(contents, parts); err != nil {
		return err
	}
	facts, err := option.Attest(ctx, card, slot, trusted)
	switch {
	case err == nil:
		return e.attestation(facts.Evidence())
	case errors.Is(err, piv.ErrCannotAttest):
		e.Notes = append(e.Notes, "no attestation: "+piv.ErrCannotAttest.Error())
		return nil
	case errors.Is(err, piv.ErrNotAttestable) && (contents.Key == nil || contents.Key.Origin != piv.Generated):
		e.Notes = append(e.Notes, "no attestation: the key was not generated on the card")
		return nil
	}
	return err
}

func (e *Exporter) certificate(contents piv.SlotContents, parts []*x509.Certificate) error {
	if contents.CertificateErr != nil {
		return fmt.Errorf("reading the certificate in slot %s: %w", contents.Slot, contents.CertificateErr)
	}
	if contents.Certificate == nil {
		if contents.Key == nil {
			return fmt.Errorf("slot %s: %w", contents.Slot, &piv.EmptySlotError{Unknown: contents.KeyUnknown})
		}
		e.Notes = append(e.Notes, "no certificate in the slot")
		return nil
	}
	if err := e.write("certificate.pem", certificate.EncodePEM(contents.Certificate)); err != nil {
		return err
	}
	if err := contents.CertificateProblem(); err != nil {
		e.Notes = append(e.Notes, "certificate: "+err.Error())
	}
	chain, err := new(certpath.Verifier).Build(contents.Certificate, certpath.NewPool(parts), certpath.Options{Mail: true})
	var none *certpath.NoPathError
	if errors.As(err, &none) {
		e.Notes = append(e.Notes, "no chain: "+err.Error()+"; give the missing certificates with --chain")
		return nil
	}
	if err != nil {
		return err
	}
	pkcs7, err := certificate.EncodePKCS7(chain)
	if err != nil {
		return err
	}
	return e.write("chain.p7pem", pkcs7)
}

// attestation writes the slot's certificate and those above it. A card makes
// another certificate of the same facts each time it is asked: an older one about
// the same key is as good, and stays.
func (e *Exporter) attestation(chain attestation.Chain) error {
	const name, largest = "attestation.pem", 1 << 20
	if data, err := durable.ReadFile(e.path(name), largest); err == nil && !e.overwrite {
		old, err := attestation.ParseBundle(data)
		if err == nil && bytes.Equal(old.Slot.RawSubjectPublicKeyInfo, chain.Slot.RawSubjectPublicKeyInfo) &&
			slices.EqualFunc(old.Certificates()[1:], chain.Certificates()[1:], (*x509.Certificate).Equal) {
			e.Files = append(e.Files, e.path(name))
			return nil
		}
	}
	return e.write(name, attestation.EncodeBundle(chain))
}

func (e *Exporter) write(name string, data []byte) error {
	if err := durable.MakeFolder(e.dir, 0o755); err != nil {
		return err
	}
	write := durable.KeepFile
	if e.overwrite {
		write = durable.WriteFile
	}
	if err := write(e.path(name), data, 0o644); err != nil {
		return err
	}
	e.Files = append(e.Files, e.path(name))
	return nil
}

func (e *Exporter) path(name string) string { return filepath.Join(e.dir, e.base+"-"+name) }

func (e *Exporter) print(streams *stdio.Streams, asJSON bool) error {
	if asJSON {
		if e.Files == nil {
			e.Files = []string{}
		}
		return stdio.JSON(streams.Out, e)
	}
	for _, file := range e.Files {
		fmt.Fprintln(streams.Out, file)
	}
	for _, note := range e.Notes {
		stdio.Note(streams.Err, note)
	}
	return nil
}
