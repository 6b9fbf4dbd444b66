package batchcmd

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/cse-piv/cse-piv/internal/batch"
	"github.com/cse-piv/cse-piv/internal/cli/option"
	"github.com/cse-piv/cse-piv/internal/cli/usage"
	"github.com/cse-piv/cse-piv/internal/durable"
	"github.com/cse-piv/cse-piv/internal/spreadsheet"
)

// maxOnly bounds a file of addresses, in bytes.
const maxOnly = 32 << 20

// pickFlags say whom of a source a batch is about.
type pickFlags struct {
	only  []string
	retry string
	limit int
}

func (f *pickFlags) add(flags *pflag.FlagSet) {
	flags.StringArrayVar(&f.only, "only", nil, "only these users of the source: a `file|pattern`, a file with an address a line, or an address in which * and ? stand for others (repeatable)")
	flags.StringVar(&f.retry, "retry", "", "only users who failed in the last run that had them: `failed|reason`, any or one such as cse-off")
	option.AddNumber(flags, &f.limit, "limit", 1, option.AnyNumber, "at most so many users who are not registered yet; the same again takes the next ones")
}

func (f *pickFlags) check() error {
	if f.retry != "" && f.retry != batch.RetryFailed && !batch.IsReason(f.retry) {
		return usage.Errorf("--retry %s: it is %q, or a reason that reports name, such as cse-off", f.retry, batch.RetryFailed)
	}
	return nil
}

// pick reads the files that are named.
func (f *pickFlags) pick(ctx context.Context) (batch.Pick, error) {
	pick := batch.Pick{Retry: f.retry, Limit: f.limit}
	if len(f.only) == 0 {
		return pick, nil
	}
	addresses := map[string]bool{}
	var patterns []string
	for _, value := range f.only {
		data, err := durable.ReadFile(value, maxOnly)
		switch {
		case err == nil:
			if err := addAddresses(ctx, addresses, data); err != nil {
				return pick, usage.Errorf("--only %s: %w", value, err)
			}
		case !errors.Is(err, fs.ErrNotExist):
			return pick, usage.Errorf("--only: %w", err)
		case strings.ContainsRune(value, os.PathSeparator) || !strings.ContainsAny(value, "@*?"):
			return pick, usage.Errorf("--only %s: there is no such file, and it is no address or pattern such as *@sales.example.com", value)
		default:
			pattern := strings.ToLower(value)
			if _, err := path.Match(pattern, ""); err != nil {
				return pick, usage.Errorf("--only %s: %w", value, err)
			}
			patterns = append(patterns, pattern)
		}
	}
	pick.Only = func(email string) bool {
		email = strings.ToLower(strings.TrimSpace(email))
		for _, pattern := range patterns {
			if ok, _ := path.Match(pattern, email); ok {
				return true
			}
		}
		return addresses[email]
	}
	return pick, nil
}

// addAddresses reads a list, as text or CSV: the column that is headed as an address,
// else the first. Lines that hold none there are passed over.
func addAddresses(ctx context.Context, addresses map[string]bool, data []byte) error {
	lines, err := spreadsheet.NewLines(ctx, bytes.NewReader(data))
	if err != nil {
		return err
	}
	rows := spreadsheet.NewReader(lines, spreadsheet.Options{Comment: '#', Known: option.KnownHeadings, Least: 1, Loose: true})
	column, before := 0, len(addresses)
	for {
		row, err := rows.Next()
		switch {
		case errors.Is(err, io.EOF) && len(addresses) == before:
			return errors.New("it holds no address")
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		case row.Err != nil:
			return fmt.Errorf("line %d: %w", row.Line, row.Err)
		case len(addresses) == before && slices.ContainsFunc(row.Cells, option.IsAddressHeading):
			column = slices.IndexFunc(row.Cells, option.IsAddressHeading)
		case column < len(row.Cells) && strings.Contains(row.Cells[column], "@"):
			addresses[strings.ToLower(strings.TrimSpace(row.Cells[column]))] = true
		}
	}
}
