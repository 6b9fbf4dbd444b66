package desk

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/cse-piv/cse-piv/internal/spreadsheet"
)

// maxRoster is the most that is read of a roster, in bytes.
const maxRoster = 8 << 20

// Person is somebody to be enrolled.
type Person struct {
	Email string
	Name  string
	// Serial is the card that was assigned to the person; 0 for any.
	Serial uint32
	Note   string
	// OtherDomain says that the address is not of the domain that the desk is for.
	OtherDomain bool
}

// About returns what the roster says of a person besides address and card.
func (p Person) About() []string {
	about := []string{p.Name, p.Note}
	if p.OtherDomain {
		about = append([]string{"other domain"}, about...)
	}
	return slices.DeleteFunc(about, func(text string) bool { return text == "" })
}

// Roster is what a file of people says.
type Roster struct {
	People []Person
	// LeftOut are the lines that cannot be used, in the file's order.
	LeftOut []*RosterError
	// Notes is what else a person should know of the file.
	Notes []string
}

// RosterError is what is wrong with one line of a roster.
type RosterError struct {
	Line int // from 1
	Err  error
}

// Error names the line.
func (e *RosterError) Error() string { return fmt.Sprintf("line %d: %v", e.Line, e.Err) }

// Unwrap returns the cause.
func (e *RosterError) Unwrap() error { return e.Err }

// HeadingError is returned where no line says which column has the addresses, and the
// first has none.
type HeadingError struct {
	Found []string // the cells of the first line
}

// Error shows what was found instead.
func (e *HeadingError) Error() string {
	return "there is no address in it, and no heading that stands over addresses; found: " + spreadsheet.Shown(e.Found)
}

// NobodyError is returned for a roster without anybody who can be enrolled.
type NobodyError struct{ LeftOut []*RosterError }

// Error says what is wrong with the first lines.
func (e *NobodyError) Error() string {
	const most = 20
	var lines []string
	for _, problem := range e.LeftOut[:min(len(e.LeftOut), most)] {
		lines = append(lines, problem.Error())
	}
	if n := len(e.LeftOut) - most; n > 0 {
		lines = append(lines, fmt.Sprintf("and %d more", n))
	}
	return strings.TrimSuffix("the roster names nobody: "+strings.Join(lines, "; "), ": ")
}

// ReadRoster reads people from CSV, see package spreadsheet. Columns are found by their
// headings, in any order: address, serial number of the card, note, names. Without a
// heading they are address, serial number and note. Lines that begin with # are
// skipped.
//
// A line that cannot be used is left out, and the others are read. An error is
// returned where nobody is left: a *HeadingError in the line's, or a *NobodyError.
func ReadRoster(ctx context.Context, in io.Reader) (Roster, error) {
	limited := &io.LimitedReader{R: in, N: maxRoster + 1}
	lines, err := spreadsheet.NewLines(ctx, limited)
	if err != nil {
		return Roster{}, fmt.Errorf("reading the roster: %w", err)
	}
	rows := spreadsheet.NewReader(lines, spreadsheet.Options{Comment: '#', Known: countHeadings, Least: 1, Loose: true})
	reader := rosterReader{lines: map[string]int{}, cards: map[uint32]int{}}
	for {
		row, err := rows.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return Roster{}, fmt.Errorf("reading the roster: %w", err)
		}
		if err := reader.take(row); err != nil {
			reader.LeftOut = append(reader.LeftOut, &RosterError{row.Line, err})
		}
	}
	if limited.N == 0 {
		return Roster{}, fmt.Errorf("the roster is larger than %d bytes", maxRoster)
	}
	return reader.Roster, reader.err()
}

// rosterReader makes people of rows.
type rosterReader struct {
	Roster
	columns []column // nil without a heading
	// lines and cards say where an address in lower case, or a card, stands already.
	lines   map[string]int
	cards   map[uint32]int
	decoded bool // a cell was not UTF-8
}

// take reads one row; its error is why it is left out.
func (r *rosterReader) take(row spreadsheet.Row) error {
	if row.Err != nil {
		return row.Err
	}
	cells := r.texts(row.Cells)
	if len(r.People) == 0 && r.columns == nil && !strings.Contains(strings.Join(cells, ""), "@") {
		return r.heading(cells)
	}
	person, err := readPerson(r.columns, cells)
	if err != nil {
		return err
	}
	email := strings.ToLower(person.Email)
	if before, ok := r.lines[email]; ok {
		return fmt.Errorf("%s is on line %d already", person.Email, before)
	}
	if before, ok := r.cards[person.Serial]; ok {
		return fmt.Errorf("card %d was assigned on line %d already", person.Serial, before)
	}
	r.lines[email] = row.Line
	if person.Serial != 0 {
		r.cards[person.Serial] = row.Line
	}
	r.People = append(r.People, person)
	return nil
}

// heading takes in a row without an address before the first person.
func (r *rosterReader) heading(cells []string) error {
	columns, unused := columnsOf(cells)
	if columns == nil {
		return &HeadingError{cells}
	}
	r.columns = columns
	if len(unused) > 0 {
		r.Notes = append(r.Notes, "columns that are not used: "+spreadsheet.Headings(unused))
	}
	return nil
}

// texts returns the cells in UTF-8. What is not is what Excel saves as plain CSV in
// western Europe: an address and a serial number are the same in any encoding, and a
// wrong letter in a name or note harms nobody.
func (r *rosterReader) texts(cells []string) []string {
	for i, cell := range cells {
		if utf8 := strings.ToValidUTF8(cell, ""); utf8 == cell {
			continue
		}
		cells[i], _ = spreadsheet.Windows1252(cell)
		if !r.decoded {
			r.decoded = true
			r.Notes = append(r.Notes, "it is not UTF-8, and was read as Windows-1252: where names or notes are wrong, save it as CSV UTF-8")
		}
	}
	return cells
}

// err is why there is nobody.
func (r *rosterReader) err() error {
	if len(r.People) > 0 {
		return nil
	}
	for _, problem := range r.LeftOut {
		if _, found := errors.AsType[*HeadingError](problem); found {
			return problem
		}
	}
	return &NobodyError{r.LeftOut}
}
