package option

import (
	"context"
	"crypto/x509"
	"io"
	"strings"

	"github.com/spf13/pflag"

	"github.com/cse-piv/cse-piv/internal/batch/source"
	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/cli/setting"
	"github.com/cse-piv/cse-piv/internal/cli/usage"
	"github.com/cse-piv/cse-piv/internal/durable"
	"github.com/cse-piv/cse-piv/internal/secret"
)

// Source is the flags that say how the source of a batch is read.
type Source struct {
	allowOutside bool
	Choose       source.Choice
	// AddressesOnly takes a CSV without a column for certificates, too.
	AddressesOnly bool
	ldap          source.LDAPOptions
	ldapCA        string
	ldapPassword  *Secret
	Password      secret.Secret // of PKCS#12 files
}

// Add adds the flags.
func (f *Source) Add(flags *pflag.FlagSet) {
	flags.BoolVar(&f.allowOutside, "allow-outside", false, "let a manifest name files outside its own folder")
	flags.StringArrayVar(&f.Choose.Issuers, "choose-issuer", nil, "take only certificates issued by this authority, by its common or whole `name` (repeatable; also --ldap-issuer)")
	flags.StringArrayVar(&f.Choose.Policies, "choose-policy", nil, "take only certificates with this policy or Microsoft template, an object `identifier` (repeatable; also --ldap-policy)")
	flags.SetNormalizeFunc(func(_ *pflag.FlagSet, name string) pflag.NormalizedName {
		switch name {
		case "ldap-issuer", "ldap-policy":
			name = strings.Replace(name, "ldap", "choose", 1)
		}
		return pflag.NormalizedName(name)
	})
	flags.StringVar(&f.ldap.Base, "ldap-base", "", "`DN` to search below (default the directory's only naming context)")
	flags.StringVar(&f.ldap.Filter, "ldap-filter", "", "`filter` that chooses entries, for example (department=7)")
	flags.StringVar(&f.ldap.Mail, "ldap-mail", "", "`attribute` of the mail address (default mail)")
	flags.StringSliceVar(&f.ldap.Attributes, "ldap-attributes", nil, "`attributes` that hold certificates (default userSMIMECertificate,userCertificate;binary)")
	flags.BoolVar(&f.ldap.History, "ldap-history", false, "take expired and superseded encryption certificates too, for reading old mail")
	flags.StringVar(&f.ldap.BindDN, "ldap-bind", "", "`DN` to log in as (default anonymous)")
	f.ldapPassword = AddSecret(flags, "ldap-password", "the password of --ldap-bind")
	flags.BoolVar(&f.ldap.StartTLS, "ldap-starttls", false, "encrypt an ldap:// connection before anything else is sent")
	flags.StringVar(&f.ldapCA, "ldap-ca", "", "`file` with the authority of the directory's own certificate (default those of this system)")
	setting.Mark(flags, "choose-issuer", "choose-policy", "ldap-base", "ldap-filter", "ldap-mail", "ldap-attributes", "ldap-bind", "ldap-ca")
}

// Open returns the source. note is told what a person may want to know about it.
func (f *Source) Open(ctx context.Context, spec string, stdin io.Reader, note func(string)) (source.Source, error) {
	options := source.Options{Stdin: stdin, AllowOutside: f.allowOutside, Password: f.Password, Choose: f.Choose, AddressesOnly: f.AddressesOnly, Note: note, LDAP: f.ldap}
	if err := f.Choose.Check(); err != nil {
		return nil, usage.Errorf("--choose-policy: %w", err)
	}
	var err error
	if options.LDAP.Password, err = f.ldapPassword.Read(ctx); err != nil {
		return nil, err
	}
	for _, warning := range f.ldapPassword.Warnings() {
		note(warning)
	}
	if f.ldap.BindDN == "" && !options.LDAP.Password.IsZero() {
		return nil, usage.Errorf("--ldap-password-file says nothing without --ldap-bind")
	}
	if f.ldapCA != "" {
		data, err := durable.ReadFile(f.ldapCA, certificate.MaxFile)
		if err != nil {
			return nil, usage.Errorf("--ldap-ca: %w", err)
		}
		options.LDAP.Roots = x509.NewCertPool()
		if !options.LDAP.Roots.AppendCertsFromPEM(data) {
			return nil, usage.Errorf("--ldap-ca: %s holds no certificate in PEM", f.ldapCA)
		}
	}
	from, err := source.Open(spec, options)
	if err != nil {
		return nil, usage.Errorf("%w", err)
	}
	return from, nil
}
