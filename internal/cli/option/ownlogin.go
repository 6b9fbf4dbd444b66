package option

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"

	"github.com/spf13/pflag"

	"github.com/cse-piv/cse-piv/internal/cli/setting"
	"github.com/cse-piv/cse-piv/internal/cli/usage"
	"github.com/cse-piv/cse-piv/internal/gmail"
)

// ownLogin is the flags of users who act for themselves.
type ownLogin struct {
	wanted    bool
	client    string
	noBrowser bool
	login     *gmail.Login // once there was one
}

func (o *ownLogin) add(flags *pflag.FlagSet) {
	flags.BoolVar(&o.wanted, "self", false, "log in at the browser and act for your own account, where the organisation lets users enroll themselves")
	flags.StringVar(&o.client, "client", "", "`file` of the OAuth client for desktop apps, for --self")
	flags.BoolVar(&o.noBrowser, "no-browser", false, "with --self, print the link alone, to be opened by hand")
	setting.Mark(flags, "client", "no-browser")
}

// open has a person log in, once.
func (o *ownLogin) open(ctx context.Context, config *gmail.Config, address string, messages io.Writer) error {
	if o.login == nil {
		if o.client == "" {
			return usage.Errorf("--self needs --client FILE, the OAuth client of your organisation")
		}
		client, err := gmail.ReadClient(o.client)
		if err != nil {
			return err
		}
		o.login, err = gmail.LogIn(ctx, *config, client, address, func(link string) {
			fmt.Fprintf(messages, "cse-piv: log in at the browser, and allow it: %s\n", link)
			if !o.noBrowser {
				openBrowser(ctx, link)
			}
		})
		if err != nil {
			return err
		}
	}
	config.Login = o.login
	return nil
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
