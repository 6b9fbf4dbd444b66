package option

import (
	"context"
	"crypto/tls"
	"fmt"

	"github.com/spf13/pflag"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/cli/setting"
	"github.com/cse-piv/cse-piv/internal/cli/usage"
	"github.com/cse-piv/cse-piv/internal/durable"
	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/issuer"
	"github.com/cse-piv/cse-piv/internal/prompt"
	"github.com/cse-piv/cse-piv/internal/secret"
)

// issuerServer says how an issuer that is a server is trusted, and how this program makes
// itself known to it.
type issuerServer struct {
	url, ca, fingerprint  string
	user, provisioner     string
	clientCert, clientKey string
	password              *Secret
	MayAsk                bool // for the password
}

func (s *issuerServer) add(flags *pflag.FlagSet) {
	flags.StringVar(&s.url, "issuer-url", "", "`URL` of the CA of --issuer step-ca and step-ca-acme")
	flags.StringVar(&s.provisioner, "issuer-provisioner", "", "`name` of the provisioner of --issuer step-ca (JWK) and step-ca-acme (ACME with device-attest-01)")
	flags.StringVar(&s.fingerprint, "issuer-fingerprint", "", "SHA-256 in `hexadecimal` of the root of --issuer step-ca and step-ca-acme, which is fetched and trusted by it")
	flags.StringVar(&s.ca, "issuer-ca", "", "`file` with the only authorities that are trusted for the TLS certificate of an issuer's server (default: this system's)")
	flags.StringVar(&s.user, "issuer-user", "", "`name` to sign in with at an EST server (HTTP basic); its password is asked for, or comes from --issuer-password-file")
	flags.StringVar(&s.clientCert, "issuer-cert", "", "`file` with the TLS client certificate to show to an issuer's server, and its chain (PEM)")
	flags.StringVar(&s.clientKey, "issuer-key", "", "`file` with the key of --issuer-cert (PEM)")
	s.password = AddSecret(flags, "issuer-password", "the password of --issuer-user, or of the key of --issuer-provisioner")
	setting.Mark(flags, "issuer-url", "issuer-provisioner", "issuer-fingerprint", "issuer-ca", "issuer-user", "issuer-cert", "issuer-key")
	setting.InProfile(flags, "issuer-url", "issuer-provisioner", "issuer-fingerprint", "issuer-ca", "issuer-user", "issuer-cert", "issuer-key", "issuer-password-file")
}

// Warnings lists what is unwise about the files with secrets, after they were read.
func (s *issuerServer) Warnings() []string { return s.password.Warnings() }

func (s *issuerServer) openEST(ctx context.Context, base string) (issuer.Issuer, error) {
	options := issuer.ESTOptions{User: s.user}
	var err error
	if options.TLS, err = s.tls(); err != nil {
		return nil, err
	}
	if s.user != "" {
		if options.Password, err = s.secret(ctx, "password of "+s.user+" at "+base); err != nil {
			return nil, err
		}
	} else if s.password.given() {
		return nil, usage.Errorf("--issuer-password-file says nothing without --issuer-user")
	}
	return issuer.NewEST(base, options)
}

func isStep(issuer string) bool { return issuer == "step-ca" || issuer == "step-ca-acme" }

// checkStep finds what is missing for a step-ca.
func (s *issuerServer) checkStep(name string) error {
	if s.url == "" || s.provisioner == "" {
		return usage.Errorf("--issuer %s needs --issuer-url and --issuer-provisioner", name)
	}
	return nil
}

func (s *issuerServer) openStep(ctx context.Context, name string) (issuer.Issuer, error) {
	options := issuer.StepOptions{Provisioner: s.provisioner, Fingerprint: s.fingerprint}
	var err error
	if options.TLS, err = s.tls(); err != nil {
		return nil, err
	}
	if name == "step-ca-acme" {
		if options.Accounts, err = FolderOr("", "accounts"); err != nil {
			return nil, err
		}
		return issuer.NewStepAttest(s.url, options)
	}
	if options.Password, err = s.secret(ctx, fmt.Sprintf("password of the provisioner %s at %s", s.provisioner, s.url)); err != nil {
		return nil, err
	}
	return issuer.NewStep(s.url, options)
}

// tls reads the certificates for the connection.
func (s *issuerServer) tls() (options issuer.TLS, err error) {
	if s.ca != "" {
		if options.CA, err = ReadCertificates([]string{s.ca}); err != nil {
			return options, err
		}
	}
	if (s.clientCert == "") != (s.clientKey == "") {
		return options, usage.Errorf("--issuer-cert and --issuer-key belong together")
	}
	if s.clientCert == "" {
		return options, nil
	}
	chain, err := durable.ReadFile(s.clientCert, certificate.MaxFile)
	if err != nil {
		return options, usage.Errorf("--issuer-cert: %w", err)
	}
	key, err := durable.ReadFile(s.clientKey, certificate.MaxFile)
	if err != nil {
		return options, usage.Errorf("--issuer-key: %w", err)
	}
	defer clear(key)
	client, err := tls.X509KeyPair(chain, key)
	if err != nil {
		return options, usage.Errorf("--issuer-cert and --issuer-key: %w", err)
	}
	options.Client = &client
	return options, nil
}

// secret reads the password from where the flags say, or asks for it.
func (s *issuerServer) secret(ctx context.Context, what string) (secret.Secret, error) {
	if s.password.given() {
		return s.password.Read(ctx)
	}
	missing := usage.Errorf("the %s is needed: --issuer-password-file FILE or --issuer-password-fd N", what)
	if !s.MayAsk {
		return secret.Secret{}, missing
	}
	terminal, err := prompt.Open()
	if err != nil {
		return secret.Secret{}, missing
	}
	defer terminal.Close()
	return terminal.Secret(ctx, enroll.SecretQuestion{Question: enroll.Question{Text: fmt.Sprintf("The %s", what)}})
}
