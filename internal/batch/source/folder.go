package source

import (
	"cmp"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/format"
	"github.com/cse-piv/cse-piv/internal/secret"
)

type folder struct {
	dir     string
	options Options
}

// Folder reads a folder in the layout of Google's script, one file per user:
//
//	user@example.com.p7pem       also .pem .cer .crt .p7b .p7c .der, and .p12 .pfx
//	user@example.com.sign.pem    a certificate for signing only,
//	user@example.com.encrypt.pem and one for encryption only
//	user@example.com.history.pem for reading old mail; also .history.1.pem, .history.2.pem …
//
// Names may be in any case and percent-encoded, as the file issuer writes them.
// Other files (.wrap and whatever has no address in its name) and folders are
// not looked at. Several files for one user and use are that row's error, unless one
// of them holds what the others do. Rows
// come in the order of the addresses; only names are held in memory. Symbolic
// links must stay in the folder unless Options.AllowOutside.
func Folder(dir string, options Options) Source { return &folder{dir, options} }

func (f *folder) Name() string { return f.dir }

func (f *folder) Rows(ctx context.Context) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		list, err := f.list(ctx)
		if err != nil {
			yield(Row{}, err)
			return
		}
		files, err := openFiles(f.dir, f.options.AllowOutside)
		if err != nil {
			yield(Row{}, err)
			return
		}
		defer files.Close()
		for len(list) > 0 {
			if err := ctx.Err(); err != nil {
				yield(Row{}, err)
				return
			}
			n := 1
			for n < len(list) && key(list[n].email) == key(list[0].email) {
				n++
			}
			if !yield(f.row(files, list[:n]), nil) {
				return
			}
			list = list[n:]
		}
	}
}

// list returns the files that are somebody's, sorted by address and use.
func (f *folder) list(ctx context.Context) ([]folderFile, error) {
	dir, err := os.Open(f.dir)
	if err != nil {
		return nil, fmt.Errorf("read the folder: %w", err)
	}
	defer dir.Close()
	entries, err := readEntries(ctx, dir, func(n int) { f.options.note("%s: %s files are listed so far", f.dir, format.Number(n)) })
	if err != nil {
		return nil, fmt.Errorf("read the folder: %w", err)
	}
	list := make([]folderFile, 0, len(entries))
	ignored, example, withKeys := 0, "", 0
	for _, entry := range entries {
		if entry.IsDir() {
			continue
		}
		if file, ok := parseFolderName(entry.Name()); ok {
			if list = append(list, file); isPKCS12(file.name) {
				withKeys++
			}
		} else if !strings.EqualFold(filepath.Ext(entry.Name()), ".wrap") {
			ignored, example = ignored+1, entry.Name()
		}
	}
	if ignored > 0 {
		f.options.note("%d files in %s are not named like user@example.com.p7pem and are left out, for example %s", ignored, f.dir, example)
	}
	if withKeys > 0 {
		f.options.note("%d files in %s are named as PKCS#12: only the certificates in them are read; the private keys are neither decrypted nor kept", withKeys, f.dir)
	}
	slices.SortFunc(list, func(a, b folderFile) int {
		return cmp.Or(strings.Compare(key(a.email), key(b.email)), cmp.Compare(order(a.use), order(b.use)), strings.Compare(a.name, b.name))
	})
	return list, nil
}

// What is listed of a folder at a time, and after how much it is told: on a network share a folder
// may take minutes.
const (
	listedAtOnce = 10_000
	listedTold   = 100_000
)

// readEntries lists a folder, and tells from time to time how many entries it found so far.
func readEntries(ctx context.Context, dir fs.ReadDirFile, told func(n int)) (entries []fs.DirEntry, err error) {
	for {
		some, err := dir.ReadDir(listedAtOnce)
		before := len(entries) / listedTold
		if entries = append(entries, some...); len(entries)/listedTold > before {
			told(len(entries))
		}
		switch {
		case errors.Is(err, io.EOF):
			return entries, nil
		case err != nil:
			return nil, err
		case ctx.Err() != nil:
			return nil, ctx.Err()
		}
	}
}

// row reads the files of one user.
func (f *folder) row(files *files, list []folderFile) Row {
	row := Row{Where: filepath.Join(f.dir, list[0].name), Email: strings.TrimSpace(list[0].email)}
	for _, file := range list {
		row.Certificates = append(row.Certificates, Certificate{Use: file.use, Origin: filepath.Join(f.dir, file.name)})
	}
	// Two files for one use may hold the same, which only reading tells.
	const copies = 8 // more are not read to compare them
	twice := checkUses(row.Certificates)
	if twice != nil && len(list) > copies {
		row.Err, row.Certificates = twice, nil
		return row
	}
	for i, file := range list {
		data, err := files.read(file.name)
		if err != nil {
			row.Err, row.Certificates = err, nil
			return row
		}
		row.Certificates[i].Data = data
	}
	if twice != nil {
		row.Certificates = withoutCopies(row.Certificates, f.options.Password)
	}
	if row.Err = checkUses(row.Certificates); row.Err != nil {
		row.Certificates = nil
	}
	return row
}

// withoutCopies leaves out files whose certificates another file for the same use
// has, too, such as user.cer beside user.pem.
func withoutCopies(list []Certificate, password secret.Secret) []Certificate {
	var kept []Certificate
	for i, c := range list {
		copied := slices.ContainsFunc(kept, func(k Certificate) bool { return k.Use == c.Use && holds(k, c, password) }) ||
			slices.ContainsFunc(list[i+1:], func(later Certificate) bool {
				return later.Use == c.Use && holds(later, c, password) && !holds(c, later, password)
			})
		if c.Use == certificate.UseHistory || !copied {
			kept = append(kept, c)
		}
	}
	return kept
}

// holds tells whether a file has every certificate of another.
func holds(file, other Certificate, password secret.Secret) bool {
	all, err := certificate.ParseWithPassword(file.Data, password)
	if err != nil {
		return false
	}
	some, err := certificate.ParseWithPassword(other.Data, password)
	return err == nil && len(some) > 0 && !slices.ContainsFunc(some, func(c *x509.Certificate) bool { return !slices.ContainsFunc(all, c.Equal) })
}

// checkUses refuses two certificates for one use, and one for both uses beside
// one for a single use: which of them is meant cannot be known.
func checkUses(list []Certificate) error {
	seen := map[certificate.Use]string{}
	for _, c := range list {
		if c.Use == certificate.UseHistory {
			continue
		}
		if other, twice := seen[c.Use]; twice {
			return rowError(ReasonTwice, "keep the one that is on the card", "two certificates for one use: %s and %s", other, c.Origin)
		}
		seen[c.Use] = c.Origin
	}
	if both, ok := seen[certificate.UseBoth]; ok {
		for _, single := range []certificate.Use{certificate.UseSign, certificate.UseEncrypt} {
			if other, ok := seen[single]; ok {
				return rowError(ReasonTwice, "give either one certificate for both uses, or one for signing and one for encryption",
					"two certificates for one use: %s and %s", both, other)
			}
		}
	}
	return nil
}

// key is what addresses are compared by: ASCII letters without case. Octets that
// are no UTF-8 stay as they are, so that different names stay different.
func key(email string) string {
	lower := []byte(strings.TrimSpace(email))
	for i, c := range lower {
		if 'A' <= c && c <= 'Z' {
			lower[i] = c + 'a' - 'A'
		}
	}
	return string(lower)
}

func order(use certificate.Use) int {
	return slices.Index([]certificate.Use{certificate.UseBoth, certificate.UseSign, certificate.UseEncrypt, certificate.UseHistory}, use)
}
