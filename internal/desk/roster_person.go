package desk

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/cse-piv/cse-piv/internal/enroll"
)

// readPerson reads a row of those columns, without a heading of address, serial number
// and note.
func readPerson(columns []column, cells []string) (Person, error) {
	if columns == nil {
		if address := slices.IndexFunc(cells, hasAt); address > 0 && !hasAt(cells[0]) {
			return Person{}, fmt.Errorf("there is no heading, and the address stands in column %d instead of the first", address+1)
		}
		columns = []column{columnAddress, columnSerial, columnNote}
	}
	var texts [columnFamily + 1]string
	for i, cell := range cells {
		column := columnNote // what is beyond the last one
		if i < len(columns) {
			column = columns[i]
		}
		texts[column] = trim(texts[column] + " " + trim(cell))
	}
	person := Person{Name: fullName(texts[columnName], texts[columnGiven], texts[columnFamily]), Note: texts[columnNote]}
	var name string
	if person.Email, name = readAddress(texts[columnAddress]); person.Name == "" {
		person.Name = name
	}
	err := enroll.ValidateAddress(person.Email)
	if err == nil {
		person.Serial, err = readSerial(texts[columnSerial])
	}
	return person, err
}

func hasAt(cell string) bool { return strings.Contains(cell, "@") }

// trim removes what cannot be seen from both ends: spaces, also those that do not break
// or have no width, and marks of direction.
func trim(text string) string {
	return strings.TrimFunc(text, func(r rune) bool { return unicode.IsSpace(r) || unicode.Is(unicode.Cf, r) })
}

// fullName joins a given name with the family's, which may stand under "Name".
func fullName(name, given, family string) string {
	switch {
	case family != "":
		return trim(given + " " + family)
	case strings.Contains(name, given):
		return name
	}
	return trim(given + " " + name)
}

// readAddress reads an address as it is copied from mail programs and sheets:
// "Ada <ada@example.com>", "mailto:ada@example.com".
func readAddress(text string) (email, name string) {
	before, rest, _ := strings.Cut(text, "<")
	if inside, closed := strings.CutSuffix(rest, ">"); closed {
		text, name = trim(inside), strings.Trim(trim(before), `"'`)
	}
	if scheme := "mailto:"; len(text) > len(scheme) && strings.EqualFold(text[:len(scheme)], scheme) {
		text, _, _ = strings.Cut(text[len(scheme):], "?")
	}
	return trim(text), name
}

// roundedNumber is how spreadsheets show a number that does not fit into a cell.
var roundedNumber = regexp.MustCompile(`^[0-9]+([.,][0-9]+)?[eE]\+?[0-9]+$`)

// readSerial reads a card's serial number as spreadsheets write it: with zeros, an
// apostrophe or spaces, or as ="12345678". It is 0 for an empty text.
func readSerial(text string) (uint32, error) {
	digits := strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return -1
		}
		return r
	}, text)
	if quoted, ok := strings.CutPrefix(digits, `="`); ok {
		digits = strings.TrimSuffix(quoted, `"`)
	}
	if digits = strings.TrimPrefix(digits, "'"); digits == "" {
		return 0, nil
	}
	serial, err := strconv.ParseUint(digits, 10, 32)
	switch {
	case roundedNumber.MatchString(digits):
		err = errors.New("the spreadsheet has rounded it; make the column text, and enter the number again")
	case err != nil:
		err = errors.New("it is a whole number of up to 10 digits")
	case serial == 0:
		err = errors.New("no card has it; leave the cell empty for any card")
	default:
		return uint32(serial), nil
	}
	return 0, fmt.Errorf("%q is not a card's serial number: %w", text, err)
}
