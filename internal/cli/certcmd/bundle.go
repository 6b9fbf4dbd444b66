package certcmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cse-piv/cse-piv/internal/batch/prepare"
	"github.com/cse-piv/cse-piv/internal/batch/source"
	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/cli/failure"
	"github.com/cse-piv/cse-piv/internal/cli/option"
	"github.com/cse-piv/cse-piv/internal/cli/setting"
	"github.com/cse-piv/cse-piv/internal/cli/stdio"
	"github.com/cse-piv/cse-piv/internal/cli/usage"
	"github.com/cse-piv/cse-piv/internal/durable"
	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/ledger"
	"github.com/cse-piv/cse-piv/internal/safetext"
)

// bundleFlags is everything that cert bundle takes.
type bundleFlags struct {
	files     option.CertificateFiles
	source    option.Source
	email     string
	chain     []string
	out       string
	overwrite bool
	allowUse  bool
	json      bool
}

func newCertBundle(streams *stdio.Streams) *cobra.Command {
	var options bundleFlags
	command := &cobra.Command{
		Use: "bundle FILE... --out DIR", Short: "Write each user's chain as Google's own tool expects it",
		Long: "bundle writes a file user@example.com.p7pem for each user: leaf, intermediates and root as PKCS#7 in\n" +
			"PEM, checked as batch checks them, but for revocation. A FILE is a file of certificates, whose address then names the\n" +
			"user, or a source as of batch: a folder, a CSV or NDJSON manifest, - for one on standard input, or an\n" +
			"ldap:// address. Who has a certificate for signing and one for encryption gets a file for each,\n" +
			"user@example.com.sign.p7pem and user@example.com.encrypt.p7pem.",
		RunE: func(cmd *cobra.Command, args []string) error {
			return runCertBundle(cmd.Context(), streams, &options, args)
		},
	}
	flags := command.Flags()
	flags.StringVar(&options.out, "out", "", "`folder` to write to (created)")
	flags.StringVar(&options.email, "email", "", "primary `address` of the user, for certificates that name several or another")
	flags.StringSliceVar(&options.chain, "chain", nil, "`file` or folder with intermediate and root certificates to build chains with")
	setting.Mark(flags, "chain")
	flags.BoolVar(&options.overwrite, "overwrite", false, "replace files with other contents")
	flags.BoolVar(&options.allowUse, "allow-limited-use", false, "take a single key whose certificate is for signing only, or for encryption only")
	options.source.Add(flags)
	options.files.Add(flags, streams)
	option.AddJSON(command, &options.json)
	return command
}

// BundlesJSON is the output of cert bundle --json; the names are a contract.
type BundlesJSON struct {
	Files  []bundleJSON    `json:"files"`           // that were written, or are there already
	Failed []bundleFailure `json:"failed"`          // users for whom nothing was written
	Error  *stdio.Failure  `json:"error,omitempty"` // with which the command ends
}

// bundleJSON is a file with one chain.
type bundleJSON struct {
	Email    string          `json:"email"`
	File     string          `json:"file"`
	Use      certificate.Use `json:"use"`
	SHA256   string          `json:"sha256"`   // of the leaf
	Warnings []string        `json:"warnings"` // about the user's chains
}

// bundleFailure is a user, or a row of a source, without a file.
type bundleFailure struct {
	Where   string `json:"where"` // file or row
	Email   string `json:"email,omitempty"`
	Reason  string `json:"reason"` // a stable name: see failure reasons
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
}

func (o *bundleFlags) check() error {
	if o.out == "" {
		return usage.Errorf("--out says which folder to write to, and is missing")
	}
	if o.email != "" {
		return enroll.ValidateAddress(o.email)
	}
	return nil
}

func runCertBundle(ctx context.Context, streams *stdio.Streams, options *bundleFlags, specs []string) error {
	if err := options.check(); err != nil {
		return err
	}
	authorities, err := option.ReadCertificates(options.chain)
	if err != nil {
		return err
	}
	if options.source.Password, err = options.files.ReadPassword(ctx); err != nil {
		return err
	}
	var sources []source.Source
	var paths []string
	for _, spec := range specs {
		if !isSource(ctx, spec) {
			paths = append(paths, spec)
			continue
		}
		from, err := options.source.Open(ctx, spec, streams.In, func(text string) { stdio.Note(streams.Err, text) })
		if err != nil {
			return err
		}
		sources = append(sources, from)
	}
	files, err := options.files.Read(ctx, paths)
	if err != nil {
		return err
	}
	given, parts := rowsOf(files, options.email)
	b := bundler{
		options: options, streams: streams, taken: map[string]taken{}, result: BundlesJSON{Files: []bundleJSON{}, Failed: []bundleFailure{}},
		prepare: prepare.New(prepare.Options{
			Chain: append(authorities, parts...), Hint: streams.Hint, Choose: options.source.Choose, Password: options.source.Password, Split: true, AllowLimitedUse: options.allowUse,
		}),
	}
	for _, row := range given {
		b.add(ctx, row)
	}
	for _, from := range sources {
		for row, err := range from.Rows(ctx) {
			if err != nil {
				return err
			}
			b.add(ctx, row)
		}
	}
	return b.end(streams.Out)
}

