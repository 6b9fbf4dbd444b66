package cli_test

import (
	"encoding/hex"
	"fmt"
	"strconv"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/cse-piv/cse-piv/internal/lab"
)

// putObject has the card in the first reader hold a data object that nobody would write: object TAG HEXADECIMAL.
func putObject(ts *testscript.TestScript, neg bool, args []string) {
	tag, err := strconv.ParseUint(args[0], 16, 32)
	ts.Check(err)
	content, err := hex.DecodeString(args[1])
	ts.Check(err)
	labOf(ts).Card(0).PutObject(uint32(tag), content)
}

// pull takes the card out of the first reader, or of another: pull [READER].
func pull(ts *testscript.TestScript, neg bool, args []string) {
	ts.Check(labOf(ts).Pull(readerNumber(ts, args)))
}

// readerNumber is the first argument; 0 without one.
func readerNumber(ts *testscript.TestScript, args []string) int {
	if len(args) == 0 {
		return 0
	}
	reader, err := strconv.Atoi(args[0])
	ts.Check(err)
	return reader
}

// insert puts a card with that serial into a reader, a new one or one that was
// issued elsewhere, or without a serial the card that was there last: insert READER [SERIAL [FROM]].
func insert(ts *testscript.TestScript, neg bool, args []string) {
	reader, err := strconv.Atoi(args[0])
	ts.Check(err)
	if len(args) == 1 {
		ts.Check(labOf(ts).Insert(reader, nil))
		return
	}
	serial, err := strconv.ParseUint(args[1], 10, 32)
	ts.Check(err)
	spec := lab.CardSpec{Serial: uint32(serial)}
	if len(args) == 3 {
		spec.From = ts.MkAbs(args[2])
	}
	card, err := labOf(ts).NewCard(spec)
	ts.Check(err)
	ts.Check(labOf(ts).Insert(reader, card))
}

// holds checks what the lab's Gmail holds: holds EMAIL KEYPAIRS IDENTITIES.
func holds(ts *testscript.TestScript, neg bool, args []string) {
	workspace := labOf(ts).Gmail()
	got := fmt.Sprint(len(workspace.KeyPairs(args[0])), " ", len(workspace.Identities(args[0])))
	if want := args[1] + " " + args[2]; (got == want) == neg {
		ts.Fatalf("Gmail holds %s key pairs and identities", got)
	}
}

// reinsert puts the card that was pulled back in: reinsert [READER].
func reinsert(ts *testscript.TestScript, neg bool, args []string) {
	reader := readerNumber(ts, args)
	if labOf(ts).Inserted(reader) {
		return
	}
	ts.Check(labOf(ts).Insert(reader, nil))
}

// foreign puts a card that is no YubiKey into the first reader.
func foreign(ts *testscript.TestScript, neg bool, args []string) {
	_ = labOf(ts).Pull(0)
	ts.Check(labOf(ts).InsertForeign(0))
}
