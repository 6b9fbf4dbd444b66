package check

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/cse-piv/cse-piv/internal/cli/failure"
	"github.com/cse-piv/cse-piv/internal/cli/option"
	"github.com/cse-piv/cse-piv/internal/cli/setting"
	"github.com/cse-piv/cse-piv/internal/desk"
	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/format"
	"github.com/cse-piv/cse-piv/internal/gmail"
)

// How far this machine's clock may be off: Google takes assertions of a few minutes'
// difference.
const (
	clockNoticed = time.Minute
	clockRefused = 5 * time.Minute
)

// needsPIN is why nothing is asked as the service account.
const needsPIN = "the card with the service account's key needs its PIN, which no check asks for: --key-pin-file gives it"

// credentials says which there are, and whether others can read their file.
func (s Setup) credentials(context.Context) desk.Check {
	domain, err := s.Domain()
	if err != nil {
		return failed(err)
	}
	check := ok("%s", domain.Credentials())
	if source := domain.Credentials().Source; source != "" && !s.Desk {
		check.Detail += ", from " + source
	}
	if tokens := domain.ForeignTokens(); tokens != "" && !strings.HasPrefix(tokens, strings.TrimSuffix(s.Gmail.Endpoint, "/")+"/") {
		check.State, check.Detail = desk.CheckWarning, check.Detail+"; "+option.TokensText(tokens)
	}
	if problem := s.Gmail.LoginProblem(); problem != nil {
		return warned(problem)
	}
	return withWarnings(check, domain.Warnings()...)
}

// place says where Gmail is asked.
func (s Setup) place(context.Context) desk.Check {
	switch endpoint := s.Gmail.Foreign(); {
	case s.Practice:
		return ok("the practice lab's")
	case endpoint != "":
		return warned(&failure.ForeignError{What: enroll.EndpointText(endpoint), Flag: "gmail-endpoint", Variable: setting.EnvironmentName("gmail-endpoint")})
	}
	return ok("%s", s.Gmail.Place())
}

// clock compares this machine's clock with the token endpoint's.
func (s Setup) clock(ctx context.Context) desk.Check {
	domain, err := s.Domain()
	if err != nil {
		return failed(err)
	}
	ahead, err := domain.ClockAhead(ctx)
	off := max(ahead, -ahead)
	switch {
	case err != nil:
		return warned(err)
	case off >= clockRefused:
		return failed(&gmail.ClockError{Ahead: ahead})
	case off >= clockNoticed:
		return warned(&gmail.ClockError{Ahead: ahead})
	}
	return ok("within a minute of the server's")
}

// addUser adds what is asked about the user: the token, which shows delegation and scope;
// the Gmail API, which shows whether it is on and the domain's policy; client-side
// encryption; key pairs and identity. Each call is made once.
func (s Setup) addUser(l *list, needs ...*job) {
	var (
		user    *gmail.User
		pairs   []gmail.KeyPair
		listing error
	)
	nobody := func(run func(context.Context) desk.Check) func(context.Context) desk.Check {
		if s.Email != "" {
			return run
		}
		return func(context.Context) desk.Check { return skipped("no user is named") }
	}
	token := l.add("token", nobody(func(ctx context.Context) (check desk.Check) {
		domain, err := s.Domain()
		if err == nil {
			user, err = domain.User(ctx, s.Email)
		}
		refused, _ := errors.AsType[*gmail.Error](err)
		switch {
		case refused != nil && refused.Detail == gmail.DetailNotLoggedIn:
			return skipped("nobody is logged in, and no check asks for it")
		case failure.Is[*failure.MissingSecretError](err):
			return skipped(needsPIN)
		case isOfUser(err) && s.Desk:
			return warned(err) // others of the domain may be better off
		case err != nil:
			return failed(err)
		case domain.Credentials().Kind == gmail.CredentialsLogin:
			return ok("allowed by %s, for %s", s.Email, gmail.Scope)
		}
		return ok("delegated for %s, for %s", s.Email, gmail.Scope)
	}), needs...)
	api := l.add("Gmail API", nobody(func(ctx context.Context) desk.Check {
		if user == nil {
			return skipped("needs token")
		}
		pairs, listing = user.KeyPairs(ctx)
		switch {
		case listing == nil, errors.Is(listing, gmail.ErrCSEOff):
			return ok("answers for %s", s.Email)
		case errors.Is(listing, gmail.ErrNoUser) && s.Desk:
			return warned(listing)
		}
		return failed(listing)
	}), token)
	encryption := l.add("encryption", nobody(func(context.Context) desk.Check {
		switch {
		case errors.Is(listing, gmail.ErrCSEOff) && s.Desk:
			return warned(listing)
		case errors.Is(listing, gmail.ErrCSEOff):
			return failed(listing)
		case listing != nil:
			return skipped("needs Gmail API")
		}
		return ok("client-side encryption is on for %s", s.Email)
	}), api)
	l.add("key pairs", nobody(func(ctx context.Context) desk.Check {
		if listing != nil {
			return skipped("needs encryption")
		}
		return s.keyPairs(ctx, user, pairs)
	}), encryption)
}

// keyPairs says what the user has at Gmail.
func (s Setup) keyPairs(ctx context.Context, user *gmail.User, pairs []gmail.KeyPair) desk.Check {
	if len(pairs) == 0 {
		return ok("%s has none, and so no identity", s.Email) // an identity is made of key pairs
	}
	enabled := 0
	for _, pair := range pairs {
		if pair.Enabled {
			enabled++
		}
	}
	text := fmt.Sprintf("%s has %s, enabled: %d", s.Email, format.Count(len(pairs), "key pair"), enabled)
	_, err := user.Identity(ctx)
	switch {
	case errors.Is(err, gmail.ErrNotFound):
		return ok("%s; no identity", text)
	case err != nil:
		return failed(err)
	}
	return ok("%s; an identity", text)
}
