//go:build !windows

package batch_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"
)

// TestNoSecretInADumpOrTheDatabase ends a batch and a worker in the middle with a dump
// of their goroutines (SIGQUIT), and looks for the service account's key, access tokens
// and assertions in the dumps and in every table of the database, where the queue is,
// too.
func TestNoSecretInADumpOrTheDatabase(t *testing.T) {
	p := newPlant(t, 120, "latency:20ms")
	var account struct {
		Key string `json:"private_key"`
	}
	data, err := os.ReadFile(p.lab.Env()["CSE_PIV_CREDENTIALS"])
	if err != nil || json.Unmarshal(data, &account) != nil || len(account.Key) < 500 {
		t.Fatal("no private key", err)
	}
	canaries := map[string]string{"service account's key": strings.Split(account.Key, "\n")[3], "access token": "ya29.lab.", "assertion": "eyJhbGciOi"}
	inspect := func(where string, text []byte) {
		t.Helper()
		for what, canary := range canaries {
			for _, form := range []string{canary, hex.EncodeToString([]byte(canary)), base64.StdEncoding.EncodeToString([]byte(canary))} {
				if bytes.Contains(text, []byte(form)) {
					t.Errorf("%s holds the %s", where, what)
				}
			}
		}
	}
	for _, role := range []string{"run", "work"} {
		command := child(t, role, append(p.env, "GOTRACEBACK=all")...)
		var said bytes.Buffer
		command.Stdout, command.Stderr = &said, &said
		process := start(t, command)
		p.await(t, process, p.done()+10)
		if err := process.Process.Signal(syscall.SIGQUIT); err != nil {
			t.Fatal(err)
		}
		if err := process.end(); err == nil || !strings.Contains(said.String(), "batch.(*session).work") {
			t.Errorf("no dump of a user at work: %v", err)
		}
		inspect("the dump of "+role, said.Bytes())
	}
	connection, err := pgx.Connect(t.Context(), p.url)
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close(t.Context())
	var tables []string
	if err := connection.QueryRow(t.Context(), `SELECT array_agg(relname::text) FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace`).Scan(&tables); err != nil || len(tables) < 5 {
		t.Fatal(tables, err)
	}
	found := false
	for _, table := range tables {
		var rows string
		if err := connection.QueryRow(t.Context(), `SELECT coalesce(string_agg(r::text, ' '), '') FROM `+pgx.Identifier{table}.Sanitize()+` AS r`).Scan(&rows); err != nil {
			t.Fatal(err)
		}
		found = found || strings.Contains(rows, p.people[0].Email)
		inspect("table "+table, []byte(rows))
	}
	if !found {
		t.Error("not even an address can be found in these tables")
	}
}
