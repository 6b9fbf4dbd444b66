package workspace_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/google"
	admin "google.golang.org/api/admin/directory/v1"
	"google.golang.org/api/googleapi"
	"google.golang.org/api/option"

	"github.com/cse-piv/cse-piv/internal/lab/workspace"
)

const administrator = "admin@lab.example"

// directory opens the users of the Directory API as somebody, with Google's own client.
func (l *lab) directory(t testing.TB, as string, scopes ...string) *admin.UsersService {
	t.Helper()
	if len(scopes) == 0 {
		scopes = []string{workspace.ScopeDirectoryReadonly}
	}
	config, err := google.JWTConfigFromJSON(l.ServiceAccountJSON(l.url), scopes...)
	if err != nil {
		t.Fatal(err)
	}
	config.Subject = as
	ctx := context.Background()
	service, err := admin.NewService(ctx, option.WithHTTPClient(config.Client(ctx)), option.WithEndpoint(l.url+"/"))
	if err != nil {
		t.Fatal(err)
	}
	return service.Users
}

func (l *lab) list(t testing.TB, email string, listing workspace.Listing) {
	t.Helper()
	if err := l.List(email, listing); err != nil {
		t.Fatal(err)
	}
}

// TestDirectoryUser: what an administrator is told of a user, whichever address is asked for.
func TestDirectoryUser(t *testing.T) {
	l := newLab(t, workspace.Config{})
	l.SetScopes(workspace.ScopeBasic, workspace.ScopeDirectoryReadonly)
	users := l.directory(t, administrator)
	l.list(t, alice, workspace.Listing{Aliases: []string{"Alice.Liddell@lab.example"}})
	l.list(t, "sue@lab.example", workspace.Listing{Suspended: true})
	l.list(t, "art@lab.example", workspace.Listing{Archived: true})
	l.list(t, "new@lab.example", workspace.Listing{NoMailbox: true})
	byAddress, err := users.Get(alice).Do()
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"alice.liddell@LAB.example", "alice@lab.example.test-google-a.com", byAddress.Id} {
		if got, err := users.Get(key).Do(); err != nil || got.PrimaryEmail != alice || got.Id != byAddress.Id || !slices.Contains(got.Aliases, "alice.liddell@lab.example") {
			t.Errorf("%s: %+v, %v", key, got, err)
		}
	}
	for _, test := range []struct {
		email                        string
		suspended, archived, mailbox bool
	}{
		{alice, false, false, true}, {"sue@lab.example", true, false, true}, {"art@lab.example", false, true, true},
		{"new@lab.example", false, false, false}, {"anybody@lab.example", false, false, true},
	} {
		got, err := users.Get(test.email).Do()
		if err != nil || got.Suspended != test.suspended || got.Archived != test.archived || got.IsMailboxSetup != test.mailbox {
			t.Errorf("%s: %+v, %v", test.email, got, err)
		}
	}
	l.RemoveUser("gone@lab.example")
	_, err = users.Get("gone@lab.example").Do()
	wantError(t, err, 404, "notFound")
	_, err = users.Get("somebody@example.org").Do()
	wantError(t, err, 403, "forbidden")
}

// TestDirectoryAccess: who may ask, and with which scope.
func TestDirectoryAccess(t *testing.T) {
	l := newLab(t, workspace.Config{})
	var refused *oauth2.RetrieveError
	_, err := l.directory(t, administrator).Get(alice).Do()
	if !errors.As(err, &refused) || !strings.Contains(string(refused.Body), `"unauthorized_client"`) {
		t.Errorf("not delegated: %v", err)
	}
	l.SetScopes(workspace.ScopeBasic, workspace.ScopeDirectoryReadonly)
	_, err = l.directory(t, administrator, workspace.ScopeBasic).Get(alice).Do()
	wantError(t, err, 403, "insufficientPermissions")
	if _, err := l.cse(t, alice, workspace.ScopeDirectoryReadonly).Keypairs.List("me").Do(); err == nil {
		t.Error("Gmail takes the scope of the directory")
	}
	_, err = l.directory(t, alice).Get(alice).Do()
	wantError(t, err, 403, "forbidden")
	_, err = l.directory(t, alice).List().Customer("my_customer").Do()
	wantError(t, err, 403, "forbidden")
	if public, err := l.directory(t, "bob@lab.example").Get(alice).ViewType("domain_public").Do(); err != nil || public.PrimaryEmail != alice || public.CustomerId != "" {
		t.Errorf("the public view: %+v, %v", public, err)
	}
	l.list(t, alice, workspace.Listing{Admin: true})
	if _, err := l.directory(t, alice).Get(alice).Do(); err != nil {
		t.Errorf("another administrator: %v", err)
	}
}

