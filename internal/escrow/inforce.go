package escrow

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cse-piv/cse-piv/internal/durable"
)

// Kind is one of the secrets that a record can hold.
type Kind string

// The kinds of secrets.
const (
	KindPUK           Kind = "PUK"
	KindManagementKey Kind = "management key"
)

// inForce is a card's file beside its records, which holds no secret: the file
// name of the record that holds what the card has, for each kind; none where that
// is not known.
type inForce map[Kind]string

// inForceExtension ends the name of that file, which begins with the serial number.
const inForceExtension = ".in-force"

// maxInForce bounds that file, in bytes.
const maxInForce = 4 << 10

func readInForce(folder durable.Folder, serial uint32) (inForce, error) {
	data, err := folder.ReadFile(inForceName(serial), maxInForce)
	if errors.Is(err, fs.ErrNotExist) {
		return inForce{}, nil
	}
	known := inForce{}
	if err == nil {
		err = json.Unmarshal(data, &known)
	}
	if err != nil {
		return nil, fmt.Errorf("reading which escrow records of card %d are in force: %w", serial, err)
	}
	if known == nil { // the file says null
		known = inForce{}
	}
	return known, nil
}

func inForceName(serial uint32) string {
	return strconv.FormatUint(uint64(serial), 10) + inForceExtension
}

// NoteInForce writes down beside a record that the card has the secrets of those
// kinds that it holds, and no more the ones of other records. The path of the record is an
// absolute one: another would be beside whatever folder the program runs in.
func NoteInForce(record string, serial uint32, kinds ...Kind) error {
	return noteInForce(record, serial, kinds, func(string) bool { return true })
}

// RecallInForce is NoteInForce for a record whose secrets were set on the card at some time:
// where a later record is known to be in force, or the card was reset later, that stays.
func RecallInForce(record string, serial uint32, kinds ...Kind) error {
	return noteInForce(record, serial, kinds, func(known string) bool { return !isSince(known, filepath.Base(record)) })
}

// InForce returns the path of the record that is known to be in force beside another one, which
// need not be the same; "" where that is not known, or the card was reset.
func InForce(record string, serial uint32, kind Kind) (string, error) {
	folder := durable.Folder(filepath.Dir(record))
	known, err := readInForce(folder, serial)
	if err != nil || !isRecord(known[kind]) {
		return "", err
	}
	return folder.Path(known[kind]), nil
}

// noteInForce notes the record in the place of those that may be replaced.
func noteInForce(record string, serial uint32, kinds []Kind, mayReplace func(known string) bool) error {
	if !filepath.IsAbs(record) {
		return fmt.Errorf("noting which escrow records of card %d are in force: it is not known in which folder record %s is", serial, record)
	}
	folder := durable.Folder(filepath.Dir(record))
	known, err := readInForce(folder, serial)
	if err != nil {
		return err
	}
	news := false
	for _, kind := range kinds {
		if name := filepath.Base(record); known[kind] != name && mayReplace(known[kind]) {
			known[kind], news = name, true
		}
	}
	if !news {
		return nil
	}
	data, err := json.MarshalIndent(known, "", "  ")
	if err == nil {
		err = folder.WriteFile(inForceName(serial), append(data, '\n'), 0o600)
	}
	if err != nil {
		return fmt.Errorf("noting which escrow records of card %d are in force: %w", serial, err)
	}
	return nil
}

// isSince reports whether a record or reset was not made before another one, by their names.
func isSince(name, than string) bool {
	late, ok := createdBy(name)
	early, also := createdBy(than)
	return ok && also && !late.Before(early)
}

// createdBy tells when a record or reset was made, by its name.
func createdBy(name string) (time.Time, bool) {
	if mark, reset := strings.CutSuffix(name, resetExtension); reset {
		name = mark + plainExtension
	}
	record, ok := parseName(name)
	return record.Created, ok
}

// resetExtension ends what stands for a reset of a card in the place of a record's name: the card
// has nothing that was sealed until then.
const resetExtension = ".reset"

// NoteReset writes down that a card was reset, so that no record in dir that was made before is in
// force. In a folder that is not there, or where no record of the card is, there is nothing to note.
func NoteReset(ctx context.Context, dir string, serial uint32, when time.Time) error {
	records, err := List(ctx, dir, serial)
	if err != nil || len(records) == 0 {
		return err
	}
	mark := fmt.Sprintf("%d-%s%s", serial, when.UTC().Format(nameTime), resetExtension)
	data, err := json.MarshalIndent(inForce{KindPUK: mark, KindManagementKey: mark}, "", "  ")
	if err == nil {
		err = durable.Folder(dir).WriteFile(inForceName(serial), append(data, '\n'), 0o600)
	}
	if err != nil {
		return fmt.Errorf("noting that card %d was reset: %w", serial, err)
	}
	return nil
}

