package registration_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/gmail"
	"github.com/cse-piv/cse-piv/internal/lab/workspace"
	"github.com/cse-piv/cse-piv/internal/registration"
)

var update = flag.Bool("update", false, "write the golden files")

// hostileCalls are the calls at which a server lies. Those of a user who has a key
// pair and an identity already are told apart by a star.
var hostileCalls = []string{"token", "keypairs.list", "keypairs.list*", "keypairs.create", "keypairs.create*", "identities.get*", "identities.create", "identities.patch*"}

// TestHostileServer has a server lie at each call in each way there is. No lie makes
// a registration panic, wait for ever, follow a redirect, or report what is not so;
// what each ended as stands in testdata/hostile.golden.
func TestHostileServer(t *testing.T) {
	p := newPractice(t)
	p.lies = map[[2]string]workspace.Body{}
	open := func(timeout time.Duration) *gmail.Domain {
		domain, err := gmail.Open(gmail.Config{CredentialsFile: p.credentials, Endpoint: p.url, RetryBase: time.Millisecond, MaxTries: 2, CallTimeout: timeout})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { domain.Close() })
		return domain
	}
	patient, impatient := open(time.Minute), open(10*time.Second)
	bodies := workspace.Bodies()
	cells := make([][]string, len(bodies))
	room := make(chan struct{}, 4)
	var all sync.WaitGroup
	for i, body := range bodies {
		cells[i] = make([]string, len(hostileCalls))
		for j, call := range hostileCalls {
			method, renewal := strings.CutSuffix(call, "*")
			email := fmt.Sprintf("%s%d@lab.example", body.Name, j)
			p.email = email
			key, earlier := p.key(certificate.UseBoth), p.key(certificate.UseBoth)
			all.Go(func() {
				domain := impatient
				if body.Name != "slow" {
					domain = patient
					room <- struct{}{}
					defer func() { <-room }()
				}
				if renewal {
					if _, err := registerAt(t, patient, email, earlier); err != nil {
						t.Errorf("%s: %v", email, err)
					}
				}
				p.mu.Lock()
				p.lies[[2]string{email, method}] = body
				p.mu.Unlock()
				outcome, err := registerAt(t, domain, email, key)
				cells[i][j] = p.judge(t, email, key, outcome, err)
			})
		}
	}
	all.Wait()
	if n := p.server.Followed(); n != 0 {
		t.Errorf("%d redirects were followed", n)
	}
	var table strings.Builder
	columns := tabwriter.NewWriter(&table, 0, 0, 2, ' ', 0)
	fmt.Fprintln(columns, "answer\t"+strings.Join(hostileCalls, "\t"))
	for i, body := range bodies {
		fmt.Fprintln(columns, body.Name+"\t"+strings.Join(cells[i], "\t"))
	}
	columns.Flush()
	golden := filepath.Join("testdata", "hostile.golden")
	if *update {
		if err := os.WriteFile(golden, []byte(table.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if table.String() != string(want) {
		t.Errorf("it ended otherwise than %s says:\n%s", golden, table.String())
	}
}

func registerAt(t *testing.T, domain *gmail.Domain, email string, key registration.Key) (registration.Outcome, error) {
	// Longer than any of it takes: it has to end by itself.
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	account, err := domain.User(ctx, email)
	if err != nil {
		return registration.Outcome{}, err
	}
	return registration.Register(ctx, account, email, []registration.Key{key}, registration.Hooks{})
}

// judge names what a registration ended as, and checks what it claims.
func (p *practice) judge(t *testing.T, email string, key registration.Key, outcome registration.Outcome, err error) string {
	t.Helper()
	var same []workspace.KeyPair
	for _, pair := range p.server.KeyPairs(email) {
		if pair.LeafSHA256 == key.LeafSHA256 {
			same = append(same, pair)
		}
	}
	if len(same) > 2 {
		t.Errorf("%s: %d key pairs were created", email, len(same))
	}
	if err != nil {
		var known *gmail.Error
		if !errors.As(err, &known) || known.Kind == gmail.KindOther || strings.ContainsAny(err.Error(), "\x1b\u202e\n") {
			t.Errorf("%s: %v", email, err)
			return "?"
		}
		return string(known.Kind)
	}
	identities := p.server.Identities(email)
	if !slices.ContainsFunc(same, func(pair workspace.KeyPair) bool { return pair.ID == outcome.Keys[0].Pair.ID && pair.Enabled }) ||
		len(identities) != 1 || identities[0].PrimaryKeyPairID != outcome.Keys[0].Pair.ID {
		t.Errorf("%s is called registered with %s; there are %d key pairs and %+v", email, outcome.Keys[0].Pair.ID, len(same), identities)
	}
	return "registered"
}

// TestHostileBytesTakeLittleMemory: what is large, or becomes large when it is
// unpacked or read, is not taken in.
func TestHostileBytesTakeLittleMemory(t *testing.T) {
	const most = 150 << 20
	p := newPractice(t)
	p.lies = map[[2]string]workspace.Body{}
	for _, name := range []string{"huge", "bomb", "deep", "parts", "endless-new"} {
		body, _ := workspace.FindBody(name)
		for _, method := range []string{"token", "keypairs.list"} {
			p.email = name + "-" + method + "@lab.example"
			p.lies[[2]string{p.email, method}] = body
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := registerAt(t, p.domain, p.email, registration.Key{Use: certificate.UseBoth})
			runtime.ReadMemStats(&after)
			if taken := after.TotalAlloc - before.TotalAlloc; err == nil || taken > most {
				t.Errorf("%s of %s: %v, and %d MiB", name, method, err, taken>>20)
			}
		}
	}
}
