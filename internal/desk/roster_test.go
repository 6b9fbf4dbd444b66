package desk_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/cse-piv/cse-piv/internal/desk"
	"github.com/cse-piv/cse-piv/internal/enroll"
)

// wide is a Latin text in UTF-16, little endian.
func wide(text string) string { return strings.Join(strings.Split(text, ""), "\x00") + "\x00" }

func TestReadRoster(t *testing.T) {
	ada, grace := desk.Person{Email: "ada@example.com"}, desk.Person{Email: "grace@example.com", Serial: 23456789, Note: "at ten"}
	both := []desk.Person{ada, grace}
	for name, test := range map[string]struct {
		roster string
		want   []desk.Person
	}{
		"addresses alone":             {"ada@example.com\n", []desk.Person{ada}},
		"no end of the last line":     {"ada@example.com", []desk.Person{ada}},
		"commas":                      {"ada@example.com\ngrace@example.com,23456789,at ten\n", both},
		"a heading":                   {"email,serial,note\nada@example.com,,\ngrace@example.com,23456789,at ten\n", both},
		"a heading in another case":   {" E-Mail\n", nil}, // is none, and no address
		"a heading in capitals":       {"EMAIL;SERIAL\nada@example.com;\ngrace@example.com;23456789;at ten\n", both},
		"semicolons":                  {"ada@example.com;;\ngrace@example.com;23456789;at ten\n", both},
		"tabs":                        {"ada@example.com\t\t\ngrace@example.com\t23456789\tat ten\n", both},
		"a byte order mark":           {"\ufeffemail,serial,note\r\nada@example.com,,\r\ngrace@example.com,23456789,at ten\r\n", both},
		"columns in any order":        {"note,serial,email\n,,ada@example.com\nat ten,23456789,grace@example.com\n", both},
		"a German heading":            {"Seriennummer;Bemerkung;E-Mail-Adresse\n;;ada@example.com\n23456789;at ten;grace@example.com\n", both},
		"a French heading":            {"Adresse e-mail;Num\u00e9ro de s\u00e9rie;Remarque\nada@example.com;;\ngrace@example.com;23456789;at ten\n", both},
		"a French one, decomposed":    {"Courriel\tNume\u0301ro de se\u0301rie\tCommentaire\nada@example.com\t\t\ngrace@example.com\t23456789\tat ten\n", both},
		"sep":                         {"sep=;\r\nE-Mail;Kartennummer;Bemerkung\r\nada@example.com;;\r\ngrace@example.com;23456789;at ten\r\n", both},
		"sep without a heading":       {"sep=;\nada@example.com\ngrace@example.com;23456789;at ten\n", both},
		"UTF-16":                      {"\xff\xfe" + wide("Email\tSerial number\tNote\r\nada@example.com\t\t\r\ngrace@example.com\t23456789\tat ten\r\n"), both},
		"lines of a classic Mac":      {"email;serial;note\rada@example.com;;\rgrace@example.com;23456789;at ten\r", both},
		"spaces that do not break":    {"email;serial;note\n\u00a0ada@example.com\u00a0;\u00a0;\ngrace@example.com\u200b;23\u202f456\u00a0789;\u00a0at ten\n", both},
		"mailto":                      {"mailto:ada@example.com\nMAILTO:grace@example.com?subject=x,23456789,at ten\n", both},
		"zeros and an apostrophe":     {"ada@example.com\ngrace@example.com,'0023456789,at ten\n", both},
		"a serial number as formula":  {"ada@example.com\ngrace@example.com,=\"0023456789\",at ten\n", both},
		"quotes in a cell":            {"email;serial;note\nada@example.com;;Ada \"the Countess\"\ngrace@example.com;;\"Amazing\" Grace\n", []desk.Person{{Email: "ada@example.com", Note: "Ada \"the Countess\""}, {Email: "grace@example.com", Note: "\"Amazing\" Grace"}}},
		"a cell beyond the heading":   {"email;serial;note\ngrace@example.com;23456789;at;ten\nada@example.com;;;\n", []desk.Person{grace, ada}},
		"Name, Email Address":         {"Name,Email Address\nAda Lovelace,ada@example.com\n", []desk.Person{{Email: "ada@example.com", Name: "Ada Lovelace"}}},
		"given and family name":       {"Nachname;Vorname;E-Mail\nLovelace;Ada;ada@example.com\n", []desk.Person{{Email: "ada@example.com", Name: "Ada Lovelace"}}},
		"a family name called name":   {"Nom;Pr\u00e9nom;Courriel\nDupr\u00e9;Chlo\u00e9;chloe@example.com\n", []desk.Person{{Email: "chloe@example.com", Name: "Chlo\u00e9 Dupr\u00e9"}}},
		"a full name and its parts":   {"Name;Vorname;Mail\nAda Lovelace;Ada;ada@example.com\n", []desk.Person{{Email: "ada@example.com", Name: "Ada Lovelace"}}},
		"the Admin console's":         {"First Name [Required],Last Name [Required],Email Address [Required],Recovery Email\nAda,Lovelace,ada@example.com,a@b.example\n", []desk.Person{{Email: "ada@example.com", Name: "Ada Lovelace"}}},
		"names in the address":        {"Ada Lovelace <ada@example.com>\n\"\"\"Hopper, Grace\"\" <grace@example.com>\",23456789,at ten\n", []desk.Person{{Email: "ada@example.com", Name: "Ada Lovelace"}, {Email: "grace@example.com", Name: "Hopper, Grace", Serial: 23456789, Note: "at ten"}}},
		"a column of numbers":         {"#;E-Mail;Bemerkung\n# not today;hedy@example.com;\n1;ada@example.com;\n", []desk.Person{ada}},
		"a heading as a comment":      {"# of Monday: email\n#email,serial,note\nada@example.com\ngrace@example.com,23456789,at ten\n", both},
		"email before other names":    {"Mail,email\nx@example.com,ada@example.com\n", []desk.Person{ada}},
		"a title before the heading":  {"Desk of Monday;;\nemail;serial;note\nada@example.com;;\ngrace@example.com;23456789;at ten\n", both},
		"quotes":                      {"\"ada@example.com\",\"\",\"\"\n\"grace@example.com\",\"23456789\",\"at ten\"\n", both},
		"a quoted separator":          {"grace@example.com,23456789,\"Hopper, Grace\"\n", []desk.Person{{Email: "grace@example.com", Serial: 23456789, Note: "Hopper, Grace"}}},
		"a quoted end of line":        {"grace@example.com,23456789,\"at\nten\"\nada@example.com\n", []desk.Person{{Email: "grace@example.com", Serial: 23456789, Note: "at\nten"}, ada}},
		"blanks":                      {"  ada@example.com  \n grace@example.com , 23456789 ,  at ten \n", both},
		"empty lines and comments":    {"\n# the desk of Monday, in the morning\n\nada@example.com\n\n# grace;too\ngrace@example.com,23456789,at ten\n\n", both},
		"the tail of a spreadsheet":   {"ada@example.com,,\ngrace@example.com,23456789,at ten\n,,\n , ,\n   \n", both},
		"the tail of one with tabs":   {"\t\t\nada@example.com\t\t\n\t\t\n", []desk.Person{ada}},
		"a comment with more of some": {"# a;b;c;d\nada@example.com,,\n", []desk.Person{ada}},
		"notes in several cells":      {"grace@example.com,23456789,at,ten\n", []desk.Person{grace}},
		"an empty cell between tabs":  {"ada@example.com\t\tat nine\n", []desk.Person{{Email: "ada@example.com", Note: "at nine"}}},
		"semicolons in a note":        {"ada@example.com,,a;b;c;d\n", []desk.Person{{Email: "ada@example.com", Note: "a;b;c;d"}}},
		"a separator further down":    {"ada@example.com\ngrace@example.com;23456789;at ten\n", both},
	} {
		got, err := desk.ReadRoster(t.Context(), strings.NewReader(test.roster))
		if test.want == nil {
			if err == nil {
				t.Errorf("%s: %+v", name, got)
			}
			continue
		}
		if title := strings.Contains(name, "title"); err != nil || !slices.Equal(got.People, test.want) || (len(got.LeftOut) > 0) != title {
			t.Errorf("%s: %+v, %v; want %+v", name, got, err, test.want)
		}
	}
}

