package source

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/cse-piv/cse-piv/internal/certificate"
)

// value is a cell of a CSV or a member of a JSON object.
type value struct {
	column column
	text   string
}

// fill makes a row of its values, reading the files that they name. The row's
// Where is set.
func fill(row Row, values []value, files *files) Row {
	fail := func(err error) Row {
		row.Err, row.Certificates = err, nil
		return row
	}
	for _, v := range values {
		text := strings.TrimSpace(v.text)
		if v.column.kind != columnOther && !utf8.ValidString(text) {
			return fail(rowError(ReasonMalformed, expectUTF8, "column %s %s", strings.ToValidUTF8(v.column.name, "?"), notUTF8(text)))
		}
		switch v.column.kind {
		case columnEmail:
			row.Email = text
		case columnDescription:
			row.Description = text
		case columnCertificate:
			for _, text := range split(v.column.use, text) {
				row.Certificates = append(row.Certificates, Certificate{Use: v.column.use, Origin: origin(row.Where, v.column, text), Data: []byte(text)})
			}
		}
	}
	if row.Email == "" {
		return fail(rowError(ReasonAddress, "", "the row has no address"))
	}
	if err := checkUses(row.Certificates); err != nil {
		return fail(err)
	}
	current := false
	for i := range row.Certificates {
		c := &row.Certificates[i]
		current = current || c.Use != certificate.UseHistory
		if c.Origin != string(c.Data) { // inline
			c.Data = decodeInline(c.Data)
			continue
		}
		data, err := files.read(c.Origin)
		if err != nil {
			return fail(err)
		}
		c.Data = data
	}
	if !current {
		return fail(rowError(ReasonCertificate, "", "the row has no certificate"))
	}
	return row
}

// split returns the certificates of one value; history may hold several.
func split(use certificate.Use, text string) []string {
	parts := []string{text}
	if use == certificate.UseHistory {
		parts = strings.Split(text, ";")
	}
	var list []string
	for _, part := range parts {
		if part = strings.TrimSpace(part); part != "" {
			list = append(list, part)
		}
	}
	return list
}

// origin is the path that a value names, or where the value itself stands.
func origin(where string, c column, text string) string {
	if c.path || !isInline(text) {
		return text
	}
	return fmt.Sprintf("%s, %s", where, c.name)
}

// isInline tells PEM and base64 DER from a path: no certificate is shorter, and
// no path that long does without a dot.
func isInline(text string) bool {
	const shortest = 200
	return strings.Contains(text, "-----BEGIN ") || len(text) >= shortest && decodeBase64(text) != nil
}

// decodeInline returns PEM as it is, but with line breaks that were written as
// \n, and base64 decoded.
func decodeInline(text []byte) []byte {
	if !bytes.Contains(text, []byte("-----BEGIN ")) {
		return decodeBase64(string(text))
	}
	if bytes.IndexByte(text, '\n') < 0 {
		return bytes.ReplaceAll(bytes.ReplaceAll(text, []byte(`\r`), nil), []byte(`\n`), []byte("\n"))
	}
	return text
}

// decodeBase64 returns the DER that text holds, nil if it is none.
func decodeBase64(text string) []byte {
	const sequence = 0x30
	der, err := base64.StdEncoding.DecodeString(strings.Map(func(r rune) rune {
		if r == ' ' || r == '\t' {
			return -1
		}
		return r
	}, text))
	if err != nil || len(der) == 0 || der[0] != sequence {
		return nil
	}
	return der
}
