package batch_test

import (
	"errors"
	"fmt"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cse-piv/cse-piv/internal/batch"
	"github.com/cse-piv/cse-piv/internal/batch/source"
	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/gmail"
	"github.com/cse-piv/cse-piv/internal/lab/ca"
	"github.com/cse-piv/cse-piv/internal/lab/fault"
	"github.com/cse-piv/cse-piv/internal/ledger"
)

func TestRun(t *testing.T) {
	o := newOffice(t)
	people := o.people(t, 50)
	l := openLedger(t, ledgerFile(t))
	var events journal
	options := o.options(t, l, people)
	options.Notify = events.note
	if counts := mustRun(t, options); counts != (ledger.Counts{Total: 50, Done: 50}) {
		t.Errorf("%+v", counts)
	}
	o.checkOnce(t, people)
	want := map[string]int64{"token": 50, "keypairs.list": 50, "keypairs.create": 50, "identities.create": 50}
	if diff := cmp.Diff(want, o.lab.Stats().Methods); diff != "" {
		t.Errorf("a fresh user takes four calls: %s", diff)
	}
	if events.count(batch.KindDone) != 50 || events.count(batch.KindStarted) != 1 || events.count(batch.KindFinished) != 1 {
		t.Errorf("%+v", events.events)
	}
	entry, ok, err := l.Entry(t.Context(), "USER00007@lab.example")
	if err != nil || !ok || entry.State != ledger.StateDone || !entry.Pairs[0].Created || entry.Worker != "tester@here/1" ||
		entry.Pairs[0].KeyPairID != o.lab.Gmail().KeyPairs("user00007@lab.example")[0].ID {
		t.Errorf("%+v %v", entry, err)
	}
	if r, err := l.Run(t.Context(), 0); err != nil || r.Finished.IsZero() || r.Read.IsZero() || r.Source != "people.csv" {
		t.Errorf("%+v %v", r, err)
	}

	// The same again takes two calls for each, because their tokens are good still, and none with trust.
	if counts := mustRun(t, options); counts != (ledger.Counts{Total: 50, Done: 50, Earlier: 50}) {
		t.Errorf("%+v", counts)
	}
	want["keypairs.list"], want["identities.get"] = 100, 50
	if diff := cmp.Diff(want, o.lab.Stats().Methods); diff != "" {
		t.Error(diff)
	}
	options.TrustLedger = true
	if counts := mustRun(t, options); counts != (ledger.Counts{Total: 50, Done: 50, Earlier: 50}) {
		t.Errorf("%+v", counts)
	}
	if diff := cmp.Diff(want, o.lab.Stats().Methods); diff != "" {
		t.Error(diff)
	}
	o.checkOnce(t, people)
}

func TestDryRunAsksNothing(t *testing.T) {
	o := newOffice(t)
	people := o.people(t, 5)
	real := openLedger(t, ledgerFile(t))
	mustRun(t, o.options(t, real, people[:3]))
	before := o.lab.Stats().APICalls
	options := o.options(t, openLedger(t, ledgerFile(t)), append(people, source.Row{Email: "bad@lab.example", Where: "line 6", Line: 6, Err: errors.New("no certificate")}))
	options.DryRun, options.Known, options.Domain = true, real, nil
	if counts := mustRun(t, options); counts != (ledger.Counts{Total: 6, Done: 3, Earlier: 3, Failed: 1, Waiting: 2}) {
		t.Errorf("%+v", counts)
	}
	if n := o.lab.Stats().APICalls - before; n != 0 {
		t.Errorf("%d calls", n)
	}
}

func TestSplitAndHistory(t *testing.T) {
	o := newOffice(t)
	const email = "split@lab.example"
	past := ca.Profile{NotBefore: time.Now().Add(-48 * time.Hour), NotAfter: time.Now().Add(-24 * time.Hour)}
	people := rows{{Email: email, Where: "line 1", Line: 1, Certificates: []source.Certificate{
		{Use: certificate.UseSign, Data: o.certificate(t, email, ca.Profile{})},
		{Use: certificate.UseEncrypt, Data: o.certificate(t, email, ca.Profile{KeyUsage: 1<<4 | 1<<0})},
		{Use: certificate.UseHistory, Data: o.certificate(t, email, past)},
	}}}
	l := openLedger(t, ledgerFile(t))
	if counts := mustRun(t, o.options(t, l, people)); counts.Done != 1 {
		entry, _, _ := l.Entry(t.Context(), email)
		t.Fatalf("%+v %+v", counts, entry)
	}
	entry, _, err := l.Entry(t.Context(), email)
	if err != nil || len(entry.Pairs) != 3 {
		t.Fatal(entry, err)
	}
	identity := o.lab.Gmail().Identities(email)[0]
	if identity.SigningKeyPairID != entry.Pairs[0].KeyPairID || identity.EncryptionKeyPairID != entry.Pairs[1].KeyPairID || len(o.lab.Gmail().KeyPairs(email)) != 3 {
		t.Errorf("%+v", identity)
	}
}

