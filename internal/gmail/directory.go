package gmail

import (
	"context"
	"errors"
	"strings"
	"sync"

	"google.golang.org/api/googleapi"

	admin "google.golang.org/api/admin/directory/v1"

	"github.com/cse-piv/cse-piv/internal/logging"
	"github.com/cse-piv/cse-piv/internal/safetext"
)

// DirectoryScope is the OAuth scope that is asked for besides, in tokens of their own,
// where Config.Directory names an administrator (Admin SDK discovery document,
// directory_v1, users.get).
const DirectoryScope = admin.AdminDirectoryUserReadonlyScope

const directoryEndpoint = "https://admin.googleapis.com/"

// Up to askedSingly addresses at once are asked for one by one. For more of them all
// users are listed, once: a call for 500 users instead of one each, of which a project may
// make 2,400 a minute. What is not in the list is asked for singly all the same.
const (
	askedSingly  = 50
	listedAtOnce = 500
	maxListed    = 2_000_000
)

// personFields are those of a User that are asked for.
const personFields = "primaryEmail,aliases,nonEditableAliases,suspended,archived,isMailboxSetup"

// directory is the users of an organisation, as an administrator sees them. Who was found
// is kept.
type directory struct {
	as    *User // the administrator
	users *admin.UsersService

	listing chan struct{} // has the list made once
	mu      sync.Mutex
	people  map[string]*person // by address, in lower case
	listed  bool
}

func (d *Domain) openDirectory(as string) (*directory, error) {
	if _, own := d.tokens.(*Login); own {
		return nil, credentialsError(nil, "a user's own login cannot read the directory")
	}
	if !safetext.IsAddress(as) {
		return nil, &Error{Method: "directory", Kind: KindInvalid, Message: safetext.Message(as) + " is not an address"}
	}
	endpoint := d.config.Endpoint
	if endpoint == DefaultEndpoint {
		endpoint = directoryEndpoint
	}
	user := d.subject(as, as, DirectoryScope)
	service, err := admin.NewService(context.Background(), user.clientOptions(endpoint)...)
	if err != nil {
		return nil, err
	}
	service.UserAgent = d.config.UserAgent
	return &directory{as: user, users: service.Users, listing: make(chan struct{}, 1), people: map[string]*person{}}, nil
}

// Directory is the administrator as whom the directory is asked; "" where it is not.
func (d *Domain) Directory() string {
	if d.directory == nil {
		return ""
	}
	return d.directory.as.email
}

// CheckUsers looks up in the directory, if there is one, whether the addresses can have an
// identity at Gmail. For each that cannot there is an *Error, with the kind KindNoUser,
// KindAlias (which names the primary address), KindSuspended, KindArchived, KindNoMailbox
// or KindDenied (the administrator may not read this user), in the place of the address;
// nil for the others. The error that is returned concerns the directory itself: ErrScope,
// ErrAPIDisabled, ErrCredentials, ErrDenied with DetailDirectoryAdmin, ErrUnavailable and
// the like.
func (d *Domain) CheckUsers(ctx context.Context, emails []string) ([]error, error) {
	found := make([]error, len(emails))
	if d.directory == nil {
		return found, nil
	}
	if err := d.directory.prepare(ctx, emails); err != nil {
		return nil, err
	}
	for i, email := range emails {
		p := d.directory.known(email)
		if p == nil {
			var err error
			if p, err = d.directory.ask(ctx, email); err != nil {
				return nil, err
			}
		}
		found[i] = p.check(email)
	}
	return found, nil
}

// check is CheckUsers of one address, with both kinds of errors. Who was refused is asked for
// again: an administrator may have put it right meanwhile.
func (d *directory) check(ctx context.Context, email string) error {
	if p := d.known(email); p != nil && p.check(email) == nil {
		return nil
	}
	p, err := d.ask(ctx, email)
	if err != nil {
		return err
	}
	return p.check(email)
}

// prepare lists all users, where asking for each address would take more calls.
func (d *directory) prepare(ctx context.Context, emails []string) error {
	select {
	case d.listing <- struct{}{}:
		defer func() { <-d.listing }()
	case <-ctx.Done():
		return canceled("users.list", d.as.email, ctx)
	}
	d.mu.Lock()
	unknown, listed := 0, d.listed
	for _, email := range emails {
		if d.people[strings.ToLower(email)] == nil {
			unknown++
		}
	}
	d.mu.Unlock()
	if listed || unknown <= askedSingly {
		return nil
	}
	return d.list(ctx)
}

