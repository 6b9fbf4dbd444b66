package escrow

import (
	"context"
	"fmt"

	"github.com/cse-piv/cse-piv/internal/durable"
)

const plainExtension = ".json"

// PlainStore keeps records in plain text.
type PlainStore struct {
	dir      string
	warnings []string
}

// NewPlainFile keeps records in plain text in dir, in files that only their owner can
// read, as far as the file system knows owners; see Warnings. dir is created with
// mode 0700 if it is missing.
func NewPlainFile(dir string) (*PlainStore, error) {
	warnings, err := prepare(dir)
	if err != nil {
		return nil, err
	}
	private, err := durable.Folder(dir).Probe(1)
	if err != nil {
		return nil, fmt.Errorf("escrow folder: %w", err)
	}
	if !private {
		warnings = append(warnings, fmt.Sprintf("the file system of %s has no owners of files: whoever can open the folder can read the PUKs and management keys in it", dir))
	}
	return &PlainStore{dir, warnings}, nil
}

// Warnings lists what is unwise about the folder, one sentence each.
func (p *PlainStore) Warnings() []string { return append([]string(nil), p.warnings...) }

// Recipients returns none: whoever can read the file has the secrets.
func (p *PlainStore) Recipients() []string { return nil }

// Check reports why a record could not be kept now. It leaves nothing behind.
func (p *PlainStore) Check(ctx context.Context) error { return check(ctx, p.dir) }

// Put keeps the record as DIR/<serial>-<UTC time>.json.
func (p *PlainStore) Put(ctx context.Context, r Record) (string, error) {
	return keep(ctx, p.dir, plainExtension, r, func(plain []byte) ([]byte, error) {
		return append([]byte(nil), plain...), nil
	})
}
