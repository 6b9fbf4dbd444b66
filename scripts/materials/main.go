// Command materials writes what goes with a release: the licences of everything that is built
// into the programs (licences), and what they are made of as SPDX 2.3 (sbom). It reads the
// modules of this one for the systems that are released, from the module cache.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

const (
	program = "./cmd/cse-piv"
	home    = "https://github.com/cse-piv/cse-piv"
)

// module is one that is built in.
type module struct {
	Path, Version, Dir string
	Main               bool
}

func main() {
	if err := run(os.Stdout, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "materials:", err)
		os.Exit(1)
	}
}

func run(out io.Writer, args []string) error {
	switch {
	case len(args) == 1 && args[0] == "licences":
		modules, err := builtIn("linux", "windows")
		if err != nil {
			return err
		}
		return writeLicences(out, modules)
	case len(args) == 2 && args[0] == "sbom":
		modules, err := builtIn("linux", "windows")
		if err != nil {
			return err
		}
		return writeSBOM(out, args[1], os.Getenv("SOURCE_DATE_EPOCH"), modules)
	}
	return errors.New("usage: materials licences | materials sbom VERSION")
}

// builtIn returns the modules whose packages are in the programs for the systems, this one
// left out, by their paths.
func builtIn(systems ...string) ([]module, error) {
	found := map[string]module{}
	for _, system := range systems {
		list := exec.Command("go", "list", "-deps", "-json=Module", program)
		list.Env, list.Stderr = append(os.Environ(), "GOOS="+system, "GOARCH=amd64"), os.Stderr
		listed, err := list.Output()
		if err != nil {
			return nil, fmt.Errorf("listing the packages for %s: %w", system, err)
		}
		for decoder := json.NewDecoder(strings.NewReader(string(listed))); decoder.More(); {
			var p struct{ Module *module }
			if err := decoder.Decode(&p); err != nil {
				return nil, err
			}
			if p.Module != nil && !p.Module.Main {
				found[p.Module.Path] = *p.Module
			}
		}
	}
	return slices.SortedFunc(maps.Values(found), func(a, b module) int { return strings.Compare(a.Path, b.Path) }), nil
}

// goItself is Go's standard library, of which every program has a part.
func goItself() (module, error) {
	out, err := exec.Command("go", "env", "GOVERSION", "GOROOT").Output()
	fields := strings.Fields(string(out))
	if err != nil || len(fields) != 2 {
		return module{}, fmt.Errorf("asking for the version of Go: %w", err)
	}
	return module{Path: "std", Version: strings.TrimPrefix(fields[0], "go"), Dir: fields[1]}, nil
}

// writeLicences writes the licence files of all modules into one text. A module without one
// is an error.
func writeLicences(out io.Writer, modules []module) error {
	standard, err := goItself()
	if err != nil {
		return err
	}
	var text strings.Builder
	text.WriteString("Licences of what is built into cse-piv\n")
	for _, m := range append([]module{standard}, modules...) {
		files, err := licenceFiles(m.Dir)
		if err != nil {
			return fmt.Errorf("%s: %w", m.Path, err)
		}
		for _, file := range files {
			contents, err := os.ReadFile(filepath.Join(m.Dir, file))
			if err != nil {
				return err
			}
			fmt.Fprintf(&text, "\n%s\n%s %s: %s\n%s\n\n%s\n", strings.Repeat("=", 72), m.Path, m.Version, file, strings.Repeat("=", 72),
				strings.TrimRight(strings.ReplaceAll(string(contents), "\r\n", "\n"), "\n"))
		}
	}
	_, err = io.WriteString(out, text.String())
	return err
}

// licenceFiles names the files of a folder that have licences, notices and patents in them.
func licenceFiles(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var names []string
	licensed := false
	for _, entry := range entries {
		name := strings.ToUpper(entry.Name())
		isLicence := strings.HasPrefix(name, "LICENSE") || strings.HasPrefix(name, "LICENCE") || strings.HasPrefix(name, "COPYING") || strings.HasPrefix(name, "UNLICENSE")
		if entry.Type().IsRegular() && (isLicence || strings.HasPrefix(name, "NOTICE") || strings.HasPrefix(name, "PATENTS")) {
			names, licensed = append(names, entry.Name()), licensed || isLicence
		}
	}
	if !licensed {
		return nil, errors.New("no licence is in its folder")
	}
	return names, nil
}

