package evidence

import (
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/cse-piv/cse-piv/internal/durable"
)

// NoteReset writes down in every folder of a card that it was reset, where that is not written down yet:
// its keys, PIN and management key are not those that the folder tells of. An auditor finds what was
// proved of the keys of before as it was, and what follows in a folder of its own.
func NoteReset(root string, serial uint32, when time.Time) error {
	all := durable.Folder(root)
	users, err := all.Entries(".")
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading the evidence folder: %w", err)
	}
	var failed []error
	for _, user := range users {
		if !user.IsDir() {
			continue
		}
		entries, err := all.Entries(user.Name())
		failed = append(failed, err)
		for _, entry := range entries {
			if folder, ok := parseFolder(all, user.Name(), entry.Name()); ok && entry.IsDir() && folder.serial == serial {
				failed = append(failed, folder.noteReset(when))
			}
		}
	}
	return errors.Join(failed...)
}

func (f *Folder) noteReset(when time.Time) error {
	journal, err := f.Journal()
	if err != nil || journal.Email == "" || !journal.Reset.IsZero() {
		return err
	}
	journal.Reset = when.UTC()
	return f.WriteJournal(journal)
}