// Each bad line is told with its number, and the good ones are read all the same.
func TestReadRosterTellsEveryBadLine(t *testing.T) {
	roster := strings.Join([]string{
		"email,serial,note",           // 1
		"ada@example.com",             // 2
		"ada",                         // 3
		"# comment",                   // 4
		"grace@example.com,x",         // 5
		"",                            // 6
		"hedy@example.com,0",          // 7
		"hedy@example.com,4294967296", // 8
		"hedy@example.com,-1",         // 9
		",23456789",                   // 10
		"ADA@Example.Com,23456789",    // 11
		"kathy@example.com,23456789",  // 12
		"email,serial,note",           // 13: no heading there
		"Ada <a@example.com",          // 14
		"a/b@example.com",             // 15
		"adä@example.com",             // 16
		"jean@example.com,23456789",   // 17
		"\"jean@example.com,1",        // 18
		"jean@example.com,1.2345E+7",  // 19
		"jean@example.com,\"1,2E+7\"", // 20
		"Jean,jean@example.com",       // 21
		"lin@example.com",             // 22
	}, "\n")
	read, err := desk.ReadRoster(t.Context(), strings.NewReader(roster))
	people := read.People
	if err != nil {
		t.Fatal(err)
	}
	want := []desk.Person{{Email: "ada@example.com"}, {Email: "kathy@example.com", Serial: 23456789}, {Email: "lin@example.com"}}
	if !slices.Equal(people, want) {
		t.Errorf("read are %+v", people)
	}
	lines := map[int]string{
		3: `"ada" is not a mail address`, 5: `"x" is not a card's serial number`, 7: `"0" is not a card's serial number: no card has it`, 8: `"4294967296" is not`, 9: `"-1" is not`,
		10: `"" is not a mail address`, 11: "ADA@Example.Com is on line 2 already", 13: `"email" is not`, 14: "is not a mail address", 15: "is not a mail address", 16: "is not a mail address",
		17: "card 23456789 was assigned on line 12 already",
		18: "text follows a cell's closing quote", 19: `"1.2345E+7" is not a card's serial number: the spreadsheet has rounded it`, 20: "the spreadsheet has rounded it", 21: `"Jean" is not a mail address`,
	}
	for _, bad := range read.LeftOut {
		if want, ok := lines[bad.Line]; !ok || !strings.Contains(bad.Error(), want) {
			t.Errorf("unexpected: %v", bad)
		}
		delete(lines, bad.Line)
	}
	if len(lines) > 0 {
		t.Errorf("not told: %v", lines)
	}
}

