package evidence

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/cse-piv/cse-piv/internal/durable"
)

// NewestWith returns the newest folder for that card with whichever user, and the user's address
// in lower case, by the names of the folders; nil and "" when there is none. Folders whose names
// are not plainly an address are passed over.
func NewestWith(root string, serial uint32) (last *Folder, email string, err error) {
	all := durable.Folder(root)
	users, err := all.Entries(".")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, "", nil
	}
	if err != nil {
		return nil, "", fmt.Errorf("reading the evidence folder: %w", err)
	}
	for _, user := range users {
		if !user.IsDir() || !strings.Contains(user.Name(), "@") || strings.Contains(user.Name(), "%") {
			continue
		}
		folder, err := newest(root, user.Name(), func(folder *Folder) bool { return folder.serial == serial })
		if err != nil {
			return nil, "", err
		}
		if folder != nil && (last == nil || folder.started.After(last.started)) {
			last, email = folder, user.Name()
		}
	}
	return last, email, nil
}
