package configcmd

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/cse-piv/cse-piv/internal/cli/setting"
	"github.com/cse-piv/cse-piv/internal/cli/stdio"
	"github.com/cse-piv/cse-piv/internal/cli/usage"
	"github.com/cse-piv/cse-piv/internal/durable"
)

func newInit(streams *stdio.Streams) *cobra.Command {
	return &cobra.Command{
		Use: "init", Short: "Write a commented config.toml to begin with",
		Long: "init writes an example in which every line is a comment: it changes nothing until a line is made to count.\n" +
			"A file that is there is never overwritten. It is written where --config says, or where it is looked for.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			path, _, err := setting.ConfigFile(cmd)
			if err != nil {
				return err
			}
			if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
				return usage.Errorf("%s is there already, and is not overwritten", path)
			}
			if err := durable.MakeFolder(filepath.Dir(path), 0o700); err != nil {
				return err
			}
			if err := durable.KeepFile(path, []byte(example), 0o600); err != nil {
				return err
			}
			_, err = fmt.Fprintln(streams.Out, path)
			return err
		},
	}
}

// example is what config init writes.
const example = `# Settings of cse-piv. What stands here counts where neither a flag nor a CSE_PIV_ variable says it.
# A key is the long name of a flag: cse-piv config show lists all that there are.
# No secret stands here: name the file of one instead (pin-file, issuer-password-file).
# Relative paths are meant from this file's folder. Windows paths stand in single quotes: 'C:\keys\key.json'

# credentials = "key.json"
# issuer = "file"
# issuer-dir = "requests"
# chain = ["chain.pem"]
# store = "ledger.db"
# escrow-to = ["age1..."]
# evidence = "evidence"
# concurrency = 20
# revocation = "soft"

# An enrollment profile says what a card and its keys have to be like: enroll --profile staff.
# With only one profile, enroll and replace follow it unasked. No flag changes what a profile says.

# [profile.staff]
# description = "Staff, YubiKey 5"
# layout = "single"
# slot = "9d"
# algorithm = "rsa2048"
# pin-policy = "once"
# touch-policy = "never"
# min-pin-length = 8
# pin-tries = 5
# puk-tries = 3
# issuer = "file"
# escrow-to = ["age1..."]
# require-firmware = "5.7.0"
# require-pin = true
# require-touch = false
# require-fips = false
`