// Where a quote stays open, the lines after it are read again.
func TestReadRosterGoesOnAfterAnOpenQuote(t *testing.T) {
	for roster, line := range map[string]int{
		"ada@example.com\n\"grace@example.com,1,note\nhedy@example.com\n":        2,
		"ada@example.com\ngra\"ce@example.com,1,note\nhedy@example.com\n":        2,
		"ada@example.com\n\n\n\"grace@example.com\"x,1,note\nhedy@example.com\n": 4,
	} {
		read, err := desk.ReadRoster(t.Context(), strings.NewReader(roster))
		if err != nil || len(read.LeftOut) != 1 || read.LeftOut[0].Line != line || len(read.People) != 2 || read.People[1].Email != "hedy@example.com" {
			t.Errorf("%q: %+v, %v; want line %d", roster, read, err, line)
		}
	}
}

func TestReadRosterWithoutPeople(t *testing.T) {
	for _, roster := range []string{"", "\n\n", "\ufeff", "email,serial\n", "# nobody\n", ",,\n,,\n"} {
		if people, err := desk.ReadRoster(t.Context(), strings.NewReader(roster)); err == nil || err.Error() != "the roster names nobody" {
			t.Errorf("%q: %+v, %v", roster, people, err)
		}
	}
	_, err := desk.ReadRoster(t.Context(), strings.NewReader("email\nada\ngrace@\n"))
	if want := `the roster names nobody: line 2: "ada" is not a mail address; line 3: "grace@" is not a mail address`; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
	_, err = desk.ReadRoster(t.Context(), strings.NewReader("email\n"+strings.Repeat("ada\n", 30)))
	if want := `line 21: "ada" is not a mail address; and 10 more`; err == nil || !strings.HasSuffix(err.Error(), want) {
		t.Errorf("%v, want %s", err, want)
	}
}

