package cacmd

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/cse-piv/cse-piv/internal/cli/option"
	"github.com/cse-piv/cse-piv/internal/cli/stdio"
	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/format"
	"github.com/cse-piv/cse-piv/internal/issuer"
	"github.com/cse-piv/cse-piv/internal/issuer/ca"
	"github.com/cse-piv/cse-piv/internal/smime"
)

// RevokedJSON is the output of ca revoke and ca crl; the names are a contract.
type RevokedJSON struct {
	Revoked []string `json:"revoked"` // serial numbers in hexadecimal: of ca revoke those that were, of ca crl all in the list
	List    string   `json:"list"`    // the file of the revocation list
	Number  string   `json:"number"`  // of the list
	Until   string   `json:"until"`   // when the next one is due, RFC 3339
}

func newCARevoke(streams *stdio.Streams) *cobra.Command {
	var options caFlags
	var reason, confirm string
	command := &cobra.Command{
		Use: "revoke SERIAL|EMAIL", Short: "Revoke what the CA issued, and sign a new revocation list", Args: cobra.ExactArgs(1),
		Long: "All certificates for an address are revoked, or the one with a serial number. It is for ever: others\n" +
			"are warned of mail that was signed with them, and stop encrypting to them. Publish the new list.",
		RunE: func(cmd *cobra.Command, args []string) error {
			code := slices.Index(revocationReasons(), reason)
			record, err := options.record()
			if err != nil {
				return err
			}
			serials, err := matching(record, args[0])
			if err != nil {
				return err
			}
			what := fmt.Sprintf("revoke %s of %s", format.Count(len(serials), "certificate"), args[0])
			losses := []string{what + ": others are warned of what was signed with them, for ever"}
			if err := option.Confirm(cmd.Context(), streams, confirm, args[0], enroll.Question{Text: what, Loss: losses}); err != nil {
				return err
			}
			revoked := RevokedJSON{Revoked: []string{}}
			for _, serial := range serials {
				if err := record.Revoke(serial, ca.Revocation{At: time.Now(), Reason: revocationCode(code)}); err != nil {
					return err
				}
				revoked.Revoked = append(revoked.Revoked, serial.Text(16))
			}
			return options.signList(cmd.Context(), streams, revoked)
		},
	}
	options.add(command)
	options.addKey(command, streams, "the issuing authority's key, where it is not in the folder")
	reason = revocationReasons()[0]
	option.AddChoice(command.Flags(), &reason, "reason", "why: a `reason`", revocationReasons()...)
	command.Flags().StringVar(&confirm, "confirm", "", "agree without being asked: the `serial|address` once more")
	return command
}

// revocationReasons are those of RFC 5280 section 5.3.1 that a CA of users gives, in the
// order of their codes.
func revocationReasons() []string {
	return []string{"unspecified", "keyCompromise", "affiliationChanged", "superseded", "cessationOfOperation"}
}

// revocationCode returns the code of one of revocationReasons.
func revocationCode(i int) int { return []int{0, 1, 3, 4, 5}[i] }

// matching returns the serial numbers of an address's certificates, or the one that is
// written in hexadecimal.
func matching(record ca.Record, what string) ([]*big.Int, error) {
	all, err := record.List()
	if err != nil {
		return nil, err
	}
	var serials []*big.Int
	wanted, isNumber := new(big.Int).SetString(strings.ToLower(strings.TrimPrefix(what, "0x")), 16)
	for _, issued := range all {
		if isNumber && issued.Certificate.SerialNumber.Cmp(wanted) == 0 || smime.HasAddress(issued.Certificate, what) {
			serials = append(serials, issued.Certificate.SerialNumber)
		}
	}
	if len(serials) == 0 {
		return nil, fmt.Errorf("%s: %w", what, ca.ErrUnknownSerial)
	}
	return serials, nil
}

func newCACRL(streams *stdio.Streams) *cobra.Command {
	var options caFlags
	command := &cobra.Command{
		Use: "crl", Short: "Sign a new revocation list, to be published before the last one ends", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return options.signList(cmd.Context(), streams, RevokedJSON{})
		},
	}
	options.add(command)
	options.addKey(command, streams, "the issuing authority's key, where it is not in the folder")
	return command
}

// signList signs the issuing authority's revocation list and prints what is in it.
func (f *caFlags) signList(ctx context.Context, streams *stdio.Streams, printed RevokedJSON) error {
	dir, err := f.folder()
	if err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(dir, ca.IssuingChain)); errors.Is(err, fs.ErrNotExist) {
		return &ca.MissingError{Folder: dir}
	}
	local, key, err := f.open(ctx, filepath.Join(dir, ca.IssuingChain), cmp.Or(f.key.Name, filepath.Join(dir, ca.IssuingKey)))
	if err != nil {
		return err
	}
	defer key.Close()
	list, err := local.SignList(ctx, issuer.ListValidity)
	if err != nil {
		return err
	}
	if printed.Revoked == nil {
		printed.Revoked = []string{}
		for _, entry := range list.RevokedCertificateEntries {
			printed.Revoked = append(printed.Revoked, entry.SerialNumber.Text(16))
		}
	}
	printed.List, printed.Number, printed.Until = filepath.Join(dir, ca.IssuingList), list.Number.String(), list.NextUpdate.UTC().Format(time.RFC3339)
	if f.json {
		return stdio.JSON(streams.Out, printed)
	}
	fmt.Fprintf(streams.Out, "%s\n  number %s, %s revoked; publish it, and sign the next one before %s UTC\n",
		printed.List, printed.Number, format.Count(len(list.RevokedCertificateEntries), "certificate"), list.NextUpdate.UTC().Format(stdio.Clock))
	return nil
}
