package spreadsheet_test

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"

	"golang.org/x/text/encoding/unicode"

	"github.com/cse-piv/cse-piv/internal/spreadsheet"
)

// known counts the cells that are called a or b.
func known(cells []string) int {
	n := 0
	for _, cell := range cells {
		if cell == "a" || cell == "b" {
			n++
		}
	}
	return n
}

// read returns the rows of a text as "line: [cells]", or with what is wrong.
func read(t testing.TB, text io.Reader, options spreadsheet.Options) []string {
	t.Helper()
	options.Known = known
	lines, err := spreadsheet.NewLines(t.Context(), text)
	if err != nil {
		return []string{err.Error()}
	}
	var rows []string
	reader := spreadsheet.NewReader(lines, options)
	for {
		row, err := reader.Next()
		switch {
		case errors.Is(err, io.EOF):
			return rows
		case err != nil:
			t.Fatal(err)
		case row.Err != nil:
			rows = append(rows, fmt.Sprintf("%d: %v", row.Line, row.Err))
		default:
			rows = append(rows, fmt.Sprintf("%d: %q", row.Line, row.Cells))
		}
	}
}

func TestReader(t *testing.T) {
	utf16, err := unicode.UTF16(unicode.BigEndian, unicode.UseBOM).NewEncoder().String("a\tb\r\n\u017bó\t🔑\r\n")
	if err != nil {
		t.Fatal(err)
	}
	loose := spreadsheet.Options{Loose: true}
	for name, test := range map[string]struct {
		text    string
		options spreadsheet.Options
		want    []string
	}{
		"line ends":                          {text: "a,b\r\n1,2\r3,4\n\n5,6", want: []string{`1: ["a" "b"]`, `2: ["1" "2"]`, `3: ["3" "4"]`, `5: ["5" "6"]`}},
		"only \\r":                           {text: "a;b\r1;2\r\r3;4\r", want: []string{`1: ["a" "b"]`, `2: ["1" "2"]`, `4: ["3" "4"]`}},
		"a line end in quotes":               {text: "a,b\r\n\"1\r\n2\",\"3\r4\"\r\n5,6", want: []string{`1: ["a" "b"]`, `2: ["1\n2" "3\n4"]`, `5: ["5" "6"]`}},
		"sep":                                {text: "SEP=;\r\n1,5;2\r\n", want: []string{`2: ["1,5" "2"]`}},
		"sep in quotes, and a tab":           {text: "\"sep=\t\"\n1,5\t2\n", want: []string{`2: ["1,5" "2"]`}},
		"sep, and a heading without it":      {text: "sep=;\na,b\n1,2\n", want: []string{`2: ["a" "b"]`, `3: ["1" "2"]`}},
		"sep further down is a row":          {text: "a;b\nsep=,;2\n", want: []string{`1: ["a" "b"]`, `2: ["sep=," "2"]`}},
		"the delimiter of the heading":       {text: "x, y;a;b\n1, 2;3;4\n", want: []string{`1: ["x, y" "a" "b"]`, `2: ["1, 2" "3" "4"]`}},
		"a title before the heading":         {text: "List, of 2026;;\na;b\n1,5;2\n", want: []string{`1: ["List" " of 2026;;"]`, `2: ["a" "b"]`, `3: ["1,5" "2"]`}},
		"the first delimiter outside quotes": {text: "\"x, y\";u@x;z,z\n1;2\n", want: []string{`1: ["x, y" "u@x" "z,z"]`, `2: ["1" "2"]`}},
		"a delimiter further down":           {text: "u@x\nv@x;1,5\n", want: []string{`1: ["u@x"]`, `2: ["v@x" "1,5"]`}},
		"blank rows":                         {text: ",,\n \n\"\",\n\u00a0;\na,b\n,,\n", want: []string{`5: ["a" "b"]`}},
		"comments":                           {text: "#a;b\na,b\n#x\n", options: spreadsheet.Options{Comment: '#'}, want: []string{`2: ["a" "b"]`}},
		"no comments":                        {text: "a,b\n#x,1\n", want: []string{`1: ["a" "b"]`, `2: ["#x" "1"]`}},
		"quotes that are text":               {text: "a;b\n5\" x;B \"G\"\n\"B\" G;\"B\" \"G\"\n", options: loose, want: []string{`1: ["a" "b"]`, `2: ["5\" x" "B \"G\""]`, `3: ["\"B\" G" "\"B\" \"G\""]`}},
		"quotes that are an error":           {text: "a;b\n5\" x;1\n\"B\" G;1\nu@x;2\n", want: []string{`1: ["a" "b"]`, "2: a quote stands inside a cell without quotes; lines 2 to 3 are passed over", `4: ["u@x" "2"]`}},
		"an open quote":                      {text: "a;b\n\"1;2\n3;4\nu@x;5\n\"6\";\n", options: loose, want: []string{`1: ["a" "b"]`, "2: text follows a cell's closing quote; lines 2 to 3 are passed over", `4: ["u@x" "5"]`, `5: ["6" ""]`}},
		"an open quote at the end":           {text: "a;b\nu@x;\"1\nv@x;2\nw@x", options: spreadsheet.Options{Least: 2}, want: []string{`1: ["a" "b"]`, "2: a quote is not closed", `3: ["v@x" "2"]`, `4: ["w@x"]`}},
		"a row that is too long":             {text: "a;b\nu@x;" + strings.Repeat("x", spreadsheet.MaxRow) + "\nv@x;2\n", want: []string{`1: ["a" "b"]`, "2: the row is longer than 1024 kB", `3: ["v@x" "2"]`}},
		"UTF-16":                             {text: utf16, want: []string{`1: ["a" "b"]`, `2: ["Żó" "🔑"]`}},
		"a byte order mark":                  {text: "\ufeffa,b\n", want: []string{`1: ["a" "b"]`}},
		"nothing but one":                    {text: "\ufeff"},
		"nothing":                            {},
		"UTF-16 without a mark":              {text: "a\x00,\x00b\x00\n\x00", want: []string{"it is UTF-16 without a byte order mark, not UTF-8"}},
		"a spreadsheet":                      {text: "PK\x03\x04rest", want: []string{"it is a spreadsheet or archive"}},
		"an old spreadsheet":                 {text: "\xd0\xcf\x11\xe0\xa1\xb1", want: []string{"it is a spreadsheet or archive"}},
		"no text":                            {text: "MZ\x00\x01", want: []string{"it is not text"}},
	} {
		if got := read(t, strings.NewReader(test.text), test.options); !slices.Equal(got, test.want) {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
		// What a \r means may show in the next piece only; what UTF-16 is needs four octets.
		if got := read(t, iotest.OneByteReader(strings.NewReader(test.text)), test.options); name != "UTF-16 without a mark" && !slices.Equal(got, test.want) {
			t.Errorf("%s, an octet at a time: %q, want %q", name, got, test.want)
		}
	}
}

func TestReaderBroken(t *testing.T) {
	broken := errors.New("the disk is broken")
	if _, err := spreadsheet.NewLines(t.Context(), iotest.ErrReader(broken)); !errors.Is(err, broken) {
		t.Errorf("at once: %v", err)
	}
	lines, err := spreadsheet.NewLines(t.Context(), io.MultiReader(strings.NewReader("a;b\n1;2\n\"3"), iotest.ErrReader(broken)))
	if err != nil {
		t.Fatal(err)
	}
	rows := 0
	reader := spreadsheet.NewReader(lines, spreadsheet.Options{Known: known})
	for err == nil {
		if _, err = reader.Next(); err == nil {
			rows++
		}
	}
	if rows != 2 || !errors.Is(err, broken) {
		t.Errorf("%d rows, then %v", rows, err)
	}
}

func TestHeading(t *testing.T) {
	for text, want := range map[string]string{
		"E-Mail": "email", " Email Address [Required]": "emailaddress", "E-Mail-Adresse:": "emailadresse", "Adresse\u00a0e-mail": "adresseemail",
		"Numéro de série": "numerodeserie", "Nume\u0301ro": "numero", "Nº": "no", "signing_certificate": "signingcertificate", "": "",
	} {
		if got := spreadsheet.Heading(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	if !spreadsheet.IsAddressHeading("courriel") || spreadsheet.IsAddressHeading("recoveryemail") {
		t.Error("headings of addresses are not told")
	}
}

func TestWindows1252(t *testing.T) {
	if got, ok := spreadsheet.Windows1252("Dupr\xe9 \x80"); got != "Dupré €" || !ok {
		t.Errorf("%q, %t", got, ok)
	}
	if got, ok := spreadsheet.Windows1252("\x81"); ok || !utf8.ValidString(got) {
		t.Errorf("%q, %t", got, ok)
	}
}

// FuzzReader reads whatever there is: reading comes to an end, rows stand in order, and
// each has cells or says what is wrong with it.
func FuzzReader(f *testing.F) {
	for _, seed := range []string{
		"a,b\n1,2\n", "sep=;\r\n\"a;b\r\nu@x;\"1\"\"2\"\r\n", "\xff\xfea\x00", "\xfe\xff\x00a", "\xef\xbb\xbfa\tb\r1\t2\r", "\"\"\"\n", "#\n,,\n", "PK\x03\x04", "\x00",
	} {
		f.Add([]byte(seed), true)
		f.Add([]byte(seed), false)
	}
	f.Fuzz(func(t *testing.T, data []byte, loose bool) {
		lines, err := spreadsheet.NewLines(t.Context(), strings.NewReader(string(data)))
		if err != nil {
			return
		}
		reader := spreadsheet.NewReader(lines, spreadsheet.Options{Known: known, Loose: loose, Least: 2, Comment: '#'})
		last := 0
		for {
			row, err := reader.Next()
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil || row.Line <= last || (row.Err == nil) == (len(row.Cells) == 0) {
				t.Fatalf("%+v after line %d, %v", row, last, err)
			}
			last = row.Line
		}
	})
}
