package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/cse-piv/cse-piv/internal/durable"
	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/spreadsheet"
)

// userRow is a line of a file of users.
type userRow struct{ email, keyPairID string }

// usersOf returns the users of a command's arguments, or of a file.
func usersOf(ctx context.Context, rows []userRow, from string, withKeyPair bool) ([]userRow, error) {
	switch {
	case from == "" && len(rows) == 0:
		return nil, usageErrorf("nobody is named: give an address, or --from FILE")
	case from != "" && len(rows) > 0:
		return nil, usageErrorf("give addresses or --from FILE, not both")
	case from != "":
		return readUsers(ctx, from, withKeyPair)
	}
	for _, row := range rows {
		if err := enroll.ValidateAddress(row.email); err != nil {
			return nil, err
		}
	}
	return rows, nil
}

// emailRows are users named by their addresses.
func emailRows(emails []string) (rows []userRow) {
	for _, email := range emails {
		rows = append(rows, userRow{email: email})
	}
	return rows
}

// readUsers reads a file of users (CSV): addresses, and key pairs where the command is
// about key pairs. Columns are told by their headings, email and key_pair_id, or without
// a heading by their order. All that is wrong is told at once, and nobody of such a file
// is touched.
func readUsers(ctx context.Context, path string, withKeyPair bool) (rows []userRow, err error) {
	file, err := durable.Open(path)
	if err != nil {
		return nil, usageErrorf("--from: %w", err)
	}
	defer file.Close()
	lines, err := spreadsheet.NewLines(ctx, file)
	if err != nil {
		return nil, usageErrorf("--from %s: %w", path, err)
	}
	columns := userColumns{email: 0, keyPair: 1}
	reader := spreadsheet.NewReader(lines, spreadsheet.Options{Comment: '#', Known: knownHeadings, Least: 1})
	var problems []error
	for first := true; ; first = false {
		row, err := reader.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, usageErrorf("--from %s: %w", path, err)
		}
		if row.Err == nil && first {
			if knownHeadings(row.Cells) > 0 {
				columns = columnsOf(row.Cells)
				continue
			}
			if !strings.Contains(strings.Join(row.Cells, " "), "@") {
				return nil, usageErrorf("--from %s is no list of users: its first line has neither an address nor a heading email, but %s", path, spreadsheet.Shown(row.Cells))
			}
		}
		read, err := columns.read(row, withKeyPair)
		if err == nil && slices.Contains(rows, read) {
			err = errors.New("it stands there twice")
		}
		if err != nil {
			problems = append(problems, fmt.Errorf("line %d: %w", row.Line, err))
		}
		rows = append(rows, read)
	}
	switch {
	case len(problems) > 0:
		return nil, usageErrorf("--from %s: %w", path, errors.Join(problems...))
	case len(rows) == 0:
		return nil, usageErrorf("--from %s names nobody", path)
	}
	return rows, nil
}

// userColumns are the columns' numbers; -1 is none.
type userColumns struct{ email, keyPair int }

func isKeyPairHeading(cell string) bool {
	return slices.Contains([]string{"keypairid", "keypair"}, spreadsheet.Heading(cell))
}

func isAddressHeading(cell string) bool { return spreadsheet.IsAddress(spreadsheet.Heading(cell)) }

func knownHeadings(cells []string) (n int) {
	for _, cell := range cells {
		if isKeyPairHeading(cell) || isAddressHeading(cell) {
			n++
		}
	}
	return n
}

func columnsOf(cells []string) userColumns {
	return userColumns{slices.IndexFunc(cells, isAddressHeading), slices.IndexFunc(cells, isKeyPairHeading)}
}

func (c userColumns) read(row spreadsheet.Row, withKeyPair bool) (userRow, error) {
	if row.Err != nil {
		return userRow{}, row.Err
	}
	cell := func(n int) string {
		if n < 0 || n >= len(row.Cells) {
			return ""
		}
		return strings.TrimSpace(row.Cells[n])
	}
	read := userRow{email: cell(c.email)}
	if err := enroll.ValidateAddress(read.email); err != nil {
		return read, err
	}
	if withKeyPair {
		if read.keyPairID = cell(c.keyPair); read.keyPairID == "" {
			return read, errors.New("there is no key pair; a column key_pair_id says which")
		}
	}
	return read, nil
}
