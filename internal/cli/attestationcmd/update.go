package attestationcmd

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/cli/failure"
	"github.com/cse-piv/cse-piv/internal/cli/hint"
	"github.com/cse-piv/cse-piv/internal/cli/option"
	"github.com/cse-piv/cse-piv/internal/cli/setting"
	"github.com/cse-piv/cse-piv/internal/cli/stdio"
	"github.com/cse-piv/cse-piv/internal/cli/usage"
	"github.com/cse-piv/cse-piv/internal/durable"
	"github.com/cse-piv/cse-piv/internal/piv/attestation"
	"github.com/cse-piv/cse-piv/internal/repository"
	"github.com/cse-piv/cse-piv/internal/safetext"
)

// updateOptions is what attestation update takes.
type updateOptions struct{ http, private, json bool }

func newUpdate(streams *stdio.Streams) *cobra.Command {
	var options updateOptions
	command := &cobra.Command{
		Use: "update FILE|URL", Short: "Keep the intermediates that Yubico published since this program was built",
		Long: "update reads Yubico's intermediates from a file, or from an https address, and keeps those that\n" +
			"lead to a pinned root of Yubico's, for every verification from then on. Preview authorities are\n" +
			"never kept, nor is anything else. It says what is new. What was kept before stays.\n\n" +
			"Yubico publishes them at " + hint.YubicoPublication + " .",
		Example: "  cse-piv attestation update " + hint.YubicoPublication + "\n" +
			"  cse-piv attestation update yubico-intermediate.pem",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return options.run(cmd.Context(), streams, args[0])
		},
	}
	flags := command.Flags()
	flags.BoolVar(&options.http, "allow-http", false, "fetch over plain http, too: what is kept is signed")
	flags.BoolVar(&options.private, "allow-private-addresses", false, "ask servers inside this organisation, too: at private addresses and on this machine")
	setting.Mark(flags, "allow-private-addresses")
	option.AddJSON(command, &options.json)
	return command
}

// UpdateJSON is the output of attestation update --json; the names are a contract.
type UpdateJSON struct {
	File    string          `json:"file"` // where they are kept
	New     []AuthorityJSON `json:"new"`
	Known   []AuthorityJSON `json:"known"`    // that were at hand already
	LeftOut []AuthorityJSON `json:"left_out"` // that are not kept
}

// AuthorityJSON is one certificate of attestation update --json; the names are a contract.
type AuthorityJSON struct {
	Subject string `json:"subject"`
	SHA256  string `json:"sha256"`           // of the certificate
	Why     string `json:"reason,omitempty"` // why it is left out
}

func (o *updateOptions) run(ctx context.Context, streams *stdio.Streams, source string) error {
	certificates, err := o.read(ctx, source)
	if err != nil {
		return err
	}
	trust, err := option.YubicoTrust()
	if damaged := (*failure.AuthoritiesError)(nil); errors.As(err, &damaged) {
		stdio.Warning(streams.Err, damaged.Error()+"; it is written anew")
	} else if err != nil {
		return err
	}
	published := attestation.Published(certificates, time.Now())
	if len(published.Kept) == 0 {
		return &failure.NoAuthoritiesError{Source: source, First: firstReason(published)}
	}
	result := UpdateJSON{New: []AuthorityJSON{}, Known: []AuthorityJSON{}, LeftOut: []AuthorityJSON{}}
	for _, authority := range published.Kept {
		if slices.ContainsFunc(trust.Intermediates, authority.Equal) {
			result.Known = append(result.Known, shown(authority, nil))
		} else {
			result.New = append(result.New, shown(authority, nil))
		}
	}
	for _, left := range published.LeftOut {
		result.LeftOut = append(result.LeftOut, shown(left.Certificate, left.Err))
	}
	if result.File, err = option.KeepAuthorities(trust.With(published.Kept)); err != nil {
		return err
	}
	if o.json {
		return stdio.JSON(streams.Out, result)
	}
	return result.print(streams.Out)
}

// firstReason is why nothing is kept; nil where there is nothing but roots.
func firstReason(published attestation.Publication) error {
	if len(published.LeftOut) == 0 {
		return nil
	}
	return published.LeftOut[0].Err
}

// read reads certificates from a file or an address.
func (o *updateOptions) read(ctx context.Context, source string) ([]*x509.Certificate, error) {
	lower := strings.ToLower(source)
	switch {
	case strings.HasPrefix(lower, "http://") && !o.http:
		return nil, usage.Errorf("%s is not https: give --allow-http as well", safetext.Clean(source))
	case strings.HasPrefix(lower, "http://"), strings.HasPrefix(lower, "https://"):
		client := repository.New(repository.Options{AllowPrivate: o.private, OnlyTLS: !o.http})
		return client.Certificates(ctx, source)
	}
	data, err := durable.ReadFile(source, certificate.MaxFile)
	if err != nil {
		return nil, usage.Errorf("%w", err)
	}
	certificates, err := certificate.Parse(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", source, err)
	}
	return certificates, nil
}

func shown(cert *x509.Certificate, why error) AuthorityJSON {
	authority := AuthorityJSON{Subject: safetext.Clean(cert.Subject.String()), SHA256: certificate.Fingerprint(cert)}
	if why != nil {
		authority.Why = why.Error()
	}
	return authority
}

func (u UpdateJSON) print(out io.Writer) error {
	for _, authority := range u.New {
		if _, err := fmt.Fprintf(out, "new: %s\n", authority.Subject); err != nil {
			return err
		}
	}
	for _, authority := range u.LeftOut {
		if _, err := fmt.Fprintf(out, "left out: %s: %s\n", authority.Subject, authority.Why); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(out, "new: %d, known before: %d, left out: %d; kept in %s\n", len(u.New), len(u.Known), len(u.LeftOut), safetext.Clean(u.File))
	return err
}
