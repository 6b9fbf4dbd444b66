package wine

import (
	"bufio"
	"net/http"
	"strings"
	"testing"

	"github.com/cse-piv/cse-piv/internal/lab"
)

// TestKeptLogin: a login is kept in the Credential Manager, gone on with, and forgotten.
func TestKeptLogin(t *testing.T) {
	d := newDesk(t, lab.Options{})
	list := []string{"keypair", "list", "ada@lab.example", "--self", "--keep-login", "--no-browser", "--credentials", ""}
	d.logIn(list...)
	said := d.run(0, list...)
	if strings.Contains(said.err, "log in at the browser") {
		t.Errorf("the login was not kept:\n%s", said.err)
	}
	d.says(d.run(0, "doctor", "ada@lab.example", "--self", "--keep-login", "--credentials", "").out, "the login of ada@lab.example", "allowed by ada@lab.example")
	d.says(d.run(0, "credentials", "forget").out, "the login is forgotten")
	d.says(d.run(0, "credentials", "forget").out, "no login of this client is kept")
}

// logIn runs a command that prints the link of a login, and follows it as a browser does.
func (d *desk) logIn(arguments ...string) {
	d.t.Helper()
	command := d.command(arguments...)
	errs, err := command.StderrPipe()
	if err == nil {
		err = command.Start()
	}
	if err != nil {
		d.t.Fatal(err)
	}
	var said strings.Builder
	for lines := bufio.NewScanner(errs); lines.Scan(); {
		said.WriteString(lines.Text() + "\n")
		_, link, found := strings.Cut(lines.Text(), "allow it: ")
		if !found {
			continue
		}
		answer, err := http.Get(strings.TrimSpace(link))
		if err != nil {
			d.t.Error(err)
			continue
		}
		answer.Body.Close()
	}
	if err := command.Wait(); err != nil {
		d.t.Fatalf("%v\n%s", err, said.String())
	}
	d.says(said.String(), "allow it: ")
}
