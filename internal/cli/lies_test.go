package cli_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
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
	l := newLies(t, startedForLies(t))
	running := l.running
	honest := newDesk(t, running, "5.7.4", 60_000_000)
	if code, message := inProcess(t, honest.enroll...); code != 0 {
		t.Fatal(message)
	}

	for i, lie := range yubikey.Lies() {
		_ = running.Pull(0)
		if err := running.Insert(0, honest.card); err != nil {
			t.Fatal(err)
		}
		l.tell(lie.Name, "card", "list")
		l.tell(lie.Name, "card", "show")
		l.tell(lie.Name, "card", "export", "--dir", t.TempDir())
		l.tell(lie.Name, "card", "attest")
		d := newDesk(t, running, "5.7.4", 60_000_001+uint32(i))
		code := l.tell(lie.Name, d.enroll...)
		if pairs := len(running.Gmail().KeyPairs(d.user)); code != 0 && pairs != 0 {
			t.Errorf("%s: %d key pairs of a card that was refused", lie.Name, pairs)
		}
	}
	anotherSerialMeanwhile(t, running, 60_000_100)
	l.golden("lies.golden")
	t.Run("second day", func(t *testing.T) { lyingOnTheSecondDay(newLies(t, running)) })
}

// lies is a lab whose card lies to commands, and how they ended.
type lies struct {
	t       *testing.T
	running *lab.Lab
	table   *strings.Builder
	rows    *tabwriter.Writer
}

// startedForLies starts the lab that the whole test process is led to: the smart card library looks once where it is.
func startedForLies(t *testing.T) *lab.Lab {
	t.Helper()
	running := longPowerLab(t)
	for name, value := range running.Env() {
		t.Setenv(name, value)
	}
	t.Setenv("XDG_DATA_HOME", t.TempDir())
	t.Setenv("CSE_PIV_RETRY_BASE", "1ms")
	if err := running.SetFaults("off"); err != nil {
		t.Fatal(err)
	}
	return running
}

func newLies(t *testing.T, running *lab.Lab) *lies {
	table := new(strings.Builder)
	return &lies{t, running, table, tabwriter.NewWriter(table, 0, 0, 2, ' ', 0)}
}

// tell runs a command line while the card tells a lie, and returns its exit code.
func (l *lies) tell(lie string, args ...string) int {
	l.t.Helper()
	if err := l.running.SetFaults("off", "card:lie="+lie); err != nil {
		l.t.Fatal(err)
	}
	before := l.running.Stats().APDUs
	code, message := inProcess(l.t, args...)
	if asked := l.running.Stats().APDUs - before; asked > commandsOnALie {
		l.t.Errorf("%s, %v: %d commands", lie, args, asked)
	}
	if code != 0 && (message == "" || !strings.HasPrefix(message, "error: ")) {
		l.t.Errorf("%s, %v: exit code %d and no message: %q", lie, args, code, message)
	}
	words := args
	if flag := slices.IndexFunc(args, func(arg string) bool { return strings.HasPrefix(arg, "-") || strings.Contains(arg, "@") }); flag >= 0 {
		words = args[:flag]
	}
	fmt.Fprintf(l.rows, "%s\t%s\t%d\t%s\n", lie, strings.Join(words, " "), code, strings.TrimPrefix(message, "error: "))
	return code
}

// golden compares how the commands ended.
func (l *lies) golden(name string) {
	l.t.Helper()
	if err := l.rows.Flush(); err != nil {
		l.t.Fatal(err)
	}
	golden := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(golden, []byte(l.table.String()), 0o644); err != nil {
			l.t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		l.t.Fatal(err)
	}
	if l.table.String() != string(want) {
		l.t.Errorf("it ended otherwise than %s says:\n%s", golden, l.table)
	}
}

