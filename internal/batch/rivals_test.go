package batch_test

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/cse-piv/cse-piv/internal/batch"
	"github.com/cse-piv/cse-piv/internal/batch/report"
	"github.com/cse-piv/cse-piv/internal/gmail"
	"github.com/cse-piv/cse-piv/internal/lab/workspace"
	"github.com/cse-piv/cse-piv/internal/ledger"
	"github.com/cse-piv/cse-piv/internal/registration"
)

// TestTwoLedgersAtOnce has two administrators register the same people of one
// domain with a ledger each. Who gets two key pairs is told of in one of the
// reports, and in both when it is run again; the identity's pair serves.
func TestTwoLedgersAtOnce(t *testing.T) {
	o := newOffice(t)
	people := o.people(t, 80)
	var ledgers [2]*ledger.Ledger
	var both sync.WaitGroup
	met := newMeeting(len(ledgers), people)
	for i := range ledgers {
		ledgers[i] = openLedger(t, ledgerFile(t))
		options := o.options(t, ledgers[i], people)
		options.Domain = met.domain(options.Domain)
		both.Go(func() {
			if counts, err := run(t, options); err != nil || counts.Done != len(people) {
				t.Errorf("%+v %v", counts, err)
			}
		})
	}
	both.Wait()
	// What each report tells of, and what is so.
	told := append(superfluous(t, ledgers[0]), superfluous(t, ledgers[1])...)
	doubles := o.doubles(t, people)
	t.Logf("%d of %d users have two key pairs", len(doubles), len(people))
	if len(doubles) == 0 {
		t.Error("nobody has: the runs did not meet")
	}
	for _, id := range doubles {
		if !slices.Contains(told, id) {
			t.Errorf("no report tells of %s", id)
		}
	}
	for _, id := range told {
		if !slices.Contains(doubles, id) {
			t.Errorf("%s is called superfluous, and is in an identity", id)
		}
	}
	for _, l := range ledgers {
		var events journal
		options := o.options(t, l, people)
		options.Notify = events.note
		if counts := mustRun(t, options); counts != (ledger.Counts{Total: len(people), Done: len(people), Earlier: counts.Earlier}) {
			t.Errorf("%+v", counts)
		}
		if told := superfluous(t, l); len(told) != len(doubles) || events.count(batch.KindWarning) < len(doubles) {
			t.Errorf("the second run tells of %d with %d warnings, and there are %d", len(told), events.count(batch.KindWarning), len(doubles))
		}
		if users, example, err := l.Superfluous(t.Context(), 2); err != nil || users != len(doubles) || example == "" {
			t.Errorf("%d users, for example %q, %v", users, example, err)
		}
	}
	if again := o.doubles(t, people); !slices.Equal(again, doubles) {
		t.Errorf("%d have two key pairs after the second run", len(again))
	}
}

// meeting has several runs look at every other user before one of them creates anything
// for the user; with the rest they meet as it happens.
type meeting map[string]*sync.WaitGroup

func newMeeting(runs int, people rows) meeting {
	m := meeting{}
	for i := 0; i < len(people); i += 2 {
		m[people[i].Email] = new(sync.WaitGroup)
		m[people[i].Email].Add(runs)
	}
	return m
}

// domain is the one of a run that takes part.
func (m meeting) domain(d batch.Domain) batch.Domain {
	return meetingDomain{Domain: d, meeting: m, looked: new(sync.Map)}
}

type meetingDomain struct {
	batch.Domain
	meeting meeting
	looked  *sync.Map // users whom this run looked at
}

func (d meetingDomain) User(ctx context.Context, email string) (registration.Account, error) {
	account, err := d.Domain.User(ctx, email)
	return meetingAccount{account, d, email}, err
}

type meetingAccount struct {
	registration.Account
	domain meetingDomain
	email  string
}

func (a meetingAccount) KeyPairs(ctx context.Context) ([]gmail.KeyPair, error) {
	pairs, err := a.Account.KeyPairs(ctx)
	if all := a.domain.meeting[a.email]; all != nil {
		if _, again := a.domain.looked.LoadOrStore(a.email, true); !again {
			all.Done()
		}
	}
	return pairs, err
}

func (a meetingAccount) CreateKeyPair(ctx context.Context, known []gmail.KeyPair, request gmail.KeyPairRequest) (gmail.KeyPair, bool, error) {
	if all := a.domain.meeting[a.email]; all != nil {
		all.Wait()
	}
	return a.Account.CreateKeyPair(ctx, known, request)
}

