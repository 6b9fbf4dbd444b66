package ledger

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/cse-piv/cse-piv/internal/ledger/pgtest"
)

// version1 is what the first version of this program wrote.
const version1 = "testdata/version1.sql"

// onEachStore runs a test on a file and, where there is one, on PostgreSQL.
func onEachStore(t *testing.T, test func(t *testing.T, url string)) {
	t.Run("file", func(t *testing.T) { test(t, filepath.Join(t.TempDir(), "ledger.db")) })
	t.Run("postgres", func(t *testing.T) { test(t, pgtest.Start(t).NewDatabase(t)) })
}

func mustOpen(t *testing.T, url string) *Ledger {
	t.Helper()
	l, err := Open(t.Context(), url, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

// mustClaim claims everybody who waits in a user's run, and returns the user's task.
func mustClaim(t *testing.T, l *Ledger, email string) Task {
	t.Helper()
	entry, _, err := l.Entry(t.Context(), email)
	if err != nil {
		t.Fatal(err)
	}
	tasks, err := l.Claim(t.Context(), entry.Run, "w", nil, 1000)
	at := slices.IndexFunc(tasks, func(task Task) bool { return Key(task.Email) == Key(email) })
	if err != nil || at < 0 {
		t.Fatal(tasks, err)
	}
	return tasks[at]
}

// makeVersion makes a ledger as the first n migrations left it.
func makeVersion(t *testing.T, url string, n int) *Ledger {
	t.Helper()
	var l *Ledger
	var err error
	if isPostgres(url) {
		l, err = openPostgres(t.Context(), url, Options{})
	} else {
		l, err = openFile(t.Context(), url, Options{})
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	if err := l.migrateFrom(t.Context(), firstMigrations(t, n)); err != nil {
		t.Fatal(err)
	}
	return l
}

// firstMigrations are the first n of each database's.
func firstMigrations(t *testing.T, n int) fstest.MapFS {
	t.Helper()
	files := fstest.MapFS{}
	for _, folder := range []string{"migrations/sqlite", "migrations/postgres"} {
		entries, err := fs.ReadDir(migrations, folder)
		if err != nil || len(entries) < n {
			t.Fatal(len(entries), err)
		}
		for _, entry := range entries[:n] {
			data, err := fs.ReadFile(migrations, path.Join(folder, entry.Name()))
			if err != nil {
				t.Fatal(err)
			}
			files[path.Join(folder, entry.Name())] = &fstest.MapFile{Data: data}
		}
	}
	return files
}

// fill carries out what a file says, statement by statement.
func fill(t *testing.T, l *Ledger, file string) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for statement := range strings.SplitSeq(strings.TrimSpace(string(data)), ";\n") {
		if _, err := l.write.ExecContext(t.Context(), statement); err != nil {
			t.Fatalf("%v: %s", err, statement)
		}
	}
}

// TestUpgradeFromVersion1: what the first version wrote is understood, and gone
// on with.
func TestUpgradeFromVersion1(t *testing.T) {
	onEachStore(t, func(t *testing.T, url string) {
		old := makeVersion(t, url, 1)
		fill(t, old, version1)
		// Its queue stood in tables beside, which in a database others may use, too.
		for _, statement := range []string{`CREATE TABLE river_job (queue TEXT)`, `INSERT INTO river_job VALUES ('register'), ('another')`} {
			if _, err := old.write.ExecContext(t.Context(), statement); err != nil {
				t.Fatal(err)
			}
		}
		if err := old.Close(); err != nil {
			t.Fatal(err)
		}
		l := mustOpen(t, url)
		var jobs string
		err := l.read.QueryRowContext(t.Context(), `SELECT queue FROM river_job`).Scan(&jobs)
		if isPostgres(url) && (err != nil || jobs != "another") || !isPostgres(url) && sqliteCode(err) != sqliteError {
			t.Errorf("%q %v are left of the old queue", jobs, err)
		}
		// Who waits in its run is gone on with.
		if task := mustClaim(t, l, "bob@lab.example"); string(task.Pairs[0].PKCS7) != "chain of bob" || task.Run != 1 {
			t.Errorf("%+v", task)
		}
		if counts, err := l.Counts(t.Context(), 1); err != nil || counts != (Counts{Total: 3, Done: 1, Failed: 1, Waiting: 1}) {
			t.Errorf("%+v %v", counts, err)
		}
		done, ok, err := l.Entry(t.Context(), "ada@lab.example")
		if err != nil || !ok || done.Email != "Ada@lab.example" || done.State != StateDone || done.Worker != "op@desk/7" || len(done.Pairs) != 1 || done.Pairs[0].KeyPairID != "pair-of-ada" ||
			!done.Pairs[0].Created || done.Updated.UnixMilli() != 1790000002000 {
			t.Errorf("%+v %v", done, err)
		}
		if earlier, err := l.EarlierPairs(t.Context(), "ada@lab.example"); err != nil || len(earlier) != 1 || earlier[0].KeyPairID != "old-pair-of-ada" {
			t.Errorf("%+v %v", earlier, err)
		}
		// The next run finds who is done, and works on who waits.
		next, err := l.Begin(t.Context(), Run{Source: "people.csv"})
		if err != nil || next != 2 {
			t.Fatal(next, err)
		}
		entered, err := l.Put(t.Context(), next, []Entry{{Email: "ada@lab.example", Pairs: done.Pairs}}, true)
		if err != nil || len(entered) != 1 || !entered[0].Earlier || entered[0].State != StateDone {
			t.Errorf("%+v %v", entered, err)
		}
		if task := mustClaim(t, l, "bob@lab.example"); string(task.Pairs[0].PKCS7) != "chain of bob" {
			t.Errorf("%+v", task)
		}
	})
}

// TestRunsOfOlderVersions: what an older version left is read as it is, by looking
// alone as well; a run of before says that it may miss users, and from now on each
// keeps its own.
func TestRunsOfOlderVersions(t *testing.T) {
	onEachStore(t, func(t *testing.T, url string) {
		for version := 1; version <= 2; version++ {
			if version == 2 && isPostgres(url) {
				break // one database
			}
			url := url + strings.Repeat("2", version-1)
			old := makeVersion(t, url, version)
			fill(t, old, version1)
			if err := old.Close(); err != nil {
				t.Fatal(err)
			}
			looking, err := Open(t.Context(), url, Options{ReadOnly: true})
			var older *OlderError
			if isPostgres(url) {
				var failed *Error
				if !errors.As(err, &older) || !errors.As(err, &failed) || failed.Problem() != ProblemOlder {
					t.Errorf("%v", err)
				}
			} else if err != nil {
				t.Fatal(err)
			} else {
				n := 0
				for entry, err := range looking.Entries(t.Context(), 1) {
					if err != nil || entry.Run != 1 {
						t.Error(entry, err)
					}
					n++
				}
				r, err := looking.Run(t.Context(), 0)
				if err != nil || n != 3 || !r.Partial {
					t.Errorf("%+v, %d users, %v", r, n, err)
				}
				dir := looking.dir
				if err := looking.Close(); err != nil {
					t.Error(err)
				}
				if _, err := os.Stat(dir); dir == "" || !errors.Is(err, fs.ErrNotExist) {
					t.Errorf("the copy in %q is left: %v", dir, err)
				}
			}
			l := mustOpen(t, url)
			next, err := l.Begin(t.Context(), Run{Source: "people.csv"})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := l.Put(t.Context(), next, []Entry{{Email: "eve@lab.example", Pairs: []Pair{{Use: "both", LeafSHA256: "e"}}}}, false); err != nil {
				t.Fatal(err)
			}
			if counts, err := l.Counts(t.Context(), 1); err != nil || counts != (Counts{Total: 3, Done: 1, Failed: 1, Waiting: 1}) {
				t.Errorf("%+v %v", counts, err)
			}
			if groups, err := l.Groups(t.Context(), 1); err != nil || len(groups) != 1 || groups[0].Reason != "cse-off" || groups[0].Example != "eve@lab.example" {
				t.Errorf("%+v %v", groups, err)
			}
			if r, err := l.Run(t.Context(), next); err != nil || r.Partial {
				t.Errorf("%+v %v", r, err)
			}
		}
	})
}

// TestLaterVersions: a further migration is carried out over what is there, and
// a program that does not know it leaves the ledger alone.
func TestLaterVersions(t *testing.T) {
	onEachStore(t, func(t *testing.T, url string) {
		l := mustOpen(t, url)
		fill(t, l, version1)
		later := firstMigrations(t, 1)
		for _, folder := range []string{"migrations/sqlite", "migrations/postgres"} {
			later[folder+"/09999_later.sql"] = &fstest.MapFile{Data: []byte("-- +goose Up\nALTER TABLE entry ADD COLUMN desk TEXT NOT NULL DEFAULT 'unknown';\n")}
		}
		if err := l.migrateFrom(t.Context(), later); err != nil {
			t.Fatal(err)
		}
		var desk string
		if err := l.read.QueryRowContext(t.Context(), `SELECT desk FROM entry WHERE email = 'ada@lab.example'`).Scan(&desk); err != nil || desk != "unknown" {
			t.Error(desk, err)
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		_, err := Open(context.Background(), url, Options{})
		var newer *NewerError
		var failed *Error
		if !errors.As(err, &newer) || newer.Has != 9999 || !errors.As(err, &failed) || failed.Problem() != ProblemNewer {
			t.Error(err)
		}
	})
}

// TestMayNotMakeTables: a user who does not own the database is told what helps.
func TestMayNotMakeTables(t *testing.T) {
	url := pgtest.Start(t).NewDatabase(t)
	owner, err := openPostgres(t.Context(), url, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer owner.Close()
	for _, statement := range []string{`CREATE ROLE clerk LOGIN`, `REVOKE CREATE ON SCHEMA public FROM PUBLIC`} { // as from version 15 on
		if _, err := owner.pool.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	_, err = Open(t.Context(), strings.Replace(url, "user=tester", "user=clerk", 1), Options{})
	var failed *Error
	if !errors.As(err, &failed) || failed.Problem() != ProblemNotOwner {
		t.Errorf("%v", err)
	}
}
