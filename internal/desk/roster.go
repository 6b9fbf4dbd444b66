package desk

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/cse-piv/cse-piv/internal/enroll"
)

// maxRoster is the most that is read of a roster, in bytes.
const maxRoster = 8 << 20

// Person is somebody to be enrolled.
type Person struct {
	Email string
	// Serial is the card that was set aside for the person; 0 for any.
	Serial uint32
	Note   string
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

// ReadRoster reads people from CSV (RFC 4180): address, optional serial number
// of the card, optional note. Columns may be parted by comma, semicolon or tab; a
// first line whose first cell is "email" is a heading; lines with nothing in any cell
// and lines that begin with # are skipped. The error joins a *RosterError for every line that
// cannot be used.
func ReadRoster(in io.Reader) ([]Person, error) {
	data, err := io.ReadAll(io.LimitReader(in, maxRoster+1))
	if err != nil {
		return nil, fmt.Errorf("reading the roster: %w", err)
	}
	if len(data) > maxRoster {
		return nil, fmt.Errorf("the roster is larger than %d bytes", maxRoster)
	}
	if data = bytes.TrimPrefix(data, []byte("\ufeff")); !utf8.Valid(data) {
		return nil, errors.New("the roster is not UTF-8: save it as CSV UTF-8")
	}
	rows := csv.NewReader(bytes.NewReader(data))
	rows.Comma, rows.Comment, rows.FieldsPerRecord = separator(data), '#', -1
	rows.TrimLeadingSpace = rows.Comma != '\t' // which would swallow empty cells
	var people []Person
	var problems []error
	lines, cards := map[string]int{}, map[uint32]int{}
	for {
		cells, err := rows.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			// Where a quote is open, what follows is no line any more.
			var parse *csv.ParseError
			if errors.As(err, &parse) {
				err = &RosterError{Line: parse.StartLine, Err: parse.Err}
			}
			problems = append(problems, err)
			break
		}
		if blank(cells) {
			continue
		}
		line, _ := rows.FieldPos(0)
		switch heading := slices.IndexFunc(cells, isHeading); {
		case heading == 0 && len(people) == 0:
			continue
		case heading > 0 && !strings.Contains(strings.Join(cells, ""), "@"):
			return nil, &RosterError{Line: line, Err: errors.New("the address has to stand in the first column, the serial number of the card in the second")}
		}
		person, err := readPerson(cells)
		if before, ok := lines[strings.ToLower(person.Email)]; ok && err == nil {
			err = fmt.Errorf("%s is on line %d already", person.Email, before)
		}
		if before, ok := cards[person.Serial]; ok && err == nil {
			err = fmt.Errorf("card %d was set aside on line %d already", person.Serial, before)
		}
		if err != nil {
			problems = append(problems, &RosterError{Line: line, Err: err})
			continue
		}
		lines[strings.ToLower(person.Email)] = line
		if person.Serial != 0 {
			cards[person.Serial] = line
		}
		people = append(people, person)
	}
	if len(problems) == 0 && len(people) == 0 {
		return nil, errors.New("the roster names nobody")
	}
	return people, errors.Join(problems...)
}

func isHeading(cell string) bool { return strings.EqualFold(strings.TrimSpace(cell), "email") }

// blank reports whether nothing is in any cell, as in the tails of spreadsheets.
func blank(cells []string) bool {
	return !slices.ContainsFunc(cells, func(cell string) bool { return strings.TrimSpace(cell) != "" })
}

func readPerson(cells []string) (Person, error) {
	person := Person{Email: strings.TrimSpace(cells[0])}
	if err := enroll.ValidateAddress(person.Email); err != nil {
		return person, err
	}
	if len(cells) > 1 {
		if text := strings.TrimSpace(cells[1]); text != "" {
			serial, err := strconv.ParseUint(text, 10, 32)
			if err == nil && serial == 0 {
				err = errors.New("no card has it; leave the cell empty for any card")
			} else if err != nil {
				err = errors.New("it is a whole number of up to 10 digits")
			}
			if err != nil {
				return person, fmt.Errorf("%q is not a card's serial number: %w", text, err)
			}
			person.Serial = uint32(serial)
		}
	}
	if len(cells) > 2 {
		person.Note = strings.TrimSpace(strings.Join(cells[2:], " "))
	}
	return person, nil
}

// separator is the first of comma, semicolon and tab that is there, since no
// address holds one: spreadsheets write what their country is used to.
func separator(data []byte) rune {
	lines := bufio.NewScanner(bytes.NewReader(data))
	for lines.Scan() {
		line := lines.Text()
		if at := strings.IndexAny(line, ",;\t"); at >= 0 && !strings.HasPrefix(line, "#") {
			return rune(line[at])
		}
	}
	return ','
}
