package gmail_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cse-piv/cse-piv/internal/gmail"
	"github.com/cse-piv/cse-piv/internal/lab/workspace"
)

const administrator = "admin@lab.example"

// openDirectory opens the practice domain with its directory.
func (p *practice) openDirectory(t *testing.T, as string) *gmail.Domain {
	t.Helper()
	d, err := gmail.Open(gmail.Config{CredentialsFile: p.credentials, Endpoint: p.url, Directory: as, RetryBase: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

func (p *practice) delegateDirectory() {
	p.server.SetScopes(workspace.ScopeBasic, workspace.ScopeDirectoryReadonly)
}

func (p *practice) list(t *testing.T, email string, listing workspace.Listing) {
	t.Helper()
	if err := p.server.List(email, listing); err != nil {
		t.Fatal(err)
	}
}

// set has calls go wrong from now on.
func (p *practice) set(fault func(method string, n int) workspace.Fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fault, p.calls = fault, map[string]int{}
}

func (p *practice) called(method string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.calls[method]
}

// kindOf is the kind and detail of an error of the package.
func kindOf(err error) string {
	var e *gmail.Error
	if !errors.As(err, &e) {
		return fmt.Sprint(err)
	}
	return strings.TrimSpace(string(e.Kind) + " " + string(e.Detail))
}

// TestDirectoryRefuses: whoever cannot have an identity is told before Gmail is asked.
func TestDirectoryRefuses(t *testing.T) {
	p := openLab(t)
	p.delegateDirectory()
	p.list(t, bob, workspace.Listing{Aliases: []string{"Robert@lab.example"}})
	p.list(t, "sue@lab.example", workspace.Listing{Suspended: true})
	p.list(t, "art@lab.example", workspace.Listing{Archived: true})
	p.list(t, "new@lab.example", workspace.Listing{NoMailbox: true})
	p.server.RemoveUser("gone@lab.example")
	d := p.openDirectory(t, administrator)
	want := map[string]string{
		bob: "<nil>", "BOB@lab.example": "<nil>", "robert@lab.example": "alias", "bob@lab.example.test-google-a.com": "alias",
		"sue@lab.example": "suspended", "art@lab.example": "archived", "new@lab.example": "no-mailbox", "gone@lab.example": "no-user",
		"somebody@example.org": "denied directory-other",
	}
	var emails []string
	for email := range want {
		emails = append(emails, email)
	}
	found, err := d.CheckUsers(t.Context(), emails)
	if err != nil {
		t.Fatal(err)
	}
	for i, email := range emails {
		if got := kindOf(found[i]); got != want[email] {
			t.Errorf("%s is %s: %v", email, got, found[i])
		}
		var e *gmail.Error
		if errors.As(found[i], &e) && (e.User != email || e.Kind == gmail.KindAlias && e.Primary != bob) {
			t.Errorf("%s: %+v", email, e)
		}
		calls := p.called("keypairs.list")
		if _, err := d.User(t.Context(), email); kindOf(err) != want[email] {
			t.Errorf("open %s: %v", email, err)
		}
		if p.called("keypairs.list") != calls {
			t.Error("Gmail was asked")
		}
	}
	// Who is known is not asked for again, and Bob's addresses are one person; who is refused is,
	// where Gmail is to be opened.
	if n := p.called("users.get"); n != 6+7 {
		t.Errorf("%d calls", n)
	}
}

// TestDirectoryPutRight: what an administrator put right is seen by the same process, in which
// somebody was refused before.
func TestDirectoryPutRight(t *testing.T) {
	p := openLab(t)
	p.delegateDirectory()
	p.list(t, "sue@lab.example", workspace.Listing{Suspended: true})
	p.list(t, bob, workspace.Listing{Aliases: []string{"robert@lab.example"}})
	d := p.openDirectory(t, administrator)
	for email, want := range map[string]string{"sue@lab.example": "suspended", "robert@lab.example": "alias"} {
		if _, err := d.User(t.Context(), email); kindOf(err) != want {
			t.Errorf("%s: %v", email, err)
		}
	}
	p.list(t, "sue@lab.example", workspace.Listing{})
	p.list(t, bob, workspace.Listing{})
	for _, email := range []string{"sue@lab.example", "robert@lab.example"} {
		if _, err := d.User(t.Context(), email); err != nil {
			t.Errorf("%s: %v", email, err)
		}
	}
}

// TestDirectoryErrors: what concerns the directory is not taken for the user's fault, and
// each is told apart.
func TestDirectoryErrors(t *testing.T) {
	p := openLab(t)
	_, err := p.openDirectory(t, administrator).User(t.Context(), bob)
	var e *gmail.Error
	if !errors.As(err, &e) || e.Kind != gmail.KindScope || e.Scope != gmail.DirectoryScope || e.ClientID == "" || e.User != administrator {
		t.Errorf("not delegated: %+v", err)
	}
	if n := p.called("token"); n != 1 {
		t.Errorf("%d tries of what is not delegated", n)
	}
	p.delegateDirectory()
	for _, test := range []struct {
		as    string
		fault workspace.Fault
		want  string
	}{
		{bob, workspace.Fault{}, "denied directory-admin"},
		{"nobody@lab.example", workspace.Fault{}, "denied directory-admin"},
		{administrator, workspace.Fault{Status: 403, Reason: "accessNotConfigured"}, "api-disabled directory-api"},
		{administrator, workspace.Fault{Status: 403, Reason: "ACCESS_TOKEN_SCOPE_INSUFFICIENT"}, "scope"},
		{administrator, workspace.Fault{Status: 429, Reason: "dailyLimitExceeded"}, "rate-limited"},
		{administrator, workspace.Fault{Status: 400, Reason: "failedPrecondition"}, "precondition"},
	} {
		p.server.RemoveUser("nobody@lab.example")
		p.set(func(method string, _ int) workspace.Fault {
			if strings.HasPrefix(method, "users.") {
				return test.fault
			}
			return workspace.Fault{}
		})
		d := p.openDirectory(t, test.as)
		found, err := d.CheckUsers(t.Context(), []string{bob, "sue@lab.example"})
		if kindOf(err) != test.want || found != nil {
			t.Errorf("as %s with %+v: %v, %v", test.as, test.fault, kindOf(err), err)
		}
	}
	for name, as := range map[string]string{"no address": "admin", "two": "a@b@c"} {
		if _, err := gmail.Open(gmail.Config{CredentialsFile: p.credentials, Endpoint: p.url, Directory: as}); kindOf(err) != "invalid" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := gmail.Open(gmail.Config{Login: &gmail.Login{}, Directory: administrator}); kindOf(err) != "credentials" {
		t.Errorf("a user's own login: %v", err)
	}
}

// TestDirectoryQuota: calls that are too many are made again.
func TestDirectoryQuota(t *testing.T) {
	p := openLab(t)
	p.delegateDirectory()
	faults := []workspace.Fault{{Status: 429, Reason: "rateLimitExceeded"}, {Status: 403, Reason: "userRateLimitExceeded"}, {Status: 503}, {ResetBefore: true}}
	p.set(func(method string, n int) workspace.Fault {
		if method != "users.get" || n > len(faults) {
			return workspace.Fault{}
		}
		return faults[n-1]
	})
	if _, err := p.openDirectory(t, administrator).User(t.Context(), bob); err != nil {
		t.Fatal(err)
	}
	if n := p.called("users.get"); n != len(faults)+1 {
		t.Errorf("%d calls", n)
	}
}

// TestDirectoryListsMany: ten thousand people take as many calls as pages, and who is not in
// the list is asked for.
func TestDirectoryListsMany(t *testing.T) {
	p := openLab(t)
	p.delegateDirectory()
	var emails []string
	for i := range 10_000 {
		email := fmt.Sprintf("user%d@lab.example", i)
		p.list(t, email, workspace.Listing{Suspended: i%1000 == 5})
		emails = append(emails, strings.ToUpper(email))
	}
	p.server.RemoveUser("gone@lab.example")
	emails = append(emails, "gone@lab.example", "fresh@lab.example")
	d := p.openDirectory(t, administrator)
	for chunk := range slices.Chunk(emails, 500) {
		found, err := d.CheckUsers(t.Context(), chunk)
		if err != nil {
			t.Fatal(err)
		}
		for i, email := range chunk {
			want := "<nil>"
			switch {
			case email == "gone@lab.example":
				want = "no-user"
			case strings.HasSuffix(email, "005@LAB.EXAMPLE") || email == "USER5@LAB.EXAMPLE":
				want = "suspended"
			}
			if kindOf(found[i]) != want {
				t.Errorf("%s: %v", email, found[i])
			}
		}
	}
	if lists, gets := p.called("users.list"), p.called("users.get"); lists != 21 || gets != 2 || p.called("token") != 1 {
		t.Errorf("%d pages, %d single calls, %d tokens", lists, gets, p.called("token"))
	}
}

// TestNoDirectory: without it no token is asked for another scope, and no user looked up.
func TestNoDirectory(t *testing.T) {
	p := openLab(t) // which refuses a token for any other scope
	found, err := p.domain.CheckUsers(t.Context(), []string{bob})
	if err != nil || found[0] != nil || p.domain.Directory() != "" {
		t.Errorf("%v, %v", found, err)
	}
	if _, err := p.domain.User(t.Context(), bob); err != nil {
		t.Fatal(err)
	}
	if p.called("users.get")+p.called("users.list") != 0 || p.called("token") != 1 {
		t.Errorf("calls: %v", p.calls)
	}
}

// TestDirectorySenseless: an answer that cannot be one is no answer about the user.
func TestDirectorySenseless(t *testing.T) {
	p := openLab(t)
	p.delegateDirectory()
	for _, body := range workspace.Bodies() {
		p.set(func(method string, _ int) workspace.Fault {
			if method == "users.get" {
				return workspace.Fault{Body: body}
			}
			return workspace.Fault{}
		})
		timeout := time.Minute
		if body.Name == "slow" {
			timeout = 50 * time.Millisecond
		}
		d, err := gmail.Open(gmail.Config{CredentialsFile: p.credentials, Endpoint: p.url, Directory: administrator, RetryBase: time.Millisecond, MaxTries: 2, CallTimeout: timeout})
		if err != nil {
			t.Fatal(err)
		}
		found, err := d.CheckUsers(t.Context(), []string{bob})
		if err == nil && found[0] != nil {
			t.Errorf("%s: %v", body.Name, found[0])
		}
		d.Close()
	}
}
