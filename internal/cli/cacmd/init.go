package cacmd

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/certpath"
	"github.com/cse-piv/cse-piv/internal/cli/stdio"
	"github.com/cse-piv/cse-piv/internal/cli/usage"
	"github.com/cse-piv/cse-piv/internal/describe"
	"github.com/cse-piv/cse-piv/internal/durable"
	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/issuer"
	"github.com/cse-piv/cse-piv/internal/issuer/ca"
	"github.com/cse-piv/cse-piv/internal/smime"
)

// adminConsoleFile is what ca init makes for the Admin console.
const adminConsoleFile = "admin-console.pem"

// InitJSON is the output of ca init; the names are a contract.
type InitJSON struct {
	Dir          string   `json:"dir"`
	Root         string   `json:"root"`    // its subject
	Issuing      string   `json:"issuing"` // its subject
	AdminConsole string   `json:"admin_console"`
	Publish      []string `json:"publish"` // files that have to be fetched at --url
	Next         []string `json:"next"`
}

func newCAInit(streams *stdio.Streams) *cobra.Command {
	var options caFlags
	var name, url, sample string
	command := &cobra.Command{
		Use: "init", Short: "Make a root, an issuing authority, and the file for the Admin console", Args: cobra.NoArgs,
		Long: "init makes a CA of two levels that Google's profile for S/MIME allows: a root and an issuing\n" +
			"authority, with their keys in files that only you can read. The root's key is not needed day by\n" +
			"day: keep it offline. It writes the file that the Admin console takes for the root, with an\n" +
			"end-user certificate as a sample whose key nobody has. Nothing that is there is replaced.",
		Example: "  cse-piv ca init --name Example --url http://ca.example.com --sample nobody@example.com",
		RunE: func(cmd *cobra.Command, _ []string) error {
			switch {
			case name == "":
				return usage.Errorf("--name says whose CA it is, and is missing")
			case !strings.HasPrefix(url, "http://"):
				return usage.Errorf("--url has to be an http address: revocation lists are fetched there, and are signed themselves")
			}
			if err := enroll.ValidateAddress(sample); err != nil {
				return usage.Errorf("--sample: %w", err)
			}
			return initCA(cmd.Context(), streams, &options, name, strings.TrimSuffix(url, "/"), sample)
		},
	}
	options.add(command)
	options.addKey(command, streams, "the issuing authority's key, which is created in a token where it is not there (pkcs11: with id and object)")
	command.Flags().StringVar(&name, "name", "", "`name` of the organisation")
	command.Flags().StringVar(&url, "url", "", "http `URL` below which the files are published")
	command.Flags().StringVar(&sample, "sample", "", "`address` of the end-user certificate in the Admin console's file; it need not exist")
	return command
}

func initCA(ctx context.Context, streams *stdio.Streams, options *caFlags, name, url, sample string) error {
	dir, err := options.folder()
	if err != nil {
		return err
	}
	if err := ca.CheckNew(dir); err != nil {
		return err
	}
	for _, name := range append(published(), adminConsoleFile) {
		if err := notThere(filepath.Join(dir, name)); err != nil {
			return err
		}
	}
	made := ca.Options{Name: name, RootCRL: url + "/" + ca.RootList, RootURL: url + "/root.cer", Now: time.Now()}
	if options.key.Name != "" {
		if made.IssuingKey, err = ca.CreateKey(ctx, options.key.Name, false, options.key.Opening()); err != nil {
			return err
		}
		defer made.IssuingKey.Close()
	}
	issuing, root, err := ca.New(dir, made)
	if err != nil {
		return err
	}
	var publish []string
	for _, name := range published() {
		publish = append(publish, filepath.Join(dir, name))
	}
	for i, cert := range []*x509.Certificate{root, issuing} {
		if err := durable.WriteFile(publish[i], cert.Raw, 0o644); err != nil {
			return err
		}
	}
	chain, err := firstSigned(ctx, options, dir, made.IssuingKey, url, sample)
	if err != nil {
		return err
	}
	bundle, err := smime.NewAdminBundle(new(certpath.Verifier), chain, time.Now())
	if err != nil {
		return err
	}
	console := filepath.Join(dir, adminConsoleFile)
	if err := stdio.WriteNew(streams.Err, console, certificate.EncodePEM(bundle.Certificates()...), false); err != nil {
		return err
	}
	next := append([]string{
		"publish " + strings.Join(publish, ", ") + " at " + url,
		"keep " + filepath.Join(dir, ca.RootKey) + " offline; it signs the root's revocation list once a year",
	}, describe.AdminConsole(smime.NeedsRelaxed(bundle.Findings))...)
	if options.json {
		return stdio.JSON(streams.Out, InitJSON{dir, certificate.Subject(root), certificate.Subject(issuing), console, publish, next})
	}
	fmt.Fprintln(streams.Out, console)
	stdio.Values(streams.Out, "  ", describe.AdminBundle(bundle, next))
	return nil
}

// firstSigned has the new CA sign its revocation lists and the end-user sample, and returns the
// sample's chain. Without an issuing key it is the one in the CA's folder.
func firstSigned(ctx context.Context, options *caFlags, dir string, issuingKey *ca.Key, url, sample string) ([]*x509.Certificate, error) {
	atRoot, rootKey, err := options.open(ctx, filepath.Join(dir, ca.RootCertificate), filepath.Join(dir, ca.RootKey))
	if err != nil {
		return nil, err
	}
	defer rootKey.Close()
	if issuingKey == nil {
		if issuingKey, err = options.key.Open(ctx, filepath.Join(dir, ca.IssuingKey)); err != nil {
			return nil, err
		}
		defer issuingKey.Close()
	}
	local, err := issuer.NewLocal(filepath.Join(dir, ca.IssuingChain), issuingKey, issuer.Options{
		CRLURL: url + "/" + ca.IssuingList, IssuerURL: url + "/issuing.cer",
	})
	if err != nil {
		return nil, err
	}
	if _, err := atRoot.SignList(ctx, rootListValidity); err != nil {
		return nil, err
	}
	if _, err := local.SignList(ctx, issuer.ListValidity); err != nil {
		return nil, err
	}
	return issueSample(ctx, local, sample)
}

// published are the files of a new CA that belong below its URL.
func published() []string { return []string{"root.cer", "issuing.cer", ca.RootList, ca.IssuingList} }

// notThere returns an error that is [fs.ErrExist] where there is a file, which would be replaced.
func notThere(path string) error {
	_, err := os.Lstat(path)
	switch {
	case err == nil:
		return &fs.PathError{Op: "write", Path: path, Err: fs.ErrExist}
	case errors.Is(err, fs.ErrNotExist):
		return nil
	}
	return err
}

// issueSample issues a certificate for a key that nobody keeps.
func issueSample(ctx context.Context, local *issuer.Local, email string) ([]*x509.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	csr, err := smime.CreateRequest(ctx, key, smime.RequestOptions{Email: email, Use: certificate.UseBoth})
	if err != nil {
		return nil, err
	}
	return local.Issue(ctx, issuer.Request{Email: email, Slot: "9d", CSR: csr, Use: certificate.UseBoth})
}
