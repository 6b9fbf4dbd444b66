package option

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestFolderIsBounded: more files than a folder of certificates has are refused before one of
// them is read.
func TestFolderIsBounded(t *testing.T) {
	dir := t.TempDir()
	for n := range maxCertificateFiles {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%d.pem", n)), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if paths, err := certificatePaths([]string{dir}); err != nil || len(paths) != maxCertificateFiles {
		t.Errorf("%d files, %v", len(paths), err)
	}
	if err := os.WriteFile(filepath.Join(dir, "one more.cer"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadCertificates([]string{dir}); err == nil || !strings.Contains(err.Error(), "more than 10000 files") {
		t.Errorf("one more: %v", err)
	}
}
