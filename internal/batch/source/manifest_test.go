package source_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/cse-piv/cse-piv/internal/batch/source"
	"github.com/cse-piv/cse-piv/internal/lab/ca"
)

// people is a folder with certificate files a.pem to d.pem, each holding its letter.
func people(t testing.TB) string {
	return write(t, "a.pem", "A", "b.pem", "B", "c.pem", "C", "certs/d.pem", "D")
}

func rowsOf(t testing.TB, dir, text string) []source.Row {
	t.Helper()
	return collect(t, source.ManifestFrom("people", strings.NewReader(text), source.Options{Dir: dir}))
}

// wide is a Latin text in UTF-16, little endian.
func wide(text string) string {
	return strings.Join(strings.Split(text, ""), "\x00") + "\x00"
}

func TestManifest(t *testing.T) {
	dir := people(t)
	ada := []string{"ada@example.com both=A (card 7)", "bob@example.com both=D"}
	for _, c := range []struct {
		name, text string
		want       []string
	}{
		{"comma", "email,certificate,description\nada@example.com,a.pem,card 7\nbob@example.com,certs/d.pem,\n", ada},
		{"semicolon", "email;certificate;description\nada@example.com;a.pem;card 7\nbob@example.com;certs/d.pem;\n", ada},
		{"tab", "email\tcertificate\tdescription\nada@example.com\ta.pem\tcard 7\nbob@example.com\tcerts/d.pem\t\n", ada},
		{"byte order mark and CRLF", "\xef\xbb\xbfemail,certificate,description\r\nada@example.com,a.pem,card 7\r\nbob@example.com,certs/d.pem,\r\n", ada},
		{"byte order mark and quotes", "\xef\xbb\xbf\"email\";\"certificate\";\"description\"\n\"ada@example.com\";\"a.pem\";\"card 7\"\n\"bob@example.com\";\"certs/d.pem\";\"\"\n", ada},
		{"names in any case", "Description , E-Mail,EMAIL, Certificate-Path\ncard 7,x,ada@example.com,a.pem\n,,bob@example.com,certs/d.pem\n", ada},
		{"UTF-16 with a byte order mark", "\xff\xfe" + wide("email\tcertificate\tdescription\r\nada@example.com\ta.pem\tcard 7\r\nbob@example.com\tcerts/d.pem\t\r\n"), ada},
		{"lines that end as on a classic Mac", "email,certificate,description\rada@example.com,a.pem,card 7\rbob@example.com,certs/d.pem,\r", ada},
		{"a German heading", "Vorname;E-Mail-Adresse;certificate;description\nAda;ada@example.com;a.pem;card 7\nBob;bob@example.com;certs/d.pem;\n", ada},
		{"German throughout", "E-Mail;Zertifikat;Bemerkung;Beschreibung\nada@example.com;a.pem;leaves in May;card 7\nbob@example.com;certs/d.pem;;\n", ada},
		{
			"German pairs and history",
			"E-Mail;Signaturzertifikat;Verschlüsselungszertifikat;Historie\nada@example.com;a.pem;b.pem;c.pem\n",
			[]string{"ada@example.com sign=A encrypt=B history=C"},
		},
		{
			"French throughout",
			"Courriel;Certificat de signature;Certificat de chiffrement;Historique\nada@example.com;a.pem;b.pem;c.pem\n",
			[]string{"ada@example.com sign=A encrypt=B history=C"},
		},
		{"a French heading", "Adresse e-mail;certificate;description\nada@example.com;a.pem;card 7\nbob@example.com;certs/d.pem;\n", ada},
		{"sep line, blank lines, no line break at the end", "sep=;\n\nemail;certificate;description\n\nada@example.com;a.pem;card 7\n;;\n  \nbob@example.com;certs/d.pem;", ada},
		{"missing cells", "email,certificate,description\nada@example.com,a.pem,card 7\nbob@example.com,certs/d.pem\n", ada},
		{"spaces before a quote and after it", "email,certificate,description\nada@example.com, \"a.pem\" ,\"card 7\"\nbob@example.com,certs/d.pem,\n", ada},
		{
			"pairs and history",
			"email,signing_certificate,encryption_certificate,history,history\nada@example.com,a.pem,b.pem,c.pem; certs/d.pem;,b.pem\n",
			[]string{"ada@example.com sign=A encrypt=B history=C history=D history=B"},
		},
		{
			"quotes, delimiters and line breaks in cells", "email,certificate,description\nada@example.com,a.pem,\"7 \"\"new\"\",\r\nblue\"\n",
			[]string{"ada@example.com both=A (7 \"new\",\nblue)"},
		},
		{"only a header", "email,certificate\n", nil},
		{"a column that is not used is in another encoding", "email,name,certificate,description\nada@example.com,Ren\xe9,a.pem,card 7\nbob@example.com,\x81,certs/d.pem,\n", ada},
		{"JSON: a name that is not used is in another encoding", "{\"email\":\"ada@example.com\",\"name\":\"Ren\xe9\",\"certificate\":\"a.pem\",\"description\":\"card 7\"}\n{\"email\":\"bob@example.com\",\"certificate\":\"certs/d.pem\"}\n", ada},
		{"E-Mail", "E-Mail;certificate;description\nada@example.com;a.pem;card 7\nbob@example.com;certs/d.pem;\n", ada},
		{"Email Address", "Email Address,certificate,description\nada@example.com,a.pem,card 7\nbob@example.com,certs/d.pem,\n", ada},
		{"the Admin console's heading", "First Name [Required],Email Address [Required],certificate,description\nAda,ada@example.com,a.pem,card 7\nBob,bob@example.com,certs/d.pem,\n", ada},
		{"email comes before other names", "Mail,email,certificate,description\nx@example.com,ada@example.com,a.pem,card 7\n,bob@example.com,certs/d.pem,\n", ada},
		{"JSON: email comes before other names", `{"mail":"x@example.com","email":"ada@example.com","certificate":"a.pem","description":"card 7"}` + "\n" + `{"E-Mail":"bob@example.com","certificate":"certs/d.pem"}`, ada},
		{"NDJSON", `{"email":"ada@example.com","certificate":"a.pem","description":"card 7"}` + "\n\n" + `{"certificate_path":"certs/d.pem","email":" bob@example.com ","description":null}`, ada},
		{
			"NDJSON lists", `{"email":"ada@example.com","signing_certificate":["a.pem"],"encryption_certificate":"b.pem","history":["c.pem","certs/d.pem;b.pem"]}`,
			[]string{"ada@example.com sign=A encrypt=B history=C history=D history=B"},
		},
	} {
		if got := summaries(t, rowsOf(t, dir, c.text)); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// TestManifestHeader: a header without the names that are needed says which.
func TestManifestHeader(t *testing.T) {
	for text, part := range map[string]string{
		"name,post\n":                                "column email, but name, post",
		"mail,E-Mail,certificate\n":                  `two columns "E-Mail"`,
		"email,name\n":                               "for certificates, but email, name",
		"email,history\n":                            "for certificates",
		"email,email,certificate\n":                  `two columns "email"`,
		"email,certificate,Certificate\n":            `two columns "Certificate"`,
		"ada@example.com;a.pem\n":                    "column email",
		"\"email,certificate\nada@example.com,a\"\n": "column email",
	} {
		_, err := collectError(t.Context(), source.ManifestFrom("people", strings.NewReader(text), source.Options{}))
		if !errors.Is(err, source.ErrFormat) || !strings.Contains(err.Error(), part) || hint(err) == "" {
			t.Errorf("%q: %v, hint %q", text, err, hint(err))
		}
	}
}

// TestManifestBadRows: a bad row has its line's number, and the next rows are
// read as if it were not there.
func TestManifestBadRows(t *testing.T) {
	dir := people(t)
	long := strings.Repeat("x", 2<<20)
	const head, bob = "email,certificate,description\n", "bob@example.com,b.pem,\n"
	const jsonBob = `{"email":"bob@example.com","certificate":"b.pem"}` + "\n"
	for _, c := range []struct{ name, bad, want, text string }{
		{"no address", ",a.pem,\n", source.ReasonAddress, "no address"},
		{"no certificate", "ada@example.com,,\n", source.ReasonCertificate, "no certificate"},
		{"no such file", "ada@example.com,z.pem,\n", source.ReasonFile, "z.pem"},
		{"a folder", "ada@example.com,certs,\n", source.ReasonFile, "not a file"},
		{"too many cells", "ada@example.com,a.pem,a,b\n", source.ReasonMalformed, "4 cells, the header 3"},
		{"quote in a bare cell", "ada@example.com,a.pem,5\" card\n", source.ReasonMalformed, "quote"},
		{"text after a quote", "ada@example.com,\"a.pem\"x,\n", source.ReasonMalformed, "closing quote"},
		{"quote never closed", "ada@example.com,\"-----BEGIN\nMIIB\nMIIC\n", source.ReasonMalformed, "lines 2 to 4 are passed over"},
		{"quote never closed and quoted row after it", "ada@example.com,\"-----BEGIN\nMIIB\n\"zoe@example.com\",a.pem,\n", "", ""},
		{"too long a cell", "ada@example.com,a.pem," + long + "\n", source.ReasonTooLong, "1024 kB"},
		{"too long in quotes", "ada@example.com,a.pem,\"" + strings.Repeat("MIIB\n", 400<<10) + "\"\n", source.ReasonTooLong, "1024 kB"},
		{"not UTF-8", "ada@example.com,a.pem,K\xf6ln\n", source.ReasonMalformed, `column description is not UTF-8; it reads "Köln" in Windows-1252`},
		{"neither UTF-8 nor Windows-1252", "ada@example.com,a.pem,K\x81ln\n", source.ReasonMalformed, "column description is not UTF-8"},
		{"a zero octet", "ada@example.com,a\x00.pem,\n", source.ReasonFile, "zero octet"},
		{"an endless path", "ada@example.com," + long[:1<<19] + ",\n", source.ReasonFile, "xxx…"},
		{"JSON: two endless paths", `{"email":"ada@example.com","certificate":["` + long[:1000] + `","b.pem"]}` + "\n", source.ReasonTwice, "xxx… and b.pem"},
		{"JSON: no object", "3\n", source.ReasonMalformed, "no JSON object"},
		{"JSON: cut off", `{"email":"ada@example.com","cert` + "\n", source.ReasonMalformed, "not JSON"},
		{"JSON: no end", `{"email":"ada@example.com","certificate":"a.pem"` + "\n", source.ReasonMalformed, "cut off"},
		{"JSON: two", `{"email":"ada@example.com"} {}` + "\n", source.ReasonMalformed, "follows"},
		{"JSON: a name twice", `{"email":"ada@example.com","certificate":"a.pem","Email":"eve@example.com"}` + "\n", source.ReasonMalformed, "twice"},
		{"JSON: a number", `{"email":"ada@example.com","certificate":7}` + "\n", source.ReasonMalformed, "no text"},
		{"JSON: two certificates", `{"email":"ada@example.com","certificate":["a.pem","b.pem"]}` + "\n", source.ReasonTwice, "b.pem"},
		{"JSON: too long", `{"email":"` + long + `"}` + "\n", source.ReasonTooLong, "1024 kB"},
		{"JSON: not UTF-8", "{\"email\":\"\xff\"}\n", source.ReasonMalformed, "Windows-1252"},
	} {
		t.Run(c.name, func(t *testing.T) {
			head, good := head, bob
			if strings.HasPrefix(c.name, "JSON") {
				head, good = `{"email":"cleo@example.com","certificate":"c.pem"}`+"\n", jsonBob
			}
			rows := rowsOf(t, dir, head+c.bad+good+good)
			if strings.HasPrefix(c.name, "JSON") {
				if len(rows) == 0 || summary(t, rows[0]) != "cleo@example.com both=C" {
					t.Fatalf("the row before: %q", summaries(t, rows))
				}
				rows = rows[1:]
			}
			if c.want == "" { // swallowed up to its own quote, with the row that it had eaten
				rows = rows[len(rows)-2:]
			} else if len(rows) != 3 {
				t.Fatalf("%d rows: %.300q", len(rows), summaries(t, rows))
			} else {
				if bad := rows[0]; reason(t, bad) != c.want || bad.Line != 2 || bad.Where != "people line 2" || !strings.Contains(bad.Err.Error(), c.text) || len(bad.Err.Error()) > 500 {
					t.Errorf("%s line %d: %.1000v, want %s with %q", bad.Where, bad.Line, bad.Err, c.want, c.text)
				}
				rows = rows[1:]
			}
			for i, row := range rows {
				if wantLine := strings.Count(head+c.bad, "\n") + 1 + i; summary(t, row) != "bob@example.com both=B" || row.Line != wantLine {
					t.Errorf("row after it: %q in line %d, want line %d", summary(t, row), row.Line, wantLine)
				}
			}
		})
	}
}

// TestManifestLosesNobody: a quote that is never closed takes more rows than a
// row may have octets; each of them is still read, the one at the bound too.
func TestManifestLosesNobody(t *testing.T) {
	const users = 13_000 // of 19 octets, counted with 64 more: over 1 MiB
	var text strings.Builder
	text.WriteString("email,certificate\n\"broken@example.com,a.pem\n")
	for i := range users {
		fmt.Fprintf(&text, "u%05d@example.com,\n", i)
	}
	text.WriteString(strings.Repeat("x", 2<<20) + "\n") // and no row by its looks
	text.WriteString("bob@example.com,b.pem\n")
	rows := rowsOf(t, people(t), text.String())
	if len(rows) != users+3 || reason(t, rows[0]) != source.ReasonTooLong {
		t.Fatalf("%d rows, the first %q", len(rows), summary(t, rows[0]))
	}
	for i, row := range rows[1 : users+1] {
		if want := fmt.Sprintf("u%05d@example.com", i); row.Email != want || row.Line != i+3 {
			t.Fatalf("%s in line %d, want %s in line %d", row.Email, row.Line, want, i+3)
		}
	}
	if last := rows[users+1:]; reason(t, last[0]) != source.ReasonTooLong || last[0].Line != users+3 || summary(t, last[1]) != "bob@example.com both=B" {
		t.Errorf("%q in line %d, then %q", summary(t, last[0]), last[0].Line, summary(t, last[1]))
	}
}

// TestManifestCutOff: a last row that is not whole is not taken for one.
func TestManifestCutOff(t *testing.T) {
	dir := people(t)
	whole := "email,signing_certificate,encryption_certificate,history\nada@example.com,\"a.pem\",b.pem,c.pem\n"
	for i := len("email,signing_certificate,encryption_certificate,history\n") + 1; i < len(whole)-len("\n"); i++ {
		rows := rowsOf(t, dir, whole[:i])
		if len(rows) != 1 || rows[0].Err == nil && !strings.HasSuffix(whole[:i], "b.pem,") {
			t.Errorf("%q: %q", whole[:i], summaries(t, rows))
		}
	}
}

func TestManifestInline(t *testing.T) {
	leaf := issue(t, newCA(t), "ada@example.com", ca.Profile{})[0]
	text, der := pemOf(leaf), base64.StdEncoding.EncodeToString(leaf.Raw)
	oneLine := strings.ReplaceAll(text, "\n", `\n`)
	for name, manifest := range map[string]string{
		"PEM in a CSV":      "email,certificate\nada@example.com,\"" + text + "\"\n",
		"PEM with CRLF":     "email,certificate\r\nada@example.com,\"" + strings.ReplaceAll(text, "\n", "\r\n") + "\"\r\n",
		"PEM in one line":   "email,certificate\nada@example.com," + oneLine + "\n",
		"PEM in NDJSON":     `{"email":"ada@example.com","certificate":"` + oneLine + `"}`,
		"base64":            "email,certificate\nada@example.com," + der + "\n",
		"base64 with lines": "email,certificate\nada@example.com,\"" + der[:64] + "\n" + der[64:] + "\n\"\n",
	} {
		rows := rowsOf(t, "", manifest)
		if len(rows) != 1 || rows[0].Err != nil {
			t.Errorf("%s: %q", name, summaries(t, rows))
			continue
		}
		c := rows[0].Certificates[0]
		if data := string(c.Data); strings.TrimSpace(data) != strings.TrimSpace(text) && data != string(leaf.Raw) {
			t.Errorf("%s: %q", name, data)
		}
		if !strings.HasSuffix(c.Origin, ", certificate") || !strings.HasPrefix(c.Origin, "people line ") {
			t.Errorf("%s: origin %q", name, c.Origin)
		}
	}
	if got := summaries(t, rowsOf(t, "", "email,certificate_path\nada@example.com,"+oneLine+"\n")); !strings.HasPrefix(got[0], "ada@example.com !") {
		t.Errorf("a path that is PEM: %q", got)
	}
}

// TestManifestOutside: paths stay in the manifest's folder unless allowed.
func TestManifestOutside(t *testing.T) {
	parent := write(t, "secret.pem", "S", "in/a.pem", "A")
	in := filepath.Join(parent, "in")
	secret := filepath.Join(parent, "secret.pem")
	for _, path := range []string{"../secret.pem", "x/../../secret.pem", "./../secret.pem", secret, "link.pem", "up/secret.pem"} {
		if strings.HasPrefix(path, "link") {
			if err := os.Symlink(secret, filepath.Join(in, "link.pem")); err != nil {
				t.Skip("NOT TESTED: no symbolic links:", err)
			}
		}
		if strings.HasPrefix(path, "up") {
			if err := os.Symlink("..", filepath.Join(in, "up")); err != nil {
				t.Fatal(err)
			}
		}
		manifest := filepath.Join(in, "people.csv")
		if err := os.WriteFile(manifest, []byte("email,certificate\nada@example.com,"+path+"\nbob@example.com,./a.pem\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		rows := collect(t, source.Manifest(manifest, source.Options{}))
		if len(rows) != 2 || reason(t, rows[0]) != source.ReasonOutside || summary(t, rows[1]) != "bob@example.com both=A" {
			t.Errorf("%s: %q %v", path, summaries(t, rows), rows[0].Err)
		}
		if path == "x/../../secret.pem" {
			continue // there is no x
		}
		rows = collect(t, source.Manifest(manifest, source.Options{AllowOutside: true}))
		if got := summary(t, rows[0]); got != "ada@example.com both=S" {
			t.Errorf("%s allowed: %q", path, got)
		}
	}
}

func TestManifestNotes(t *testing.T) {
	var notes []string
	options := source.Options{Dir: people(t), Note: func(text string) { notes = append(notes, text) }}
	collect(t, source.ManifestFrom("people", strings.NewReader("email,certificate,Name,Room\nada@example.com,a.pem,Ada,7\n"), options))
	if len(notes) != 1 || !strings.Contains(notes[0], "Name, Room") {
		t.Errorf("CSV: %q", notes)
	}
	notes = nil
	line := `{"email":"ada@example.com","certificate":"a.pem","room":{"n":[7]}}` + "\n"
	if rows := collect(t, source.ManifestFrom("people", strings.NewReader(line+line), options)); len(rows) != 2 || rows[0].Err != nil {
		t.Errorf("rows %q", summaries(t, rows))
	}
	if len(notes) != 1 || !strings.Contains(notes[0], "room") {
		t.Errorf("NDJSON: %q", notes)
	}
}

// TestManifestFolderGone: a manifest that cannot be opened ends the stream.
func TestManifestFolderGone(t *testing.T) {
	if _, err := collectError(t.Context(), source.Manifest(filepath.Join(t.TempDir(), "none", "people.csv"), source.Options{})); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%v", err)
	}
	if runtime.GOOS != "windows" {
		if _, err := collectError(t.Context(), source.Manifest(t.TempDir(), source.Options{})); err == nil {
			t.Error("a folder is read as a manifest")
		}
	}
}
