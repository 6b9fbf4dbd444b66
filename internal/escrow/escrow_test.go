package escrow

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"filippo.io/age"

	"github.com/cse-piv/cse-piv/internal/durable/fattest"
	"github.com/cse-piv/cse-piv/internal/secret"
)

const puk = "83719264"

var managementKey = bytes.Repeat([]byte("CANARY!!"), 3)

func record(serial uint32, at time.Time) Record {
	return Record{Serial: serial, Created: at, PUK: secret.FromString(puk), ManagementKey: secret.New(managementKey),
		ManagementKeyAlgorithm: "aes192", Note: "enrolled for carol@example.org"}
}

func identity(t testing.TB) *age.X25519Identity {
	t.Helper()
	i, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	return i
}

func checkRecord(t *testing.T, got, want Record) {
	t.Helper()
	if got.Serial != want.Serial || !got.Created.Equal(want.Created.Truncate(time.Second)) || got.Note != want.Note ||
		got.ManagementKeyAlgorithm != want.ManagementKeyAlgorithm || !got.PUK.Equal(want.PUK) || !got.ManagementKey.Equal(want.ManagementKey) {
		t.Errorf("got %+v", got)
	}
}

// noSecrets looks for the secrets in every file below dir.
func noSecrets(t *testing.T, dir string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		for _, s := range []string{puk, string(managementKey), hex.EncodeToString(managementKey)} {
			if bytes.Contains(bytes.ToLower(data), []byte(strings.ToLower(s))) || strings.Contains(path, s) {
				t.Errorf("%s holds a secret", path)
			}
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

func put(t *testing.T, s Store, r Record) string {
	t.Helper()
	path, err := s.Put(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func TestSealedRecord(t *testing.T) {
	online, offline := identity(t), identity(t)
	dir := filepath.Join(t.TempDir(), "escrow")
	s, err := NewAge(dir, []string{online.Recipient().String(), offline.Recipient().String()})
	if err != nil || len(s.Warnings()) != 0 {
		t.Fatal(s, err)
	}
	at := time.Date(2026, 3, 4, 5, 6, 7, 89, time.FixedZone("", 3600))
	path := put(t, s, record(12345678, at))
	if want := filepath.Join(dir, "12345678-20260304T040607Z.age"); path != want {
		t.Errorf("path %s, want %s", path, want)
	}
	noSecrets(t, dir)
	for _, i := range []*age.X25519Identity{online, offline} {
		got, err := Open(path, identity(t), i)
		if err != nil {
			t.Fatal(err)
		}
		checkRecord(t, got, record(12345678, at))
	}
	if _, err := Open(path, identity(t)); !errors.Is(err, ErrNoIdentity) {
		t.Error(err)
	}
	if _, err := Open(path); !errors.Is(err, ErrNoIdentity) {
		t.Error(err)
	}
	checkModes(t, path)
}

func checkModes(t *testing.T, path string) {
	t.Helper()
	if runtime.GOOS == "windows" {
		return
	}
	for name, want := range map[string]fs.FileMode{path: 0o600, filepath.Dir(path): 0o700} {
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v; want %v", name, info.Mode(), err, want)
		}
	}
}

func TestPlainRecord(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "escrow")
	s, err := NewPlainFile(dir)
	if err != nil {
		t.Fatal(err)
	}
	at := time.Now()
	path := put(t, s, record(7, at))
	checkModes(t, path)
	got, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	checkRecord(t, got, record(7, at))

	// The format is for people and other tools too.
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var fields map[string]any
	if err := json.Unmarshal(data, &fields); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]any{"serial": 7.0, "puk": puk, "management_key": hex.EncodeToString(managementKey),
		"management_key_algorithm": "aes192", "note": "enrolled for carol@example.org", "created": at.UTC().Format("2006-01-02T15:04:05Z")} {
		if fields[name] != want {
			t.Errorf("%s is %v, want %v", name, fields[name], want)
		}
	}
}

func TestOlderRecordsStay(t *testing.T) {
	dir := t.TempDir()
	s, err := NewPlainFile(dir)
	if err != nil {
		t.Fatal(err)
	}
	at := time.Now()
	var all sync.WaitGroup
	var mu sync.Mutex
	paths := map[string]bool{}
	for i := range 10 {
		all.Go(func() {
			r := record(7, at)
			r.Note = fmt.Sprint(i)
			path, err := s.Put(context.Background(), r)
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			paths[path] = true
		})
	}
	all.Wait()
	records, err := ReadAll(t.Context(), dir, 7)
	if err != nil || len(paths) != 10 || len(records) != 10 {
		t.Fatalf("%d names, %d records, %v", len(paths), len(records), err)
	}
	notes := map[string]bool{}
	for _, r := range records {
		notes[r.Note] = true
	}
	if len(notes) != 10 {
		t.Errorf("notes %v", notes)
	}
}

func TestReadAll(t *testing.T) {
	dir, key := t.TempDir(), identity(t)
	sealed, err := NewAge(dir, []string{key.Recipient().String()})
	if err != nil {
		t.Fatal(err)
	}
	plain, err := NewPlainFile(dir)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	put(t, plain, record(7, now.Add(-time.Hour)))
	put(t, sealed, record(7, now))
	put(t, plain, record(71, now))
	// What a crash leaves: a name without content, and a temporary file.
	left := []string{"7-20200101T000000Z.json", "7-20200101T000000Z.age", ".123.cse-piv.tmp"}
	for _, name := range left {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	records, err := ReadAll(t.Context(), dir, 7, key)
	if err != nil || len(records) != 2 || !records[0].Created.After(records[1].Created) {
		t.Fatal(len(records), err)
	}
	// The next run takes it away.
	if _, err := NewPlainFile(dir); err != nil {
		t.Fatal(err)
	}
	for _, name := range left {
		if _, err := os.Stat(filepath.Join(dir, name)); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// Without the identity the plain one is still found, and the rest is said.
	records, err = ReadAll(t.Context(), dir, 7)
	if !errors.Is(err, ErrNoIdentity) || len(records) != 1 {
		t.Error(len(records), err)
	}
	if records, err := ReadAll(t.Context(), filepath.Join(dir, "none"), 7); err != nil || len(records) != 0 {
		t.Error(records, err)
	}
	// A record under another card's name is not believed.
	if err := os.Link(filepath.Join(dir, "71-"+now.UTC().Format("20060102T150405Z")+".json"), filepath.Join(dir, "7-x.json")); err != nil {
		t.Fatal(err)
	}
	if records, err := ReadAll(t.Context(), dir, 7, key); err == nil || len(records) != 2 {
		t.Error(len(records), err)
	}
}

func TestPutRefuses(t *testing.T) {
	dir := t.TempDir()
	s, err := NewPlainFile(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Put(t.Context(), Record{Serial: 7}); !errors.Is(err, ErrNothing) {
		t.Error(err)
	}
	if _, err := s.Put(t.Context(), record(0, time.Now())); err == nil {
		t.Error("a record of no card was kept")
	}
	binary := record(7, time.Now())
	binary.PUK = secret.New([]byte{'1', 0xff})
	if _, err := s.Put(t.Context(), binary); err == nil {
		t.Error("a PUK was kept that JSON would change")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Put(ctx, record(7, time.Now())); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 0 {
		t.Errorf("left %v, %v", entries, err)
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Put(t.Context(), record(7, time.Now())); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}

// TestOnAStick: FAT has neither links nor owners.
func TestOnAStick(t *testing.T) {
	dir := fattest.Mount(t)
	s, err := NewPlainFile(filepath.Join(dir, "escrow"))
	if err != nil {
		t.Fatal(err)
	}
	at := time.Now()
	first, second := put(t, s, record(7, at)), put(t, s, record(7, at))
	records, err := ReadAll(t.Context(), filepath.Join(dir, "escrow"), 7)
	if err != nil || len(records) != 2 || first == second {
		t.Errorf("%s, %s: %d records, %v", first, second, len(records), err)
	}
	info, err := os.Stat(first)
	if err != nil || (info.Mode().Perm()&0o077 != 0) != (len(s.Warnings()) == 1) {
		t.Errorf("%v, %v: %q", info, err, s.Warnings())
	}
}

// TestFoldersThatOthersCanWrite: a recipient that somebody adds gets every key.
func TestFoldersThatOthersCanWrite(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("NOT TESTED: modes do not tell on Windows")
	}
	dir := t.TempDir()
	list, escrow := filepath.Join(dir, "recipients"), filepath.Join(dir, "escrow")
	if err := os.WriteFile(list, []byte(identity(t).Recipient().String()+"\n"+identity(t).Recipient().String()+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		list, escrow fs.FileMode
		warnings     int
		refused      bool
	}{{0o644, 0o755, 0, false}, {0o664, 0o700, 1, false}, {0o600, 0o777, 1, false}, {0o660, 0o770, 2, false}, {0o666, 0o700, 0, true}, {0o602, 0o700, 0, true}} {
		if err := errors.Join(os.MkdirAll(escrow, 0o700), os.Chmod(list, test.list), os.Chmod(escrow, test.escrow)); err != nil {
			t.Fatal(err)
		}
		s, err := NewAge(escrow, []string{list})
		switch {
		case test.refused && (err == nil || !strings.Contains(err.Error(), "chmod go-w "+list)):
			t.Errorf("%v: %v", test, err)
		case !test.refused && (err != nil || len(s.Warnings()) != test.warnings || len(s.Recipients()) != 2):
			t.Errorf("%v: %q, %v", test, s.Warnings(), err)
		}
	}
}

func TestDamagedRecords(t *testing.T) {
	key := identity(t)
	dir := t.TempDir()
	s, err := NewAge(dir, []string{key.Recipient().String()})
	if err != nil {
		t.Fatal(err)
	}
	good, err := os.ReadFile(put(t, s, record(7, time.Now())))
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{
		"a.age": good[:len(good)/2], "b.age": []byte("nothing"), "c.json": []byte("{}"), "d.json": []byte(`{"serial":7,"management_key":"xy"}`),
		"e.json": []byte("["), "f.json": make([]byte, maxRecord+1), "g.json": []byte(`{"serial":7}`),
	} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		if r, err := Open(path, key); err == nil {
			t.Errorf("%s was read as %+v", name, r)
		}
	}
}
