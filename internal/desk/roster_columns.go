package desk

import (
	"slices"
	"strings"

	"github.com/cse-piv/cse-piv/internal/spreadsheet"
)

// column is what a column of a roster is for.
type column int

const (
	columnOther column = iota
	columnAddress
	columnSerial
	columnNote
	columnName // the full one or, beside the given one, the family name
	columnGiven
	columnFamily
)

// headings are what columns besides the address are called in English, German and
// French, see spreadsheet.Heading.
var headings = map[column][]string{
	columnSerial: {
		"serial", "serialnumber", "card", "cardnumber", "cardserial", "cardserialnumber", "yubikey", "yubikeyserial", "yubikeyserialnumber",
		"seriennummer", "seriennr", "karte", "kartennummer", "kartennr", "kartenseriennummer",
		"numerodeserie", "nodeserie", "ndeserie", "carte", "numerodecarte", "nodecarte", "ndecarte",
	},
	columnNote: {
		"note", "notes", "comment", "comments", "remark", "remarks",
		"bemerkung", "bemerkungen", "notiz", "anmerkung", "hinweis", "kommentar",
		"remarque", "remarques", "commentaire",
	},
	columnName:   {"name", "fullname", "displayname", "vollername", "anzeigename", "nom", "nomcomplet"},
	columnGiven:  {"firstname", "givenname", "vorname", "prenom"},
	columnFamily: {"lastname", "familyname", "surname", "nachname", "familienname", "nomdefamille"},
}

// columnsOf returns what a heading's columns are for and the names of those that are
// not used; nil where none stands over addresses. Where one is called email, none by
// another name has the addresses; of several that have addresses or cards the first counts.
func columnsOf(names []string) (columns []column, unused []string) {
	columns = make([]column, len(names))
	for i, name := range names {
		columns[i] = columnOf(name)
	}
	address := slices.IndexFunc(names, func(name string) bool { return strings.EqualFold(strings.TrimSpace(name), "email") })
	if address < 0 {
		address = slices.Index(columns, columnAddress)
	}
	if address < 0 {
		return nil, nil
	}
	serial := slices.Index(columns, columnSerial)
	for i, c := range columns {
		if c == columnAddress && i != address || c == columnSerial && i != serial {
			columns[i] = columnOther
		}
		if columns[i] == columnOther && trim(names[i]) != "" {
			unused = append(unused, names[i])
		}
	}
	return columns, unused
}

func columnOf(name string) column {
	heading := spreadsheet.Heading(name)
	if spreadsheet.IsAddressHeading(heading) {
		return columnAddress
	}
	for column, names := range headings {
		if slices.Contains(names, heading) {
			return column
		}
	}
	return columnOther
}

// countHeadings counts the cells that are known as headings.
func countHeadings(cells []string) int {
	n := 0
	for _, cell := range cells {
		if columnOf(cell) != columnOther {
			n++
		}
	}
	return n
}
