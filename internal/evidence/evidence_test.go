package evidence_test

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cse-piv/cse-piv/internal/durable"
	"github.com/cse-piv/cse-piv/internal/evidence"
)

var now = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func TestLatestContinuesAndBeginStartsAnew(t *testing.T) {
	root := t.TempDir()
	first, err := evidence.Begin(root, "Ada@example.com", 42, now)
	if err != nil {
		t.Fatal(err)
	}
	again, err := evidence.Latest(root, "ada@Example.com", 42)
	if err != nil {
		t.Fatal(err)
	}
	if again.Path() != first.Path() {
		t.Errorf("the same user and card got a second folder: %s and %s", first.Path(), again.Path())
	}
	next, err := evidence.Begin(root, "ada@example.com", 42, now)
	if err != nil {
		t.Fatal(err)
	}
	if next.Path() == first.Path() {
		t.Error("Begin reused an existing folder")
	}
	latest, err := evidence.Latest(root, "ada@example.com", 42)
	if err != nil {
		t.Fatal(err)
	}
	if latest.Path() != next.Path() {
		t.Errorf("Latest = %s, want %s", latest.Path(), next.Path())
	}
	for _, other := range []uint32{4, 421} {
		if f, err := evidence.Latest(root, "ada@example.com", other); f != nil || err != nil {
			t.Errorf("serial %d found the folder of another card: %v, %v", other, f, err)
		}
	}
}

// TestAddressesAsFolders: an address never leads out of the root, and every address
// has a folder of its own, which its case does not change.
func TestAddressesAsFolders(t *testing.T) {
	above := t.TempDir()
	root := filepath.Join(above, "ev[1") // a pattern to those who glob
	long := strings.Repeat("a", 64) + "@" + strings.Repeat("b.", 94) + "b"
	seen := map[string]string{}
	for serial, email := range []string{
		"..", ".", "../x@example.com", "a/b@example.com", `a\b@example.com`, "/etc", "C:x", "ada@example.com", "con.smith@example.com", "nul",
		"a|b@example.com", "a*b@example.com", "trailing.", "o'brien@example.com", long, long + "b", long + strings.Repeat("c", 50), "a%2Fb@example.com",
	} {
		folder, err := evidence.Begin(root, email, uint32(serial)+1, now)
		if err != nil {
			t.Errorf("%q: %v", email, err)
			continue
		}
		name, err := filepath.Rel(root, filepath.Dir(folder.Path()))
		if err != nil || strings.ContainsAny(name, `/\:*|`) || len(name) > 255 || strings.HasPrefix(name, ".") || seen[name] != "" {
			t.Errorf("%q is kept in %q, as %q is: %v", email, name, seen[name], err)
		}
		seen[name] = email
		again, err := evidence.Latest(root, strings.ToUpper(email), uint32(serial)+1)
		if err != nil || again == nil || again.Path() != folder.Path() {
			t.Errorf("%q in capitals: %v, %v", email, again, err)
		}
		if err := errors.Join(folder.Write("f", nil), folder.Sweep()); err != nil {
			t.Errorf("%q: %v", email, err)
		}
	}
	if seen["ada@example.com"] == "" || seen["o'brien@example.com"] == "" {
		t.Errorf("an ordinary address is not its folder's name: %v", seen)
	}
	if entries, err := os.ReadDir(above); err != nil || len(entries) != 1 {
		t.Error(entries, err)
	}
	if _, err := evidence.Begin(root, "", 1, now); err == nil {
		t.Error("nobody has a folder")
	}
}

