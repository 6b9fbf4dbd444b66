package cli

import (
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/cse-piv/cse-piv/internal/issuer/ca"
)

// How long revocation lists are valid: the root's, whose key is not at hand, longer.
const (
	issuingListValidity = 7 * 24 * time.Hour
	rootListValidity    = 365 * 24 * time.Hour
)

func newCA(streams *Streams) *cobra.Command {
	command := &cobra.Command{Use: "ca", Short: "A small CA of two levels, for those who have none", RunE: showHelp}
	command.AddCommand(newCAInit(streams), newCAList(streams), newCARevoke(streams), newCACRL(streams))
	return command
}

// caFlags name the CA.
type caFlags struct {
	dir  string
	json bool
}

func (f *caFlags) add(command *cobra.Command) {
	command.Flags().StringVar(&f.dir, "dir", "", "`folder` of the CA (default ca in the data folder)")
	jsonFlag(command, &f.json)
}

func (f *caFlags) folder() (string, error) { return folderOr(f.dir, "ca") }

func (f *caFlags) record() (ca.Record, error) {
	dir, err := f.folder()
	return ca.RecordOf(filepath.Join(dir, ca.IssuingChain)), err
}
