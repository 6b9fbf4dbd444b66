package enroll_test

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/cse-piv/cse-piv/internal/evidence"
)

// What the user takes along names the card and what comes next, holds none of the
// card's secrets, and is there again where it went missing.
func TestForTheUser(t *testing.T) {
	d := newDesk(t, "5.7.4")
	setFaults(t, "off")
	d.deps.GmailEndpoint = "http://127.0.0.1:8440/" // as in practice
	receipt := d.mustRun()
	path := filepath.Join(receipt.Evidence, evidence.ForUserName)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text := string(data)
	for _, want := range []string{
		"Address:  " + d.email, "serial number " + strconv.FormatUint(uint64(d.serial), 10), "PLEASE NOTE: Gmail is asked at http://", "The card made a key of its own (slot 9d)", "asks for your PIN",
		"Workspace Hardware Key", "24 hours", "Never give the PIN to anybody", "forgot it, tell the desk", "lost or stolen, tell the desk",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in it:\n%s", want, text)
		}
	}
	snapshot := d.card.Snapshot()
	for _, secret := range []string{snapshot.PIN.Value, snapshot.PUK.Value, receipt.Keys[0].KeyPairID} {
		if strings.Contains(text, secret) {
			t.Errorf("%q is in it", secret)
		}
	}
	for _, line := range strings.Split(text, "\n") {
		if len(line) > 80 {
			t.Errorf("a line is too long to be printed: %q", line)
		}
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	d.mustRun()
	if again, err := os.ReadFile(path); err != nil || string(again) != text {
		t.Errorf("it is not there again: %v\n%s", err, again)
	}
}
