package option

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/cse-piv/cse-piv/internal/cli/usage"
	"github.com/cse-piv/cse-piv/internal/durable"
	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/spreadsheet"
)

// User is a line of a file of users.
type User struct{ Email, KeyPairID string }

// Users returns the users of a command's arguments, or of a file.
func Users(ctx context.Context, rows []User, from string, withKeyPair bool) ([]User, error) {
	switch {
	case from == "" && len(rows) == 0:
		return nil, usage.Errorf("nobody is named: give an address, or --from FILE")
	case from != "" && len(rows) > 0:
		return nil, usage.Errorf("give addresses or --from FILE, not both")
	case from != "":
		return readUsers(ctx, from, withKeyPair)
	}
	for _, row := range rows {
		if err := enroll.ValidateAddress(row.Email); err != nil {
			return nil, err
		}
	}
	return rows, nil
}

// UsersNamed are users named by their addresses.
func UsersNamed(emails []string) (rows []User) {
	for _, email := range emails {
		rows = append(rows, User{Email: email})
	}
	return rows
}

// EmailsOf returns the users' addresses.
func EmailsOf(rows []User) (emails []string) {
	for _, row := range rows {
		emails = append(emails, row.Email)
	}
	return emails
}

// mostProblems of a file of users are told.
const mostProblems = 10

// readUsers reads a file of users (CSV): addresses, and key pairs where the command is
// about key pairs. Columns are told by their headings, email and key_pair_id, or without
// a heading by their order. All that is wrong is told at once, and nobody of such a file
// is touched.
func readUsers(ctx context.Context, path string, withKeyPair bool) (rows []User, err error) {
	file, err := durable.Open(path)
	if err != nil {
		return nil, usage.Errorf("--from: %w", err)
	}
	defer file.Close()
	lines, err := spreadsheet.NewLines(ctx, file)
	if err != nil {
		return nil, usage.Errorf("--from %s: %w", path, err)
	}
	columns := userColumns{email: 0, keyPair: 1}
	reader := spreadsheet.NewReader(lines, spreadsheet.Options{Comment: '#', Known: KnownHeadings, Least: 1})
	var problems []error
	for first := true; ; first = false {
		row, err := reader.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, usage.Errorf("--from %s: %w", path, err)
		}
		if row.Err == nil && first {
			if KnownHeadings(row.Cells) > 0 {
				if columns = columnsOf(row.Cells); withKeyPair && columns.keyPair < 0 {
					return nil, usage.Errorf("--from %s has no column key_pair_id, which says whose key pairs are meant: its columns are %s", path, spreadsheet.Shown(row.Cells))
				}
				continue
			}
			if !strings.Contains(strings.Join(row.Cells, " "), "@") {
				return nil, usage.Errorf("--from %s is no list of users: its first line has neither an address nor a heading email, but %s", path, spreadsheet.Shown(row.Cells))
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
	case len(problems) > mostProblems:
		more := fmt.Errorf("and %d more lines", len(problems)-mostProblems+1)
		return nil, usage.Errorf("--from %s: %w", path, errors.Join(append(problems[:mostProblems-1], more)...))
	case len(problems) > 0:
		return nil, usage.Errorf("--from %s: %w", path, errors.Join(problems...))
	case len(rows) == 0:
		return nil, usage.Errorf("--from %s names nobody", path)
	}
	return rows, nil
}

// userColumns are the columns' numbers; -1 is none.
type userColumns struct{ email, keyPair int }

func isKeyPairHeading(cell string) bool {
	return slices.Contains([]string{"keypairid", "keypair"}, spreadsheet.Heading(cell))
}

// IsAddressHeading reports whether a cell heads a column of addresses.
func IsAddressHeading(cell string) bool {
	return spreadsheet.IsAddressHeading(spreadsheet.Heading(cell))
}

// KnownHeadings counts the cells that head a column of a file of users.
func KnownHeadings(cells []string) (n int) {
	for _, cell := range cells {
		if isKeyPairHeading(cell) || IsAddressHeading(cell) {
			n++
		}
	}
	return n
}

func columnsOf(cells []string) userColumns {
	return userColumns{slices.IndexFunc(cells, IsAddressHeading), slices.IndexFunc(cells, isKeyPairHeading)}
}

func (c userColumns) read(row spreadsheet.Row, withKeyPair bool) (User, error) {
	if row.Err != nil {
		return User{}, row.Err
	}
	cell := func(n int) string {
		if n < 0 || n >= len(row.Cells) {
			return ""
		}
		return strings.TrimSpace(row.Cells[n])
	}
	read := User{Email: cell(c.email)}
	if err := enroll.ValidateAddress(read.Email); err != nil {
		return read, err
	}
	if withKeyPair {
		if read.KeyPairID = cell(c.keyPair); read.KeyPairID == "" {
			return read, errors.New("there is no key pair; a column key_pair_id says which")
		}
	}
	return read, nil
}
