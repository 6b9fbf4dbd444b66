package option

import (
	"bytes"
	"context"
	"crypto/x509"
	"os"

	"github.com/cse-piv/cse-piv/internal/cli/usage"
	"github.com/cse-piv/cse-piv/internal/issuer"
)

// Authorities returns the certificates of the CA that the flags name, as far as it
// has them: from its file or its server. It opens no key, needs no password and changes
// nothing.
func (f *Issuer) Authorities(ctx context.Context) ([]*x509.Certificate, error) {
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
		// One that is not there is made with the first request.
		if info, err := os.Stat(folder); err == nil && !info.IsDir() {
			return nil, usage.Errorf("--issuer-dir %s is not a folder", folder)
		}
		return nil, nil
	case f.Name == "local":
		return ReadCertificates([]string{f.caCert})
	}
	tls, err := f.tls()
	if err != nil {
		return nil, err
	}
	var server issuer.Issuer
	if isStep(f.Name) {
		server, err = issuer.NewStep(f.url, issuer.StepOptions{TLS: tls, Provisioner: f.provisioner, Fingerprint: f.fingerprint})
	} else {
		server, err = issuer.NewEST(f.Name, issuer.ESTOptions{TLS: tls})
	}
	if err != nil {
		return nil, err
	}
	chainer, is := server.(issuer.Chainer)
	if !is {
		return nil, usage.Errorf("--issuer %s tells no certificates", f.Name)
	}
	return chainer.Chain(ctx)
}

// Issuing returns the certificate of a CA that signs none of the others, which is the one
// that issues; nil where there is none.
func Issuing(certificates []*x509.Certificate) *x509.Certificate {
	for _, candidate := range certificates {
		issued := false
		for _, other := range certificates {
			issued = issued || !other.Equal(candidate) && bytes.Equal(other.RawIssuer, candidate.RawSubject)
		}
		if candidate.IsCA && !issued {
			return candidate
		}
	}
	return nil
}
