package cli

import (
	"context"
	"crypto/x509"
	"errors"
	"strings"

	"github.com/spf13/pflag"

	"github.com/cse-piv/cse-piv/internal/issuer"
	"github.com/cse-piv/cse-piv/internal/issuer/ca"
)

// issuerFlags say who signs certificate requests, and which certificates help to
// build chains.
type issuerFlags struct {
	issuer, folder, caCert, crlURL, caURL string
	chain                                 []string
	caKey                                 caKeyFlags
	opened                                *ca.Key // of a local CA
	issuerServer
}

func (f *issuerFlags) add(flags *pflag.FlagSet) {
	flags.StringVar(&f.issuer, "issuer", "", "file: requests go to a folder and certificates come back there; local: --ca-cert and --ca-key sign; step-ca or step-ca-acme: a step-ca at --issuer-url, by a password or by the card's attestation; or the `URL` of an EST server")
	flags.StringVar(&f.folder, "issuer-dir", "", "`folder` of --issuer file")
	flags.StringVar(&f.caCert, "ca-cert", "", "`file` with the CA certificate of --issuer local and the chain above it (PEM)")
	f.caKey.add(flags, "the CA key of --issuer local")
	flags.StringVar(&f.crlURL, "crl-url", "", "http `URL` of the revocation list, for certificates of --issuer local")
	flags.StringVar(&f.caURL, "ca-url", "", "http `URL` of the CA's certificate, for certificates of --issuer local")
	flags.StringSliceVar(&f.chain, "chain", nil, "`file` or folder with intermediate and root certificates to build chains with")
	f.issuerServer.add(flags)
	environmentFlag(flags, "issuer", "issuer-dir", "ca-cert", "crl-url", "ca-url", "chain")
}

// check finds what is wrong with the flags before anything is opened.
func (f *issuerFlags) check() error {
	switch {
	case f.issuer == "", f.issuer == "file", strings.HasPrefix(f.issuer, "http://"), strings.HasPrefix(f.issuer, "https://"):
		return nil
	case isStep(f.issuer):
		return f.checkStep(f.issuer)
	case f.issuer != "local":
		return usageErrorf("--issuer %q is neither file nor local nor step-ca nor step-ca-acme nor a URL", f.issuer)
	case f.caCert == "" || f.caKey.key == "":
		return usageErrorf("--issuer local needs --ca-cert and --ca-key")
	}
	return nil
}

// open returns the issuer, nil when none was named. It may ask for a password.
func (f *issuerFlags) open(ctx context.Context) (issuer.Issuer, error) {
	if err := f.check(); err != nil {
		return nil, err
	}
	switch {
	case f.issuer == "":
		return nil, nil
	case f.issuer == "file":
		folder, err := folderOr(f.folder, "requests")
		if err != nil {
			return nil, err
		}
		return issuer.NewFile(folder)
	case f.issuer == "local":
		return f.openLocal(ctx)
	}
	if isStep(f.issuer) {
		return f.openStep(ctx, f.issuer)
	}
	return f.openEST(ctx, f.issuer)
}

// openLocal opens a CA key that is at hand; close it after use.
func (f *issuerFlags) openLocal(ctx context.Context) (issuer.Issuer, error) {
	f.caKey.mayAsk = f.mayAsk
	key, err := f.caKey.open(ctx, f.caKey.key)
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

// close closes what open opened.
func (f *issuerFlags) close() {
	if f.opened != nil {
		_ = f.opened.Close() // nothing was written
	}
}

// describe says who signs, for people.
func (f *issuerFlags) describe() string {
	switch f.issuer {
	case "file":
		folder, err := folderOr(f.folder, "requests")
		if err != nil {
			return "files"
		}
		return "requests and certificates are exchanged in " + folder
	case "local":
		return "signs here, with " + f.opened.Name
	case "step-ca", "step-ca-acme":
		return f.issuer + " at " + f.url + ", provisioner " + f.provisioner
	}
	return f.issuer
}

// certificates reads what --chain names.
func (f *issuerFlags) certificates() ([]*x509.Certificate, error) { return readCertificates(f.chain) }
