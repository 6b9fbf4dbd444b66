package source_test

import (
	"context"
	"crypto/x509"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cse-piv/cse-piv/internal/batch/source"
	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/lab/ca"
)

// collect reads a source to its end.
func collect(t testing.TB, s source.Source) []source.Row {
	t.Helper()
	rows, err := collectError(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func collectError(ctx context.Context, s source.Source) (rows []source.Row, err error) {
	for row, err := range s.Rows(ctx) {
		if err != nil {
			return rows, err
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// write makes files in a new folder: name, content, name, content …
func write(t testing.TB, files ...string) string {
	t.Helper()
	dir := t.TempDir()
	for i := 0; i < len(files); i += 2 {
		path := filepath.Join(dir, filepath.FromSlash(files[i]))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(files[i+1]), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// reason is the stable name of a row's error, "" for a row without one.
func reason(t testing.TB, row source.Row) string {
	t.Helper()
	if row.Err == nil {
		return ""
	}
	var e *source.Error
	if !errors.As(row.Err, &e) || e.Reason == "" || e.Error() == "" {
		t.Fatalf("row error without a reason: %v", row.Err)
	}
	if len(row.Certificates) > 0 {
		t.Errorf("a row that failed has certificates: %v", row.Err)
	}
	return e.Reason
}

// summary is a row in one line: address, then use=content of each certificate,
// or the error's reason.
func summary(t testing.TB, row source.Row) string {
	t.Helper()
	parts := []string{row.Email}
	if name := reason(t, row); name != "" {
		parts = append(parts, "!"+name)
	}
	for _, c := range row.Certificates {
		parts = append(parts, string(c.Use)+"="+string(c.Data))
	}
	if row.Description != "" {
		parts = append(parts, "("+row.Description+")")
	}
	return strings.Join(parts, " ")
}

func summaries(t testing.TB, rows []source.Row) []string {
	t.Helper()
	var list []string
	for _, row := range rows {
		list = append(list, summary(t, row))
	}
	return list
}

func hint(err error) string {
	var h *source.Error
	if !errors.As(err, &h) {
		return ""
	}
	return h.Expected
}

func newCA(t testing.TB) *ca.CA {
	t.Helper()
	authority, err := ca.New(ca.Config{BaseURL: "http://ca.example.com"})
	if err != nil {
		t.Fatal(err)
	}
	return authority
}

// issue returns leaf, intermediate and root for an address.
func issue(t testing.TB, authority *ca.CA, email string, profile ca.Profile) []*x509.Certificate {
	t.Helper()
	chain, err := authority.Issue(email, nil, profile)
	if err != nil {
		t.Fatal(err)
	}
	return chain
}

func pemOf(certs ...*x509.Certificate) string { return string(certificate.EncodePEM(certs...)) }
