package check

import (
	"context"
	"errors"

	"github.com/cse-piv/cse-piv/internal/cli/failure"
	"github.com/cse-piv/cse-piv/internal/desk"
	"github.com/cse-piv/cse-piv/internal/gmail"
)

// directory looks up the administrator, which shows delegation, scope, API and privilege,
// and the user.
func (s Setup) directory(ctx context.Context) desk.Check {
	domain, err := s.Domain()
	if err != nil {
		return failed(err)
	}
	emails := []string{s.Gmail.Directory()}
	if s.Email != "" {
		emails = append(emails, s.Email)
	}
	refused, err := domain.CheckUsers(ctx, emails)
	switch {
	case failure.Is[*failure.MissingSecretError](err):
		return skipped(needsPIN)
	case err != nil:
		return failed(err)
	case s.Email == "":
		return ok("%s may read users", s.Gmail.Directory())
	case refused[1] != nil && s.Desk:
		return warned(refused[1])
	case refused[1] != nil:
		return failed(refused[1])
	}
	return ok("%s is the primary address of a user with a mailbox", s.Email)
}

// isOfUser reports whether an error is about one user, and others may be better off.
func isOfUser(err error) bool {
	failed, found := errors.AsType[*gmail.Error](err)
	if !found {
		return false
	}
	switch failed.Kind {
	case gmail.KindNoUser, gmail.KindAlias, gmail.KindSuspended, gmail.KindArchived, gmail.KindNoMailbox:
		return true
	}
	return failed.Detail == gmail.DetailDirectoryOther
}
