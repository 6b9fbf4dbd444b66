package safetext_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/cse-piv/cse-piv/internal/safetext"
)

func TestClean(t *testing.T) {
	for in, want := range map[string]string{
		"plain é 漢":          "plain é 漢",
		"a\x1b[2Jb":          "a?[2Jb",
		"two\nlines":         "two lines",
		"a\u2028b\u2029c":    "a b c",
		"right\u202eto left": "right?to left",
		"bad \xff byte":      "bad ? byte",
		"nul\x00 c1 \u009b":  "nul? c1 ?",
		"tag \U000e0041":     "tag ?",
	} {
		if got := safetext.Clean(in); got != want {
			t.Errorf("Clean(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestMessage(t *testing.T) {
	got := safetext.Message("bad \x1b]0;title\x07chain\r\n\u202eevil\u2028 \x1b[31m" + strings.Repeat("x", 100_000))
	if !strings.HasPrefix(got, "bad chain evil xxx") || utf8.RuneCountInString(got) != 601 || !strings.HasSuffix(got, "…") {
		t.Errorf("%q", got)
	}
}

func TestEncodeJSON(t *testing.T) {
	value := map[string]string{"a": "\u009b2J\x7f\u202e<é>\U000e0041\x1b\n", "b": "漢"}
	for indent, want := range map[string]string{
		"":   `{"a":"\u009b2J\u007f\u202e<é>\udb40\udc41\u001b\n","b":"漢"}` + "\n",
		"  ": "{\n  \"a\": \"\\u009b2J\\u007f\\u202e<é>\\udb40\\udc41\\u001b\\n\",\n  \"b\": \"漢\"\n}\n",
	} {
		var out strings.Builder
		if err := safetext.EncodeJSON(&out, value, indent); err != nil || out.String() != want {
			t.Errorf("%q: %q, %v", indent, out.String(), err)
		}
	}
	if err := safetext.EncodeJSON(&strings.Builder{}, func() {}, ""); err == nil {
		t.Error("a function was written")
	}
}

// FuzzText feeds what anybody may have written: nothing hidden is shown, and JSON
// loses nothing.
func FuzzText(f *testing.F) {
	f.Add("plain é")
	f.Add("a\x1b[2J\u202e\u009b\x9b\xff\U000e0041\u2028")
	f.Fuzz(func(t *testing.T, text string) {
		for _, shown := range []string{safetext.Clean(text), safetext.Message(text)} {
			if !utf8.ValidString(shown) || strings.ContainsFunc(shown, safetext.Hidden) {
				t.Errorf("%q becomes %q", text, shown)
			}
		}
		var out bytes.Buffer
		if err := safetext.EncodeJSON(&out, text, ""); err != nil {
			t.Fatal(err)
		}
		if body := strings.TrimSuffix(out.String(), "\n"); strings.ContainsFunc(body, safetext.Hidden) {
			t.Errorf("%q is written as %q", text, body)
		}
		var back string
		if err := json.Unmarshal(out.Bytes(), &back); err != nil || back != strings.ToValidUTF8(text, string(unicode.ReplacementChar)) && utf8.ValidString(text) {
			t.Errorf("%q came back as %q, %v", text, back, err)
		}
	})
}