// isSource tells what batch reads from a file of certificates.
func isSource(ctx context.Context, spec string) bool {
	if spec == "-" || strings.Contains(spec, "://") {
		return true
	}
	switch strings.ToLower(filepath.Ext(spec)) {
	case ".csv", ".tsv", ".txt", ".ndjson", ".jsonl", ".json":
		return true
	}
	for _, err := range source.Folder(spec, source.Options{}).Rows(ctx) {
		return err == nil // a file in it has a user's name
	}
	return false
}

// bundler writes the files of one user after the other.
type bundler struct {
	options *bundleFlags
	streams *stdio.Streams
	prepare *prepare.Preparer
	taken   map[string]taken // by the file's name in small letters
	result  BundlesJSON
	users   int
}

// taken is the certificate of a file, and where it is from.
type taken struct{ where, leaf string }

// add writes the files of a row's user. The same certificate again is a warning, as it is
// for batch.
func (b *bundler) add(ctx context.Context, row source.Row) {
	b.users++
	entry := b.prepare.Entry(ctx, row)
	if entry.State == ledger.StateFailed {
		b.result.Failed = append(b.result.Failed, bundleFailure{entry.Where, entry.Email, entry.Reason, safetext.Clean(entry.Message), entry.Hint})
		return
	}
	history := 0
	for _, pair := range entry.Pairs {
		name := durable.FileName(entry.Email)
		switch pair.Use {
		case certificate.UseSign, certificate.UseEncrypt:
			name += "." + string(pair.Use)
		case certificate.UseHistory:
			if history++; history == 1 {
				name += ".history"
			} else {
				name += fmt.Sprintf(".history.%d", history-1)
			}
		}
		name += ".p7pem"
		if first, again := b.taken[strings.ToLower(name)]; again && first.leaf == pair.LeafSHA256 {
			stdio.Warning(b.streams.Err, fmt.Sprintf("%s: the address is there again, with the same certificates: %s", first.where, entry.Where))
			continue
		}
		if err := b.write(name, taken{entry.Where, pair.LeafSHA256}, pair.PKCS7); err != nil {
			b.result.Failed = append(b.result.Failed, bundleFailure{entry.Where, entry.Email, failure.Reason(err), failure.OneLine(err), b.streams.Hint(err)})
			return
		}
		b.result.Files = append(b.result.Files, bundleJSON{entry.Email, filepath.Join(b.options.out, name), pair.Use, pair.LeafSHA256, append([]string{}, entry.Warnings...)})
	}
}

func (b *bundler) write(name string, from taken, data []byte) error {
	if other, twice := b.taken[strings.ToLower(name)]; twice {
		return fmt.Errorf("%w, from %s", failure.ErrTwice, other.where)
	}
	b.taken[strings.ToLower(name)] = from
	if err := durable.MakeFolder(b.options.out, 0o755); err != nil {
		return err
	}
	return stdio.WriteNew(b.streams.Err, filepath.Join(b.options.out, name), data, b.options.overwrite)
}

// end prints what was written and what was not.
func (b *bundler) end(out io.Writer) error {
	var end error
	switch {
	case b.users == 0:
		end = usage.Errorf("there is nobody in it")
	case len(b.result.Failed) > 0:
		end = &failure.UsersError{Failed: len(b.result.Failed), Total: b.users, What: "user"}
	}
	if b.options.json {
		b.result.Error = b.streams.FailureOf(end)
		return errors.Join(stdio.JSON(out, b.result), stdio.Told(end))
	}
	for _, file := range b.result.Files {
		fmt.Fprintln(out, safetext.Clean(file.File))
	}
	for _, failed := range b.result.Failed {
		stdio.Warning(b.streams.Err, fmt.Sprintf("%s: nothing was written: %s", failed.Where, failed.Message))
		if failed.Hint != "" {
			fmt.Fprintf(b.streams.Err, "cse-piv: hint: %s\n", safetext.Clean(failed.Hint))
		}
	}
	return end
}
