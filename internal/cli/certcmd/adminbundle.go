package certcmd

import (
	"context"
	"crypto/x509"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/certpath"
	"github.com/cse-piv/cse-piv/internal/cli/option"
	"github.com/cse-piv/cse-piv/internal/cli/stdio"
	"github.com/cse-piv/cse-piv/internal/cli/usage"
	"github.com/cse-piv/cse-piv/internal/describe"
	"github.com/cse-piv/cse-piv/internal/smime"
)

// adminBundleFlags is everything that cert admin-bundle takes.
type adminBundleFlags struct {
	files     option.CertificateFiles
	out       string
	overwrite bool
	json      bool
}

func newCertAdminBundle(streams *stdio.Streams) *cobra.Command {
	var options adminBundleFlags
	command := &cobra.Command{
		Use: "admin-bundle FILE... --out FILE", Short: "Write the file that the Admin console takes for a root of your own",
		Long: "admin-bundle sorts certificates into the one PEM file that the Admin console asks for where an\n" +
			"administrator adds a root for S/MIME: exactly one root, the intermediates below it, and an end-user\n" +
			"certificate as a sample, without which Google verifies little. It says with which validation profile\n" +
			"the root has to be added, and because of which rules.",
		RunE: func(cmd *cobra.Command, args []string) error {
			return runCertAdminBundle(cmd.Context(), streams, &options, args)
		},
	}
	flags := command.Flags()
	flags.StringVar(&options.out, "out", "", "`file` to write")
	flags.BoolVar(&options.overwrite, "overwrite", false, "replace a file with other contents")
	options.files.Add(flags, streams)
	option.AddJSON(command, &options.json)
	return command
}

// AdminBundleJSON is the output of cert admin-bundle --json; the names are a contract.
type AdminBundleJSON struct {
	File              string        `json:"file"`                         // that was written, or is there already
	Root              string        `json:"root"`                         // its subject
	Intermediates     []string      `json:"intermediates"`                // their subjects
	Sample            string        `json:"sample,omitempty"`             // the end-user certificate's subject
	ValidationProfile string        `json:"validation_profile,omitempty"` // with which the root has to be added: strict or relaxed; empty without a sample
	Broken            []string      `json:"broken"`                       // rules for publicly trusted roots that the sample's chain breaks
	Findings          []findingJSON `json:"findings"`                     // about the sample's chain
	Next              []string      `json:"next"`                         // what to do with the file
}

func runCertAdminBundle(ctx context.Context, streams *stdio.Streams, options *adminBundleFlags, paths []string) error {
	if options.out == "" {
		return usage.Errorf("--out says which file to write, and is missing")
	}
	files, err := options.files.Read(ctx, paths)
	if err != nil {
		return err
	}
	var certs []*x509.Certificate
	for _, file := range files {
		if file.Err != nil {
			return file.Err
		}
		certs = append(certs, file.Certificates...)
	}
	bundle, err := smime.NewAdminBundle(new(certpath.Verifier), certs, time.Now())
	if err != nil {
		return err
	}
	if err := stdio.WriteNew(streams.Err, options.out, certificate.EncodePEM(bundle.Certificates()...), options.overwrite); err != nil {
		return err
	}
	if options.json {
		return stdio.JSON(streams.Out, adminBundleOf(options.out, bundle))
	}
	fmt.Fprintln(streams.Out, options.out)
	stdio.Values(streams.Out, "  ", describe.AdminBundle(bundle, describe.AdminConsole(smime.NeedsRelaxed(bundle.Findings))))
	if bundle.Sample == nil {
		stdio.Warning(streams.Err, "there is no end-user certificate among them: Google then verifies little, and which validation profile is needed cannot be said; give a user's certificate, too")
	}
	return nil
}

func adminBundleOf(file string, bundle *smime.AdminBundle) AdminBundleJSON {
	printed := AdminBundleJSON{File: file, Root: certificate.Subject(bundle.Root), Broken: []string{}, Findings: findingsJSON(bundle.Findings)}
	for _, intermediate := range bundle.Intermediates {
		printed.Intermediates = append(printed.Intermediates, certificate.Subject(intermediate))
	}
	relaxed := smime.NeedsRelaxed(bundle.Findings)
	if bundle.Sample != nil {
		printed.Sample, printed.ValidationProfile = certificate.Subject(bundle.Sample), describe.ProfileName(relaxed)
	}
	for _, finding := range bundle.Findings {
		if rule, _ := smime.Find(finding.ID); rule.Profile == smime.ProfilePublic && rule.Severity == smime.SeverityWarning && !slices.Contains(printed.Broken, rule.ID) {
			printed.Broken = append(printed.Broken, rule.ID)
		}
	}
	printed.Next = describe.AdminConsole(relaxed)
	return printed
}
