package enrollcmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/desk"
	"github.com/cse-piv/cse-piv/internal/ledger"
	"github.com/cse-piv/cse-piv/internal/safetext"
)

// onlyDue leaves in the roster those whose certificates end within that time, or all who
// are enrolled for 0: by the ledger or, of whom it has nothing, by Gmail. Somebody of whom
// that cannot be told stays, and the desk says why.
func onlyDue(ctx context.Context, roster *desk.Roster, account *account, book *enrollLedger, within time.Duration) error {
	var due []desk.Person
	later, unknown := 0, 0
	for _, person := range roster.People {
		end, err := book.ends(ctx, person.Email)
		if err == nil && end.IsZero() {
			end, err = account.ends(ctx, person.Email)
		}
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			due = append(due, person)
			roster.Notes = append(roster.Notes, fmt.Sprintf("%s: it is not known when the certificate ends: %v", person.Email, err))
		case end.IsZero():
			unknown++
		case within > 0 && end.After(time.Now().Add(within)):
			later++
		default:
			due = append(due, person)
		}
	}
	if later > 0 {
		roster.Notes = append(roster.Notes, fmt.Sprintf("people whose certificates are valid for more than %d days, who are left out: %d", int(within.Hours()/24), later))
	}
	if unknown > 0 {
		roster.Notes = append(roster.Notes, fmt.Sprintf("people who are not enrolled, who are left out: %d", unknown))
	}
	roster.People = due
	return nil
}

// tellNobodyDue says why nobody of the roster is to be renewed.
func tellNobodyDue(out io.Writer, roster desk.Roster) error {
	if _, err := fmt.Fprintln(out, "nobody is to be renewed yet"); err != nil {
		return err
	}
	for _, note := range roster.Notes {
		if _, err := fmt.Fprintln(out, "  "+safetext.Clean(note)); err != nil {
			return err
		}
	}
	return nil
}

// ends returns when the first of the certificates ends that the user's identity uses; zero
// for no identity.
func (a *account) ends(ctx context.Context, email string) (first time.Time, err error) {
	found, err := a.look(ctx, email)
	if err != nil || found.Identity == nil {
		return first, err
	}
	for _, pair := range found.KeyPairs {
		if !found.Identity.Uses(pair.ID) {
			continue
		}
		chain, err := certificate.Parse([]byte(pair.PEM))
		if err != nil {
			return first, fmt.Errorf("key pair %s: %w", pair.ID, err)
		}
		first = earlier(first, chain[0].NotAfter)
	}
	return first, nil
}

// ends returns when the first of the certificates ends that the ledger has for the user;
// zero for none.
func (l *enrollLedger) ends(ctx context.Context, email string) (first time.Time, err error) {
	book, err := l.look(ctx)
	if missing := (*ledger.MissingError)(nil); errors.As(err, &missing) {
		return first, nil // nobody was entered yet
	}
	if err != nil {
		return first, err
	}
	entry, found, err := book.Entry(ctx, email)
	if err != nil || !found || entry.State != ledger.StateDone {
		return first, err
	}
	for _, pair := range entry.Pairs {
		if pair.Use != certificate.UseHistory {
			first = earlier(first, pair.NotAfter)
		}
	}
	return first, nil
}

func earlier(a, b time.Time) time.Time {
	if a.IsZero() || b.Before(a) {
		return b
	}
	return a
}
