package certcmd

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/certpath"
	"github.com/cse-piv/cse-piv/internal/cli/failure"
	"github.com/cse-piv/cse-piv/internal/cli/option"
	"github.com/cse-piv/cse-piv/internal/cli/setting"
	"github.com/cse-piv/cse-piv/internal/cli/stdio"
	"github.com/cse-piv/cse-piv/internal/describe"
	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/safetext"
	"github.com/cse-piv/cse-piv/internal/smime"
	"github.com/cse-piv/cse-piv/internal/smime/baseline"
)

// checkFlags is everything that cert check takes.
type checkFlags struct {
	files        option.CertificateFiles
	email        string
	chain        []string
	profile, use string
	online       option.Online
	sources      smime.Sources
	json         bool
}

func newCertCheck(streams *stdio.Streams) *cobra.Command {
	var options checkFlags
	command := &cobra.Command{
		Use: "check FILE...", Short: "Check whether certificates can be registered at Gmail",
		Long: "check reads certificates, builds the chain of each that is no authority's, and says what Gmail will\n" +
			"have against it: why it matters, and what to ask the CA for. Nothing is uploaded. Unless --offline,\n" +
			"the CA is asked whether certificates were revoked. A FILE may be a folder, or - for standard\n" +
			"input; files with authorities alone serve the chains of the others.\n" +
			"Exit code 0: each can be registered. 1: at least one cannot, or a file cannot be read. 2: none of\n" +
			"the files is there.",
		RunE: func(cmd *cobra.Command, args []string) error {
			return runCertCheck(cmd.Context(), streams, &options, args)
		},
	}
	flags := command.Flags()
	flags.StringVar(&options.email, "email", "", "primary `address` of the user that the certificates are for")
	flags.StringSliceVar(&options.chain, "chain", nil, "`file` or folder with intermediate and root certificates to build chains with")
	setting.Mark(flags, "chain")
	option.AddChoice(flags, &options.profile, "profile", "which `profile` to check by (default public)", string(smime.ProfilePublic), string(smime.ProfilePrivate))
	option.AddChoice(flags, &options.use, "use", "what the certificates are to be registered for (default what each can be): a `use`", string(certificate.UseSign), string(certificate.UseEncrypt), string(certificate.UseBoth))
	options.files.Add(flags, streams)
	options.online.AddOffline(flags)
	options.online.Add(flags, option.RevocationSoft)
	option.AddJSON(command, &options.json)
	return command
}

// ChecksJSON is the output of cert check --json; the names are a contract.
type ChecksJSON struct {
	Files []checkJSON    `json:"files"`           // one for each certificate that was checked, and each file that could not be read
	Error *stdio.Failure `json:"error,omitempty"` // with which the command ends
}

// checkJSON is one certificate, checked.
type checkJSON struct {
	File              string            `json:"file"`
	Problem           string            `json:"problem,omitempty"` // why the file cannot be read; then there are at most findings about that
	Hint              string            `json:"hint,omitempty"`    // what to do about it
	Subject           string            `json:"subject,omitempty"`
	SHA256            string            `json:"sha256,omitempty"` // of the certificate
	NotAfter          time.Time         `json:"not_after,omitzero"`
	Addresses         []string          `json:"addresses"`                    // of mail
	Chain             []string          `json:"chain"`                        // the subjects, leaf to root, as far as it could be built
	Registrable       bool              `json:"registrable"`                  // for that use: no rule of severity error is broken
	Use               certificate.Use   `json:"use,omitempty"`                // what it was checked for
	Uses              []certificate.Use `json:"uses"`                         // what it can be registered for
	ValidationProfile string            `json:"validation_profile,omitempty"` // that its root needs in the Admin console: strict or relaxed
	Findings          []findingJSON     `json:"findings"`

	chain    []*x509.Certificate
	findings []smime.Finding
	closed   bool // the file cannot be read for want of a password
}

// findingJSON is a finding with what its rule says.
type findingJSON struct {
	smime.Finding
	Why    string `json:"why"`    // why it matters
	Ask    string `json:"ask"`    // what to ask the authority for
	Source string `json:"source"` // who says so
}

func (o *checkFlags) check() error {
	if o.email != "" {
		if err := enroll.ValidateAddress(o.email); err != nil {
			return err
		}
	}
	return o.online.Check()
}

func runCertCheck(ctx context.Context, streams *stdio.Streams, options *checkFlags, paths []string) error {
	if err := options.check(); err != nil {
		return err
	}
	parts, err := option.ReadCertificates(options.chain)
	if err != nil {
		return err
	}
	files, err := options.files.Read(ctx, paths)
	if err != nil {
		return err
	}
	sources, err := options.online.Open(streams.Err)
	if err != nil {
		return err
	}
	options.sources = sources(ctx)
	checks, refused := options.checkAll(ctx, streams, files, parts), &failure.RefusedError{}
	if options.json {
		list := stdio.NewJSONList(streams.Out, "files")
		for c := range checks {
			count(refused, c)
			list.Add(c)
		}
		failure := verdict(ctx, refused)
		return errors.Join(list.Close(streams.FailureOf(failure)), stdio.Told(failure))
	}
	for c := range checks {
		if refused.Of > 0 {
			fmt.Fprintln(streams.Out)
		}
		count(refused, c)
		printCheck(streams.Out, c)
	}
	return verdict(ctx, refused)
}

// count takes account of one more certificate.
func count(refused *failure.RefusedError, c checkJSON) {
	refused.Of++
	switch {
	case c.Problem != "":
		refused.Unread++
		if c.closed {
			refused.Closed++
		}
	case !c.Registrable:
		refused.Refused++
	}
}

