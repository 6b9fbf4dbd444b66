// Package evidence keeps what an enrollment leaves behind for the auditor: the
// attestation chain, the certificate request, the certificate, the PKCS#7 that
// was uploaded, a receipt, and the journal that lets a broken-off enrollment
// go on. It holds no secret.
//
// One enrollment is one folder, ROOT/EMAIL/SERIAL-STARTED, where STARTED is a
// UTC time. Every file is written atomically with mode 0600.
package evidence

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cse-piv/cse-piv/internal/durable"
)

// startedLayout is the time format at the end of a folder's name; it sorts by
// time and is a legal file name everywhere.
const startedLayout = "20060102T150405Z"

// ReceiptName is the file that a finished enrollment has and an unfinished one
// has not.
const ReceiptName = "receipt.json"

// Folder is the evidence of one enrollment of one user with one card.
type Folder struct {
	path    string
	serial  uint32
	started time.Time
}

// Open returns the newest folder for that user and card under root, whether its
// enrollment was finished or not, and creates one where there is none.
func Open(root, email string, serial uint32, now time.Time) (*Folder, error) {
	latest, err := Latest(root, email, serial)
	if err != nil {
		return nil, err
	}
	if latest != nil {
		return latest, nil
	}
	return Begin(root, email, serial, now)
}

// Begin creates a new folder, for an enrollment that is to replace a finished
// one. It is newer than that, also where the clock was set back.
func Begin(root, email string, serial uint32, now time.Time) (*Folder, error) {
	user, err := userDir(root, email)
	if err != nil {
		return nil, err
	}
	latest, err := Newest(root, email)
	if err != nil {
		return nil, err
	}
	if latest != nil && now.Before(latest.started) {
		now = latest.started
	}
	if err := os.MkdirAll(user, 0o700); err != nil {
		return nil, fmt.Errorf("creating the evidence folder: %w", err)
	}
	for {
		now = now.UTC().Truncate(time.Second)
		path := filepath.Join(user, strconv.FormatUint(uint64(serial), 10)+"-"+now.Format(startedLayout))
		err := os.Mkdir(path, 0o700)
		if errors.Is(err, fs.ErrExist) {
			now = now.Add(time.Second)
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("creating the evidence folder: %w", err)
		}
		return &Folder{path: path, serial: serial, started: now}, nil
	}
}

// Latest returns the newest folder for that user and card, or nil when there is
// none.
func Latest(root, email string, serial uint32) (*Folder, error) {
	return newest(root, email, func(of uint32) bool { return of == serial })
}

// Newest returns the newest folder for that user with whichever card, or nil
// when there is none.
func Newest(root, email string) (*Folder, error) {
	return newest(root, email, func(uint32) bool { return true })
}

func newest(root, email string, wanted func(serial uint32) bool) (*Folder, error) {
	user, err := userDir(root, email)
	if err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(user)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the evidence folder: %w", err)
	}
	var found *Folder
	for _, entry := range entries {
		folder, ok := parseFolder(user, entry.Name())
		if !entry.IsDir() || !ok || !wanted(folder.serial) {
			continue
		}
		if found == nil || folder.started.After(found.started) {
			found = folder
		}
	}
	return found, nil
}

// parseFolder reads a folder's name; others than the ones that Begin makes are
// not ours.
func parseFolder(user, name string) (*Folder, bool) {
	serial, started, ok := strings.Cut(name, "-")
	number, err := strconv.ParseUint(serial, 10, 32)
	when, timeErr := time.Parse(startedLayout, started)
	return &Folder{path: filepath.Join(user, name), serial: uint32(number), started: when}, ok && err == nil && timeErr == nil
}

// Path returns where the folder is.
func (f *Folder) Path() string { return f.path }

// Serial returns the serial number of the card.
func (f *Folder) Serial() uint32 { return f.serial }

// Started returns when the enrollment began, in UTC.
func (f *Folder) Started() time.Time { return f.started }

// File returns the path of a file of the folder.
func (f *Folder) File(name string) string { return filepath.Join(f.path, name) }

// Write replaces a file atomically; it is on disk when Write returns.
func (f *Folder) Write(name string, data []byte) error {
	if err := durable.WriteFile(f.File(name), data, 0o600); err != nil {
		return fmt.Errorf("writing evidence %s: %w", name, err)
	}
	return nil
}

// Read returns a file's contents, or nil without an error when it is not there.
func (f *Folder) Read(name string) ([]byte, error) {
	data, err := os.ReadFile(f.File(name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading evidence %s: %w", name, err)
	}
	return data, nil
}

// AppendLine adds a line to a file of the folder. Where the last line was not
// wholly written, it stays alone.
func (f *Folder) AppendLine(name string, line []byte) error {
	file, err := os.OpenFile(f.File(name), os.O_APPEND|os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("writing evidence %s: %w", name, err)
	}
	line = append(slices.Clip(line), '\n')
	if info, err := file.Stat(); err == nil && info.Size() > 0 {
		last := []byte{'\n'}
		if _, err := file.ReadAt(last, info.Size()-1); err == nil && last[0] != '\n' {
			line = append([]byte{'\n'}, line...)
		}
	}
	_, err = file.Write(line)
	if err := errors.Join(err, file.Close()); err != nil {
		return fmt.Errorf("writing evidence %s: %w", name, err)
	}
	return nil
}

// Sweep removes what a process that was killed left half-written. Nobody else may
// write in the folder then; see Lock.
func (f *Folder) Sweep() error {
	left, err := filepath.Glob(filepath.Join(f.path, ".*.tmp"))
	for _, name := range left {
		err = errors.Join(err, os.Remove(name))
	}
	if err != nil {
		return fmt.Errorf("sweeping the evidence folder: %w", err)
	}
	return nil
}

// Finished reports whether the enrollment left its receipt.
func (f *Folder) Finished() bool {
	_, err := os.Stat(f.File(ReceiptName))
	return err == nil
}

// userDir returns the folder of a user; an address that could leave root is
// refused.
func userDir(root, email string) (string, error) {
	name := strings.ToLower(email)
	if name == "" || !filepath.IsLocal(name) || strings.ContainsAny(name, `/\:`) {
		return "", fmt.Errorf("%q cannot name an evidence folder", email)
	}
	return filepath.Join(root, name), nil
}
