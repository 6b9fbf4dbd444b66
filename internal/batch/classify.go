package batch

import (
	"errors"

	"github.com/cse-piv/cse-piv/internal/gmail"
	"github.com/cse-piv/cse-piv/internal/ledger"
)

// kindOf is the kind of a Gmail error, "" for others.
func kindOf(err error) gmail.Kind {
	var e *gmail.Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return ""
}

// classOf says what helps against a failure.
func classOf(err error) ledger.Class {
	switch kindOf(err) {
	case gmail.KindRateLimited, gmail.KindUnavailable, gmail.KindProtocol, gmail.KindConflict, gmail.KindMismatch:
		// Protocol: a proxy's page, an overloaded front end. Conflict and mismatch:
		// somebody else changes the user just now.
		return ledger.ClassLater
	case gmail.KindCSEOff, gmail.KindScope, gmail.KindCredentials, gmail.KindAPIDisabled, gmail.KindDenied,
		gmail.KindSuspended, gmail.KindArchived, gmail.KindNoMailbox:
		return ledger.ClassAdministrator
	case gmail.KindInvalid, gmail.KindAlias:
		return ledger.ClassRow
	}
	return ledger.ClassFinal
}

// concernsEverybody tells errors that no user can be expected to be spared.
func concernsEverybody(err error) bool {
	switch kindOf(err) {
	case gmail.KindScope, gmail.KindCredentials, gmail.KindAPIDisabled:
		return true
	}
	return false
}

// describe puts a failure into a task.
func (o Options) describe(task *ledger.Task, err error) {
	task.Class, task.Reason, task.Message, task.Hint = o.failure(err)
}

// failure says of an error what the ledger keeps of it.
func (o Options) failure(err error) (class ledger.Class, reason, message, hint string) {
	reason = "other"
	var e *gmail.Error
	if errors.As(err, &e) {
		reason = string(e.Kind)
	}
	if errors.As(err, new(*InternalError)) {
		reason = "internal"
	}
	return classOf(err), reason, err.Error(), o.Hint(err)
}

// isLater tells failures that say nothing about the credentials either way.
func isLater(err error) bool { return err != nil && classOf(err) == ledger.ClassLater }
