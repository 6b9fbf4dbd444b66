package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"testing"

	"github.com/cse-piv/cse-piv/internal/ledger"
)

// roleVariable makes this test binary another program, which works with the ledger
// that pathVariable names.
const roleVariable, pathVariable = "CSE_PIV_LEDGER_TEST_ROLE", "CSE_PIV_LEDGER_TEST_PATH"

// roles are these programs; what one returns is told, with its problem.
var roles = map[string]func(path string) error{"look": lookAt}

func TestMain(m *testing.M) {
	role := roles[os.Getenv(roleVariable)]
	if role == nil {
		os.Exit(m.Run())
	}
	if err := role(os.Getenv(pathVariable)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		var failed *ledger.Error
		if errors.As(err, &failed) {
			fmt.Fprintln(os.Stderr, "problem:", failed.Problem())
		}
		os.Exit(1)
	}
	os.Exit(0)
}

func child(role, path string) *exec.Cmd {
	command := exec.Command(os.Args[0], "-test.run=^$")
	command.Env = append(os.Environ(), roleVariable+"="+role, pathVariable+"="+path)
	return command
}

// lookAt prints how many users the first run has.
func lookAt(path string) error {
	l, err := ledger.Open(context.Background(), path, ledger.Options{ReadOnly: true})
	if err != nil {
		return err
	}
	counts, err := l.Counts(context.Background(), 1)
	fmt.Print(counts.Total, " users")
	return errors.Join(err, l.Close())
}
