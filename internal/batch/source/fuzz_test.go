package source

import (
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzManifest feeds whatever is on the disk under that name: every row is somebody
// with certificates, or says what is wrong with it, and reading comes to an end.
func FuzzManifest(f *testing.F) {
	for _, seed := range []string{
		"email,certificate\nada@example.com,none.pem\n", "\xef\xbb\xbfemail;signing_certificate;encryption_certificate\r\na@x;\"-----BEGIN\n\";b\r\n",
		"sep=;\nemail;certificate;history\n\"a@x;b\nc@x;d;e;f\n", "email\tcertificate\n\"\"\"\t\"\n",
		`{"email":"ada@example.com","certificate":"a.pem","history":["b.pem",null]}` + "\n{\n[]\nnull\n", `{"email":{"a":[[[[]]]]}}`, "\xff\xfee\x00", "PK\x03\x04", "",
	} {
		f.Add([]byte(seed), false)
		f.Add([]byte(seed), true)
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, data []byte, ndjson bool) {
		name := "people.csv"
		if ndjson {
			name = "people.ndjson"
		}
		noted := 0
		rows, lines := 0, strings.Count(string(data), "\n")+strings.Count(string(data), "\r")+1
		for row, err := range ManifestFrom(name, strings.NewReader(string(data)), Options{Dir: dir, Note: func(string) { noted++ }}).Rows(t.Context()) {
			if err != nil {
				break
			}
			if rows++; rows > lines || row.Line < 1 || row.Line > lines {
				t.Fatalf("row %d on line %d of %d", rows, row.Line, lines)
			}
			if row.Err == nil && (row.Email == "" || len(row.Certificates) == 0) {
				t.Fatalf("a row without anybody or anything: %+v", row)
			}
			if row.Err != nil && (row.Err.Error() == "" || !utf8.ValidString(strings.ToValidUTF8(row.Err.Error(), ""))) {
				t.Fatalf("%q", row.Err)
			}
		}
	})
}

// FuzzFolderName feeds the names of files.
func FuzzFolderName(f *testing.F) {
	for _, seed := range []string{"ada@example.com.p7pem", "A%2Fb@x.SIGN.pem", "a@x.history.12.der", "@.pem", "%zz@x.crt", "a@x"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, name string) {
		file, ok := parseFolderName(name)
		if ok && (file.name != name || !strings.Contains(file.email, "@") || file.use == "") {
			t.Fatalf("%q becomes %+v", name, file)
		}
	})
}