// doubles are the key pairs that are in no identity.
func (o *office) doubles(t *testing.T, people rows) []string {
	t.Helper()
	var doubles []string
	for _, row := range people {
		identities := o.lab.Gmail().Identities(row.Email)
		if len(identities) != 1 {
			t.Fatalf("%s has %d identities", row.Email, len(identities))
		}
		for _, pair := range o.lab.Gmail().KeyPairs(row.Email) {
			if pair.ID != identities[0].PrimaryKeyPairID {
				doubles = append(doubles, pair.ID)
			}
		}
	}
	return doubles
}

// superfluous are the key pairs that the newest run's reports call so; all of them
// say the same.
func superfluous(t *testing.T, l *ledger.Ledger) []string {
	t.Helper()
	newest, err := l.Run(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	write := func(format report.Format) string {
		var out strings.Builder
		if err := report.Write(t.Context(), &out, format, l, newest); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	lines, err := csv.NewReader(strings.NewReader(write(report.CSV))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	column := slices.Index(lines[0], "superfluous_key_pair_ids")
	var ids []string
	for _, line := range lines[1:] {
		ids = append(ids, strings.Fields(line[column])...)
	}
	var object struct {
		Superfluous int `json:"superfluous_users"`
		Users       []ledger.Entry
	}
	if err := json.Unmarshal([]byte(write(report.JSON)), &object); err != nil {
		t.Fatal(err)
	}
	var inJSON []string
	for _, entry := range object.Users {
		for _, pair := range entry.Pairs {
			inJSON = append(inJSON, pair.Superfluous...)
		}
	}
	page := write(report.HTML)
	if !slices.Equal(ids, inJSON) || object.Superfluous != len(ids) || strings.Count(page, "; superfluous key pair ") != len(ids) ||
		strings.Contains(page, "superfluous key pairs") != (len(ids) > 0) {
		t.Errorf("the CSV has %d, the JSON %d of %d users, the page %d", len(ids), len(inJSON), object.Superfluous, strings.Count(page, "; superfluous key pair "))
	}
	return ids
}

// TestIdentityIsLookedAtAgain: an identity that was deleted or points elsewhere is
// put right by the next run, and that is told; with trust nobody is looked at.
func TestIdentityIsLookedAtAgain(t *testing.T) {
	o := newOffice(t)
	people := o.people(t, 10)
	l := openLedger(t, ledgerFile(t))
	options := o.options(t, l, people)
	var events journal
	options.Notify = events.note
	mustRun(t, options)

	domain := o.gmail(t, nil)
	for i, row := range people[:4] {
		account, err := domain.User(t.Context(), row.Email)
		if err != nil {
			t.Fatal(err)
		}
		user := account.(*gmail.User)
		if i < 2 {
			err = user.DeleteIdentity(t.Context())
		} else {
			chain := o.lab.Gmail().KeyPairs(people[5].Email)[0].Chain
			var id string
			if id, err = o.lab.Gmail().AddKeyPair(row.Email, workspace.NewKeyPair{Chain: chain}); err == nil {
				_, err = user.PatchIdentity(t.Context(), gmail.Identity{PrimaryKeyPairID: id})
			}
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	options.TrustLedger = true
	if counts := mustRun(t, options); counts != (ledger.Counts{Total: 10, Done: 10, Earlier: 10}) {
		t.Errorf("%+v", counts)
	}
	options.TrustLedger, events.events = false, nil
	if counts := mustRun(t, options); counts != (ledger.Counts{Total: 10, Done: 10, Earlier: 6}) {
		t.Errorf("%+v", counts)
	}
	if events.count(batch.KindWarning) != 4 {
		t.Errorf("%d warnings", events.count(batch.KindWarning))
	}
	newest, err := l.Run(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	if sums, err := report.Summarise(t.Context(), l, newest); err != nil || len(sums.Warnings) != 1 || sums.Warnings[0].Rule != "registration-repaired" || sums.Warnings[0].Count != 4 {
		t.Errorf("%+v %v", sums, err)
	}
	for i, row := range people {
		entry, _, err := l.Entry(t.Context(), row.Email)
		if err != nil || (len(entry.Warnings) == 1) != (i < 4) || i < 2 && !strings.Contains(entry.Warnings[0], "was gone") || i >= 2 && i < 4 && !strings.Contains(entry.Warnings[0], "used key pair") {
			t.Errorf("%+v %v", entry, err)
		}
		if got := o.lab.Gmail().Identities(row.Email); len(got) != 1 || got[0].PrimaryKeyPairID != entry.Pairs[0].KeyPairID {
			t.Errorf("%s: %+v", row.Email, got)
		}
	}
	if counts := mustRun(t, options); counts.Earlier != 10 {
		t.Errorf("%+v", counts)
	}
}