// verdict returns the error where one of the certificates cannot be registered, or where not all
// were checked.
func verdict(ctx context.Context, refused *failure.RefusedError) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if refused.Refused+refused.Unread == 0 {
		return nil
	}
	return refused
}

// checkAll checks each certificate that is no authority's, one after the other. Files with
// authorities alone are parts of everybody's chain; where there is nothing else, they are
// checked as well, as they would be refused. It ends where somebody interrupts it, without the
// certificate that is being checked then.
func (o *checkFlags) checkAll(ctx context.Context, streams *stdio.Streams, files []option.CertificateFile, parts []*x509.Certificate) iter.Seq[checkJSON] {
	leaves, found := findLeaves(files), false
	for i, file := range files {
		if found = found || len(leaves[i]) > 0; len(leaves[i]) == 0 {
			parts = append(parts, file.Certificates...)
		}
	}
	verifier, pool := new(certpath.Verifier), certpath.NewPool(parts)
	return func(yield func(checkJSON) bool) {
		for i, file := range files {
			if file.Err != nil {
				if ctx.Err() != nil || !yield(unreadable(streams, file)) {
					return
				}
				continue
			}
			if !found {
				leaves[i] = file.Certificates[:1]
			}
			all := pool.With(file.Certificates)
			for _, leaf := range leaves[i] {
				if c := o.checkOne(verifier, file.Path, leaf, all); ctx.Err() != nil || !yield(c) {
					return
				}
			}
		}
	}
}

// unreadable says why a file cannot be read.
func unreadable(streams *stdio.Streams, file option.CertificateFile) checkJSON {
	c := checkJSON{File: file.Path, Problem: failure.OneLine(file.Err), Hint: streams.Hint(file.Err),
		Addresses: []string{}, Chain: []string{}, Uses: []certificate.Use{}, closed: errors.Is(file.Err, certificate.ErrPassword)}
	if malformed, ok := errors.AsType[*certificate.MalformedError](file.Err); ok {
		c.findings = baseline.CheckMalformed(malformed)
	}
	c.Findings = findingsJSON(c.findings)
	return c
}

// findLeaves returns the certificates of each file that belong to no authority: to none
// by their own word, nor by that of another certificate, as authorities older than basic
// constraints.
func findLeaves(files []option.CertificateFile) [][]*x509.Certificate {
	issuers := map[string]bool{}
	for _, file := range files {
		for _, cert := range file.Certificates {
			if !bytes.Equal(cert.RawIssuer, cert.RawSubject) {
				issuers[string(cert.RawIssuer)] = true
			}
		}
	}
	leaves := make([][]*x509.Certificate, len(files))
	for i, file := range files {
		for _, cert := range file.Certificates {
			if !cert.IsCA && !issuers[string(cert.RawSubject)] && !slices.ContainsFunc(leaves[i], cert.Equal) {
				leaves[i] = append(leaves[i], cert)
			}
		}
	}
	return leaves
}

func (o *checkFlags) checkOne(verifier *certpath.Verifier, file string, leaf *x509.Certificate, pool *certpath.Pool) checkJSON {
	options := smime.CheckOptions{Email: o.email, Profile: smime.Profile(o.profile), Use: certificate.Use(o.use), Now: time.Now(), Sources: o.sources}
	chain, err := verifier.Build(leaf, pool, certpath.Options{Now: options.Now, Mail: true, Fetch: options.Fetch})
	switch none, broken := errors.AsType[*certpath.NoPathError](err); {
	case broken:
		chain, options.NoPath = none.Chain, none
	case err != nil:
		chain = []*x509.Certificate{leaf}
	}
	if options.Use == "" {
		options.Use = smime.UseOf(leaf)
	}
	c := checkJSON{
		File: file, Subject: certificate.Subject(leaf), SHA256: certificate.Fingerprint(leaf), NotAfter: leaf.NotAfter.UTC(),
		Addresses: append([]string{}, smime.EmailAddresses(leaf)...), Chain: []string{}, Use: options.Use, Uses: []certificate.Use{},
		chain: chain, findings: smime.Check(verifier, chain, options),
	}
	if !smime.HasErrors(c.findings) {
		options.Sources = smime.Sources{} // they were asked
		c.Uses = append(c.Uses, smime.Uses(verifier, chain, options)...)
	}
	if !leaf.IsCA && options.Profile != smime.ProfilePrivate {
		c.findings = append(c.findings, baseline.Check(leaf, baseline.Profile{})...)
	}
	if c.Registrable = slices.Contains(c.Uses, c.Use); c.Registrable {
		c.ValidationProfile = describe.ProfileName(smime.NeedsRelaxed(c.findings))
	}
	for _, cert := range chain {
		c.Chain = append(c.Chain, certificate.Subject(cert))
	}
	c.Findings = findingsJSON(c.findings)
	return c
}

func findingsJSON(findings []smime.Finding) []findingJSON {
	list := []findingJSON{}
	for _, finding := range findings {
		rule, _ := baseline.Find(finding.ID)
		list = append(list, findingJSON{finding, rule.Why, rule.Ask, rule.Source})
	}
	return list
}

func printCheck(out io.Writer, c checkJSON) {
	fmt.Fprintln(out, safetext.Clean(c.File))
	if c.Problem == "" {
		stdio.Values(out, "  ", describe.Judgement(c.chain, c.findings, c.Uses))
		return
	}
	fmt.Fprintln(out, "  cannot be read: "+c.Problem)
	if c.Hint != "" {
		fmt.Fprintln(out, "  hint: "+c.Hint)
	}
	if len(c.findings) > 0 {
		stdio.Values(out, "  ", describe.Judgement(nil, c.findings, nil))
	}
}
