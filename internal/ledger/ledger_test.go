package ledger_test

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cse-piv/cse-piv/internal/ledger"
)

// leaf is a fingerprint for tests.
func leaf(name string) string {
	return fmt.Sprintf("%064s", fmt.Sprintf("%x", name))
}

// asked is a row of a source as it is put into the ledger.
func asked(email string, line int, leaves ...string) ledger.Entry {
	e := ledger.Entry{Email: email, Where: fmt.Sprintf("people.csv line %d", line), Line: line}
	for _, l := range leaves {
		e.Pairs = append(e.Pairs, ledger.Pair{Use: "both", LeafSHA256: leaf(l), Description: "card", PKCS7: []byte("chain of " + l),
			NotAfter: time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)})
	}
	return e
}

func open(t *testing.T, url string) *ledger.Ledger {
	t.Helper()
	l, err := ledger.Open(t.Context(), url, ledger.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

func begin(t *testing.T, l *ledger.Ledger) int64 {
	t.Helper()
	run, err := l.Begin(t.Context(), ledger.Run{Source: "people.csv", Operator: "ada", Tool: "test"})
	if err != nil {
		t.Fatal(err)
	}
	return run
}

func put(t *testing.T, l *ledger.Ledger, run int64, entries ...ledger.Entry) []ledger.Entry {
	t.Helper()
	got, err := l.Put(t.Context(), run, entries, false)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// claim has a worker claim all who wait in a user's run, and returns the task of that
// user, if there is one.
func claim(t *testing.T, l *ledger.Ledger, email, worker string) (ledger.Task, bool, error) {
	t.Helper()
	tasks, err := l.Claim(t.Context(), entry(t, l, email).Run, worker, nil, 1000)
	for _, task := range tasks {
		if ledger.Key(task.Email) == ledger.Key(email) {
			return task, true, err
		}
	}
	return ledger.Task{}, false, err
}

// register does what a worker does for one user.
func register(t *testing.T, l *ledger.Ledger, email string) {
	t.Helper()
	task, ok, err := claim(t, l, email, "w")
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	for _, p := range task.Pairs {
		p.KeyPairID, p.Created = "id-"+p.LeafSHA256[60:], true
		if err := l.RecordKeyPair(t.Context(), task, p); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.RecordDone(t.Context(), task, "ada@desk/1", false); err != nil {
		t.Fatal(err)
	}
}

func entry(t *testing.T, l *ledger.Ledger, email string) ledger.Entry {
	t.Helper()
	e, ok, err := l.Entry(t.Context(), email)
	if err != nil || !ok {
		t.Fatal(email, ok, err)
	}
	return e
}

// onEach runs a test on a file and, where there is one, on PostgreSQL.
func onEach(t *testing.T, test func(t *testing.T, url string)) {
	t.Run("file", func(t *testing.T) { test(t, filepath.Join(t.TempDir(), "ledger.db")) })
	t.Run("postgres", func(t *testing.T) { test(t, postgresURL(t)) })
}

func TestWhatIsPutIsFound(t *testing.T) {
	onEach(t, func(t *testing.T, url string) {
		l := open(t, url)
		run := begin(t, l)
		bad := ledger.Entry{Email: "bad@x", Where: "people.csv line 4", Line: 4, State: ledger.StateFailed, Class: ledger.ClassRow,
			Reason: "no-certificate", Message: "there is no certificate", Hint: "add one"}
		warned := asked("Bob@X", 3, "b")
		warned.Warnings = []string{"it is old", "it is short"}
		put(t, l, run, asked("zoe@x", 2, "z1", "z2"), warned, bad)
		register(t, l, "BOB@x")

		var emails []string
		for e, err := range l.Entries(t.Context(), run) {
			if err != nil {
				t.Fatal(err)
			}
			emails = append(emails, e.Email)
			for _, p := range e.Pairs {
				if p.PKCS7 != nil {
					t.Error("a chain where none was asked for")
				}
			}
		}
		if diff := cmp.Diff([]string{"zoe@x", "Bob@X", "bad@x"}, emails); diff != "" {
			t.Error(diff)
		}
		bob := entry(t, l, "boB@x")
		if bob.State != ledger.StateDone || bob.Step != ledger.StepIdentity || bob.Worker != "ada@desk/1" || bob.Line != 3 || len(bob.Warnings) != 2 ||
			bob.Pairs[0].KeyPairID == "" || !bob.Pairs[0].Created || string(bob.Pairs[0].PKCS7) != "chain of b" || bob.Pairs[0].NotAfter.Year() != 2030 {
			t.Errorf("%+v", bob)
		}
		counts, err := l.Counts(t.Context(), run)
		if err != nil || counts != (ledger.Counts{Total: 3, Done: 1, Failed: 1, Waiting: 1}) {
			t.Error(counts, err)
		}
		groups, err := l.Groups(t.Context(), run)
		if err != nil || len(groups) != 1 || groups[0] != (ledger.Group{Class: ledger.ClassRow, Reason: "no-certificate", Count: 1, Example: "bad@x", Message: "there is no certificate", Hint: "add one"}) {
			t.Errorf("%+v %v", groups, err)
		}
		if waiting, err := l.Claim(t.Context(), run, "w", nil, 10); err != nil || len(waiting) != 1 || waiting[0].Email != "zoe@x" || string(waiting[0].Pairs[0].PKCS7) != "chain of z1" {
			t.Error(waiting, err)
		}
		points, err := l.Progress(t.Context(), run, 4)
		if err != nil || len(points) != 5 || points[0].Done != 0 || points[4].Done != 1 || points[4].Failed != 1 {
			t.Errorf("%+v %v", points, err)
		}
		if _, err := l.Run(t.Context(), run+99); !errors.Is(err, ledger.ErrNoRun) {
			t.Error(err)
		}
		if err := errors.Join(l.MarkRead(t.Context(), run), l.Finish(t.Context(), run)); err != nil {
			t.Error(err)
		}
		newest, err := l.Run(t.Context(), 0)
		if err != nil || newest.ID != run || newest.Source != "people.csv" || newest.Finished.Before(newest.Started) || newest.Read.IsZero() {
			t.Errorf("%+v %v", newest, err)
		}
	})
}

func TestSecondRun(t *testing.T) {
	onEach(t, func(t *testing.T, url string) {
		l := open(t, url)
		first := begin(t, l)
		put(t, l, first, asked("same@x", 1, "s"), asked("changed@x", 2, "c1"), asked("gone@x", 3, "g"), asked("broken@x", 4, "k"))
		for _, email := range []string{"same@x", "changed@x", "gone@x", "broken@x"} {
			register(t, l, email)
		}
		doneAt := entry(t, l, "same@x").Updated

		second := begin(t, l)
		broken := asked("broken@x", 4)
		broken.State, broken.Class, broken.Reason = ledger.StateFailed, ledger.ClassRow, "unreadable"
		got := put(t, l, second, asked("SAME@x", 1, "s"), asked("changed@x", 2, "c2"), asked("new@x", 3, "n"), broken)
		if got[0].State != ledger.StateWaiting || !got[0].Earlier || got[0].Pairs[0].KeyPairID == "" {
			t.Errorf("an entry done by an earlier run waits to be looked at: %+v", got[0])
		}
		task, ok, err := claim(t, l, "same@x", "w")
		if err != nil || !ok {
			t.Fatal(ok, err)
		}
		if err := l.RecordDone(t.Context(), task, "ada", true); err != nil {
			t.Fatal(err)
		}
		if e := entry(t, l, "same@x"); e.State != ledger.StateDone || !e.Earlier || !e.Updated.Equal(doneAt) {
			t.Errorf("%+v, done at %v", e, doneAt)
		}
		if e := entry(t, l, "changed@x"); e.State != ledger.StateWaiting || e.Earlier || e.Step != ledger.StepRead || e.Pairs[0].KeyPairID != "" {
			t.Errorf("%+v", e)
		}
		if before, err := l.EarlierPairs(t.Context(), "changed@x"); err != nil || len(before) != 1 || before[0].LeafSHA256 != leaf("c1") || before[0].KeyPairID == "" {
			t.Errorf("%+v %v", before, err)
		}
		if e := entry(t, l, "broken@x"); e.State != ledger.StateFailed || e.Pairs[0].KeyPairID == "" {
			t.Errorf("what was registered is forgotten: %+v", e)
		}
		if e := entry(t, l, "gone@x"); e.Run != first || e.State != ledger.StateDone {
			t.Errorf("%+v", e)
		}
		if counts, err := l.Counts(t.Context(), second); err != nil || counts != (ledger.Counts{Total: 4, Done: 1, Earlier: 1, Failed: 1, Waiting: 2}) {
			t.Error(counts, err)
		}

		// Trusted, it is done without a look.
		third := begin(t, l)
		trusted, err := l.Put(t.Context(), third, []ledger.Entry{asked("same@x", 1, "s")}, true)
		if err != nil || trusted[0].State != ledger.StateDone || !trusted[0].Earlier {
			t.Error(trusted, err)
		}
	})
}

func TestSameAddressTwice(t *testing.T) {
	onEach(t, func(t *testing.T, url string) {
		l := open(t, url)
		run := begin(t, l)
		// Within one chunk and over two.
		put(t, l, run, asked("twin@x", 1, "a"), asked("Twin@X", 2, "a"), asked("other@x", 3, "a"), asked("OTHER@x", 4, "b"))
		put(t, l, run, asked("other@x", 5, "a"), asked("late@x", 6, "a"))
		put(t, l, run, asked("late@x", 7, "b"))
		if e := entry(t, l, "twin@x"); e.State != ledger.StateWaiting || len(e.Warnings) != 1 || !strings.Contains(e.Warnings[0], "line 2") {
			t.Errorf("%+v", e)
		}
		for email, lines := range map[string][]string{"other@x": {"line 3", "line 4", "line 5"}, "late@x": {"line 6", "line 7"}} {
			e := entry(t, l, email)
			if e.State != ledger.StateFailed || e.Class != ledger.ClassRow || e.Reason != "address-twice" {
				t.Errorf("%+v", e)
			}
			for _, line := range lines {
				if !strings.Contains(e.Message, line) {
					t.Errorf("%s is not in %q", line, e.Message)
				}
			}
		}
		if _, ok, err := claim(t, l, "late@x", "w"); ok || err != nil {
			t.Error(ok, err)
		}
		// Set right, it goes on.
		if got := put(t, l, begin(t, l), asked("late@x", 6, "a")); got[0].State != ledger.StateWaiting || got[0].Message != "" {
			t.Errorf("%+v", got[0])
		}
	})
}

func TestRowsThatNameNobody(t *testing.T) {
	onEach(t, func(t *testing.T, url string) {
		l := open(t, url)
		run := begin(t, l)
		endless := make([]byte, 6000) // more than an index takes, and not to be made smaller
		_, _ = rand.Read(endless)
		for line, where := range []string{"people.csv line 0", "people.csv line 1", fmt.Sprintf("cn=%x", endless), fmt.Sprintf("cn=%x,o=x", endless)} {
			put(t, l, run, ledger.Entry{Where: where, Line: line, State: ledger.StateFailed,
				Class: ledger.ClassRow, Reason: "no-address", Message: "there is \x00 no \xff address"})
		}
		if counts, err := l.Counts(t.Context(), run); err != nil || counts.Failed != 4 {
			t.Error(counts, err)
		}
		for e, err := range l.Entries(t.Context(), run) {
			if err != nil || e.Email != "" || e.Reason != "no-address" {
				t.Errorf("%+v %v", e, err)
			}
		}
	})
}

func TestOvertakenWorkerRecordsNothing(t *testing.T) {
	onEach(t, func(t *testing.T, url string) {
		l := open(t, url)
		put(t, l, begin(t, l), asked("u@x", 1, "old"))
		task, _, err := claim(t, l, "u@x", "w")
		if err != nil {
			t.Fatal(err)
		}
		put(t, l, begin(t, l), asked("u@x", 1, "new"))
		p := task.Pairs[0]
		p.KeyPairID = "id"
		if err := l.RecordKeyPair(t.Context(), task, p); !errors.Is(err, ledger.ErrChanged) {
			t.Error(err)
		}
		if err := l.RecordDone(t.Context(), task, "ada", false); !errors.Is(err, ledger.ErrChanged) {
			t.Error(err)
		}
		if e := entry(t, l, "u@x"); e.State != ledger.StateWaiting || e.Pairs[0].KeyPairID != "" {
			t.Errorf("%+v", e)
		}
	})
}

func TestTrouble(t *testing.T) {
	onEach(t, func(t *testing.T, url string) {
		l := open(t, url)
		run := begin(t, l)
		put(t, l, run, asked("u@x", 1, "u"))
		task, _, err := claim(t, l, "u@x", "w")
		if err != nil {
			t.Fatal(err)
		}
		task.Class, task.Reason, task.Message, task.Attempts = ledger.ClassAdministrator, "scope", "not allowed", 3
		if err := l.RecordFailure(t.Context(), task, "ada"); err != nil {
			t.Fatal(err)
		}
		if e := entry(t, l, "u@x"); e.State != ledger.StateFailed || e.Attempts != 3 || e.Reason != "scope" {
			t.Errorf("%+v", e)
		}
	})
}

func TestOneProcessHoldsAFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "deep", "ledger.db")
	l := open(t, path)
	_, err := ledger.Open(t.Context(), path, ledger.Options{})
	var held *ledger.InUseError
	if !errors.As(err, &held) || !strings.Contains(held.Holder, fmt.Sprint(os.Getpid())) {
		t.Fatalf("%v", err)
	}
	waited := make(chan string, 1)
	got := make(chan error, 1)
	go func() {
		second, err := ledger.Open(t.Context(), path, ledger.Options{Wait: ledger.WaitForEver, Waiting: func(holder string) { waited <- holder }})
		if err == nil {
			err = second.Close()
		}
		got <- err
	}()
	if holder := <-waited; holder != held.Holder {
		t.Errorf("waits for %q", holder)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-got; err != nil {
		t.Error(err)
	}
	for _, name := range []string{path, path + ".lock"} {
		info, err := os.Stat(name)
		if err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
			t.Error(info.Mode(), err)
		}
	}
}

func TestLookingNeedsNoLock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	if _, err := ledger.Open(t.Context(), path, ledger.Options{ReadOnly: true}); !errors.As(err, new(*ledger.MissingError)) {
		t.Error(err)
	}
	l := open(t, path)
	run := begin(t, l)
	put(t, l, run, asked("u@x", 1, "u"))
	look, err := ledger.Open(t.Context(), path, ledger.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer look.Close()
	if counts, err := look.Counts(t.Context(), run); err != nil || counts.Total != 1 {
		t.Error(counts, err)
	}
	if _, err := look.Begin(t.Context(), ledger.Run{}); err == nil {
		t.Error("a run was begun through a ledger opened for reading")
	}
}

func TestFullDisk(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	l, err := ledger.Open(t.Context(), path, ledger.Options{MaxBytes: 400 << 10})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	run := begin(t, l)
	for i := 0; ; i++ {
		e := asked(fmt.Sprintf("u%d@x", i), i+1, "u")
		e.Pairs[0].PKCS7 = make([]byte, 4000)
		if _, err = l.Put(t.Context(), run, []ledger.Entry{e}, false); err != nil || i > 1000 {
			break
		}
	}
	var failed *ledger.Error
	if !errors.As(err, &failed) || failed.Problem() != ledger.ProblemFull {
		t.Fatalf("%v", err)
	}
	if counts, err := l.Counts(t.Context(), run); err != nil || counts.Total == 0 {
		t.Error(counts, err)
	}
}
