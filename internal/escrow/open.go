package escrow

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"filippo.io/age"
	"filippo.io/age/agessh"
	"filippo.io/age/armor"

	"github.com/cse-piv/cse-piv/internal/durable"
)

// maxRecord bounds a record's file; real ones have less than 2 kB per recipient.
const maxRecord = 1 << 20

// ErrNoIdentity is returned for a sealed record that none of the given
// identities opens.
var ErrNoIdentity = errors.New("no identity opens this record")

// OtherCardError is returned for a record that is named after one card and is of another.
type OtherCardError struct {
	Name   string // of the file
	Serial uint32 // of the card whose secrets it holds
}

// Error says whose it is.
func (e *OtherCardError) Error() string {
	return fmt.Sprintf("escrow record %q is of card %d", e.Name, e.Serial)
}

// ReadIdentities reads a file of age identities (AGE-SECRET-KEY-1…) or an SSH
// private key without passphrase.
func ReadIdentities(path string) ([]age.Identity, error) {
	data, err := durable.ReadFile(path, maxRecord)
	if err != nil {
		return nil, fmt.Errorf("escrow identities: %w", err)
	}
	defer clear(data)
	if bytes.HasPrefix(bytes.TrimSpace(data), []byte("-----BEGIN")) {
		identity, err := agessh.ParseIdentity(data)
		if err != nil {
			return nil, fmt.Errorf("escrow: %q is not a usable SSH private key", path)
		}
		return []age.Identity{identity}, nil
	}
	identities, err := age.ParseIdentities(bytes.NewReader(data))
	if err != nil {
		// The library's error can quote the line.
		return nil, fmt.Errorf("escrow: %q is not a file of age identities", path)
	}
	return identities, nil
}

// Open reads one record back. A record in plain text needs no identity; for a sealed
// one that no identity opens the error is ErrNoIdentity.
func Open(path string, identities ...age.Identity) (Record, error) {
	data, err := durable.ReadFile(path, maxRecord)
	if err != nil {
		return Record{}, fmt.Errorf("escrow record: %w", err)
	}
	if strings.HasSuffix(path, ageExtension) {
		if data, err = unseal(data, identities); err != nil {
			return Record{}, fmt.Errorf("escrow record %q: %w", path, err)
		}
	}
	r, err := decode(data)
	clear(data)
	if err != nil {
		return Record{}, fmt.Errorf("escrow record %q: %w", path, err)
	}
	r.Path = path
	return r, nil
}

// OpenOf is [Open] for the record of one card. Of another card's the error is an *OtherCardError.
func OpenOf(serial uint32, path string, identities ...age.Identity) (Record, error) {
	r, err := Open(path, identities...)
	if err == nil && r.Serial != serial {
		return Record{}, &OtherCardError{filepath.Base(path), r.Serial}
	}
	return r, err
}

func unseal(data []byte, identities []age.Identity) ([]byte, error) {
	if len(identities) == 0 {
		return nil, ErrNoIdentity
	}
	var sealed io.Reader = bytes.NewReader(data)
	if bytes.HasPrefix(data, []byte(armor.Header)) {
		sealed = armor.NewReader(sealed)
	}
	plain, err := age.Decrypt(sealed, identities...)
	if err != nil {
		var noMatch *age.NoIdentityMatchError
		if errors.As(err, &noMatch) {
			return nil, ErrNoIdentity
		}
		// The library's error can quote a line, which may be of a record in plain text.
		return nil, errors.New("not a sealed record, or a damaged one")
	}
	out, err := io.ReadAll(io.LimitReader(plain, maxRecord))
	if err != nil {
		return nil, fmt.Errorf("damaged: %w", err)
	}
	return out, nil
}

// ReadAll opens every record of the card in dir that can be opened, newest
// first. Files that cannot be are joined in the error, beside the records that
// could; what an interrupted Put leaves behind is passed over. A folder that
// is not there holds no records.
func ReadAll(ctx context.Context, dir string, serial uint32, identities ...age.Identity) ([]Record, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		if errors.Is(err, os.ErrNotExist) {
			return nil, nil
		}
		return nil, fmt.Errorf("escrow folder: %w", err)
	}
	var records []Record
	var problems []error
	for _, entry := range entries {
		if err := ctx.Err(); err != nil {
			return records, err
		}
		name := entry.Name()
		if !strings.HasPrefix(name, strconv.FormatUint(uint64(serial), 10)+"-") ||
			!isRecord(name) {
			continue
		}
		info, err := entry.Info()
		if err != nil || !info.Mode().IsRegular() || info.Size() == 0 {
			continue
		}
		r, err := OpenOf(serial, filepath.Join(dir, name), identities...)
		if err != nil {
			problems = append(problems, err)
			continue
		}
		records = append(records, r)
	}
	slices.SortStableFunc(records, func(a, b Record) int { return b.Created.Compare(a.Created) })
	return records, errors.Join(problems...)
}
