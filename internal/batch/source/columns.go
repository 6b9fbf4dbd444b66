package source

import (
	"slices"
	"strings"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/spreadsheet"
)

// column is what a CSV column or an NDJSON name is for.
type column struct {
	name string // as the manifest has it
	kind columnKind
	use  certificate.Use // of a certificate
	path bool            // the value is a path, never a certificate
	// other says that it is the address by another name than email.
	other bool
}

type columnKind int

const (
	columnOther columnKind = iota
	columnEmail
	columnDescription
	columnCertificate
)

const expectHeader = "a CSV begins with a line that names its columns: email and certificate (a path beside the manifest, or PEM); " +
	"or signing_certificate and encryption_certificate; and, if wanted, history and description"

// headings are what columns of certificates are called in English, German and French,
// see spreadsheet.Heading.
var headings = map[certificate.Use][]string{
	certificate.UseBoth: {"certificate", "zertifikat", "certificat"},
	certificate.UseSign: {"signingcertificate", "signaturzertifikat", "signierzertifikat", "certificatdesignature"},
	certificate.UseEncrypt: {
		"encryptioncertificate", "verschlusselungszertifikat", "verschluesselungszertifikat", "certificatdechiffrement",
	},
	certificate.UseHistory: {"history", "historie", "verlauf", "historique"},
}

// columnOf knows a column by its name. "path" behind a certificate's English name says
// what its values are.
func columnOf(name string) column {
	heading := spreadsheet.Heading(name)
	base, path := strings.CutSuffix(heading, "path")
	for use, names := range headings {
		if slices.Contains(names, base) {
			return column{name: name, kind: columnCertificate, use: use, path: path}
		}
	}
	c := column{name: name}
	switch {
	case spreadsheet.IsAddressHeading(heading):
		c.kind, c.other = columnEmail, !strings.EqualFold(strings.TrimSpace(name), "email")
	case slices.Contains([]string{"description", "beschreibung"}, heading):
		c.kind = columnDescription
	}
	return c
}

// columnsOf knows columns by their names. Where one is called email, none by another
// name is the address.
func columnsOf(names []string) []column {
	columns := make([]column, len(names))
	for i, name := range names {
		columns[i] = columnOf(name)
	}
	if slices.ContainsFunc(columns, func(c column) bool { return c.kind == columnEmail && !c.other }) {
		for i := range columns {
			if columns[i].other {
				columns[i].kind = columnOther
			}
		}
	}
	return columns
}

func countKnown(columns []column) int {
	n := 0
	for _, c := range columns {
		if c.kind != columnOther {
			n++
		}
	}
	return n
}

// checkHeader wants an address and, unless those are enough, a certificate, and nothing but
// history twice.
func checkHeader(columns []column, addressesOnly bool) error {
	current := func(c column) bool { return c.kind == columnCertificate && c.use != certificate.UseHistory }
	is := func(kind columnKind) func(column) bool { return func(c column) bool { return c.kind == kind } }
	switch {
	case !slices.ContainsFunc(columns, is(columnEmail)):
		return formatError(expectHeader, "its first line names no column email, but %s", spreadsheet.Shown(namesOf(columns)))
	case !addressesOnly && !slices.ContainsFunc(columns, current):
		return formatError(expectHeader, "its first line names no column for certificates, but %s", spreadsheet.Shown(namesOf(columns)))
	}
	for i, c := range columns {
		if c.kind != columnOther && !(c.kind == columnCertificate && c.use == certificate.UseHistory) &&
			slices.ContainsFunc(columns[:i], func(d column) bool { return d.kind == c.kind && d.use == c.use && d.path == c.path }) {
			return formatError("remove one of them", "it has two columns %q", c.name)
		}
	}
	return nil
}

// namesOf are the columns' names.
func namesOf(columns []column) []string {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = c.name
	}
	return names
}

// othersOf are the columns that are not used.
func othersOf(columns []column) []column {
	return slices.DeleteFunc(slices.Clone(columns), func(c column) bool {
		return c.kind != columnOther || strings.TrimSpace(c.name) == ""
	})
}
