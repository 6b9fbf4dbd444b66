// Package pgtest runs a PostgreSQL server for tests, from the programs that are
// installed on this machine, in a temporary folder and on a Unix socket only.
package pgtest
