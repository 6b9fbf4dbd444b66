package hint

import (
	"errors"

	"github.com/cse-piv/cse-piv/internal/cli/failure"
	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/ledger"
)

// ofLedger is about ledgers, in files and in PostgreSQL.
func (h hints) ofLedger(err error) string {
	if left, found := errors.AsType[*enroll.NotEnteredError](err); found {
		if hint := h.ofLedger(left.Unwrap()); hint != "" {
			return hint + "; then " + h.again + ": only the ledger is left"
		}
		return h.again + ": only the ledger is left"
	}
	if failed, found := errors.AsType[*ledger.Error](err); found {
		return h.ofProblem(failed)
	}
	if unreachable, found := errors.AsType[*ledger.UnreachableError](err); found {
		return h.ofSQLState(unreachable.Code())
	}
	switch {
	case failure.Is[*ledger.InUseError](err):
		return "try again when that has ended" + h.either("; --wait has the command wait for it; ", "; ") + "several processes share a ledger in PostgreSQL: " + h.either("", atStart) + "--store postgres://…"
	case failure.Is[*ledger.MissingError](err):
		return "the first enrollment or batch makes one: cse-piv enroll, cse-piv batch SOURCE; " + h.either("or name another one with ", "or "+atStart+"another one in ") + "--store"
	}
	return ""
}

func (h hints) ofProblem(failed *ledger.Error) string {
	const nothingDoubled = "Gmail is asked what it has, so that nothing is doubled"
	switch failed.Problem() {
	case ledger.ProblemFull:
		return "make room on the disk of the ledger, then " + h.again + ": it goes on where it was"
	case ledger.ProblemDisk:
		return "the disk of the ledger, or the way to it, fails: look at the system's log; when it is sound again, " + h.again + ": it goes on where it was"
	case ledger.ProblemNotWritable:
		return "make the ledger's file and folder writable; or " + h.give("another", "--store FILE")
	case ledger.ProblemDamaged:
		return "the file is damaged or no ledger: restore it from a backup, or " + h.give("another", "--store FILE") + "; " + nothingDoubled
	case ledger.ProblemTaken:
		return "let one of the two end, and leave " + failed.Ledger + ".lock alone; then " + h.again + ": " + nothingDoubled
	case ledger.ProblemMoved:
		return "put the file back where it was, or leave it, and " + h.again + ": " + nothingDoubled
	case ledger.ProblemNewer:
		return "use the version of cse-piv that the others use who work with this ledger, or a newer one"
	case ledger.ProblemOlder:
		return "cse-piv batch or cse-piv worker of this version brings them up to date; older versions of the program can then not use them any more"
	case ledger.ProblemNotOwner:
		return "let the user who logs in own the database: createdb --owner USER DATABASE"
	case ledger.ProblemServer:
		return "check that PostgreSQL answers, then " + h.again + ": it goes on where it was"
	}
	return ""
}

// ofSQLState is about a database that does not let the program in; the codes are
// those of PostgreSQL's documentation, appendix A.
func (h hints) ofSQLState(code string) string {
	switch code {
	case "28P01": // invalid_password
		return "check the user and the password: in ~/.pgpass, in PGPASSWORD, or in CSE_PIV_STORE"
	case "28000": // invalid_authorization_specification
		return "let the server's pg_hba.conf admit this user, from this machine, to this database"
	case "3D000": // invalid_catalog_name
		return "make the database, and let its user own it: createdb --owner USER DATABASE"
	case "53300": // too_many_connections
		return "allow more connections (max_connections of the server), or fewer for each process: ?pool_max_conns=5 behind the address"
	case "57P03": // cannot_connect_now
		return "it starts or stops just now: " + h.again + " in a moment"
	}
	return "check that PostgreSQL runs there, that the database exists and that the user may log in: psql postgres://…"
}
