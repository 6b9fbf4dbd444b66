package option

import (
	"context"
	"io"

	"github.com/spf13/pflag"

	"github.com/cse-piv/cse-piv/internal/cli/setting"
	"github.com/cse-piv/cse-piv/internal/cli/usage"
	"github.com/cse-piv/cse-piv/internal/gmail"
)

// gmailCredentials is the flags that choose one kind of credentials.
type gmailCredentials struct {
	file, impersonate string
	key               accountKey
	own               ownLogin
	flags             *pflag.FlagSet
}

// credentialsFlags choose a kind of credentials each.
var credentialsFlags = [...]string{"credentials", "impersonate", "service-account", "self"}

func (c *gmailCredentials) add(flags *pflag.FlagSet) {
	c.flags = flags
	flags.StringVar(&c.file, "credentials", "", "key `file` of the service account with domain-wide delegation")
	flags.StringVar(&c.impersonate, "impersonate", "", "`address` of the service account with domain-wide delegation, to act through without a key, with the credentials of this machine (gcloud auth application-default login, or workload identity federation)")
	c.key.add(flags)
	c.own.add(flags)
	setting.Mark(flags, credentialsFlags[:]...)
}

// choose puts the kind that the flags name into a configuration. What was typed goes
// before what the environment says.
func (c *gmailCredentials) choose(ctx context.Context, config *gmail.Config, address string, messages io.Writer) error {
	chosen, err := c.chosen()
	switch chosen {
	case "self":
		return c.own.open(ctx, config, address, messages)
	case "service-account":
		return c.key.open(ctx, config)
	case "credentials":
		config.CredentialsFile = c.file
	case "impersonate":
		config.Impersonate = c.impersonate
	}
	return err
}

// chosen is the flag that names the kind, "" where none does.
func (c *gmailCredentials) chosen() (string, error) {
	for _, typed := range []bool{true, false} {
		chosen := ""
		for _, name := range credentialsFlags {
			flag := c.flags.Lookup(name)
			switch {
			case flag.Value.String() == flag.DefValue || flag.Changed != typed:
			case chosen == "":
				chosen = name
			case typed:
				return "", usage.Errorf("--%s and --%s are two kinds of credentials: give one of them", chosen, name)
			default:
				return "", usage.Errorf("%s and %s are two kinds of credentials: set one of them", setting.EnvironmentName(chosen), setting.EnvironmentName(name))
			}
		}
		if chosen != "" {
			return chosen, nil
		}
	}
	return "", nil
}
