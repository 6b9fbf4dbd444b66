// Package evidence keeps what an enrollment leaves behind for the auditor: the
// attestation chain, the certificate request, the certificate, the PKCS#7 that
// was uploaded, a receipt, and the journal that lets a broken-off enrollment
// go on. It holds no secret.
//
// One enrollment is one folder, ROOT/EMAIL/SERIAL-STARTED, where STARTED is a
// UTC time. Every file is written atomically with mode 0600. Below ROOT no symbolic
// link is followed.
package evidence

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cse-piv/cse-piv/internal/durable"
)

// startedLayout is the time format at the end of a folder's name; it sorts by
// time and is a legal file name everywhere.
const startedLayout = "20060102T150405Z"

// maxFile bounds a file of the evidence, in bytes; the largest is the log of events.
const maxFile = 16 << 20

// ReceiptName is the file that a finished enrollment has and an unfinished one
// has not.
const ReceiptName = "receipt.json"

// ForUserName is the file that the user takes along: what was done, and what comes next.
const ForUserName = "for-the-user.txt"

// Folder is the evidence of one enrollment of one user with one card.
type Folder struct {
	root    durable.Folder
	name    string // below root, with slashes
	serial  uint32
	started time.Time
	// readOnly refuses to change anything.
	readOnly bool
}

// ErrReadOnly is returned where a folder would be changed that is only read.
var ErrReadOnly = errors.New("the evidence is only read")

// ReadOnly returns the folder for somebody who changes nothing: what would, fails
// with ErrReadOnly. It is nil for a nil folder.
func (f *Folder) ReadOnly() *Folder {
	if f == nil {
		return nil
	}
	readOnly := *f
	readOnly.readOnly = true
	return &readOnly
}

// Begin creates a new folder, for an enrollment that is to replace a finished
// one. It is newer than that, also where the clock was set back.
func Begin(root, email string, serial uint32, now time.Time) (*Folder, error) {
	user, err := userFolder(email)
	if err != nil {
		return nil, err
	}
	latest, err := Newest(root, email)
	if err != nil {
		return nil, err
	}
	now = now.UTC().Truncate(time.Second)
	if latest != nil && !now.After(latest.started) {
		now = latest.started.Add(time.Second)
	}
	all := durable.Folder(root)
	if err := all.Make(user, 0o700); err != nil {
		return nil, fmt.Errorf("creating the evidence folder: %w", err)
	}
	for {
		name := user + "/" + strconv.FormatUint(uint64(serial), 10) + "-" + now.Format(startedLayout)
		err := all.Mkdir(name, 0o700)
		if errors.Is(err, fs.ErrExist) {
			now = now.Add(time.Second)
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("creating the evidence folder: %w", err)
		}
		return &Folder{root: all, name: name, serial: serial, started: now}, nil
	}
}

// Latest returns the newest folder for that user and card, or nil when there is
// none.
func Latest(root, email string, serial uint32) (*Folder, error) {
	return newest(root, email, func(folder *Folder) bool { return folder.serial == serial })
}

// Newest returns the newest folder for that user with whichever card, or nil
// when there is none.
func Newest(root, email string) (*Folder, error) {
	return newest(root, email, func(*Folder) bool { return true })
}

// NewestGoingOn is Newest, but for enrollments that were given up before they came to their end.
func NewestGoingOn(root, email string) (*Folder, error) {
	var passed []string // names of folders
	for {
		folder, err := newest(root, email, func(folder *Folder) bool { return !slices.Contains(passed, folder.name) })
		if err != nil || folder == nil || folder.Finished() {
			return folder, err
		}
		if journal, err := folder.Journal(); err != nil || journal.GivenUp.IsZero() {
			return folder, nil // what is wrong with it is told by who reads it
		}
		passed = append(passed, folder.name)
	}
}

func newest(root, email string, wanted func(*Folder) bool) (*Folder, error) {
	user, err := userFolder(email)
	if err != nil {
		return nil, err
	}
	all := durable.Folder(root)
	entries, err := all.Entries(user)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the evidence folder: %w", err)
	}
	var found *Folder
	for _, entry := range entries {
		folder, ok := parseFolder(all, user, entry.Name())
		if !entry.IsDir() || !ok || !wanted(folder) {
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
func parseFolder(root durable.Folder, user, name string) (*Folder, bool) {
	serial, started, ok := strings.Cut(name, "-")
	number, err := strconv.ParseUint(serial, 10, 32)
	when, timeErr := time.Parse(startedLayout, started)
	return &Folder{root: root, name: user + "/" + name, serial: uint32(number), started: when}, ok && err == nil && timeErr == nil
}

// Path returns where the folder is.
func (f *Folder) Path() string { return f.root.Path(f.name) }

// Serial returns the serial number of the card.
func (f *Folder) Serial() uint32 { return f.serial }

// Started returns when the enrollment began, in UTC.
func (f *Folder) Started() time.Time { return f.started }

// File returns the path of a file of the folder.
func (f *Folder) File(name string) string { return f.root.Path(f.in(name)) }

func (f *Folder) in(name string) string { return f.name + "/" + name }

// Write replaces a file atomically; it is on disk when Write returns.
func (f *Folder) Write(name string, data []byte) error {
	if f.readOnly {
		return ErrReadOnly
	}
	if err := f.root.WriteFile(f.in(name), data, 0o600); err != nil {
		return fmt.Errorf("writing evidence %s: %w", name, err)
	}
	return nil
}

// Read returns a file's contents, or nil without an error when it is not there.
func (f *Folder) Read(name string) ([]byte, error) {
	data, err := f.root.ReadFile(f.in(name), maxFile)
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
	if f.readOnly {
		return ErrReadOnly
	}
	file, err := f.root.OpenAppend(f.in(name), 0o600)
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

// Sweep makes the folder ready to be written in: it removes what a process that was
// killed left half-written. A symbolic link in it is an error.
func (f *Folder) Sweep() error {
	if f.readOnly {
		return ErrReadOnly
	}
	entries, err := f.root.Entries(f.name)
	for _, entry := range entries {
		if err == nil && entry.Type()&fs.ModeSymlink != 0 {
			_, err = f.root.Stat(f.in(entry.Name()))
		}
	}
	if err == nil {
		err = f.root.Sweep(f.name, nil)
	}
	if err != nil {
		return fmt.Errorf("sweeping the evidence folder: %w", err)
	}
	return nil
}

// Finished reports whether the enrollment left its receipt.
func (f *Folder) Finished() bool {
	_, err := f.root.Stat(f.in(ReceiptName))
	return err == nil
}

// userFolder returns the name of a user's folder, the same for an address in any
// case: the address itself where every system can have a file of that name.
func userFolder(email string) (string, error) {
	if email == "" {
		return "", errors.New("an evidence folder needs a user's address")
	}
	name := strings.ToLower(email)
	if durable.IsFileName(name) && !strings.Contains(name, "%") {
		return name, nil
	}
	return durable.FileName(name), nil
}
