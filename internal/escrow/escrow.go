// Package escrow keeps a card's PUK and management key where they can be found
// again: sealed to age recipients, or, where that was asked for, in plain text
// in a file that only its owner can read, as far as the file system knows owners. A record is on disk before the card learns its
// secrets, so a card is never left with keys that nobody has.
package escrow

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/cse-piv/cse-piv/internal/durable"
	"github.com/cse-piv/cse-piv/internal/secret"
)

// Record is what has to be kept of one card.
type Record struct {
	Serial uint32
	// Created is when the secrets were made; the zero value means now.
	Created time.Time
	// PUK is its ASCII digits as typed. It may be absent, as may ManagementKey.
	PUK secret.Secret
	// ManagementKey is its raw bytes, of the length its algorithm asks for.
	ManagementKey          secret.Secret
	ManagementKeyAlgorithm string // "tdes", "aes128", "aes192" or "aes256"
	Note                   string
	// Replaces names the files of earlier records of the card, in the place of
	// whose secrets these are to be set.
	Replaces []string
	// Path is where the record was read from.
	Path string
}

// Store keeps records.
type Store interface {
	// Put returns the file that holds the record, after it and its folder have
	// been flushed to disk. It never replaces an older record.
	Put(ctx context.Context, record Record) (path string, err error)
	// Recipients returns the public keys that records are sealed to, none where they
	// are kept in plain text.
	Recipients() []string
}

// Closed is a store that takes nothing in, for somebody who only looks what would
// be put where.
type Closed struct{}

// Put returns an error.
func (Closed) Put(context.Context, Record) (string, error) {
	return "", errors.New("the escrow is only looked at")
}

// Recipients returns nil.
func (Closed) Recipients() []string { return nil }

// ErrNothing is returned by Put for a record without any secret: an empty record
// would look as if the card's secrets were safe.
var ErrNothing = errors.New("record holds neither a PUK nor a management key")

// content is the JSON inside a record's file.
type content struct {
	Serial                 uint32    `json:"serial"`
	Created                time.Time `json:"created"`
	PUK                    string    `json:"puk,omitempty"`
	ManagementKey          string    `json:"management_key,omitempty"` // lower-case hex
	ManagementKeyAlgorithm string    `json:"management_key_algorithm,omitempty"`
	Note                   string    `json:"note,omitempty"`
	Replaces               []string  `json:"replaces,omitempty"`
}

// encode is the one place where the secrets are revealed; what it returns goes
// straight into the sealed or private file.
func encode(r Record) ([]byte, error) {
	if !utf8.Valid(r.PUK.Reveal()) {
		return nil, errors.New("the PUK is not text") // JSON would replace bytes silently
	}
	data, err := json.MarshalIndent(content{
		Serial:                 r.Serial,
		Created:                r.Created,
		PUK:                    string(r.PUK.Reveal()),
		ManagementKey:          hex.EncodeToString(r.ManagementKey.Reveal()),
		ManagementKeyAlgorithm: r.ManagementKeyAlgorithm,
		Note:                   r.Note,
		Replaces:               r.Replaces,
	}, "", "  ")
	if err != nil {
		return nil, err
	}
	return append(data, '\n'), nil
}

// decode reads what encode wrote. Its errors never quote the content.
func decode(data []byte) (Record, error) {
	var c content
	if err := json.Unmarshal(data, &c); err != nil {
		return Record{}, errors.New("content is not an escrow record")
	}
	key, err := hex.DecodeString(c.ManagementKey)
	if err != nil {
		return Record{}, errors.New("management key is not hexadecimal")
	}
	if c.Serial == 0 || c.PUK == "" && len(key) == 0 {
		return Record{}, errors.New("content is not an escrow record")
	}
	return Record{
		Serial:                 c.Serial,
		Created:                c.Created,
		PUK:                    secret.FromString(c.PUK),
		ManagementKey:          secret.New(key),
		ManagementKeyAlgorithm: c.ManagementKeyAlgorithm,
		Note:                   c.Note,
		Replaces:               c.Replaces,
	}, nil
}

// nameTime is the time in a record's file name, in UTC.
const nameTime = "20060102T150405Z"

// check writes as much as a record has, and takes it away again.
func check(ctx context.Context, dir string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if _, err := durable.Folder(dir).Probe(usualRecord); err != nil {
		return fmt.Errorf("escrow folder: %w", err)
	}
	return nil
}

// usualRecord is more than a record takes that is sealed to a few, in bytes.
const usualRecord = 8 << 10

// keep seals the record and gives it a name of its own. The name starts with the
// serial and the UTC time, so that a listing sorts by age.
func keep(ctx context.Context, dir, extension string, r Record, seal func([]byte) ([]byte, error)) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	if r.PUK.IsZero() && r.ManagementKey.IsZero() {
		return "", ErrNothing
	}
	if r.Serial == 0 {
		return "", errors.New("escrow: record names no card")
	}
	if r.Created.IsZero() {
		r.Created = time.Now()
	}
	r.Created = r.Created.UTC().Truncate(time.Second)
	plain, err := encode(r)
	if err != nil {
		return "", fmt.Errorf("encode the escrow record of card %d: %w", r.Serial, err)
	}
	sealed, err := seal(plain)
	clear(plain)
	if err != nil {
		return "", fmt.Errorf("seal the escrow record of card %d: %w", r.Serial, err)
	}
	stem := fmt.Sprintf("%d-%s", r.Serial, r.Created.Format(nameTime))
	for try := 0; ; try++ {
		name := stem + extension
		if try > 0 {
			// Two records of one card in one second: neither may be lost.
			name = stem + "-" + rand.Text()[:6] + extension
		}
		folder := durable.Folder(dir)
		err := folder.CreateFile(name, sealed, 0o600)
		if err == nil {
			return folder.Path(name), nil
		}
		if !errors.Is(err, fs.ErrExist) || try == 9 {
			return "", fmt.Errorf("keep the escrow record of card %d: %w", r.Serial, err)
		}
	}
}

// prepare makes sure that dir is a folder, private when it is new, and removes what
// a killed run left of a record. It returns what is unwise about the folder.
func prepare(dir string) (warnings []string, err error) {
	if dir == "" {
		return nil, errors.New("escrow: no folder given")
	}
	folder := durable.Folder(dir)
	err = durable.MakeFolder(dir, 0o700)
	if err == nil {
		err = folder.Sweep(".", isRecord)
	}
	if err != nil {
		return nil, fmt.Errorf("escrow folder: %w", err)
	}
	if warning, _ := durable.WriteWarning(dir); warning != "" {
		warnings = append(warnings, "the escrow folder "+warning)
	}
	return warnings, nil
}

// Kept says of the file of a record how it is kept there: "sealed in" it, or in plain text.
func Kept(path string) string {
	if strings.HasSuffix(path, plainExtension) {
		return "kept in plain text in " + path + ", which only you can read"
	}
	return "sealed in " + path
}

// isRecord tells the names of records.
func isRecord(name string) bool {
	return strings.HasSuffix(name, ageExtension) || strings.HasSuffix(name, plainExtension)
}
