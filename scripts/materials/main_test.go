package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestLicences: each module that is built in, for one system alone too, has its licence in
// the text.
func TestLicences(t *testing.T) {
	t.Chdir("../..")
	modules, err := builtIn("linux", "windows")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"github.com/go-piv/piv-go/v2", "github.com/spf13/cobra", "github.com/inconshreveable/mousetrap"} {
		if !slices.ContainsFunc(modules, func(m module) bool { return m.Path == want }) {
			t.Errorf("%s is not found", want)
		}
	}
	var out bytes.Buffer
	if err := writeLicences(&out, modules); err != nil {
		t.Fatal(err)
	}
	for _, m := range modules {
		if !strings.Contains(out.String(), "\n"+m.Path+" "+m.Version+": ") {
			t.Errorf("nothing of %s", m.Path)
		}
	}
	bare := t.TempDir()
	if err := os.WriteFile(filepath.Join(bare, "README"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := writeLicences(&out, []module{{Path: "example.com/bare", Dir: bare}}); err == nil || !strings.Contains(err.Error(), "example.com/bare") {
		t.Errorf("a module without a licence: %v", err)
	}
}

// TestSBOM: the document names itself, the program and every module once, and the same
// again is the same.
func TestSBOM(t *testing.T) {
	standard, err := goItself()
	if err != nil {
		t.Fatal(err)
	}
	modules := []module{
		{Path: "example.com/a", Version: "v1.0.0", Dir: standard.Dir},
		{Path: "example.com/b/v2", Version: "v2.0.0+incompatible", Dir: standard.Dir},
	}
	var first, second bytes.Buffer
	for _, out := range []*bytes.Buffer{&first, &second} {
		if err := writeSBOM(out, "1.2.3", "1700000000", modules); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(first.Bytes(), second.Bytes()) {
		t.Error("made twice, it differs")
	}
	var doc document
	if err := json.Unmarshal(first.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{doc.ID: true}
	for _, p := range doc.Packages {
		if seen[p.ID] || p.VersionInfo == "" {
			t.Errorf("%+v", p)
		}
		seen[p.ID] = true
	}
	for _, r := range doc.Relationships {
		if !seen[r.Element] || !seen[r.Related] {
			t.Errorf("%+v leads nowhere", r)
		}
	}
	if len(doc.Packages) != 4 || doc.CreationInfo.Created != "2023-11-14T22:13:20Z" || doc.Packages[3].ExternalRefs[0].Locator != "pkg:golang/example.com/b/v2@v2.0.0%2Bincompatible" {
		t.Errorf("%+v", doc)
	}
	for _, p := range doc.Packages[1:] {
		if p.LicenseDeclared != "BSD-3-Clause" {
			t.Errorf("%s declares %s", p.Name, p.LicenseDeclared)
		}
	}
	strange := t.TempDir()
	if err := os.WriteFile(filepath.Join(strange, "LICENSE"), []byte("Do with it what is right.\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := writeSBOM(&second, "1.2.3", "1700000000", []module{{Path: "example.com/strange", Dir: strange}}); err == nil || !strings.Contains(err.Error(), "example.com/strange") {
		t.Errorf("a licence that nobody knows: %v", err)
	}
	if err := writeSBOM(&second, "1.2.3", "", nil); err == nil {
		t.Error("it was made at no time")
	}
}
