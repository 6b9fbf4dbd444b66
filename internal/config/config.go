// Package config reads config.toml, the file of settings and enrollment profiles (TOML 1.0). It
// knows neither which settings there are nor what a profile may say: each value comes with the
// line that it stands in, for who does.
package config

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	"github.com/knadh/koanf/parsers/toml/v2"
	"github.com/knadh/koanf/providers/rawbytes"
	"github.com/knadh/koanf/v2"

	"github.com/cse-piv/cse-piv/internal/durable"
)

// maxFile bounds the file, in bytes.
const maxFile = 1 << 20

// profileTable is the table that the profiles are in.
const profileTable = "profile"

// File is what stands in the file.
type File struct {
	Path     string // "" where there is no file
	Settings Table
	Profiles map[string]Table
}

// Table holds values by their keys.
type Table struct {
	Origin Origin // of its heading
	Values map[string]Value
}

// Keys returns the keys in the order of the lines that they stand in.
func (t Table) Keys() []string {
	return slices.SortedFunc(maps.Keys(t.Values), func(a, b string) int {
		return cmp.Or(t.Values[a].Origin.Line-t.Values[b].Origin.Line, strings.Compare(a, b))
	})
}

// Value is what a key has: a string, bool, int64, float64, or a []any of them. What TOML has
// besides is left to who finds that it does not fit.
type Value struct {
	Any    any
	Origin Origin
}

// Origin is where something stands.
type Origin struct {
	File string `json:"file"`
	Line int    `json:"line"` // from 1; 0 for the whole file
}

// String returns FILE:LINE.
func (o Origin) String() string {
	if o.Line == 0 {
		return o.File
	}
	return fmt.Sprintf("%s:%d", o.File, o.Line)
}

// Error is returned for a file that cannot be used as it is.
type Error struct {
	Origin Origin
	Err    error
}

// Error says where and what.
func (e *Error) Error() string { return e.Origin.String() + ": " + e.Err.Error() }

// Unwrap returns what is wrong there.
func (e *Error) Unwrap() error { return e.Err }

// Errorf returns an *Error about what stands there.
func (o Origin) Errorf(format string, args ...any) error {
	return &Error{Origin: o, Err: fmt.Errorf(format, args...)}
}

// ErrBackslash is wrapped by errors about text in double quotes whose backslashes mean something
// else than a person meant who wrote a Windows path.
var ErrBackslash = errors.New("a backslash in double quotes begins an escape")

// UnknownKeyError is returned for a key that means nothing.
type UnknownKeyError struct {
	Key   string
	Known []string // that could have been meant
}

// Error says which key.
func (e *UnknownKeyError) Error() string { return fmt.Sprintf("there is no setting %q", e.Key) }

// UnknownProfileError is returned for the name of an enrollment profile that there is none of.
type UnknownProfileError struct {
	Name  string
	Known []string
}

// Error says which name.
func (e *UnknownProfileError) Error() string {
	if len(e.Known) == 0 {
		return "there is no enrollment profile " + e.Name + ": config.toml has none"
	}
	return "there is no enrollment profile " + e.Name + ", but " + strings.Join(e.Known, ", ")
}

// DefaultPath returns where the file is that nobody names: config.toml in the folder cse-piv of
// the user's configuration folder (XDG_CONFIG_HOME or ~/.config, %AppData% on Windows,
// ~/Library/Application Support on macOS).
func DefaultPath() (string, error) {
	folder, err := os.UserConfigDir()
	if err != nil {
		return "", fmt.Errorf("finding the folder of config.toml: %w", err)
	}
	return filepath.Join(folder, "cse-piv", "config.toml"), nil
}

// Read reads the file at path. The errors about what stands in it are *Error.
func Read(path string) (*File, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("finding %s: %w", path, err)
	}
	data, err := durable.ReadFile(path, maxFile)
	if err != nil {
		return nil, err
	}
	return parse(path, data)
}

// parse reads what stands in the file at path.
func parse(path string, data []byte) (*File, error) {
	whole := Origin{File: path}
	if bytes.HasPrefix(data, []byte("\xff\xfe")) || bytes.HasPrefix(data, []byte("\xfe\xff")) {
		return nil, whole.Errorf("the file is in UTF-16: save it as UTF-8")
	}
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	k := koanf.New(".")
	if err := k.Load(rawbytes.Provider(data), toml.Parser()); err != nil {
		return nil, syntaxError(whole, data, err)
	}
	lines := linesOf(data)
	file := &File{Path: path, Settings: Table{Origin: whole, Values: map[string]Value{}}, Profiles: map[string]Table{}}
	for key, value := range k.Raw() {
		origin := Origin{path, lines.of(key)}
		if key != profileTable {
			file.Settings.Values[key] = Value{value, origin}
			continue
		}
		profiles, isTable := value.(map[string]any)
		if !isTable {
			return nil, origin.Errorf("profile is the table of the enrollment profiles: write [profile.NAME]")
		}
		for name, value := range profiles {
			origin := Origin{path, lines.of(profileTable, name)}
			values, isTable := value.(map[string]any)
			if !isTable {
				return nil, origin.Errorf("a profile has a name: write [profile.NAME] above %s", name)
			}
			table := Table{Origin: origin, Values: map[string]Value{}}
			for key, value := range values {
				table.Values[key] = Value{value, Origin{path, lines.of(profileTable, name, key)}}
			}
			file.Profiles[name] = table
		}
	}
	return file, file.checkText()
}

// checkText refuses text with control characters, which nobody means in a setting: \t of
// "C:\temp" is one.
func (f *File) checkText() error {
	tables := []Table{f.Settings}
	for _, table := range f.Profiles {
		tables = append(tables, table)
	}
	for _, table := range tables {
		for key, value := range table.Values {
			for _, text := range value.Texts() {
				if strings.ContainsFunc(text, unicode.IsControl) {
					return value.Origin.Errorf("%s has a control character: %w", key, ErrBackslash)
				}
			}
		}
	}
	return nil
}

// Texts returns the text of a value, of a list that of its elements.
func (v Value) Texts() (all []string) {
	switch of := v.Any.(type) {
	case string:
		return []string{of}
	case []any:
		for _, element := range of {
			if text, isText := element.(string); isText {
				all = append(all, text)
			}
		}
	}
	return all
}
