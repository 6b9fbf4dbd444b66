package cli

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/cse-piv/cse-piv/internal/ledger"
)

// ledgerPatience is how long an enrollment waits for a ledger that another
// process holds: other desks hold it for a moment, a batch until its end.
const ledgerPatience = 10 * time.Second

// enrollLedger is the ledger that enrollments are entered into. It is opened for
// each, so that many desks can share a file as well as a database.
type enrollLedger struct{ store *storeFlags }

// Enter opens the ledger, enters the registration and closes the ledger.
func (l enrollLedger) Enter(ctx context.Context, entry ledger.Entry) (err error) {
	patient, cancel := context.WithTimeout(ctx, ledgerPatience)
	defer cancel()
	waiting := *l.store
	waiting.wait = true
	book, err := waiting.open(patient, io.Discard)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, book.Close()) }()
	return book.Enter(ctx, entry)
}
