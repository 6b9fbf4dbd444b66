package source

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/cse-piv/cse-piv/internal/secret"
)

// Options says how sources are read. The zero value reads folders and manifest
// files whose certificates lie beside them.
type Options struct {
	// Stdin is what "-" stands for; nil means os.Stdin.
	Stdin io.Reader
	// Dir is the folder that paths in a manifest from Stdin are relative to, and
	// stay in; empty means the working directory.
	Dir string
	// AllowOutside lets paths and symbolic links leave the source's folder.
	AllowOutside bool
	// AddressesOnly takes a CSV without a column for certificates, too.
	AddressesOnly bool
	// Note is told what a person may want to know about the source and what is
	// nobody's error, such as columns that are not used. It may be nil.
	Note func(text string)
	// Password is that of PKCS#12 files, where they have one.
	Password secret.Secret
	// Choose says which of several certificates of a directory's entry is on the card.
	Choose Choice
	// LDAP is for sources that are a directory.
	LDAP LDAPOptions
}

func (o Options) note(format string, args ...any) {
	if o.Note != nil {
		o.Note(fmt.Sprintf(format, args...))
	}
}

// Open returns the source that spec looks like: "-" is a manifest on standard
// input, ldap:// and ldaps:// are directories (see [LDAP]), a folder is a
// [Folder] and a file a [Manifest]. Errors say what would be accepted.
func Open(spec string, options Options) (Source, error) {
	scheme, _, isURL := strings.Cut(spec, "://")
	switch {
	case spec == "":
		return nil, formatError(acceptedSources, "no source given")
	case spec == "-":
		stdin := options.Stdin
		if stdin == nil {
			stdin = os.Stdin
		}
		return ManifestFrom("standard input", stdin, options), nil
	case isURL && (strings.EqualFold(scheme, "ldap") || strings.EqualFold(scheme, "ldaps")):
		return LDAP(spec, options)
	}
	info, err := os.Stat(spec)
	switch {
	case errors.Is(err, fs.ErrNotExist) && isURL:
		return nil, formatError(acceptedSources, "cannot read from %s://", scheme)
	case err != nil:
		return nil, &Error{Err: fmt.Errorf("open the source: %w", err), Expected: acceptedSources}
	case info.IsDir():
		return Folder(spec, options), nil
	}
	return Manifest(spec, options), nil
}

const acceptedSources = "give a folder with files like user@example.com.p7pem, a CSV or NDJSON manifest, - for a manifest on standard input, or an ldap:// or ldaps:// address"

// otherFile recognizes, by how it begins, a text that is no manifest, and says
// what to do with it; nil if it may be one.
func otherFile(head []byte) error {
	switch text := string(head); {
	case len(head) == 0:
		return formatError(expectHeader, "it is empty")
	case strings.HasPrefix(text, "-----BEGIN "), head[0] == 0x30 && len(head) > 1 && head[1] >= 0x80:
		return formatError("put certificates into a folder as user@example.com.pem and give the folder", "it is a certificate")
	case strings.HasPrefix(strings.TrimLeft(text, " \t\n"), "["):
		return formatError("write one object per line, for example with: jq -c '.[]'", "it is a JSON list, not NDJSON")
	}
	return nil
}