func TestBadRowsDisturbNobody(t *testing.T) {
	o := newOffice(t)
	people := o.people(t, 6)
	people[1].Err = errors.New("the certificate cannot be read")
	people[2].Email, people[2].Err = "", errors.New("there is no address")
	people[3].Email = "USER00001@Lab.Example" // with other certificates than the first
	people[4].Email = "User00005@LAB.example"
	people[5].Email = "user00005@lab.EXAMPLE"
	people[5].Certificates = people[4].Certificates
	l := openLedger(t, ledgerFile(t))
	counts := mustRun(t, o.options(t, l, people))
	if counts != (ledger.Counts{Total: 4, Done: 1, Failed: 3}) {
		t.Errorf("%+v", counts)
	}
	o.checkOnce(t, people[4:])
	if n := len(o.lab.Gmail().KeyPairs("user00001@lab.example")); n != 0 {
		t.Errorf("an address with two certificates got %d key pairs", n)
	}
	entry, _, err := l.Entry(t.Context(), "user00001@lab.example")
	if err != nil || entry.Reason != "address-twice" || !strings.Contains(entry.Message, "line 1") || !strings.Contains(entry.Message, "line 4") {
		t.Errorf("%+v %v", entry, err)
	}
}

func TestCSEOffForSome(t *testing.T) {
	o := newOffice(t)
	people := o.people(t, 30)
	for _, row := range people[:12] {
		o.lab.Gmail().SetCSE(row.Email, false)
	}
	l := openLedger(t, ledgerFile(t))
	if counts := mustRun(t, o.options(t, l, people)); counts != (ledger.Counts{Total: 30, Done: 18, Failed: 12}) {
		t.Errorf("%+v", counts)
	}
	groups, err := l.Groups(t.Context(), 1)
	if err != nil || len(groups) != 1 || groups[0].Class != ledger.ClassAdministrator || groups[0].Reason != "cse-off" || groups[0].Count != 12 || groups[0].Hint == "" {
		t.Errorf("%+v %v", groups, err)
	}
	o.lab.Gmail().SetCSE("", true)
	if counts := mustRun(t, o.options(t, l, people)); counts != (ledger.Counts{Total: 30, Done: 30, Earlier: 18}) {
		t.Errorf("%+v", counts)
	}
	o.checkOnce(t, people)
}

// TestBadWeather has 30 % of the calls fail in all the ways there are.
func TestBadWeather(t *testing.T) {
	o := newOffice(t)
	people := o.people(t, 200)
	faults := []string{"api:28%"}
	for n := range 40 { // internal errors on top
		faults = append(faults, fmt.Sprintf("api:500@%d", 25*n+3))
	}
	o.setFaults(t, faults...)
	l := openLedger(t, ledgerFile(t))
	options := o.options(t, l, people)
	// Few tries for each call, so that users are to be tried again later.
	options.Domain = o.gmail(t, func(c *gmail.Config) { c.MaxTries, c.Wait = 3, options.Limiter.Wait })
	options.GiveUp = 100
	var events journal
	options.Notify = events.note
	if counts := mustRun(t, options); counts != (ledger.Counts{Total: 200, Done: 200}) {
		t.Errorf("%+v", counts)
	}
	if events.count(batch.KindRetry) == 0 {
		t.Error("nobody was tried again: too few calls failed for this test")
	}
	stats := o.lab.Stats()
	if share := 100 * stats.APIFaults / stats.APICalls; share < 25 {
		t.Errorf("only %d %% of %d calls failed", share, stats.APICalls)
	}
	for _, kind := range []fault.API{fault.APITooManyRequests, fault.APIRateLimited, fault.APIInternal, fault.APIUnavailable, fault.APIReset, fault.APILost} {
		if stats.APIFaultKinds[kind] < 10 {
			t.Errorf("%d faults of the kind %s", stats.APIFaultKinds[kind], kind)
		}
	}
	o.checkOnce(t, people)
}

func TestGivesUp(t *testing.T) {
	o := newOffice(t, "api:100%")
	people := o.people(t, 3)
	l := openLedger(t, ledgerFile(t))
	options := o.options(t, l, people)
	options.GiveUp = 2
	options.Domain = o.gmail(t, func(c *gmail.Config) { c.MaxTries = 2 })
	if counts := mustRun(t, options); counts.Failed != 3 {
		t.Errorf("%+v", counts)
	}
	entry, _, err := l.Entry(t.Context(), people[0].Email)
	if err != nil || entry.Class != ledger.ClassLater || entry.Attempts != 2 || entry.Hint == "" {
		t.Errorf("%+v %v", entry, err)
	}
	o.setFaults(t)
	if counts := mustRun(t, o.options(t, l, people)); counts.Done != 3 {
		t.Errorf("%+v", counts)
	}
	o.checkOnce(t, people)
}