// State is whether a card has what a record holds.
type State string

// The states of a record.
const (
	StateInForce  State = "in force" // the card has what in_force names
	StateReplaced State = "replaced" // the card has what later records hold, or was reset
	StateUnknown  State = "not known"
)

// Listed is a record as far as it can be told without opening it. The JSON names
// are a contract.
type Listed struct {
	Serial  uint32    `json:"serial"` // of the card
	Created time.Time `json:"created"`
	File    string    `json:"file"`
	Sealed  bool      `json:"sealed"`   // false for one in plain text
	State   State     `json:"standing"` // whether the card has it
	InForce []Kind    `json:"in_force"` // what of it the card has
}

// List lists the records in dir, of one card or for serial 0 of all, by card and
// age. A folder that is not there holds none.
func List(ctx context.Context, dir string, serial uint32) ([]Listed, error) {
	folder := durable.Folder(dir)
	entries, err := folder.Entries(".")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("escrow folder: %w", err)
	}
	var list []Listed
	known := map[uint32]inForce{}
	for _, entry := range entries {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		record, ok := parseName(entry.Name())
		if !ok || serial != 0 && record.Serial != serial {
			continue
		}
		if known[record.Serial] == nil {
			if known[record.Serial], err = readInForce(folder, record.Serial); err != nil {
				return nil, err
			}
		}
		record.stand(known[record.Serial])
		record.File = folder.Path(entry.Name())
		list = append(list, record)
	}
	slices.SortStableFunc(list, func(a, b Listed) int {
		if a.Serial != b.Serial {
			return int(int64(a.Serial) - int64(b.Serial))
		}
		return a.Created.Compare(b.Created)
	})
	return list, nil
}

// parseName reads the name of a record, which keep made.
func parseName(name string) (Listed, bool) {
	serial, rest, ok := strings.Cut(name, "-")
	if !ok || !isRecord(name) {
		return Listed{}, false
	}
	rest = strings.TrimSuffix(strings.TrimSuffix(rest, ageExtension), plainExtension)
	created, _, _ := strings.Cut(rest, "-")
	number, err := strconv.ParseUint(serial, 10, 32)
	when, timeErr := time.Parse(nameTime, created)
	return Listed{Serial: uint32(number), Created: when, File: name, Sealed: strings.HasSuffix(name, ageExtension), InForce: []Kind{}}, err == nil && timeErr == nil
}

// stand fills in what of the record the card has. One that is newer than what is
// known to be in force may have been set without anybody knowing it.
func (l *Listed) stand(known inForce) {
	l.State = StateReplaced
	for _, kind := range []Kind{KindPUK, KindManagementKey} {
		if known[kind] == l.File {
			l.InForce = append(l.InForce, kind)
		}
		if known[kind] == "" {
			l.State = StateUnknown
		}
	}
	if !slices.ContainsFunc(slices.Collect(maps.Values(known)), l.isBefore) {
		l.State = StateUnknown
	}
	if len(l.InForce) > 0 {
		l.State = StateInForce
	}
}

// isBefore reports whether the record of that name is a later one, or a reset was not made before this
// one. Names have seconds: of two records of one second, nobody knows which is the later.
func (l *Listed) isBefore(name string) bool {
	created, ok := createdBy(name)
	if strings.HasSuffix(name, resetExtension) {
		return ok && !l.Created.After(created)
	}
	return ok && l.Created.Before(created)
}

// PUKs returns the records with a PUK that the card may have, of those that [ReadAll]
// returned: first the one that is known to be in force, then those that may have been set
// without anybody knowing it, the newest first.
func PUKs(ctx context.Context, dir string, serial uint32, records []Record) ([]Record, error) {
	listed, err := List(ctx, dir, serial)
	if err != nil {
		return nil, err
	}
	var first, others []Record
	for _, record := range records {
		at := slices.IndexFunc(listed, func(l Listed) bool { return filepath.Base(l.File) == filepath.Base(record.Path) })
		switch {
		case record.PUK.IsZero() || at < 0:
		case slices.Contains(listed[at].InForce, KindPUK):
			first = append(first, record)
		case listed[at].State != StateReplaced:
			others = append(others, record)
		}
	}
	return append(first, others...), nil
}
