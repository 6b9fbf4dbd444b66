package config

import (
	"errors"
	"strings"
	"testing"
)

// TestSyntaxErrors: what is no TOML is said with its place, and in no word of the parser's.
func TestSyntaxErrors(t *testing.T) {
	const (
		backslash = "a backslash in double quotes"
		unclosed  = "the quote that ends the text is missing"
		control   = "a control character stands here"
		list      = `write ["a", "b"]`
		table     = "write {KEY = "
		number    = "this is no number"
		date      = "reads as a date or a time"
		unquoted  = "text stands in quotes"
		oneLine   = "something follows what ends the line"
		noValue   = "the value is missing"
		noKey     = "a key is missing"
		noEquals  = "the = behind the key is missing"
		heading   = "the ] that ends the heading is missing"
	)
	for _, test := range []struct{ text, place, want string }{
		{"a = 1\nb = = 2", "c:2: column 5: ", unquoted},
		{"a", "c:1: column 1: ", noEquals},
		{"a 1", "c:1: column 3: ", noEquals},
		{"a b = 1", "c:1: column 3: ", noEquals},
		{"a.", "c:1: ", noKey},
		{"= 1", "c:1: column 1: ", noKey},
		{"a. = 1", "c:1: ", noKey},
		{"größe-ü = 1", "c:1: column 3: ", noEquals},
		{"a = 'größe' x", "c:1: column 13: ", oneLine},
		{"a =", "c:1: column 3: ", noValue},
		{"a =\nb = 1", "c:1: ", ""},
		{"a = yes", "c:1: column 5: ", unquoted},
		{"a = True", "c:1: column 5: ", unquoted},
		{"a = tru", "c:1: column 5: ", unquoted},
		{"a = fals\n", "c:1: column 5: ", unquoted},
		{"a = 1 2", "c:1: column 7: ", oneLine},
		{"a = \"x\" y", "c:1: ", oneLine},
		{"a = 1 b = 2", "c:1: ", oneLine},
		{"[profile.x] y", "c:1: ", oneLine},
		{"a = C:\\keys", "c:1: column 5: ", unquoted},
		{"a = /keys/key.json", "c:1: column 5: ", unquoted},
		{"a = \"x", "c:1: ", unclosed},
		{"a = 'x", "c:1: ", unclosed},
		{"a = 'x\nb = 1", "c:1: ", unclosed},
		{"a = \"x\nb = 1", "c:1: ", unclosed},
		{"a = \"\"\"x", "c:1: ", unclosed},
		{"a = '''x", "c:1: ", unclosed},
		{"a = \"\"\"x\"\"\"\"\"\"", "c:1: ", "a quote too many"},
		{"a = '''x''''''", "c:1: ", "a quote too many"},
		{"a = x\"", "c:1: column 5: ", unquoted},
		{"a = “x”", "c:1: column 5: ", unquoted},
		{"a = \"\\q\"", "c:1: ", backslash},
		{"a = \"\\u12\"", "c:1: ", backslash},
		{"a = \"\\uD800\"", "c:1: ", backslash},
		{"a = \"\"\"\\q\"\"\"", "c:1: ", backslash},
		{"a = \"x\x01\"", "c:1: ", control},
		{"a = 'x\x01'", "c:1: ", control},
		{"a = '''x\x01'''", "c:1: ", control},
		{"a = 1 # \x01", "c:1: ", control},
		{"a = 1 # x\ry", "c:1: ", control},
		{"a = \"gr\xf6\xdfe\"", "c:1: ", "not in UTF-8"},
		{"a = 'gr\xf6\xdfe'", "c:1: ", "not in UTF-8"},
		{"a = 1 # gr\xf6\xdfe", "c:1: ", "not in UTF-8"},
		{"a = [1", "c:1: ", list},
		{"a = [1 2]", "c:1: ", list},
		{"a = [\n'x'\n'y']", "c:3: column 1: ", list},
		{"a = [,]", "c:1: ", ""},
		{"a = {b = 1", "c:1: ", table},
		{"a = {b = 1 c = 2}", "c:1: ", table},
		{"a = {, b = 1}", "c:1: ", table},
		{"a = " + strings.Repeat("[", 20_000), "c:1: ", "too many brackets"},
		{"a = 1__0", "c:1: ", number},
		{"a = +", "c:1: ", number},
		{"a = 007", "c:1: ", number},
		{"a = 1.", "c:1: ", number},
		{"a = 1e", "c:1: ", number},
		{"a = 0x", "c:1: ", number},
		{"a = -0x1", "c:1: ", number},
		{"a = 99999999999999999999", "c:1: ", "the number is too large"},
		{"a = 50m", "c:1: ", ""},
		{"a = 30s", "c:1: ", ""},
		{"a = 2026-13-01", "c:1: ", date},
		{"a = 2026-01-01T25:00:00Z", "c:1: ", date},
		{"a = 25:00", "c:1: ", date},
		{"a = 12:00:00.", "c:1: ", date},
		{"[profile.x", "c:1: ", heading},
		{"[[profile.x]", "c:1: ", heading},
		{"[]", "c:1: ", noKey},
		{"[profile x]", "c:1: ", heading},
		{"a = 1\na = 2", "c:2: column 1: ", "a stands there twice"},
		{"[profile.x]\na = 1\n[profile.x]", "c:3: ", "x stands there twice"},
		{"a = 1\n[a.b]", "c:2: ", "a stands there twice: as a table"},
		{"[[a]]\n[a]", "c:2: ", "a stands there twice"},
		{"a = 1\n[[a]]", "c:2: ", "a stands there twice"},
		{"a = {b = 1}\na.c = 2", "c:2: ", "stands there twice"},
	} {
		_, err := parse("c", []byte(test.text))
		if err == nil {
			t.Errorf("%.40q is taken", test.text)
			continue
		}
		said := err.Error()
		if !strings.HasPrefix(said, test.place) || !strings.Contains(said, test.want) || strings.Contains(said, notTOML) || !errors.As(err, new(*Error)) {
			t.Errorf("%.40q: %s, want %s%s", test.text, said, test.place, test.want)
		}
	}
}