// list takes in all users of the organisation.
func (d *directory) list(ctx context.Context) error {
	seen := map[string]bool{"": true}
	for token, count := "", 0; ; {
		var page *admin.Users
		err := d.read(ctx, "users.list", func(ctx context.Context) (err error) {
			call := d.users.List().Customer("my_customer").MaxResults(listedAtOnce).Fields("nextPageToken", googleapi.Field("users("+personFields+")")).Context(ctx)
			if page, err = call.PageToken(token).Do(); err == nil && page == nil {
				err = errNoAnswer
			}
			return err
		})
		if err != nil {
			return err
		}
		for _, user := range page.Users {
			p, err := readPerson(user)
			if err != nil {
				return d.failed("users.list", err)
			}
			d.add(p, p.primary)
			count++
		}
		if page.NextPageToken == "" {
			break
		}
		if token = page.NextPageToken; seen[token] || count > maxListed {
			return d.failed("users.list", &protocolError{"the list does not end"})
		}
		seen[token] = true
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.listed = true
	return nil
}

// failed is an answer that makes no sense.
func (d *directory) failed(method string, err error) *Error {
	return &Error{Method: method, User: d.as.email, Kind: KindProtocol, Message: err.Error(), Err: err}
}

func (d *directory) add(p *person, asked string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.people[strings.ToLower(asked)], d.people[strings.ToLower(p.primary)] = p, p
	for _, alias := range p.aliases {
		d.people[strings.ToLower(alias)] = p
	}
}

// known is whose an address is, as far as it was asked; nil where it was not.
func (d *directory) known(email string) *person {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.people[strings.ToLower(email)]
}

// ask looks up whose an address is. Its error concerns the directory, not the address.
func (d *directory) ask(ctx context.Context, email string) (*person, error) {
	ctx = logging.Adding(ctx, logging.Email, email)
	var p *person
	err := d.read(ctx, "users.get", func(ctx context.Context) error {
		user, err := d.users.Get(email).Fields(personFields).Context(ctx).Do()
		if err == nil {
			p, err = readPerson(user)
		}
		return err
	})
	var refused *Error
	switch errors.As(err, &refused); {
	case err == nil:
	case refused.Method == "token":
		return nil, err
	case refused.Kind == KindNotFound, refused.Kind == KindInvalid:
		p = &person{refused: &Error{Method: "users.get", Status: refused.Status, Reason: refused.Reason, Kind: KindNoUser, Message: "the directory has no such user"}}
	case refused.Reason == "forbidden" && d.mayRead(ctx):
		p = &person{refused: &Error{Method: "users.get", Status: refused.Status, Reason: refused.Reason, Kind: KindDenied, Detail: DetailDirectoryOther,
			Message: safetext.Message(d.as.email) + " may read users, but not this one"}}
	default:
		return nil, err
	}
	d.add(p, email)
	return p, nil
}

// mayRead reports whether the administrator may read users at all: who is no administrator,
// and whoever asks for a user of another organisation, is refused with the same words.
func (d *directory) mayRead(ctx context.Context) bool {
	return d.read(ctx, "users.list", func(ctx context.Context) error {
		_, err := d.users.List().Customer("my_customer").MaxResults(1).Fields("users(primaryEmail)").Context(ctx).Do()
		return err
	}) == nil
}

// read makes a call as the administrator, and names what is the administrator's fault.
func (d *directory) read(ctx context.Context, method string, call func(context.Context) error) error {
	err := d.as.begin().read(ctx, method, call)
	var e *Error
	if !errors.As(err, &e) {
		return err
	}
	switch e.Kind {
	case KindDenied:
		if e.Reason == "forbidden" {
			e.Detail = DetailDirectoryAdmin
		}
	case KindNoUser:
		e.Kind, e.Detail = KindDenied, DetailDirectoryAdmin
	case KindAPIDisabled:
		e.Detail = DetailDirectoryAPI
	}
	return err
}
