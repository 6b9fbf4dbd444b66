package source_test

import (
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

func TestFolder(t *testing.T) {
	dir := write(t,
		"zoe@example.com.p7pem", "zoe",
		"Ada@Example.com.PEM", "ada",
		"ada@example.com.wrap", "{}",
		"bob@example.com.cer", "bob", "cleo@example.com.crt", "cleo", "dan@example.com.p7b", "dan", "eve@example.com.DER", "eve",
		"fay@example.com.sign.pem", "sign", "fay@example.com.Encrypt.cer", "encrypt",
		"fay@example.com.history.1.pem", "old1", "fay@example.com.history.2.pem", "old2", "fay@example.com.history.der", "old0",
		"gil%2Bcard@example.com.pem", "gil", "100%@example.com.pem", "percent",
		"README.txt", "x", "chain.pem", "x", "@example.com.pem", "x", "nobody@.pem", "x",
		"sub/ida@example.com.pem", "not looked at",
	)
	var notes []string
	rows := collect(t, source.Folder(dir, source.Options{Note: func(text string) { notes = append(notes, text) }}))
	want := []string{
		"100%@example.com both=percent",
		"Ada@Example.com both=ada",
		"bob@example.com both=bob",
		"cleo@example.com both=cleo",
		"dan@example.com both=dan",
		"eve@example.com both=eve",
		"fay@example.com sign=sign encrypt=encrypt history=old1 history=old2 history=old0",
		"gil+card@example.com both=gil",
		"zoe@example.com both=zoe",
	}
	if got := summaries(t, rows); !slices.Equal(got, want) {
		t.Errorf("rows\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if rows[1].Where != filepath.Join(dir, "Ada@Example.com.PEM") || rows[1].Certificates[0].Origin != rows[1].Where || rows[1].Line != 0 {
		t.Errorf("where: %+v", rows[1])
	}
	if len(notes) != 1 || !strings.Contains(notes[0], "4 files") {
		t.Errorf("notes %q", notes)
	}
}

// TestFolderTwice: which of several files is meant cannot be known; both are
// named, and nobody else is affected.
func TestFolderTwice(t *testing.T) {
	for _, pair := range [][2]string{
		{"ada@example.com.cer", "ada@example.com.pem"},
		{"ADA@example.com.pem", "ada@example.com.pem"},
		{"ada%40example.com.pem", "ada@example.com.pem"},
		{"ada@example.com.sign.cer", "ada@example.com.sign.pem"},
		{"ada@example.com.pem", "ada@example.com.encrypt.pem"},
	} {
		rows := collect(t, source.Folder(write(t, pair[0], "a", pair[1], "b", "bob@example.com.pem", "bob"), source.Options{}))
		if len(rows) != 2 || reason(t, rows[0]) != source.ReasonTwice || summary(t, rows[1]) != "bob@example.com both=bob" {
			t.Errorf("%q: %q", pair, summaries(t, rows))
			continue
		}
		if text := rows[0].Err.Error(); !strings.Contains(text, pair[0]) || !strings.Contains(text, pair[1]) {
			t.Errorf("%q: the error names not both: %s", pair, text)
		}
	}
}

// TestFolderCopies: the same certificate in several files is one.
func TestFolderCopies(t *testing.T) {
	authority := newCA(t)
	ada, bob := issue(t, authority, "ada@example.com", ca.Profile{}), issue(t, authority, "bob@example.com", ca.Profile{})
	whole, leaf := pemOf(ada...), pemOf(ada[0])
	for name, c := range map[string]struct {
		files []string
		want  string // of which file the certificate is; "" for a fault
	}{
		"DER beside PEM":                    {[]string{"ada@example.com.cer", string(ada[0].Raw), "ada@example.com.pem", leaf}, "ada@example.com.cer"},
		"alone, and with its chain":         {[]string{"ada@example.com.cer", string(ada[0].Raw), "ada@example.com.pem", whole}, "ada@example.com.pem"},
		"with its chain, and alone":         {[]string{"ada@example.com.cer", whole, "ada@example.com.pem", leaf}, "ada@example.com.cer"},
		"three times":                       {[]string{"ada@example.com.cer", string(ada[0].Raw), "ada@example.com.crt", whole, "ada@example.com.pem", leaf}, "ada@example.com.crt"},
		"another certificate":               {[]string{"ada@example.com.cer", string(bob[0].Raw), "ada@example.com.pem", leaf}, ""},
		"another chain beside it":           {[]string{"ada@example.com.cer", pemOf(ada[0], bob[0]), "ada@example.com.pem", whole}, ""},
		"for both uses, and for encryption": {[]string{"ada@example.com.encrypt.cer", string(ada[0].Raw), "ada@example.com.pem", leaf}, ""},
	} {
		dir := write(t, c.files...)
		rows := collect(t, source.Folder(dir, source.Options{}))
		switch {
		case len(rows) != 1:
			t.Errorf("%s: %d rows", name, len(rows))
		case c.want == "":
			if reason(t, rows[0]) != source.ReasonTwice {
				t.Errorf("%s: %+v", name, rows[0])
			}
		case rows[0].Err != nil || len(rows[0].Certificates) != 1 || rows[0].Certificates[0].Origin != filepath.Join(dir, c.want):
			t.Errorf("%s: %+v", name, rows[0])
		}
	}
}

func TestFolderFiles(t *testing.T) {
	outside := write(t, "secret.pem", "secret")
	dir := write(t, "big@example.com.pem", strings.Repeat("x", 300<<10), "inside.txt", "inside")
	for name, target := range map[string]string{
		"in@example.com.pem":    "inside.txt",
		"out@example.com.pem":   filepath.Join(outside, "secret.pem"),
		"up@example.com.pem":    filepath.Join("..", filepath.Base(outside), "secret.pem"),
		"loop@example.com.pem":  "loop@example.com.pem",
		"gone@example.com.pem":  "nothing",
		"far@example.com.pem":   filepath.Join(outside, "nothing.pem"),
		"other@example.com.pem": ".",
	} {
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Skip("NOT TESTED: no symbolic links:", err)
		}
	}
	want := map[string]string{
		"big@example.com": source.ReasonTooLarge, "in@example.com": "", "out@example.com": source.ReasonOutside, "up@example.com": source.ReasonOutside,
		"loop@example.com": source.ReasonFile, "gone@example.com": source.ReasonFile, "far@example.com": source.ReasonFile, "other@example.com": source.ReasonFile,
	}
	rows := collect(t, source.Folder(dir, source.Options{}))
	if len(rows) != len(want) {
		t.Errorf("%d rows, want %d", len(rows), len(want))
	}
	for _, row := range rows {
		if got := reason(t, row); got != want[row.Email] {
			t.Errorf("%s: %q (%v), want %q", row.Email, got, row.Err, want[row.Email])
		}
		dangles := row.Email == "gone@example.com" || row.Email == "far@example.com"
		if said := row.Err != nil && strings.Contains(row.Err.Error(), "is a symbolic link to "); said != dangles {
			t.Errorf("%s: %v", row.Email, row.Err)
		}
	}
	rows = collect(t, source.Folder(dir, source.Options{AllowOutside: true}))
	if i := slices.IndexFunc(rows, func(r source.Row) bool { return r.Email == "out@example.com" }); summary(t, rows[i]) != "out@example.com both=secret" {
		t.Errorf("allowed outside: %q", summary(t, rows[i]))
	}
}

// TestFolderMemory: of a large folder only the names are held.
func TestFolderMemory(t *testing.T) {
	const users, size = 2000, 100 << 10
	dir := t.TempDir()
	content := make([]byte, size)
	for i := range users {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("user%05d@example.com.pem", i)), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const most = 50 << 20 // all contents are 200 MB
	n := 0
	var peak, before runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for row, err := range source.Folder(dir, source.Options{}).Rows(t.Context()) {
		if err != nil || row.Err != nil || len(row.Certificates[0].Data) != size {
			t.Fatalf("%+v: %v", row.Err, err)
		}
		if n++; n%500 == 0 {
			runtime.ReadMemStats(&peak)
			if used := int64(peak.HeapInuse) - int64(before.HeapInuse); used > most {
				t.Fatalf("after %d users %d MB are held", n, used>>20)
			}
		}
	}
	if n != users {
		t.Fatalf("%d rows, want %d", n, users)
	}
}

func TestFolderStops(t *testing.T) {
	dir := write(t, "ada@example.com.pem", "a", "bob@example.com.pem", "b")
	for range source.Folder(dir, source.Options{}).Rows(t.Context()) {
		break
	}
	if _, err := collectError(t.Context(), source.Folder(filepath.Join(dir, "none"), source.Options{})); err == nil {
		t.Error("a folder that is not there is read")
	}
}