type (
	document struct {
		SPDXVersion       string         `json:"spdxVersion"`
		DataLicense       string         `json:"dataLicense"`
		ID                string         `json:"SPDXID"`
		Name              string         `json:"name"`
		DocumentNamespace string         `json:"documentNamespace"`
		CreationInfo      creation       `json:"creationInfo"`
		Packages          []component    `json:"packages"`
		Relationships     []relationship `json:"relationships"`
	}
	creation struct {
		Created  string   `json:"created"`
		Creators []string `json:"creators"`
	}
	component struct {
		ID               string        `json:"SPDXID"`
		Name             string        `json:"name"`
		VersionInfo      string        `json:"versionInfo"`
		DownloadLocation string        `json:"downloadLocation"`
		FilesAnalyzed    bool          `json:"filesAnalyzed"`
		LicenseConcluded string        `json:"licenseConcluded"`
		LicenseDeclared  string        `json:"licenseDeclared"`
		CopyrightText    string        `json:"copyrightText"`
		ExternalRefs     []externalRef `json:"externalRefs"`
	}
	externalRef struct {
		Category string `json:"referenceCategory"`
		Type     string `json:"referenceType"`
		Locator  string `json:"referenceLocator"`
	}
	relationship struct {
		Element string `json:"spdxElementId"`
		Type    string `json:"relationshipType"`
		Related string `json:"relatedSpdxElement"`
	}
)

// writeSBOM writes a document of SPDX 2.3 about a version, made at a time in seconds since
// 1970.
func writeSBOM(out io.Writer, version, epoch string, modules []module) error {
	var seconds int64
	if _, err := fmt.Sscan(epoch, &seconds); err != nil {
		return fmt.Errorf("SOURCE_DATE_EPOCH is %q: %w", epoch, err)
	}
	standard, err := goItself()
	if err != nil {
		return err
	}
	known, err := newLicences()
	if err != nil {
		return err
	}
	self := module{Path: strings.TrimPrefix(home, "https://"), Version: version}
	doc := document{
		SPDXVersion: "SPDX-2.3", DataLicense: "CC0-1.0", ID: "SPDXRef-DOCUMENT", Name: "cse-piv-" + version,
		DocumentNamespace: home + "/spdx/" + version,
		CreationInfo:      creation{Created: time.Unix(seconds, 0).UTC().Format(time.RFC3339), Creators: []string{"Tool: cse-piv-materials"}},
		Packages:          []component{componentOf(self, unknown)},
		Relationships:     []relationship{{"SPDXRef-DOCUMENT", "DESCRIBES", identifier(self)}},
	}
	for _, m := range append([]module{standard}, modules...) {
		licence, err := known.of(m)
		if err != nil {
			return err
		}
		doc.Packages = append(doc.Packages, componentOf(m, licence))
		doc.Relationships = append(doc.Relationships, relationship{identifier(self), "DEPENDS_ON", identifier(m)})
	}
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	return encoder.Encode(doc)
}

// unknown is what SPDX has where nobody says anything.
const unknown = "NOASSERTION"

// componentOf describes a module; licence is what its own files declare.
func componentOf(m module, licence string) component {
	return component{
		ID: identifier(m), Name: m.Path, VersionInfo: m.Version, DownloadLocation: unknown,
		LicenseConcluded: unknown, LicenseDeclared: licence, CopyrightText: unknown,
		ExternalRefs: []externalRef{{"PACKAGE-MANAGER", "purl", "pkg:golang/" + m.Path + "@" + strings.ReplaceAll(m.Version, "+", "%2B")}},
	}
}

// identifier is a name of letters, digits, dots and hyphens.
func identifier(m module) string {
	return "SPDXRef-" + strings.Map(func(r rune) rune {
		if r == '.' || r == '-' || '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' {
			return r
		}
		return '-'
	}, m.Path)
}