func TestTokensExpireInTheMiddle(t *testing.T) {
	o := newOffice(t)
	people := o.people(t, 100)
	options := o.options(t, openLedger(t, ledgerFile(t)), people)
	options.Domain = o.gmail(t, func(c *gmail.Config) { c.Endpoint = shortLived(t, c.Endpoint, 2) })
	if counts := mustRun(t, options); counts.Done != 100 {
		t.Errorf("%+v", counts)
	}
	o.checkOnce(t, people)
	if n := o.lab.Stats().Methods["token"]; n < 200 {
		t.Errorf("%d tokens: they did not expire in the middle", n)
	}
}

// shortLived stands before the API and lets tokens die after some calls.
func shortLived(t *testing.T, endpoint string, calls int) string {
	t.Helper()
	target, err := url.Parse(endpoint)
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	used := map[string]int{}
	proxy := httptest.NewServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(target)
		mu.Lock()
		defer mu.Unlock()
		token := r.In.Header.Get("Authorization")
		if used[token]++; used[token] > calls {
			r.Out.Header.Set("Authorization", "Bearer expired")
		}
	}})
	t.Cleanup(proxy.Close)
	return proxy.URL
}

func TestManifestChangesBetweenRuns(t *testing.T) {
	o := newOffice(t)
	people := o.people(t, 20)
	l := openLedger(t, ledgerFile(t))
	mustRun(t, o.options(t, l, people))

	changed := append(rows{}, people[5:]...) // five are gone
	for i := range 4 {                       // four have a new certificate
		changed[i] = o.row(t, changed[i].Email, i+1)
	}
	changed = append(changed, o.row(t, "newcomer@lab.example", 99))
	if counts := mustRun(t, o.options(t, l, changed)); counts != (ledger.Counts{Total: 16, Done: 16, Earlier: 11}) {
		t.Errorf("%+v", counts)
	}
	o.checkOnce(t, changed[4:])
	for i := range 4 {
		email := changed[i].Email
		pairs, identity := o.lab.Gmail().KeyPairs(email), o.lab.Gmail().Identities(email)[0]
		if len(pairs) != 2 || !pairs[0].Enabled || identity.PrimaryKeyPairID != pairs[1].ID {
			t.Errorf("%s: the old key pair stays, the new one is used: %+v %+v", email, pairs, identity)
		}
		if before, err := l.EarlierPairs(t.Context(), email); err != nil || len(before) != 1 || before[0].KeyPairID != pairs[0].ID {
			t.Errorf("%+v %v", before, err)
		}
	}
	if entry, _, err := l.Entry(t.Context(), people[0].Email); err != nil || entry.State != ledger.StateDone || entry.Run != 1 {
		t.Errorf("%+v %v", entry, err)
	}
}

func TestWhatVanishedIsRegisteredAgain(t *testing.T) {
	o := newOffice(t)
	people := o.people(t, 3)
	path := ledgerFile(t)
	l := openLedger(t, path)
	mustRun(t, o.options(t, l, people))
	elsewhere := newOffice(t) // a domain that knows nothing of it
	elsewhere.lab.Gmail().AddTrustRoot(o.authority.root)
	if counts := mustRun(t, elsewhere.options(t, l, people)); counts != (ledger.Counts{Total: 3, Done: 3}) {
		t.Errorf("%+v", counts)
	}
	elsewhere.checkOnce(t, people)
}

func TestFullDisk(t *testing.T) {
	o := newOffice(t)
	people := o.people(t, 150)
	path := ledgerFile(t)
	// Room for the rows and for the first answers.
	full, err := ledger.Open(t.Context(), path, ledger.Options{MaxBytes: 720_000})
	if err != nil {
		t.Fatal(err)
	}
	var counts ledger.Counts
	for grown := 0; ; grown++ {
		counts, err = run(t, o.options(t, full, people))
		if err != nil || grown > 20 {
			break
		}
		// Everything fitted: more people.
		for i := range 50 {
			people = append(people, o.row(t, "more"+people[i].Email[4:9]+"-"+string(rune('a'+grown))+"@lab.example", len(people)+1))
		}
	}
	var failed *ledger.Error
	if !errors.As(err, &failed) || failed.Problem() != ledger.ProblemFull {
		t.Fatalf("%+v %v", counts, err)
	}
	if err := full.Close(); err != nil {
		t.Error(err)
	}
	before := o.lab.Stats().APICalls
	time.Sleep(50 * time.Millisecond)
	if after := o.lab.Stats().APICalls; after != before {
		t.Errorf("%d calls after the end", after-before)
	}
	if counts := mustRun(t, o.options(t, openLedger(t, path), people)); counts.Done != len(people) {
		t.Errorf("%+v", counts)
	}
	o.checkOnce(t, people)
}