// TestNoLinkIsFollowed: what somebody else put into the evidence leads nowhere.
func TestNoLinkIsFollowed(t *testing.T) {
	outside := filepath.Join(t.TempDir(), "theirs")
	if err := os.WriteFile(outside, []byte("theirs\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	folder := begin(t)
	for _, name := range []string{"events.ndjson", "journal.json", "receipt.json"} {
		if err := os.Symlink(outside, folder.File(name)); err != nil {
			t.Skipf("NOT TESTED: this system makes no symbolic links: %v", err)
		}
	}
	if err := folder.AppendLine("events.ndjson", []byte("ours")); !errors.Is(err, durable.ErrLink) {
		t.Error(err)
	}
	if err := folder.Sweep(); !errors.Is(err, durable.ErrLink) {
		t.Error(err)
	}
	if _, err := folder.Journal(); !errors.Is(err, durable.ErrLink) {
		t.Error(err)
	}
	if folder.Finished() {
		t.Error("a link is no receipt")
	}
	if err := folder.Write("journal.json", []byte("{}")); err != nil {
		t.Error(err)
	}
	root := t.TempDir()
	if err := os.Symlink(filepath.Dir(outside), filepath.Join(root, "ada@example.com")); err != nil {
		t.Fatal(err)
	}
	if _, err := evidence.Begin(root, "ada@example.com", 1, now); !errors.Is(err, durable.ErrLink) {
		t.Error(err)
	}
	if _, err := evidence.TryLock(root, "ada@example.com"); !errors.Is(err, durable.ErrLink) {
		t.Error(err)
	}
	entries, err := os.ReadDir(filepath.Dir(outside))
	data, readErr := os.ReadFile(outside)
	if err != nil || len(entries) != 1 || readErr != nil || string(data) != "theirs\n" {
		t.Errorf("outside: %v, %q, %v, %v", entries, data, err, readErr)
	}
}

func TestJournalRoundTripAndModes(t *testing.T) {
	folder, err := evidence.Begin(t.TempDir(), "ada@example.com", 42, now)
	if err != nil {
		t.Fatal(err)
	}
	want, err := folder.Journal()
	if err != nil {
		t.Fatal(err)
	}
	want.Email, want.Serial, want.Started = "ada@example.com", 42, now
	want.Keys["9d"] = evidence.KeyJournal{Generating: now, Replaces: "ab"}
	if err := folder.WriteJournal(want); err != nil {
		t.Fatal(err)
	}
	got, err := folder.Journal()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if folder.Finished() {
		t.Error("a folder without a receipt counts as finished")
	}
	if runtime.GOOS != "windows" {
		files, err := filepath.Glob(folder.File("*"))
		if err != nil || len(files) != 1 {
			t.Fatalf("files: %v, %v", files, err)
		}
		info, err := os.Stat(files[0])
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("mode of %s is %v", files[0], info.Mode())
		}
	}
}

func TestJournalOfALaterVersionIsRefused(t *testing.T) {
	folder, err := evidence.Begin(t.TempDir(), "ada@example.com", 42, now)
	if err != nil {
		t.Fatal(err)
	}
	for _, contents := range []string{`{"version":2}`, `{`, `[]`} {
		if err := folder.Write("journal.json", []byte(contents)); err != nil {
			t.Fatal(err)
		}
		if _, err := folder.Journal(); err == nil {
			t.Errorf("journal %s was taken", contents)
		}
	}
}

// TestTornLine: what was written only in part does not spoil what comes after it.
func TestTornLine(t *testing.T) {
	folder := begin(t)
	if err := os.WriteFile(folder.File("events.ndjson"), []byte("{\"whole\":1}\n{\"to"), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := folder.AppendLine("events.ndjson", []byte(`{"next":2}`)); err != nil {
			t.Fatal(err)
		}
	}
	got, err := folder.Read("events.ndjson")
	if want := "{\"whole\":1}\n{\"to\n{\"next\":2}\n{\"next\":2}\n"; err != nil || string(got) != want {
		t.Errorf("%q, %v", got, err)
	}
}

// TestSweep takes away what a process that was killed left, and nothing else.
func TestSweep(t *testing.T) {
	folder := begin(t)
	for _, name := range []string{".123.cse-piv.tmp", "journal.json", "note.tmp"} {
		if err := os.WriteFile(folder.File(name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := folder.Sweep(); err != nil {
		t.Fatal(err)
	}
	left, err := filepath.Glob(filepath.Join(folder.Path(), "*"))
	hidden, hiddenErr := filepath.Glob(filepath.Join(folder.Path(), ".*"))
	if err != nil || hiddenErr != nil || len(left) != 2 || len(hidden) != 0 {
		t.Error(left, hidden, err, hiddenErr)
	}
}

func TestJournalThatWasCutOff(t *testing.T) {
	folder := begin(t)
	if err := os.WriteFile(folder.File("journal.json"), []byte(`{"version":1,`), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := folder.Journal()
	var broken *evidence.JournalError
	if !errors.As(err, &broken) || broken.Folder != folder.Path() {
		t.Error(err)
	}
}

// TestBeginIsNewerThanWhatIsThere: also where the clock was set back, and with whichever card.
func TestBeginIsNewerThanWhatIsThere(t *testing.T) {
	root, now := t.TempDir(), time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	for i, at := range []time.Time{now, now.Add(-time.Hour), now, now.AddDate(-1, 0, 0)} {
		for serial := uint32(1); serial <= 3; serial++ {
			begun, err := evidence.Begin(root, "ada@example.com", serial, at)
			if err != nil {
				t.Fatal(err)
			}
			latest, err := evidence.Latest(root, "ada@example.com", serial)
			newest, newestErr := evidence.Newest(root, "ada@example.com")
			if err != nil || newestErr != nil || latest.Path() != begun.Path() || newest.Path() != begun.Path() {
				t.Errorf("%d: %v is not the newest but %v and %v, %v, %v", i, begun.Path(), latest.Path(), newest.Path(), err, newestErr)
			}
		}
	}
}

// begin makes a folder.
func begin(t *testing.T) *evidence.Folder {
	t.Helper()
	folder, err := evidence.Begin(t.TempDir(), "ada@example.com", 12345678, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return folder
}