// TestDirectoryList: all users, page by page, and the deleted ones apart.
func TestDirectoryList(t *testing.T) {
	l := newLab(t, workspace.Config{})
	l.SetScopes(workspace.ScopeDirectoryReadonly)
	users := l.directory(t, administrator)
	for i := range 1234 {
		l.list(t, fmt.Sprintf("user%d@lab.example", i), workspace.Listing{Suspended: i%100 == 7})
	}
	l.RemoveUser("user3@lab.example")
	var all []string
	pages, suspended := 0, 0
	err := users.List().Customer("my_customer").MaxResults(500).Pages(context.Background(), func(page *admin.Users) error {
		pages++
		for _, user := range page.Users {
			all = append(all, user.PrimaryEmail)
			if user.Suspended {
				suspended++
			}
		}
		return nil
	})
	if err != nil || pages != 3 || len(all) != 1234 || suspended != 13 || !slices.IsSorted(all) || len(slices.Compact(all)) != 1234 || slices.Contains(all, "user3@lab.example") {
		t.Errorf("%d pages, %d users, %d suspended: %v", pages, len(all), suspended, err)
	}
	deleted, err := users.List().Domain("lab.example").ShowDeleted("true").Do()
	if err != nil || len(deleted.Users) != 1 || deleted.Users[0].PrimaryEmail != "user3@lab.example" {
		t.Errorf("deleted: %+v, %v", deleted, err)
	}
	for name, call := range map[string]*admin.UsersListCall{
		"400": users.List(), "404": users.List().Domain("example.org"), "400 ": users.List().Customer("my_customer").MaxResults(501),
	} {
		var answered *googleapi.Error
		if _, err := call.Do(); !errors.As(err, &answered) || fmt.Sprint(answered.Code) != strings.TrimSpace(name) {
			t.Errorf("want %s: %v", name, err)
		}
	}
}

// TestBlockedUsers: who is suspended, has no mailbox or asks by an alias gets nothing of Gmail.
func TestBlockedUsers(t *testing.T) {
	l := newLab(t, workspace.Config{})
	cse := l.cse(t, alice)
	if _, err := cse.Keypairs.List("me").Do(); err != nil {
		t.Fatal(err)
	}
	l.list(t, alice, workspace.Listing{Suspended: true})
	_, err := cse.Keypairs.List("me").Do()
	wantError(t, err, 401, "authError")
	l.list(t, alice, workspace.Listing{NoMailbox: true})
	_, err = cse.Keypairs.List("me").Do()
	wantError(t, err, 400, "failedPrecondition")
	l.list(t, alice, workspace.Listing{Aliases: []string{"ally@lab.example"}})
	for _, email := range []string{"ally@lab.example", "sue@lab.example"} {
		if email[0] == 's' {
			l.list(t, email, workspace.Listing{Suspended: true})
		}
		var refused *oauth2.RetrieveError
		if _, err := l.cse(t, email).Keypairs.List("me").Do(); !errors.As(err, &refused) || !strings.Contains(string(refused.Body), `"invalid_grant"`) {
			t.Errorf("%s: %v", email, err)
		}
	}
	if err := l.List("bob@lab.example", workspace.Listing{Aliases: []string{"ally@lab.example"}}); err == nil {
		t.Error("an alias of two users")
	}
}
