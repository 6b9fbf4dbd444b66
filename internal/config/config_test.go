package config

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// TestFileIsRead: with a mark and line ends as Windows writes them, each value has its line.
func TestFileIsRead(t *testing.T) {
	text := strings.Join([]string{
		`# settings`,
		`credentials = 'C:\keys\key.json'`,
		`concurrency = 50`,
		``,
		`[profile.staff]`,
		`algorithm = "eccp256"`,
		`escrow-to = [`,
		`  "age1a",`,
		`  "age1b",`,
		`]`,
		`["profile"."two words"]`,
		`min-pin-length = 8`,
	}, "\n")
	profile := map[string]Table{}
	for name, form := range map[string]string{"plain": text, "windows": "\ufeff" + strings.ReplaceAll(text, "\n", "\r\n") + "\r\n"} {
		file, err := parse("c", []byte(form))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		want := map[string]Value{"credentials": {`C:\keys\key.json`, Origin{"c", 2}}, "concurrency": {int64(50), Origin{"c", 3}}}
		if !reflect.DeepEqual(file.Settings.Values, want) {
			t.Errorf("%s: settings %v", name, file.Settings.Values)
		}
		profile["staff"] = Table{Origin{"c", 5}, map[string]Value{
			"algorithm": {"eccp256", Origin{"c", 6}}, "escrow-to": {[]any{"age1a", "age1b"}, Origin{"c", 7}}}}
		profile["two words"] = Table{Origin{"c", 11}, map[string]Value{"min-pin-length": {int64(8), Origin{"c", 12}}}}
		if !reflect.DeepEqual(file.Profiles, profile) {
			t.Errorf("%s: profiles %v", name, file.Profiles)
		}
	}
}

// TestOtherSpellings: dotted keys and inline tables say the same as headings, and where.
func TestOtherSpellings(t *testing.T) {
	for _, text := range []string{"profile.staff.slot = '9c'", "profile = {staff = {slot = '9c'}}", "[profile]\nstaff.slot = '9c'"} {
		file, err := parse("c", []byte("\n"+text))
		if err != nil {
			t.Fatal(err)
		}
		slot := file.Profiles["staff"].Values["slot"]
		if want := 2 + strings.Count(text, "\n"); slot.Any != "9c" || slot.Origin.Line != want {
			t.Errorf("%s: %v", text, slot)
		}
	}
}

// TestFileIsRefused: with the place, and in words that help.
func TestFileIsRefused(t *testing.T) {
	for text, want := range map[string]string{
		"a = 1\nb = = 2":                  "c:2: ",
		"a = 1\na = 2":                    "c",
		"a = 1\np = \"C:\\keys\\k\"":      "c:2: a backslash in double quotes begins an escape",
		"p = \"C:\\Users\\k\"":            "c:1: a backslash in double quotes begins an escape",
		"\np = \"C:\\temp\"":              "c:2: p has a control character: a backslash in double quotes begins an escape",
		"[profile.x]\np = [\"C:\\temp\"]": "c:2: p has a control character",
		"\xff\xfea\x00":                   "c: the file is in UTF-16: save it as UTF-8",
		"profile = 'staff'":               "c:1: profile is the table of the enrollment profiles: write [profile.NAME]",
		"[profile]\nslot = '9c'":          "c:2: a profile has a name: write [profile.NAME] above slot",
	} {
		_, err := parse("c", []byte(text))
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
		if !errors.As(err, new(*Error)) {
			t.Errorf("%q: %T", text, err)
		}
	}
}

// TestRead: the file is named wholly, wherever it was read from.
func TestRead(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("config.toml", []byte("a = 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	file, err := Read("config.toml")
	if err != nil || !filepath.IsAbs(file.Settings.Values["a"].Origin.File) {
		t.Errorf("%v, %v", file, err)
	}
	if _, err := Read("none.toml"); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}

// FuzzParse: no file makes the program panic, and no value is without its line.
func FuzzParse(f *testing.F) {
	for _, text := range []string{"a = 1", "[profile.a]\nb = 'x'", "profile = {a = {b = [1, 'x']}}", "a.b.c = 1979-05-27", "[[profile]]\nx = 1", "\"\\u0061\" = {}"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := parse("c", data)
		if err != nil {
			return
		}
		for _, table := range file.Profiles {
			for key, value := range table.Values {
				if value.Origin.Line < 1 {
					t.Errorf("%q has no line", key)
				}
			}
		}
		for key, value := range file.Settings.Values {
			if value.Origin.Line < 1 {
				t.Errorf("%q has no line", key)
			}
		}
	})
}
