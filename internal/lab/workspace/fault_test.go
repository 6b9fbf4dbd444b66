package workspace_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"google.golang.org/api/gmail/v1"
	"google.golang.org/api/googleapi"

	"github.com/cse-piv/cse-piv/internal/lab/ca"
	"github.com/cse-piv/cse-piv/internal/lab/workspace"
)

// weather hands out the faults set for a method, and remembers the calls.
type weather struct {
	mu     sync.Mutex
	faults map[string]workspace.Fault
	calls  []string
	seen   map[string]int
}

func (w *weather) fault(method, user string) workspace.Fault {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calls = append(w.calls, method+" "+user)
	return w.faults[method]
}

func (w *weather) observe(method string, _ time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.seen[method]++
}

func (w *weather) set(method string, fault workspace.Fault) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.faults = map[string]workspace.Fault{method: fault}
}

func newWeather() *weather { return &weather{seen: map[string]int{}} }

func TestFaults(t *testing.T) {
	w := newWeather()
	l := newLab(t, workspace.Config{Fault: w.fault, Observe: w.observe})
	cse := l.cse(t, alice)
	upload := hardware(armor(t, l.issue(t, alice, ecKey(t), ca.Profile{})...))
	if _, err := cse.Keypairs.List("me").Do(); err != nil { // takes the token
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		fault          workspace.Fault
		status         int // 0: the connection breaks
		reason, domain string
		commits        bool
	}{
		"429":                {workspace.Fault{Status: 429, RetryAfter: time.Second}, 429, "rateLimitExceeded", "usageLimits", false},
		"403 rate":           {workspace.Fault{Status: 403, Reason: "userRateLimitExceeded", RetryAfter: time.Second}, 403, "userRateLimitExceeded", "usageLimits", false},
		"403 policy":         {workspace.Fault{Status: 403, Reason: "domainPolicy"}, 403, "domainPolicy", "global", false},
		"403 scope":          {workspace.Fault{Status: 403, Reason: "ACCESS_TOKEN_SCOPE_INSUFFICIENT"}, 403, "insufficientPermissions", "global", false},
		"401":                {workspace.Fault{Status: 401}, 401, "authError", "global", false},
		"500":                {workspace.Fault{Status: 500}, 500, "backendError", "global", false},
		"503":                {workspace.Fault{Status: 503, RetryAfter: time.Second}, 503, "backendError", "global", false},
		"503 after the fact": {workspace.Fault{Status: 503, LoseAnswer: true}, 503, "backendError", "global", true},
		"reset":              {workspace.Fault{ResetBefore: true}, 0, "", "", false},
		"lost":               {workspace.Fault{LoseAnswer: true}, 0, "", "", true},
		"late":               {workspace.Fault{Delay: time.Millisecond, LoseAnswer: true}, 0, "", "", true},
	} {
		t.Run(name, func(t *testing.T) {
			before := len(l.KeyPairs(alice))
			w.set("keypairs.create", test.fault)
			_, err := cse.Keypairs.Create("me", upload).Do()
			if err == nil {
				t.Fatal("no error")
			}
			if test.status != 0 {
				var e *googleapi.Error
				if !errors.As(err, &e) || e.Code != test.status || !strings.Contains(e.Body, `"domain": "`+test.domain+`"`) {
					t.Fatalf("error %v", err)
				}
				wantError(t, err, test.status, test.reason)
				if test.fault.RetryAfter > 0 && test.status < 500 && !strings.Contains(e.Message, "User-rate limit exceeded.  Retry after 2") {
					t.Errorf("message %q", e.Message)
				}
				if test.status == 503 && !test.fault.LoseAnswer && e.Header.Get("Retry-After") != "1" {
					t.Errorf("Retry-After %q", e.Header.Get("Retry-After"))
				}
			} else if !errors.Is(err, syscall.ECONNRESET) && !errors.Is(err, io.EOF) {
				t.Errorf("the connection broke with %v", err)
			}
			if made := len(l.KeyPairs(alice)) - before; (made == 1) != test.commits {
				t.Errorf("%d key pairs made", made)
			}
		})
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.calls[0] != "token "+alice || w.calls[1] != "keypairs.list "+alice {
		t.Errorf("calls %q", w.calls[:2])
	}
	if w.seen["token"] != 1 || w.seen["keypairs.list"] != 1 || w.seen["keypairs.create"] < 11 {
		t.Errorf("observed %v", w.seen)
	}
}

func TestFaultsAtTheTokenEndpoint(t *testing.T) {
	w := newWeather()
	l := newLab(t, workspace.Config{Fault: w.fault})
	for status, code := range map[int]string{429: "rate_limit_exceeded", 403: "rate_limit_exceeded", 500: "internal_failure", 503: "internal_failure"} {
		w.set("token", workspace.Fault{Status: status})
		got, body := l.exchange(t, nil)
		if got != status || body["error"] != code {
			t.Errorf("%d: %d %v", status, got, body)
		}
	}
	w.set("token", workspace.Fault{LoseAnswer: true})
	if _, err := l.cse(t, alice).Keypairs.List("me").Do(); err == nil {
		t.Error("the token's answer was not lost")
	}
	w.set("", workspace.Fault{})
	if _, err := l.cse(t, alice).Keypairs.List("me").Do(); err != nil {
		t.Errorf("fair weather again: %v", err)
	}
}

func TestMethods(t *testing.T) {
	w := newWeather()
	l := newLab(t, workspace.Config{Observe: w.observe})
	pair := l.enrolled(t, alice, ca.Profile{}).KeyPairId
	cse := l.cse(t, alice)
	l.SetScopes(workspace.ScopeBasic, workspace.ScopeDirectoryReadonly)
	directory := l.directory(t, administrator)
	identity := &gmail.CseIdentity{EmailAddress: alice, PrimaryKeyPairId: pair}
	for i, call := range []func() error{
		func() error { _, err := directory.Get(alice).Do(); return err },
		func() error { _, err := directory.List().Customer("my_customer").Do(); return err },
		func() error { _, err := cse.Keypairs.List("me").Do(); return err },
		func() error { _, err := cse.Keypairs.Get("me", pair).Do(); return err },
		func() error { _, err := cse.Identities.Create("me", identity).Do(); return err },
		func() error { _, err := cse.Identities.Get("me", alice).Do(); return err },
		func() error { _, err := cse.Identities.List("me").Do(); return err },
		func() error { _, err := cse.Identities.Patch("me", alice, identity).Do(); return err },
		func() error { return cse.Identities.Delete("me", alice).Do() },
		func() error {
			_, err := cse.Keypairs.Disable("me", pair, &gmail.DisableCseKeyPairRequest{}).Do()
			return err
		},
		func() error {
			_, err := cse.Keypairs.Enable("me", pair, &gmail.EnableCseKeyPairRequest{}).Do()
			return err
		},
		func() error {
			err := cse.Keypairs.Obliterate("me", pair, &gmail.ObliterateCseKeyPairRequest{}).Do()
			if err == nil {
				return errors.New("obliterated at once")
			}
			return nil
		},
	} {
		if err := call(); err != nil {
			t.Errorf("call %d: %v", i, err)
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, method := range workspace.Methods() {
		if w.seen[method] == 0 {
			t.Errorf("%s was never observed: %v", method, w.seen)
		}
	}
	if len(workspace.Methods()) != 14 || len(w.seen) != 14 {
		t.Errorf("methods %q, observed %v", workspace.Methods(), w.seen)
	}
}

// TestManyUsersAtOnce is for the race detector; each user ends up with their
// own pairs and one identity.
func TestManyUsersAtOnce(t *testing.T) {
	l := newLab(t, workspace.Config{})
	const users, uploads = 4, 3
	var group sync.WaitGroup
	for i := range users {
		user := fmt.Sprintf("user%d@lab.example", i)
		upload := hardware(armor(t, l.issue(t, user, ecKey(t), ca.Profile{})...))
		cse := l.cse(t, user)
		for range uploads {
			group.Go(func() {
				pair, err := cse.Keypairs.Create("me", upload).Do()
				if err != nil {
					t.Errorf("%s: %v", user, err)
					return
				}
				_, err = cse.Identities.Create("me", &gmail.CseIdentity{EmailAddress: user, PrimaryKeyPairId: pair.KeyPairId}).Do()
				var conflict *googleapi.Error
				if err != nil && (!errors.As(err, &conflict) || conflict.Code != 409) {
					t.Errorf("%s: %v", user, err)
				}
			})
		}
	}
	group.Wait()
	for i := range users {
		user := fmt.Sprintf("user%d@lab.example", i)
		if pairs, identities := len(l.KeyPairs(user)), len(l.Identities(user)); pairs != uploads || identities != 1 {
			t.Errorf("%s has %d pairs and %d identities", user, pairs, identities)
		}
	}
}
