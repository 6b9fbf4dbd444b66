package option

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"

	"github.com/spf13/pflag"

	"github.com/cse-piv/cse-piv/internal/cli/setting"
	"github.com/cse-piv/cse-piv/internal/cli/stdio"
	"github.com/cse-piv/cse-piv/internal/cli/usage"
	"github.com/cse-piv/cse-piv/internal/gmail"
	"github.com/cse-piv/cse-piv/internal/keyring"
)

// ownLogin is the flags of users who act for themselves.
type ownLogin struct {
	wanted     bool
	client     string
	noBrowser  bool
	keep       bool
	asksNobody bool
	login      *gmail.Login // once there was one
	problem    error        // with the login that was kept, where nobody is asked for another
}

func (o *ownLogin) add(flags *pflag.FlagSet) {
	flags.BoolVar(&o.wanted, "self", false, "log in at the browser and act for your own account, where the organisation lets users enroll themselves")
	addClient(flags, &o.client)
	flags.BoolVar(&o.noBrowser, "no-browser", false, "with --self, print the link alone, to be opened by hand")
	flags.BoolVar(&o.keep, "keep-login", false, "with --self, keep the login in the system keyring, and go on with it next time; cse-piv credentials forget ends that")
	setting.Mark(flags, "no-browser", "keep-login")
}

func addClient(flags *pflag.FlagSet, client *string) {
	flags.StringVar(client, "client", "", "`file` of the OAuth client for desktop apps, for --self")
	setting.Mark(flags, "client")
}

// open has a person log in, once, unless a login was kept.
func (o *ownLogin) open(ctx context.Context, config *gmail.Config, address string, messages io.Writer) error {
	if o.login == nil {
		if o.client == "" {
			return usage.Errorf("--self needs --client FILE, the OAuth client of your organisation")
		}
		client, err := gmail.ReadClient(o.client)
		if err != nil {
			return err
		}
		if o.login, err = o.resume(ctx, *config, client, address, messages); err != nil {
			return err
		}
		switch {
		case o.login != nil:
		case o.asksNobody:
			o.login = gmail.NotLoggedIn(client)
		default:
			if o.login, err = o.logIn(ctx, *config, client, address, messages); err != nil {
				return err
			}
		}
	}
	config.Login = o.login
	return nil
}

// resume goes on with the login that was kept; nil where there is none that can be used. One that
// was taken back is forgotten.
func (o *ownLogin) resume(ctx context.Context, config gmail.Config, client *gmail.Client, address string, messages io.Writer) (*gmail.Login, error) {
	if !o.keep {
		return nil, nil
	}
	kept, err := keyring.Get(ctx, client.Name())
	switch {
	case errors.Is(err, keyring.ErrNotFound):
		return nil, nil
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil:
		o.problem = err
		stdio.Note(messages, "the login is not kept: "+err.Error())
		return nil, nil
	}
	login, err := gmail.Resume(ctx, config, client, kept)
	if failed, found := errors.AsType[*gmail.Error](err); found && failed.Detail == gmail.DetailLoginRevoked {
		if o.problem = err; o.asksNobody {
			return nil, nil
		}
		stdio.Note(messages, "the login that was kept was taken back or ran out, and is forgotten")
		if err := keyring.Delete(ctx, client.Name()); err != nil && !errors.Is(err, keyring.ErrNotFound) {
			stdio.Note(messages, err.Error())
		}
		return nil, nil
	}
	if err == nil && address != "" && !strings.EqualFold(login.Address(), address) && !o.asksNobody {
		stdio.Note(messages, fmt.Sprintf("the login that is kept is that of %s, and %s takes its place", login.Address(), address))
		return nil, nil
	}
	return login, err
}

// logIn has a person log in at the browser, and keeps the login where that is wanted.
func (o *ownLogin) logIn(ctx context.Context, config gmail.Config, client *gmail.Client, address string, messages io.Writer) (*gmail.Login, error) {
	login, err := gmail.LogIn(ctx, config, client, address, func(link string) {
		fmt.Fprintf(messages, "cse-piv: log in at the browser, and allow it: %s\n", link)
		if !o.noBrowser {
			openBrowser(ctx, link)
		}
	})
	if _, without := errors.AsType[*keyring.UnavailableError](o.problem); err != nil || !o.keep || without {
		return login, err
	}
	if login.Refresh().IsZero() {
		stdio.Note(messages, "the login is not kept: the server gave none that can be kept")
		return login, nil
	}
	if err := keyring.Set(ctx, client.Name(), login.Refresh()); err != nil {
		stdio.Note(messages, "the login is not kept: "+err.Error())
	}
	return login, nil
}

// KeptLogin is the flag that names the client whose login is kept.
type KeptLogin struct{ client string }

// Add adds the flag.
func (k *KeptLogin) Add(flags *pflag.FlagSet) { addClient(flags, &k.client) }

// Forget takes the client's login out of the system keyring, and reports whether there was one.
// Errors: those of gmail.ReadClient and of keyring.Delete.
func (k *KeptLogin) Forget(ctx context.Context) (was bool, err error) {
	if k.client == "" {
		return false, usage.Errorf("--client FILE has to say of which OAuth client the login is to be forgotten")
	}
	client, err := gmail.ReadClient(k.client)
	if err != nil {
		return false, err
	}
	err = keyring.Delete(ctx, client.Name())
	if errors.Is(err, keyring.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// openBrowser opens a link with the program that BROWSER names, or the system's own. Whoever
// has none opens it by hand.
func openBrowser(ctx context.Context, link string) {
	program := []string{"xdg-open"}
	switch {
	case os.Getenv("BROWSER") != "":
		program = []string{os.Getenv("BROWSER")}
	case runtime.GOOS == "windows":
		program = []string{"rundll32", "url.dll,FileProtocolHandler"}
	case runtime.GOOS == "darwin":
		program = []string{"open"}
	}
	command := exec.CommandContext(context.WithoutCancel(ctx), program[0], append(program[1:], link)...) // which outlives this program
	if command.Start() == nil {
		go func() { _ = command.Wait() }() // so that it leaves no zombie
	}
}
