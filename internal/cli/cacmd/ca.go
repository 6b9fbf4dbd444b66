// Package cacmd is ca: a small certification authority of an organisation's own.
package cacmd

import (
	"context"
	"errors"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/cse-piv/cse-piv/internal/cli/option"
	"github.com/cse-piv/cse-piv/internal/cli/stdio"
	"github.com/cse-piv/cse-piv/internal/cli/usage"
	"github.com/cse-piv/cse-piv/internal/issuer"
	"github.com/cse-piv/cse-piv/internal/issuer/ca"
)

// rootListValidity is how long the root's revocation list is valid, whose key is not at hand: longer
// than the issuing authority's.
const rootListValidity = 365 * 24 * time.Hour

// New returns the command ca.
func New(streams *stdio.Streams) *cobra.Command {
	command := &cobra.Command{Use: "ca", Short: "A small CA of two levels, for those who have none", RunE: usage.ShowHelp}
	command.AddCommand(newCAInit(streams), newCAList(streams), newCARevoke(streams), newCACRL(streams))
	return command
}

// caFlags name the CA.
type caFlags struct {
	dir  string
	json bool
	key  option.CAKey // of the commands that sign
}

func (f *caFlags) add(command *cobra.Command) {
	command.Flags().StringVar(&f.dir, "dir", "", "`folder` of the CA (default ca in the data folder)")
	option.AddJSON(command, &f.json)
}

// addKey adds the flags of a command that signs.
func (f *caFlags) addKey(command *cobra.Command, streams *stdio.Streams, what string) {
	f.key.Add(command.Flags(), what)
	f.key.MayAsk = streams.Terminal
}

// open opens an authority, whose key is in that file or has that URI. The caller closes the
// key.
func (f *caFlags) open(ctx context.Context, certFile, keyName string) (*issuer.Local, *ca.Key, error) {
	key, err := f.key.Open(ctx, keyName)
	if err != nil {
		return nil, nil, err
	}
	local, err := issuer.NewLocal(certFile, key, issuer.Options{})
	if err != nil {
		return nil, nil, errors.Join(err, key.Close())
	}
	return local, key, nil
}

func (f *caFlags) folder() (string, error) { return option.FolderOr(f.dir, "ca") }

func (f *caFlags) record() (ca.Record, error) {
	dir, err := f.folder()
	return ca.RecordOf(filepath.Join(dir, ca.IssuingChain)), err
}
