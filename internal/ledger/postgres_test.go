package ledger_test

import (
	"testing"

	"github.com/cse-piv/cse-piv/internal/ledger/pgtest"
)

func postgresURL(t *testing.T) string { return pgtest.Start(t).NewDatabase(t) }