// lyingOnTheSecondDay tells every lie to the commands that change a card which is in use: none
// panics or asks the card for ever, and no key is lost, nor PIN or PUK blocked.
func lyingOnTheSecondDay(l *lies) {
	t := l.t
	for i, lie := range yubikey.Lies() {
		d := newDesk(t, l.running, "5.7.4", 60_001_000+uint32(i))
		if err := l.running.SetFaults("off"); err != nil {
			t.Fatal(err)
		}
		if code, message := inProcess(t, d.enroll...); code != 0 {
			t.Fatal(message)
		}
		file := func(name, text string) string {
			path := filepath.Join(d.dir, name)
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			return path
		}
		(&sweptDesk{desk: d}).oldMail("old.p12")
		escrow, pin, former := filepath.Join(d.dir, "escrow"), filepath.Join(d.dir, "pin"), filepath.Join(d.dir, "old.p12")
		changed, puk := file("changed", "314159"), file("puk", d.card.Snapshot().PUK.Value)
		d.card.PutObject(0x5FC10C, []byte{0xC1, 1, 7, 0xC2, 1, 9, 0xFE, 0})
		l.tell(lie.Name, "status", "--card", "--evidence", filepath.Join(d.dir, "evidence"))
		l.tell(lie.Name, "card", "history")
		l.tell(lie.Name, "card", "history", "--repair", "--escrow-dir", escrow)
		l.tell(lie.Name, "card", "import", "--p12", former, "--slot", "82", "--escrow-dir", escrow)
		l.tell(lie.Name, "card", "import", "--p12", former, "--slot", "9d", "--escrow-dir", escrow)
		l.tell(lie.Name, "keypair", "history", d.user)
		l.tell(lie.Name, "card", "init", "--yes", "--escrow-plain", "--pin-file", pin, "--escrow-dir", escrow, "--evidence", filepath.Join(d.dir, "init"))
		l.tell(lie.Name, append([]string{"renew", d.user, "--before", "3650d"}, d.enroll[2:]...)...)
		l.tell(lie.Name, "undo", d.user, "--clear-card", fmt.Sprint(d.card.Serial()), "--dry-run", "--evidence", filepath.Join(d.dir, "evidence"))
		keys := len(d.card.Snapshot().Slots)
		l.tell(lie.Name, "card", "puk", "change", "--puk-file", puk, "--new-puk-file", changed)
		l.tell(lie.Name, "card", "pin", "change", "--pin-file", pin, "--new-pin-file", changed)
		l.tell(lie.Name, "card", "pin", "unblock", "--new-pin-file", changed, "--escrow-plain", "--escrow-dir", escrow)
		now := d.card.Snapshot()
		if now.PIN.Tries < 1 || now.PUK.Tries < 1 {
			t.Errorf("%s: PIN %d tries, PUK %d tries", lie.Name, now.PIN.Tries, now.PUK.Tries)
		}
		if _, there := now.Slots[0x9D]; len(now.Slots) != keys || !there {
			t.Errorf("%s: keys %v", lie.Name, now.Slots)
		}
		l.tell(lie.Name, "card", "reset", "--confirm", "1", "--escrow-dir", escrow)
		if left := len(d.card.Snapshot().Slots); left != keys {
			t.Errorf("%s: %d keys of %d after a reset that nobody agreed to", lie.Name, left, keys)
		}
		l.tell(lie.Name, "card", "reset", "--confirm", fmt.Sprint(d.card.Serial()), "--escrow-dir", escrow)
	}
	l.golden("lies-secondday.golden")
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

// others are what is not the same each time: the number of the lab's reader, the day until which what
// was issued today is valid, and the time in the name of a sealed record.
var others = []struct {
	text *regexp.Regexp
	say  string
}{
	{regexp.MustCompile(`"[^"]*(?i:yubi)[^"]*"`), "the reader"},
	{regexp.MustCompile(`valid until \d{4}-\d\d-\d\d`), "valid until DAY"},
	{regexp.MustCompile(`-\d{8}T\d{6}Z`), "-TIME"},
	{regexp.MustCompile(`\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ`), "TIME"},
}

// inProcess runs a command line and returns its exit code and the line of its
// message that begins with "error: ".
func inProcess(t *testing.T, args ...string) (code int, message string) {
	t.Helper()
	var out, errors bytes.Buffer
	code = cli.Run(t.Context(), args, stdio.Streams{In: strings.NewReader(""), Out: &out, Err: &errors})
	for line := range strings.Lines(errors.String()) {
		if _, found, ok := strings.Cut(line, "error: "); ok && message == "" {
			message = "error: " + strings.TrimSpace(found)
			for _, other := range others {
				message = other.text.ReplaceAllString(message, other.say)
			}
		}
	}
	return code, message
}