// A heading that cannot be understood is shown as it was found.
func TestReadRosterWithAnotherHeading(t *testing.T) {
	for roster, want := range map[string]string{
		"Mitarbeiter;Karte\nAnna;1\nBernd;2\n":           "line 1: there is no address in it, and no heading that stands over addresses; found: Mitarbeiter, Karte",
		"Konto;Bemerkung\nAnna;anna@example.com\n":       "found: Konto, Bemerkung",
		"\x1b[31m" + strings.Repeat("x", 100) + ",a,b\n": "xxxx, a, b",
		"1,2,3,4,5,6,7,8,9,10\n":                         "7, 8, …",
	} {
		_, err := desk.ReadRoster(t.Context(), strings.NewReader(roster))
		if heading, found := errors.AsType[*desk.HeadingError](err); !found || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\x1b") || len(heading.Found) == 0 {
			t.Errorf("%q: %v, want %s", roster, err, want)
		}
	}
}

func TestReadRosterNotes(t *testing.T) {
	const decoded = "it is not UTF-8, and was read as Windows-1252: where names or notes are wrong, save it as CSV UTF-8"
	for name, test := range map[string]struct {
		roster string
		people []desk.Person
		note   string
	}{
		"columns that are not used": {"Abteilung;email;Mail;;Raum\nx;ada@example.com;y;;z\n", []desk.Person{{Email: "ada@example.com"}}, "columns that are not used: Abteilung, Mail, Raum"},
		"Windows-1252":              {"email;note\nada@example.com;D\xe9sir\xe9e\nbob@example.com;Gr\xf6\xdfe\n", []desk.Person{{Email: "ada@example.com", Note: "Désirée"}, {Email: "bob@example.com", Note: "Größe"}}, decoded},
		"Windows-1252 in a heading": {"Courriel;Num\xe9ro de s\xe9rie\nada@example.com;7\n", []desk.Person{{Email: "ada@example.com", Serial: 7}}, decoded},
	} {
		read, err := desk.ReadRoster(t.Context(), strings.NewReader(test.roster))
		if err != nil || !slices.Equal(read.People, test.people) || !slices.Equal(read.Notes, []string{test.note}) {
			t.Errorf("%s: %+v, %v", name, read, err)
		}
	}
}

func TestMarkOtherDomains(t *testing.T) {
	people := func() []desk.Person {
		return []desk.Person{{Email: "a@one.example"}, {Email: "b@TWO.example"}, {Email: "c@two.example"}}
	}
	for domain, test := range map[string]struct {
		marked []bool
		note   string
	}{
		"":             {[]bool{true, false, false}, "of another domain than two.example, which 2 of 3 have: a@one.example"},
		"one.example":  {[]bool{false, true, true}, "of another domain than one.example: b@TWO.example, c@two.example"},
		"none.example": {[]bool{true, true, true}, "of another domain than none.example: a@one.example, b@TWO.example, c@two.example"},
	} {
		roster := desk.Roster{People: people()}
		roster.MarkOtherDomains(domain)
		for i, person := range roster.People {
			if person.OtherDomain != test.marked[i] {
				t.Errorf("%q: %+v", domain, person)
			}
		}
		if !slices.Equal(roster.Notes, []string{test.note}) {
			t.Errorf("%q: %q", domain, roster.Notes)
		}
	}
	tie := desk.Roster{People: people()[:2]}
	if tie.MarkOtherDomains(""); !slices.Equal(tie.Notes, []string{"of several domains, 1 each: one.example, two.example"}) || tie.People[0].OtherDomain || tie.People[1].OtherDomain {
		t.Errorf("a tie: %+v", tie)
	}
	one := desk.Roster{People: people()[1:]}
	if one.MarkOtherDomains(""); len(one.Notes) > 0 || one.People[0].OtherDomain || one.People[1].OtherDomain {
		t.Errorf("one domain: %+v", one)
	}
}

