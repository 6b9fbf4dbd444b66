package desk_test

import (
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/cse-piv/cse-piv/internal/desk"
	"github.com/cse-piv/cse-piv/internal/enroll"
)

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
		got, err := desk.ReadRoster(strings.NewReader(test.roster))
		if test.want == nil {
			if err == nil {
				t.Errorf("%s: %+v", name, got)
			}
			continue
		}
		if err != nil || !slices.Equal(got, test.want) {
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
		"Ada <a@example.com>",         // 14
		"a/b@example.com",             // 15
		"adä@example.com",             // 16
		"jean@example.com,23456789",   // 17
	}, "\n")
	people, err := desk.ReadRoster(strings.NewReader(roster))
	want := []desk.Person{{Email: "ada@example.com"}, {Email: "kathy@example.com", Serial: 23456789}}
	if !slices.Equal(people, want) {
		t.Errorf("read are %+v", people)
	}
	lines := map[int]string{
		3: `"ada" is not a mail address`, 5: `"x" is not a card's serial number`, 7: `"0" is not a card's serial number: no card has it`, 8: `"4294967296" is not`, 9: `"-1" is not`,
		10: `"" is not a mail address`, 11: "ADA@Example.Com is on line 2 already", 13: `"email" is not`, 14: "is not a mail address", 15: "is not a mail address", 16: "is not a mail address",
		17: "card 23456789 was set aside on line 12 already",
	}
	for _, problem := range several(err) {
		var bad *desk.RosterError
		if !errors.As(problem, &bad) || bad.Unwrap() == nil {
			t.Errorf("%v names no line", problem)
			continue
		}
		if want, ok := lines[bad.Line]; !ok || !strings.Contains(bad.Error(), want) {
			t.Errorf("unexpected: %v", bad)
		}
		delete(lines, bad.Line)
	}
	if len(lines) > 0 {
		t.Errorf("not told: %v", lines)
	}
}

func several(err error) []error {
	var joined interface{ Unwrap() []error }
	if errors.As(err, &joined) {
		return joined.Unwrap()
	}
	return nil
}

// Where a quote stays open nobody knows what the rest means.
func TestReadRosterEndsAtAnOpenQuote(t *testing.T) {
	for roster, line := range map[string]int{
		"ada@example.com\n\"grace@example.com,1,note\nhedy@example.com\n":        2,
		"ada@example.com\ngra\"ce@example.com,1,note\nhedy@example.com\n":        2,
		"ada@example.com\n\n\n\"grace@example.com\"x,1,note\nhedy@example.com\n": 4,
	} {
		people, err := desk.ReadRoster(strings.NewReader(roster))
		var bad *desk.RosterError
		if !errors.As(err, &bad) || bad.Line != line || len(people) != 1 {
			t.Errorf("%q: %+v, %v; want line %d", roster, people, err, line)
		}
	}
}

func TestReadRosterWithoutPeople(t *testing.T) {
	for _, roster := range []string{"", "\n\n", "\ufeff", "email,serial\n", "# nobody\n", ",,\n,,\n"} {
		if people, err := desk.ReadRoster(strings.NewReader(roster)); err == nil || err.Error() != "the roster names nobody" {
			t.Errorf("%q: %+v, %v", roster, people, err)
		}
	}
}

func TestReadRosterTooLarge(t *testing.T) {
	endless := io.MultiReader(strings.NewReader("ada@example.com\n"), endlessComment{})
	if people, err := desk.ReadRoster(endless); err == nil || !strings.Contains(err.Error(), "larger than") || people != nil {
		t.Errorf("%d people, %v", len(people), err)
	}
	broken := errors.New("the disk is broken")
	if _, err := desk.ReadRoster(iotest.ErrReader(broken)); !errors.Is(err, broken) {
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
		people, err := desk.ReadRoster(strings.NewReader(string(data)))
		if err == nil && len(people) == 0 {
			t.Error("nobody was read, and nothing is wrong")
		}
		seen := map[string]bool{}
		for _, person := range people {
			if enroll.ValidateAddress(person.Email) != nil || seen[strings.ToLower(person.Email)] {
				t.Errorf("%q was read", person.Email)
			}
			seen[strings.ToLower(person.Email)] = true
		}
		for _, problem := range several(err) {
			var bad *desk.RosterError
			if !errors.As(problem, &bad) || bad.Line < 1 {
				t.Errorf("%v names no line", problem)
			}
		}
	})
}

func TestRosterThatIsSavedOtherwise(t *testing.T) {
	for name, test := range map[string]struct{ text, want string }{
		"UTF-16":                 {"\xff\xfea\x00d\x00a\x00", "save it as CSV UTF-8"},
		"Latin-1":                {"ada@example.com,,D\xe9sir\xe9e\n", "save it as CSV UTF-8"},
		"the note comes first":   {"note,email\nAda,ada@example.com\n", "line 1: the address has to stand in the first column"},
		"a note like a heading":  {"ada@example.com,,email\n", ""},
		"the heading in capital": {"EMAIL,SERIAL\nada@example.com,1\n", ""},
	} {
		people, err := desk.ReadRoster(strings.NewReader(test.text))
		switch {
		case test.want == "" && (err != nil || len(people) != 1):
			t.Errorf("%s: %v, %v", name, people, err)
		case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)):
			t.Errorf("%s: %v", name, err)
		}
	}
}
