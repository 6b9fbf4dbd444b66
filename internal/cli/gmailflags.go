package cli

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/gmail"
	"github.com/cse-piv/cse-piv/internal/safetext"
)

// gmailFlags say how Gmail is reached.
type gmailFlags struct {
	credentials, endpoint string
	retryBase             time.Duration
	// maxTries bounds how often one call is made, where it is not as often as usual.
	maxTries int
}

func (g *gmailFlags) add(flags *pflag.FlagSet) {
	flags.StringVar(&g.credentials, "credentials", "", "key `file` of the service account with domain-wide delegation")
	flags.StringVar(&g.endpoint, "gmail-endpoint", "", "`URL` of the Gmail API, where it is not Google's")
	flags.DurationVar(&g.retryBase, "retry-base", time.Second, "first wait after an error of Google's that passes")
	flags.Lookup("retry-base").Hidden = true
	environmentFlag(flags, "credentials", "gmail-endpoint", "retry-base")
}

// foreign returns where Gmail is asked, if it is not at Google's own address.
func (g *gmailFlags) foreign() string {
	if strings.TrimSuffix(g.endpoint, "/") == strings.TrimSuffix(gmail.DefaultEndpoint, "/") {
		return ""
	}
	return g.endpoint
}

// open checks the credentials and returns the domain that they are for. Warnings
// go to messages.
func (g *gmailFlags) open(messages io.Writer) (*gmail.Domain, error) {
	config := g.config()
	config.OnRetry = func(_ string, err error, in time.Duration) {
		fmt.Fprintf(messages, "cse-piv: %s; trying again in %s\n", safetext.Clean(err.Error()), in.Round(time.Millisecond))
	}
	return openGmail(config, messages)
}

func (g *gmailFlags) config() gmail.Config {
	return gmail.Config{CredentialsFile: g.credentials, Endpoint: g.endpoint, UserAgent: "cse-piv/" + version(), RetryBase: g.retryBase, MaxTries: g.maxTries}
}

func openGmail(config gmail.Config, messages io.Writer) (*gmail.Domain, error) {
	domain, err := gmail.Open(config)
	if err != nil {
		return nil, err
	}
	if tokens := domain.ForeignTokens(); tokens != "" {
		printNote(messages, tokensText(tokens))
	}
	printWarnings(messages, domain)
	return domain, nil
}

// tokensText says of an address where tokens are asked for that it is not Google's.
func tokensText(address string) string {
	return fmt.Sprintf("tokens are asked for at %s, which is not Google's", address)
}

// sayForeign says to messages where Gmail is asked, if it is not at Google's own
// address. An enrollment says so by itself.
func (g *gmailFlags) sayForeign(messages io.Writer) {
	if endpoint := g.foreign(); endpoint != "" {
		printNote(messages, enroll.EndpointText(endpoint))
	}
}

// user opens one user's settings.
func (g *gmailFlags) user(ctx context.Context, messages io.Writer, email string) (*gmail.User, error) {
	g.sayForeign(messages)
	domain, err := g.open(messages)
	if err != nil {
		return nil, err
	}
	return domain.User(ctx, email)
}