// Each line of the rosters that people brought is read, or left out with a reason.
func TestReadRosterSamples(t *testing.T) {
	files, _ := filepath.Glob("../../../shared/samples/rosters/*.csv")
	if len(files) == 0 {
		t.Skip("NOT TESTED: no samples in ../shared/samples/rosters")
	}
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		read, err := desk.ReadRoster(t.Context(), bytes.NewReader(data))
		var left []int
		for _, problem := range read.LeftOut {
			left = append(left, problem.Line)
		}
		want, known := map[string]struct {
			people int
			left   []int
		}{
			"roster-excel.csv": {6, []int{4, 7, 8, 9}}, "roster-german.csv": {1, nil}, "roster-ten.csv": {10, nil},
		}[filepath.Base(name)]
		if err != nil || len(read.People) == 0 || known && (len(read.People) != want.people || !slices.Equal(left, want.left)) {
			t.Errorf("%s: %d people, lines %v left out, %v", name, len(read.People), left, err)
		}
	}
}

func TestReadRosterTooLarge(t *testing.T) {
	endless := io.MultiReader(strings.NewReader("ada@example.com\n"), endlessComment{})
	if read, err := desk.ReadRoster(t.Context(), endless); err == nil || !strings.Contains(err.Error(), "larger than") || read.People != nil {
		t.Errorf("%d people, %v", len(read.People), err)
	}
	broken := errors.New("the disk is broken")
	if _, err := desk.ReadRoster(t.Context(), iotest.ErrReader(broken)); !errors.Is(err, broken) {
		t.Errorf("%v", err)
	}
}

// endlessComment is a file that never ends.
type endlessComment struct{}

func (endlessComment) Read(data []byte) (int, error) {
	for i := range data {
		data[i] = '#'
	}
	return len(data), nil
}

// Whatever is read: everybody has an address that can be used, once, and every
// problem is one of a line.
func FuzzReadRoster(f *testing.F) {
	for _, seed := range []string{
		"email,serial,note\nada@example.com,1,x\n", "ada@example.com;;\"a;b\"\n", "\ufeffada@example.com\t2\n", "\"", "a\"b,\n", ",,,\n", "#\n\n", "ada@example.com\nADA@EXAMPLE.COM\n", "\r\r\n", "\x00,\xff\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		read, err := desk.ReadRoster(t.Context(), strings.NewReader(string(data)))
		if err == nil && len(read.People) == 0 {
			t.Error("nobody was read, and nothing is wrong")
		}
		seen := map[string]bool{}
		for _, person := range read.People {
			if enroll.ValidateAddress(person.Email) != nil || seen[strings.ToLower(person.Email)] {
				t.Errorf("%q was read", person.Email)
			}
			seen[strings.ToLower(person.Email)] = true
		}
		last := 0
		for _, bad := range read.LeftOut {
			if bad.Line <= last || bad.Error() == "" || bad.Unwrap() == nil {
				t.Errorf("%v after line %d", bad, last)
			}
			last = bad.Line
		}
	})
}

func TestRosterThatIsSavedOtherwise(t *testing.T) {
	for name, test := range map[string]struct{ text, want string }{
		"UTF-16 without a mark":  {"a\x00d\x00a\x00@\x00", "it is UTF-16 without a byte order mark"},
		"a spreadsheet":          {"PK\x03\x04\x14\x00", "it is a spreadsheet"},
		"UTF-16":                 {"\xff\xfe" + wide("ada@example.com"), ""},
		"Latin-1":                {"ada@example.com,,D\xe9sir\xe9e\n", ""},
		"the note comes first":   {"note,email\nAda,ada@example.com\n", ""},
		"no heading, note first": {"Ada,ada@example.com\n", "line 1: there is no heading, and the address stands in column 2 instead of the first"},
		"a note like a heading":  {"ada@example.com,,email\n", ""},
		"the heading in capital": {"EMAIL,SERIAL\nada@example.com,1\n", ""},
	} {
		read, err := desk.ReadRoster(t.Context(), strings.NewReader(test.text))
		switch {
		case test.want == "" && (err != nil || len(read.People) != 1):
			t.Errorf("%s: %+v, %v", name, read, err)
		case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)):
			t.Errorf("%s: %v", name, err)
		}
	}
}
