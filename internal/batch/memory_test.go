package batch_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"os"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/cse-piv/cse-piv/internal/batch"
	"github.com/cse-piv/cse-piv/internal/batch/source"
	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/gmail"
	"github.com/cse-piv/cse-piv/internal/ledger"
	"github.com/cse-piv/cse-piv/internal/registration"
)

const (
	manyUsers   = 100_000
	residentMax = 200 // MiB
)

// crowd is a source of made-up rows with chains of a usual size.
type crowd int

func (crowd) Name() string { return "crowd" }

func (c crowd) Rows(context.Context) iter.Seq2[source.Row, error] {
	return func(yield func(source.Row, error) bool) {
		for n := 1; n <= int(c); n++ {
			row := source.Row{Where: fmt.Sprintf("crowd line %d", n), Line: n, Email: fmt.Sprintf("user%06d@lab.example", n),
				Certificates: []source.Certificate{{Use: certificate.UseBoth, Data: []byte(strings.Repeat("MIIC", 1100))}}}
			if !yield(row, nil) {
				return
			}
		}
	}
}

func madeUp(_ context.Context, row source.Row) ledger.Entry {
	return ledger.Entry{Email: row.Email, Where: row.Where, Line: row.Line, Pairs: []ledger.Pair{{
		Use: "both", LeafSHA256: fmt.Sprintf("%064d", row.Line), PKCS7: row.Certificates[0].Data}}}
}

// obedient is a domain that does at once what it is asked.
type obedient struct{ calls atomic.Int64 }

func (o *obedient) User(context.Context, string) (registration.Account, error) {
	return obedientUser{o}, nil
}

type obedientUser struct{ domain *obedient }

func (u obedientUser) KeyPairs(context.Context) ([]gmail.KeyPair, error) {
	return []gmail.KeyPair{}, nil
}

func (u obedientUser) CreateKeyPair(_ context.Context, _ []gmail.KeyPair, r gmail.KeyPairRequest) (gmail.KeyPair, bool, error) {
	u.domain.calls.Add(1)
	return gmail.KeyPair{ID: "id" + r.LeafSHA256[50:], LeafSHA256: r.LeafSHA256, Enabled: true, HardwareDescriptions: []string{""}}, true, nil
}

func (u obedientUser) Identity(context.Context) (gmail.Identity, error) {
	return gmail.Identity{}, gmail.ErrNotFound
}

func (u obedientUser) CreateIdentity(_ context.Context, want gmail.Identity) (gmail.Identity, error) {
	return want, nil
}

func (u obedientUser) PatchIdentity(_ context.Context, want gmail.Identity) (gmail.Identity, error) {
	return want, nil
}

// crowdProcess is a run of many users in a process of its own.
func crowdProcess() error {
	ctx := context.Background()
	l, err := ledger.Open(ctx, os.Getenv("LEDGER"), ledger.Options{})
	if err != nil {
		return err
	}
	defer l.Close()
	counts, err := batch.Run(ctx, batch.Options{Source: crowd(envInt("USERS", manyUsers)), Prepare: madeUp, Ledger: l, Domain: &obedient{}, DryRun: os.Getenv("DRY_RUN") != ""})
	if err != nil {
		return err
	}
	if err := json.NewEncoder(os.Stdout).Encode(counts); err != nil {
		return err
	}
	_, _ = bufio.NewReader(os.Stdin).ReadString(0) // stays to be measured
	return nil
}

// TestManyUsersInLittleMemory measures a dry run and a run of 100,000 users; fewer
// under the race detector, which slows them down.
func TestManyUsersInLittleMemory(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("NOT TESTED: the memory of a process is read from /proc")
	}
	users := manyUsers
	if testing.Short() || raceEnabled {
		users = 5000
	}
	for _, dry := range []string{"1", ""} {
		process := child(t, "crowd", "LEDGER="+ledgerFile(t), "DRY_RUN="+dry, fmt.Sprint("USERS=", users))
		stdin, err := process.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		stdout, err := process.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := process.Start(); err != nil {
			t.Fatal(err)
		}
		var counts ledger.Counts
		if err := json.NewDecoder(stdout).Decode(&counts); err != nil {
			t.Fatal(err)
		}
		resident := residentMiB(process.Process.Pid)
		_ = stdin.Close()
		if err := process.Wait(); err != nil {
			t.Error(err)
		}
		t.Logf("dry run %q: %d users, %.0f MiB at most", dry, counts.Total, resident)
		if counts.Total != users || dry == "" && counts.Done != users {
			t.Errorf("%+v", counts)
		}
		if resident == 0 || resident > residentMax {
			t.Errorf("%.0f MiB", resident)
		}
	}
}

// large is a source of rows of a megabyte.
type large struct{ crowd }

func (l large) Rows(ctx context.Context) iter.Seq2[source.Row, error] {
	return func(yield func(source.Row, error) bool) {
		data := []byte(strings.Repeat("M", 1<<20))
		for row, err := range l.crowd.Rows(ctx) {
			row.Certificates = []source.Certificate{{Use: certificate.UseBoth, Data: data}}
			if !yield(row, err) {
				return
			}
		}
	}
}

// TestLargeRowsAreNotHeld: rows are entered before many megabytes of them are
// there.
func TestLargeRowsAreNotHeld(t *testing.T) {
	const rows, most = 40, 8
	held, entered := 0, 0
	counts, err := batch.Run(t.Context(), batch.Options{Source: large{crowd(rows)}, Ledger: openLedger(t, ledgerFile(t)), DryRun: true,
		Prepare: func(ctx context.Context, row source.Row) ledger.Entry {
			row.Certificates[0].Data = []byte("chain")
			return madeUp(ctx, row)
		},
		Notify: func(event batch.Event) {
			if event.Kind == batch.KindRead {
				held, entered = max(held, event.Counts.Total-entered), event.Counts.Total
			}
		}})
	if err != nil || counts.Waiting != rows || entered != rows || held > most {
		t.Errorf("%+v %v: %d rows of a megabyte were held at once", counts, err, held)
	}
}
