// Package option has the flags that several commands share, each with what it opens:
// Gmail, the ledger, the escrow, an issuer, certificates, secrets; and the environment
// variables that stand for flags.
package option

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/cse-piv/cse-piv/internal/cli/failure"
	"github.com/cse-piv/cse-piv/internal/cli/program"
	"github.com/cse-piv/cse-piv/internal/cli/setting"
	"github.com/cse-piv/cse-piv/internal/cli/stdio"
	"github.com/cse-piv/cse-piv/internal/cli/usage"
	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/gmail"
	"github.com/cse-piv/cse-piv/internal/safetext"
)

// Gmail is the flags that say how Gmail is reached.
type Gmail struct {
	credentials            gmailCredentials
	authEndpoint, Endpoint string
	ca, directory          string
	retryBase              time.Duration
	// MaxTries bounds how often one call is made, where it is not as often as usual.
	MaxTries int
	// Expected is the address of who is expected to log in with --self, if that is known.
	Expected string
}

// Add adds the flags.
func (g *Gmail) Add(flags *pflag.FlagSet) {
	g.credentials.add(flags)
	flags.StringVar(&g.Endpoint, "gmail-endpoint", "", "`URL` of the Gmail API, where it is not Google's")
	g.retryBase = time.Second
	AddWait(flags, &g.retryBase, "retry-base", "first wait after an error of Google's that passes")
	flags.Lookup("retry-base").Hidden = true
	flags.StringVar(&g.authEndpoint, "auth-endpoint", "", "`URL` of the token endpoint and the IAM Credentials API, where they are not Google's")
	flags.StringVar(&g.ca, "gmail-ca", "", "`file` with authorities that are trusted besides this system's on the way to Gmail, such as that of a proxy which opens TLS")
	setting.Mark(flags, "gmail-endpoint", "auth-endpoint", "gmail-ca", "retry-base")
}

// AddDirectory adds the flag that has users looked up in the directory first.
func (g *Gmail) AddDirectory(flags *pflag.FlagSet) {
	flags.StringVar(&g.directory, "directory", "", "`address` of an administrator who may read users, as whom the directory (Admin SDK API) is asked whether a user can be registered, before Gmail is: an alias, a suspended account, no mailbox (default: it is not asked)")
	setting.Mark(flags, "directory")
	setting.InProfile(flags, "directory")
}

// Directory is the administrator as whom the directory is asked; "" where it is not.
func (g *Gmail) Directory() string { return g.directory }

// CheckDirectory refuses what nobody could look users up with.
func (g *Gmail) CheckDirectory() error {
	if g.directory == "" {
		return nil
	}
	if !safetext.IsAddress(g.directory) {
		return usage.Errorf("--directory %q is not the address of an administrator", g.directory)
	}
	if chosen, err := g.credentials.chosen(); err == nil && chosen == "self" {
		return usage.Errorf("--self and --directory exclude each other: who logs in cannot read the directory")
	}
	return nil
}

// Chosen reports whether the flags name credentials. A choice of two kinds is a mistake in
// the command line.
func (g *Gmail) Chosen() (bool, error) {
	chosen, err := g.credentials.chosen()
	return chosen != "", err
}

// NeedsPerson returns for which kind of credentials, by its flag, a person is asked when they
// are opened: for the PIN of a card, or to log in. It is "" for the others.
func (g *Gmail) NeedsPerson() (string, error) {
	chosen, err := g.credentials.chosen()
	if chosen != "self" && chosen != "service-account" {
		chosen = ""
	}
	return chosen, err
}

// OwnAddress has a person log in and returns whose account it is, where the credentials are
// a user's own; otherwise "".
func (g *Gmail) OwnAddress(ctx context.Context, messages io.Writer) (string, error) {
	if chosen, err := g.credentials.chosen(); err != nil || chosen != "self" {
		return "", err
	}
	config, err := g.Config(ctx, messages)
	if err != nil {
		return "", err
	}
	return config.Login.Address(), nil
}

// AskNobody has nobody log in or asked for a PIN: a login that was kept is gone on with, and what
// needs another or a PIN that is not given fails. Where the kept login cannot be used, says
// [Gmail.LoginProblem].
func (g *Gmail) AskNobody() {
	g.credentials.own.asksNobody, g.credentials.key.asksNobody = true, true
}

// LoginProblem returns why the login that was kept could not be used; nil where nothing is wrong.
func (g *Gmail) LoginProblem() error { return g.credentials.own.problem }

// Expect expects the login of who is named, where that is one user alone.
func (g *Gmail) Expect(emails ...string) {
	if len(emails) > 0 && !slices.ContainsFunc(emails, func(email string) bool { return email != emails[0] }) {
		g.Expected = emails[0]
	}
}

// Unattended has nobody asked for the PIN of a card that signs for the service account.
func (g *Gmail) Unattended() { g.credentials.key.unattended = true }

