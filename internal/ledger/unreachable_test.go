package ledger_test

import (
	"errors"
	"net/url"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/cse-piv/cse-piv/internal/ledger"
	"github.com/cse-piv/cse-piv/internal/ledger/pgtest"
)

// TestPostgresSaysWhy: what the server itself says comes first, not what came of the
// attempt to encrypt.
func TestPostgresSaysWhy(t *testing.T) {
	server := pgtest.Start(t)
	local := server.NewDatabase(t)
	admin, err := pgx.Connect(t.Context(), local)
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close(t.Context())
	database := admin.Config().Database
	for _, statement := range []string{`CREATE ROLE clerk LOGIN PASSWORD 'correct horse'`, `ALTER DATABASE ` + database + ` OWNER TO clerk`, `CREATE ROLE sleeper NOLOGIN PASSWORD 'correct horse'`} {
		if _, err := admin.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	for name, test := range map[string]struct{ address, says, code string }{
		"wrong password":   {server.LoopbackAddress(pgtest.User, "wrong", database), "password authentication failed", "28P01"},
		"missing database": {server.LoopbackAddress(pgtest.User, pgtest.Password, "nowhere"), `database "nowhere" does not exist`, "3D000"},
		"may not log in":   {server.LoopbackAddress("sleeper", pgtest.Password, database), "is not permitted to log in", "28000"},
		"nobody listens":   {"postgres://127.0.0.1:1/x", "connection refused", ""},
	} {
		for _, mode := range []string{"", "prefer", "require", "disable"} {
			address := test.address
			if mode != "" {
				address += "?" + url.Values{"sslmode": {mode}}.Encode()
			}
			_, err := ledger.Open(t.Context(), address, ledger.Options{})
			var unreachable *ledger.UnreachableError
			if !errors.As(err, &unreachable) || strings.Contains(err.Error(), "wrong") || strings.Contains(err.Error(), "horse") {
				t.Errorf("%s: %v", name, err)
				continue
			}
			if mode == "require" && test.code != "" { // it really has no TLS
				if !strings.Contains(err.Error(), "TLS") {
					t.Errorf("%s, %s: %v", name, mode, err)
				}
				continue
			}
			if !strings.Contains(err.Error(), test.says) || strings.Contains(err.Error(), "TLS") || unreachable.Code() != test.code {
				t.Errorf("%s, %s: %v; code: %s", name, mode, err, unreachable.Code())
			}
		}
	}
	l, err := ledger.Open(t.Context(), server.LoopbackAddress(pgtest.User, pgtest.Password, database), ledger.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
}
