package option

import (
	"context"
	"crypto/x509"
	"errors"
	"strings"

	"github.com/spf13/pflag"

	"github.com/cse-piv/cse-piv/internal/cli/setting"
	"github.com/cse-piv/cse-piv/internal/cli/usage"
	"github.com/cse-piv/cse-piv/internal/issuer"
	"github.com/cse-piv/cse-piv/internal/issuer/ca"
)

// Issuer is the flags that say who signs certificate requests, and which certificates help to
// build chains.
type Issuer struct {
	Name, folder, caCert, crlURL, caURL string
	chain                               []string
	caKey                               CAKey
	opened                              *ca.Key // of a local CA
	issuerServer
}

// Add adds the flags.
func (f *Issuer) Add(flags *pflag.FlagSet) {
	flags.StringVar(&f.Name, "issuer", "", "file: requests go to a folder and certificates come back there; local: --ca-cert and --ca-key sign; step-ca or step-ca-acme: a step-ca at --issuer-url, by a password or by the card's attestation; or the `URL` of an EST server")
	flags.StringVar(&f.folder, "issuer-dir", "", "`folder` of --issuer file")
	flags.StringVar(&f.caCert, "ca-cert", "", "`file` with the CA certificate of --issuer local and the chain above it (PEM)")
	f.caKey.Add(flags, "the CA key of --issuer local")
	flags.StringVar(&f.crlURL, "crl-url", "", "http `URL` of the revocation list, for certificates of --issuer local")
	flags.StringVar(&f.caURL, "ca-url", "", "http `URL` of the CA's certificate, for certificates of --issuer local")
	flags.StringSliceVar(&f.chain, "chain", nil, "`file` or folder with intermediate and root certificates to build chains with")
	f.issuerServer.add(flags)
	setting.Mark(flags, "issuer", "issuer-dir", "ca-cert", "crl-url", "ca-url", "chain")
	setting.InProfile(flags, "issuer", "issuer-dir", "ca-cert", "ca-key", "ca-key-password-file", "crl-url", "ca-url", "chain")
}

// LocalCA returns the file with the certificate of the CA of --issuer local, and the flags of
// its key; "" where another issues.
func (f *Issuer) LocalCA() (cert string, key CAKey) {
	if f.Name != "local" {
		return "", CAKey{}
	}
	return f.caCert, f.caKey
}

// Check finds what is wrong with the flags before anything is opened.
func (f *Issuer) Check() error {
	switch {
	case f.Name == "", f.Name == "file", strings.HasPrefix(f.Name, "http://"), strings.HasPrefix(f.Name, "https://"):
		return nil
	case isStep(f.Name):
		return f.checkStep(f.Name)
	case f.Name != "local":
		return usage.Errorf("--issuer %q is neither file nor local nor step-ca nor step-ca-acme nor a URL", f.Name)
	case f.caCert == "" || f.caKey.Name == "":
		return usage.Errorf("--issuer local needs --ca-cert and --ca-key")
	}
	return nil
}

// Open returns the issuer, nil when none was named. It may ask for a password.
func (f *Issuer) Open(ctx context.Context) (issuer.Issuer, error) {
	if err := f.Check(); err != nil {
		return nil, err
	}
	switch {
	case f.Name == "":
		return nil, nil
	case f.Name == "file":
		folder, err := FolderOr(f.folder, "requests")
		if err != nil {
			return nil, err
		}
		return issuer.NewFile(folder)
	case f.Name == "local":
		return f.openLocal(ctx)
	}
	if isStep(f.Name) {
		return f.openStep(ctx, f.Name)
	}
	return f.openEST(ctx, f.Name)
}

// openLocal opens a CA key that is at hand; close it after use.
func (f *Issuer) openLocal(ctx context.Context) (issuer.Issuer, error) {
	f.caKey.MayAsk = f.MayAsk
	key, err := f.caKey.Open(ctx, f.caKey.Name)
	if err != nil {
		return nil, err
	}
	local, err := issuer.NewLocal(f.caCert, key, issuer.Options{CRLURL: f.crlURL, IssuerURL: f.caURL})
	if err != nil {
		return nil, errors.Join(err, key.Close())
	}
	f.opened = key
	return local, nil
}

// Close closes what open opened.
func (f *Issuer) Close() {
	if f.opened != nil {
		_ = f.opened.Close() // nothing was written
	}
}

// Describe says who signs, for people.
func (f *Issuer) Describe() string {
	switch f.Name {
	case "file":
		folder, err := FolderOr(f.folder, "requests")
		if err != nil {
			return "files"
		}
		return "requests and certificates are exchanged in " + folder
	case "local":
		if f.opened == nil {
			return "signs here, with " + f.caKey.Name
		}
		return "signs here, with " + f.opened.Name
	case "step-ca", "step-ca-acme":
		return f.Name + " at " + f.url + ", provisioner " + f.provisioner
	}
	return f.Name
}

// Certificates reads what --chain names.
func (f *Issuer) Certificates() ([]*x509.Certificate, error) { return ReadCertificates(f.chain) }
