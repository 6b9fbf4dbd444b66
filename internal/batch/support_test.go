package batch_test

import (
	"context"
	"crypto/ecdsa"
	"errors"
	"iter"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/cse-piv/cse-piv/internal/batch"
	"github.com/cse-piv/cse-piv/internal/batch/source"
	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/gmail"
	"github.com/cse-piv/cse-piv/internal/lab"
	"github.com/cse-piv/cse-piv/internal/lab/ca"
	"github.com/cse-piv/cse-piv/internal/ledger"
)

// office is a practice domain with people who need certificates.
type office struct {
	lab       *lab.Lab
	key       *ecdsa.PrivateKey
	authority *authority // which the domain trusts
}

func newOffice(t testing.TB, faults ...string) *office {
	t.Helper()
	running, err := lab.Start(context.Background(), lab.Options{Readers: -1, Seed: 1, Faults: faults})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := running.Close(); err != nil {
			t.Error(err)
		}
	})
	a := newAuthority(t)
	running.Gmail().AddTrustRoot(a.root)
	return &office{lab: running, key: newKey(t), authority: a}
}

func (o *office) setFaults(t testing.TB, faults ...string) {
	t.Helper()
	if err := o.lab.SetFaults(append([]string{"off"}, faults...)...); err != nil {
		t.Fatal(err)
	}
}

// certificate issues one, PEM, leaf to root.
func (o *office) certificate(t testing.TB, email string, profile ca.Profile) []byte {
	t.Helper()
	profile.NoCRL = true
	chain, err := o.lab.CA().Issue(strings.ToLower(email), o.key, profile)
	if err != nil {
		t.Fatal(err)
	}
	return certificate.EncodePEM(chain...)
}

// row is a person with one new certificate.
func (o *office) row(t testing.TB, email string, line int) source.Row {
	t.Helper()
	return o.authority.row(t, email, line)
}

func (o *office) people(t testing.TB, n int) rows {
	t.Helper()
	return o.authority.people(t, n, "user")
}

// rows is a source.
type rows []source.Row

func (rows) Name() string { return "people.csv" }

func (r rows) Rows(ctx context.Context) iter.Seq2[source.Row, error] {
	return func(yield func(source.Row, error) bool) {
		for _, row := range r {
			if ctx.Err() != nil {
				yield(source.Row{}, ctx.Err())
				return
			}
			if !yield(row, nil) {
				return
			}
		}
	}
}

// prepare packs a row's chains; the practice CA's need no judging.
func prepare(_ context.Context, row source.Row) ledger.Entry {
	entry := ledger.Entry{Email: row.Email, Where: row.Where, Line: row.Line}
	for _, given := range row.Certificates {
		chain, err := certificate.Parse(given.Data)
		if err == nil {
			var bundle []byte
			if bundle, err = certificate.EncodePKCS7(chain); err == nil {
				entry.Pairs = append(entry.Pairs, ledger.Pair{Use: given.Use, LeafSHA256: certificate.Fingerprint(chain[0]),
					NotAfter: chain[0].NotAfter, Description: row.Description, PKCS7: bundle})
			}
		}
		if err != nil {
			row.Err = err
		}
	}
	if row.Err != nil {
		entry.State, entry.Class, entry.Reason, entry.Message = ledger.StateFailed, ledger.ClassRow, "certificate", row.Err.Error()
	}
	return entry
}

// gmail opens the office's domain, impatiently.
func (o *office) gmail(t testing.TB, change func(*gmail.Config)) batch.Domain {
	t.Helper()
	env := o.lab.Env()
	config := gmail.Config{CredentialsFile: env["CSE_PIV_CREDENTIALS"], Endpoint: env["CSE_PIV_GMAIL_ENDPOINT"], RetryBase: time.Millisecond}
	if change != nil {
		change(&config)
	}
	domain, err := gmail.Open(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = domain.Close() })
	return batch.Gmail(domain)
}

func openLedger(t testing.TB, url string) *ledger.Ledger {
	t.Helper()
	l, err := ledger.Open(context.Background(), url, ledger.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

// connect connects to the database of a shared ledger, beside the ledger.
func connect(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	connection, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = connection.Close(context.Background()) })
	return connection
}

func ledgerFile(t testing.TB) string { return filepath.Join(t.TempDir(), "ledger.db") }

// options are those of a run that tells t what happens.
func (o *office) options(t testing.TB, l *ledger.Ledger, people source.Source) batch.Options {
	t.Helper()
	limiter := batch.NewLimiter(32, 0)
	return batch.Options{Source: people, Prepare: prepare, Ledger: l, Limiter: limiter, Operator: "tester@here/1", Tool: "test",
		RetryBase: 10 * time.Millisecond, Hint: whatHelps,
		Domain: o.gmail(t, func(c *gmail.Config) { c.Pace, c.Wait = limiter.Pace, limiter.Wait })}
}

func run(t testing.TB, options batch.Options) (ledger.Counts, error) {
	t.Helper()
	return batch.Run(t.Context(), options)
}

func mustRun(t testing.TB, options batch.Options) ledger.Counts {
	t.Helper()
	counts, err := run(t, options)
	if err != nil {
		t.Fatal(err)
	}
	return counts
}

// counter returns a function that counts who of the people has an identity, and does not
// look again at those who had.
func (o *office) counter(people rows) func() int {
	left := slices.Clone(people)
	return func() int {
		left = slices.DeleteFunc(left, func(row source.Row) bool { return len(o.lab.Gmail().Identities(row.Email)) > 0 })
		return len(people) - len(left)
	}
}

// checkOnce is the law: every person has one key pair for the leaf, one identity
// that uses it, and nothing else.
func (o *office) checkOnce(t testing.TB, people rows) {
	t.Helper()
	bad := 0
	for _, row := range people {
		want := prepare(context.Background(), row).Pairs[0].LeafSHA256
		pairs, identities := o.lab.Gmail().KeyPairs(row.Email), o.lab.Gmail().Identities(row.Email)
		if len(pairs) != 1 || len(identities) != 1 || pairs[0].LeafSHA256 != want || identities[0].PrimaryKeyPairID != pairs[0].ID {
			if bad++; bad <= 5 {
				t.Errorf("%s has %d key pairs and %d identities", row.Email, len(pairs), len(identities))
			}
		}
	}
	if bad > 0 {
		t.Errorf("%d of %d are not as they should be", bad, len(people))
	}
}

// journal keeps events.
type journal struct {
	mu     sync.Mutex
	events []batch.Event
}

func (j *journal) note(event batch.Event) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.events = append(j.events, event)
}

func (j *journal) count(kind batch.Kind) int {
	j.mu.Lock()
	defer j.mu.Unlock()
	n := 0
	for _, event := range j.events {
		if event.Kind == kind {
			n++
		}
	}
	return n
}

func isInterrupted(err error) bool {
	var interrupted *batch.InterruptedError
	return errors.As(err, &interrupted)
}
