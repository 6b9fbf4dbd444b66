package evidence

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/cse-piv/cse-piv/internal/durable"
)

// UserOf returns whose enrollment with that card began last below root, by the names of the
// folders: the address in lower case; "" for nobody's. Folders whose names are not plainly an
// address are passed over.
func UserOf(root string, serial uint32) (string, error) {
	all := durable.Folder(root)
	users, err := all.Entries(".")
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("reading the evidence folder: %w", err)
	}
	email := ""
	var last *Folder
	for _, user := range users {
		if !user.IsDir() || !strings.Contains(user.Name(), "@") || strings.Contains(user.Name(), "%") {
			continue
		}
		folder, err := newest(root, user.Name(), func(of uint32) bool { return of == serial })
		if err != nil {
			return "", err
		}
		if folder != nil && (last == nil || folder.started.After(last.started)) {
			last, email = folder, user.Name()
		}
	}
	return email, nil
}