// KeyCard returns where the key of the service account is, once the credentials were opened that
// have it on a card.
func (g *Gmail) KeyCard() (KeyCard, bool) {
	if signer := g.credentials.key.signer; signer != nil {
		return signer.KeyCard, true
	}
	return KeyCard{}, false
}

// GivesPIN reports whether a flag says where the PIN of the service account's card is.
func (g *Gmail) GivesPIN() bool { return g.credentials.key.pin.given() }

// SignsWith reports whether the card with that serial number signs for the service
// account, and so is nobody's to enroll.
func (g *Gmail) SignsWith(serial uint32) bool { return g.credentials.key.signsWith(serial) }

// Foreign returns where Gmail is asked, if it is not at Google's own address.
func (g *Gmail) Foreign() string {
	if strings.TrimSuffix(g.Endpoint, "/") == strings.TrimSuffix(gmail.DefaultEndpoint, "/") {
		return ""
	}
	return g.Endpoint
}

// Open checks the credentials and returns the domain that they are for. Warnings
// go to messages.
func (g *Gmail) Open(ctx context.Context, messages io.Writer) (*gmail.Domain, error) {
	config, err := g.Config(ctx, messages)
	if err != nil {
		return nil, err
	}
	config.OnRetry = retryTeller(messages)
	return OpenGmail(config, messages)
}

// retryTeller tells messages of calls that failed and are made again.
func retryTeller(messages io.Writer) func(string, error, time.Duration) {
	return func(_ string, err error, in time.Duration) {
		fmt.Fprintf(messages, "cse-piv: %s; trying again in %s\n", safetext.Clean(err.Error()), in.Round(time.Millisecond))
	}
}

// Config returns what the flags say. A choice of two kinds of credentials is a
// mistake in the command line. The PIN of a card that signs for the service account is
// asked for here, once, and a login at the browser, whose link goes to messages; the card
// is used until the context ends.
func (g *Gmail) Config(ctx context.Context, messages io.Writer) (gmail.Config, error) {
	config := gmail.Config{
		AuthEndpoint: g.authEndpoint, Endpoint: g.Endpoint, UserAgent: "cse-piv/" + program.Version(),
		RetryBase: g.retryBase, MaxTries: g.MaxTries, Directory: g.directory,
	}
	if err := errors.Join(checkEndpoint("gmail-endpoint", g.Endpoint), checkEndpoint("auth-endpoint", g.authEndpoint), g.CheckDirectory()); err != nil {
		return config, err
	}
	if g.ca != "" {
		var err error
		if config.Roots, err = rootsWith(g.ca); err != nil {
			return config, usage.Errorf("--gmail-ca: %w", err)
		}
	}
	return config, g.credentials.choose(ctx, &config, g.Expected, messages)
}

// checkEndpoint refuses an address that nothing of Google's can be asked at, "" being Google's own.
func checkEndpoint(flag, address string) error {
	if address == "" {
		return nil
	}
	if err := gmail.CheckURL(address); err != nil {
		return &failure.EndpointError{Flag: flag, Variable: setting.EnvironmentName(flag), Err: &gmail.Error{Method: "--" + flag, Kind: gmail.KindInvalid, Message: err.Error()}}
	}
	return nil
}

// rootsWith returns the system's authorities and those of a file.
func rootsWith(file string) (*x509.CertPool, error) {
	authorities, err := ReadCertificates([]string{file})
	if err != nil {
		return nil, err
	}
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool() // a system without
	}
	for _, authority := range authorities {
		roots.AddCert(authority)
	}
	return roots, nil
}

// OpenGmail is Open with a configuration that the caller made.
func OpenGmail(config gmail.Config, messages io.Writer) (*gmail.Domain, error) {
	domain, err := gmail.Open(config)
	if err != nil {
		return nil, err
	}
	if tokens := domain.ForeignTokens(); tokens != "" {
		stdio.Note(messages, TokensText(tokens))
	}
	stdio.Warnings(messages, domain)
	return domain, nil
}

// TokensText says of an address where tokens are asked for that it is not Google's.
func TokensText(address string) string {
	return fmt.Sprintf("tokens are asked for at %s, which is not Google's", address)
}

// SayForeign says to messages where Gmail is asked, if it is not at Google's own
// address. An enrollment says so by itself.
func (g *Gmail) SayForeign(messages io.Writer) {
	if endpoint := g.Foreign(); endpoint != "" {
		stdio.Note(messages, enroll.EndpointText(endpoint))
	}
}

// User opens one user's settings.
func (g *Gmail) User(ctx context.Context, messages io.Writer, email string) (*gmail.User, error) {
	g.SayForeign(messages)
	g.Expected = email
	domain, err := g.Open(ctx, messages)
	if err != nil {
		return nil, err
	}
	return domain.User(ctx, email)
}
