package wine

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cse-piv/cse-piv/internal/lab"
)

// private fails where others can do anything with a file or folder of the desk that is not
// in one of the public folders. Wine shows an access control list that a file was made with as
// its mode: the rights of Everyone are those of others.
func (d *desk) private(public ...string) {
	d.t.Helper()
	files := 0
	err := filepath.WalkDir(d.folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(d.folder, path)
		if err != nil {
			return err
		}
		if slices.Contains(public, name) {
			return filepath.SkipDir
		}
		info, err := entry.Info()
		if err == nil && info.Mode().Perm()&0o007 != 0 {
			d.t.Errorf("others can open %s (%v)", name, info.Mode())
		}
		if info.Mode().IsRegular() {
			files++
		}
		return err
	})
	if err != nil || files == 0 {
		d.t.Errorf("%d files were looked at: %v", files, err)
	}
	d.t.Logf("%d files are private", files)
}

// TestAccess: what is private is so from its making, wherever it is; a file with secrets that
// others can open is warned of, and the folder of an escrow in which others can write.
func TestAccess(t *testing.T) {
	d := newDesk(t, lab.Options{Serial: 4711})
	d.write("pin.txt", practicePIN)
	enroll := []string{"enroll", "ada@lab.example", "--yes", "--algorithm", "eccp256", "--pin-file", "pin.txt", "--evidence", "evidence", "--escrow-dir", "escrow", "--escrow-plain", "--store", "desk.db", "--log", "log.json", "--log-level", "debug"}
	d.row("private files", func(d *desk) {
		said := d.run(0, enroll...)
		if strings.Contains(said.err, "icacls") {
			d.t.Errorf("a warning of what is private: %s", said.err)
		}
		d.run(0, "ca", "init", "--dir", "ca", "--name", "Prüfung", "--url", "http://ca.example.com", "--sample", "nobody@lab.example")
		d.run(0, "report", "expiring", "--store", "desk.db", "-o", "Übersicht.csv")
		d.run(0, "--config", "config.toml", "config", "init")
		for _, key := range []string{"ca/root.key", "ca/issuing.key", "config.toml", "log.json", "Übersicht.csv"} {
			d.says(d.read(key), "")
		}
		// What a CA publishes is for everybody.
		for _, published := range []string{"admin-console.pem", "issuing.cer", "issuing.crl", "issuing.pem", "root.cer", "root.crl", "root.pem"} {
			if err := os.Remove(d.path("ca/" + published)); err != nil {
				d.t.Error(err)
			}
		}
		d.private("lab")
	})
	d.row("a PIN that others can read", func(d *desk) {
		d.mode("pin.txt", 0o644)
		d.says(d.run(0, enroll...).err, "pin.txt can be read by others on this machine (Everyone): icacls ", "/inheritance:r", "/remove:g *S-1-1-0")
		d.mode("pin.txt", 0o600)
	})
	d.row("credentials that others can read", func(d *desk) {
		d.mode("lab/service-account.json", 0o644)
		d.says(d.run(0, enroll...).err, "service-account.json can be read by others on this machine (Everyone)")
		d.mode("lab/service-account.json", 0o600)
	})
	d.row("an escrow that others can write into", func(d *desk) {
		d.mode("escrow", 0o777)
		d.says(d.run(0, enroll...).err, `escrow can be changed by others on this machine (Everyone): icacls `, "(OI)(CI)F")
	})
}

func (d *desk) mode(name string, mode fs.FileMode) {
	d.t.Helper()
	if err := os.Chmod(d.path(name), mode); err != nil {
		d.t.Fatal(err)
	}
}
