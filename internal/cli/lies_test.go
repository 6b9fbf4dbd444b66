package cli_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"text/tabwriter"

	"github.com/cse-piv/cse-piv/internal/cli"
	"github.com/cse-piv/cse-piv/internal/cli/stdio"
	"github.com/cse-piv/cse-piv/internal/lab"
	"github.com/cse-piv/cse-piv/internal/lab/yubikey"
)

var update = flag.Bool("update", false, "write the golden files")

// commandsOnALie is how many commands a card is asked at most by one command line;
// an enrollment takes about 100.
const commandsOnALie = 1500

// TestLyingCard tells every lie to every command that reads a card. None panics or
// asks the card for ever, and nobody is registered with a card that was found out;
// how each ended stands in testdata/lies.golden.
func TestLyingCard(t *testing.T) {
	running := longPowerLab(t)
	for name, value := range running.Env() {
		t.Setenv(name, value)
	}
	t.Setenv("XDG_DATA_HOME", t.TempDir())
	t.Setenv("CSE_PIV_RETRY_BASE", "1ms")
	if err := running.SetFaults("off"); err != nil {
		t.Fatal(err)
	}
	honest := newDesk(t, running, "5.7.4", 60_000_000)
	if code, message := inProcess(t, honest.enroll...); code != 0 {
		t.Fatal(message)
	}

	var table strings.Builder
	rows := tabwriter.NewWriter(&table, 0, 0, 2, ' ', 0)
	tell := func(d *desk, lie string, args ...string) int {
		if err := running.SetFaults("off", "card:lie="+lie); err != nil {
			t.Fatal(err)
		}
		before := running.Stats().APDUs
		code, message := inProcess(t, args...)
		if asked := running.Stats().APDUs - before; asked > commandsOnALie {
			t.Errorf("%s, %v: %d commands", lie, args, asked)
		}
		if code != 0 && (message == "" || !strings.HasPrefix(message, "error: ")) {
			t.Errorf("%s, %v: exit code %d and no message: %q", lie, args, code, message)
		}
		command := strings.Join(args[:min(2, len(args))], " ")
		if args[0] == "enroll" {
			command = "enroll"
		}
		fmt.Fprintf(rows, "%s\t%s\t%d\t%s\n", lie, command, code, strings.TrimPrefix(message, "error: "))
		return code
	}
	for i, lie := range yubikey.Lies() {
		_ = running.Pull(0)
		if err := running.Insert(0, honest.card); err != nil {
			t.Fatal(err)
		}
		tell(honest, lie.Name, "card", "list")
		tell(honest, lie.Name, "card", "show")
		tell(honest, lie.Name, "card", "export", "--dir", t.TempDir())
		tell(honest, lie.Name, "card", "attest")
		d := newDesk(t, running, "5.7.4", 60_000_001+uint32(i))
		code := tell(d, lie.Name, d.enroll...)
		if pairs := len(running.Gmail().KeyPairs(d.user)); code != 0 && pairs != 0 {
			t.Errorf("%s: %d key pairs of a card that was refused", lie.Name, pairs)
		}
	}
	anotherSerialMeanwhile(t, running, 60_000_100)
	if err := rows.Flush(); err != nil {
		t.Fatal(err)
	}
	golden := filepath.Join("testdata", "lies.golden")
	if *update {
		if err := os.WriteFile(golden, []byte(table.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if table.String() != string(want) {
		t.Errorf("it ended otherwise than %s says:\n%s", golden, table.String())
	}
}

// anotherSerialMeanwhile has the card say another serial number in the middle of an
// enrollment, while it holds nothing yet: the run ends, and Gmail has nothing of it.
func anotherSerialMeanwhile(t *testing.T, running *lab.Lab, serial uint32) {
	t.Helper()
	d := newDesk(t, running, "5.7.4", serial)
	if err := running.SetFaults("off", "card:lie=serial@15"); err != nil {
		t.Fatal(err)
	}
	code, message := inProcess(t, d.enroll...)
	if code == 0 || !strings.Contains(message, fmt.Sprintf("it says serial number %d in the management application and %d in PIV", serial, serial+1)) {
		t.Errorf("another serial number in the middle: exit code %d, %s", code, message)
	}
	if pairs := len(running.Gmail().KeyPairs(d.user)); pairs != 0 {
		t.Errorf("another serial number in the middle: %d key pairs", pairs)
	}
}

// readerName names a reader of the lab, whose number is not always the same.
var readerName = regexp.MustCompile(`"[^"]*(?i:yubi)[^"]*"`)

// inProcess runs a command line and returns its exit code and the line of its
// message that begins with "error: ".
func inProcess(t *testing.T, args ...string) (code int, message string) {
	t.Helper()
	var out, errors bytes.Buffer
	code = cli.Run(t.Context(), args, stdio.Streams{In: strings.NewReader(""), Out: &out, Err: &errors})
	for line := range strings.Lines(errors.String()) {
		if _, found, ok := strings.Cut(line, "error: "); ok && message == "" {
			message = "error: " + readerName.ReplaceAllString(strings.TrimSpace(found), "the reader")
		}
	}
	return code, message
}
