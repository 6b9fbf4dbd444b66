package source_test

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cse-piv/cse-piv/internal/batch/source"
)

func TestOpen(t *testing.T) {
	const csv, ndjson = "email,certificate\nada@example.com,a.pem\n", `{"email":"ada@example.com","certificate":"a.pem"}`
	dir := write(t, "a.pem", "A", "people.csv", csv, "people.txt", csv, "people.ndjson", ndjson, "people", "\n "+ndjson,
		"folder/ada@example.com.pem", "A")
	for _, spec := range []string{"people.csv", "people.txt", "people.ndjson", "people", "folder"} {
		s, err := source.Open(filepath.Join(dir, spec), source.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if got := summaries(t, collect(t, s)); len(got) != 1 || got[0] != "ada@example.com both=A" {
			t.Errorf("%s: %q", spec, got)
		}
		if got := summaries(t, collect(t, s)); len(got) != 1 {
			t.Errorf("%s a second time: %q", spec, got)
		}
	}
	s, err := source.Open("-", source.Options{Stdin: strings.NewReader(csv), Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if got := summaries(t, collect(t, s)); len(got) != 1 || got[0] != "ada@example.com both=A" || s.Name() != "standard input" {
		t.Errorf("standard input: %q", got)
	}
	if _, err := collectError(t.Context(), s); err == nil {
		t.Error("standard input is read twice")
	}
	for _, spec := range []string{"", "https://example.com/people.csv", filepath.Join(dir, "nothing.csv"), "ldap://", "ldap://user:pass@host/dc=x"} {
		_, err := source.Open(spec, source.Options{})
		if err == nil || hint(err) == "" {
			t.Errorf("%q: %v, hint %q", spec, err, hint(err))
		} else if strings.Contains(err.Error(), "pass@") {
			t.Errorf("%q: the error shows a password: %v", spec, err)
		}
	}
}

// TestOtherFiles: what is no manifest is told by what it is.
func TestOtherFiles(t *testing.T) {
	for name, content := range map[string]string{
		"empty":                            "",
		"UTF-16 without":                   "e\x00m\x00a\x00i\x00l\x00,\x00",
		"UTF-16 without a byte order mark": "\x00e\x00m\x00a\x00i\x00l\x00,",
		"spreadsheet":                      "PK\x03\x04\x14\x00",
		"certificate":                      "-----BEGIN CERTIFICATE-----\n",
		"JSON list":                        "[\n{}]",
		"not text":                         "MZ\x00\x01",
		"no header":                        "\n \n",
		"names no":                         "ada@example.com,a.pem\n",
	} {
		_, err := collectError(t.Context(), source.ManifestFrom("people", strings.NewReader(content), source.Options{}))
		if !errors.Is(err, source.ErrFormat) || !strings.Contains(err.Error(), name) || hint(err) == "" {
			t.Errorf("%s: %v, hint %q", name, err, hint(err))
		}
	}
}
