package escrow

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestWhichRecordIsInForce(t *testing.T) {
	dir := t.TempDir()
	s, err := NewAge(dir, []string{identity(t).Recipient().String()})
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	var paths []string
	for i := range 4 {
		paths = append(paths, put(t, s, record(7, at.Add(time.Duration(i)*time.Hour))))
	}
	put(t, s, record(71, at))
	standings := func() (all []string) {
		t.Helper()
		list, err := List(t.Context(), dir, 7)
		if err != nil || len(list) != len(paths) {
			t.Fatal(list, err)
		}
		for i, l := range list {
			if l.File != paths[i] || l.Serial != 7 || !l.Sealed || !l.Created.Equal(at.Add(time.Duration(i)*time.Hour)) {
				t.Errorf("%+v", l)
			}
			all = append(all, string(l.State)+string(joined(l.InForce)))
		}
		return all
	}
	for _, step := range []struct {
		record int
		kinds  []Kind
		want   []string
	}{
		{0, nil, []string{"not known", "not known", "not known", "not known"}},
		{0, []Kind{KindPUK}, []string{"in force PUK", "not known", "not known", "not known"}},
		{1, []Kind{KindManagementKey}, []string{"in force PUK", "in force management key", "not known", "not known"}},
		{2, []Kind{KindPUK, KindManagementKey}, []string{"replaced", "replaced", "in force PUK management key", "not known"}},
		{2, []Kind{KindPUK}, []string{"replaced", "replaced", "in force PUK management key", "not known"}},
	} {
		if err := NoteInForce(paths[step.record], 7, step.kinds...); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(step.want, standings()); diff != "" {
			t.Error(diff)
		}
	}
	// Who remembers an earlier record alone takes nothing back; a later one counts.
	for record, want := range map[int][]string{
		0: {"replaced", "replaced", "in force PUK management key", "not known"},
		3: {"replaced", "replaced", "in force management key", "in force PUK"},
	} {
		again := copied(t, dir)
		if err := RecallInForce(filepath.Join(again, filepath.Base(paths[record])), 7, KindPUK); err != nil {
			t.Fatal(err)
		}
		list, err := List(t.Context(), again, 7)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, l := range list {
			got = append(got, string(l.State)+string(joined(l.InForce)))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("record %d: %s", record, diff)
		}
	}
	noSecrets(t, dir)
	if all, err := List(t.Context(), dir, 0); err != nil || len(all) != 5 {
		t.Error(all, err)
	}
	if none, err := List(t.Context(), filepath.Join(dir, "none"), 0); err != nil || none != nil {
		t.Error(none, err)
	}
	// What is noted is no record.
	if records, err := ReadAll(t.Context(), dir, 7); len(records) != 0 || err == nil || strings.Contains(err.Error(), inForceExtension) {
		t.Error(len(records), err)
	}
	if err := os.WriteFile(filepath.Join(dir, inForceName(7)), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := List(t.Context(), dir, 7); err == nil {
		t.Error("what is noted was cut off, and nobody says so")
	}
}

func joined(kinds []Kind) (text string) {
	for _, kind := range kinds {
		text += " " + string(kind)
	}
	return text
}

func TestRecordSaysWhatItReplaces(t *testing.T) {
	s, err := NewPlainFile(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	r := record(7, time.Now())
	r.Replaces = []string{"7-20261124T120000Z.age"}
	path := put(t, s, r)
	got, err := Open(path)
	if err != nil || got.Path != path || !cmp.Equal(got.Replaces, r.Replaces) {
		t.Errorf("%+v, %v", got, err)
	}
}

// TestInForceFileWithoutEntries: whatever JSON stands in the file, noting what is in
// force fails or succeeds, and does not panic.
func TestInForceFileWithoutEntries(t *testing.T) {
	for content, readable := range map[string]bool{"null": true, "{}": true, "[]": false, "": false} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, inForceName(7)), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := NoteInForce(filepath.Join(dir, "7-record.json"), 7, KindPUK); (err == nil) != readable {
			t.Errorf("%q: %v", content, err)
		}
	}
}

// TestResetIsNoted: what was sealed before a card's reset is in force no more, and what is sealed
// after it may be.
func TestResetIsNoted(t *testing.T) {
	dir := t.TempDir()
	s, err := NewPlainFile(dir)
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	if err := NoteReset(t.Context(), dir, 7, at); err != nil {
		t.Fatal(err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 0 {
		t.Error("something was noted of a card without records", entries, err)
	}
	first, second := put(t, s, record(7, at)), put(t, s, record(7, at.Add(time.Hour)))
	if err := NoteInForce(first, 7, KindPUK, KindManagementKey); err != nil {
		t.Fatal(err)
	}
	if err := NoteReset(t.Context(), dir, 7, at.Add(2*time.Hour)); err != nil {
		t.Fatal(err)
	}
	third := put(t, s, record(7, at.Add(3*time.Hour)))
	states := func() (all []State) {
		list, err := List(t.Context(), dir, 7)
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range list {
			all = append(all, l.State)
		}
		return all
	}
	if diff := cmp.Diff([]State{StateReplaced, StateReplaced, StateUnknown}, states()); diff != "" {
		t.Error(diff)
	}
	if err := NoteInForce(third, 7, KindPUK); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]State{StateReplaced, StateReplaced, StateInForce}, states()); diff != "" {
		t.Error(diff, second)
	}
}

// TestInForceNeedsAFolder: of a record whose folder is not known nothing is noted, least of
// all in the folder that the program runs in.
func TestInForceNeedsAFolder(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, record := range []string{"x", "7-record.json", filepath.Join("escrow", "7-record.json")} {
		if err := NoteInForce(record, 7, KindPUK); err == nil {
			t.Errorf("%s was noted", record)
		}
	}
	if entries, err := os.ReadDir("."); err != nil || len(entries) != 0 {
		t.Error("something was written", entries, err)
	}
}

// copied returns a copy of a folder.
func copied(t *testing.T, dir string) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "copy")
	if err := os.CopyFS(to, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	return to
}

// TestRecordsOfOneSecond: which of them is the later one nobody knows, so that the card may have what
// either holds; a reset in the same second ends both.
func TestRecordsOfOneSecond(t *testing.T) {
	dir := t.TempDir()
	s, err := NewPlainFile(dir)
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	first := put(t, s, record(7, at))
	put(t, s, record(7, at))
	if err := NoteInForce(first, 7, KindPUK, KindManagementKey); err != nil {
		t.Fatal(err)
	}
	records, err := ReadAll(t.Context(), dir, 7)
	if err != nil {
		t.Fatal(err)
	}
	puks, err := PUKs(t.Context(), dir, 7, records)
	if err != nil || len(puks) != 2 || puks[0].Path != first {
		t.Errorf("%d PUKs, %v", len(puks), err)
	}
	if err := NoteReset(t.Context(), dir, 7, at); err != nil {
		t.Fatal(err)
	}
	if list, err := List(t.Context(), dir, 7); err != nil || len(list) != 2 || list[0].State != StateReplaced || list[1].State != StateReplaced {
		t.Errorf("%+v, %v", list, err)
	}
}
