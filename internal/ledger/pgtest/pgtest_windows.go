package pgtest

import "testing"

// Server is a PostgreSQL server of a test.
type Server struct{}

// Start skips the test: there is no server for tests on Windows.
func Start(t testing.TB) *Server {
	t.Helper()
	t.Skip("NOT TESTED: no PostgreSQL for tests on Windows")
	return nil
}

// NewDatabase makes an empty database and returns its address.
func (*Server) NewDatabase(testing.TB) string { return "" }

// Who has to give a password on loopback.
const User, Password = "clerk", "correct horse"

// LoopbackAddress is that of a database for a user with a password, over TCP.
func (*Server) LoopbackAddress(user, password, database string) string { return "" }

// Stop ends the server; its connections break.
func (*Server) Stop(testing.TB) {}

// Run starts the server again where it was stopped.
func (*Server) Run(testing.TB) {}
