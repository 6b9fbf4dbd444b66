package cli_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cse-piv/cse-piv/internal/lab"
	"github.com/cse-piv/cse-piv/internal/lab/yubikey"
	"github.com/cse-piv/cse-piv/internal/testenv"
)

// desk is a card of its own in a lab, a user, and the program as a process.
type desk struct {
	t      *testing.T
	lab    *lab.Lab
	card   *yubikey.Card
	user   string
	dir    string
	enroll []string // the command that enrolls the user with the card
}

// longPowerLab is a lab whose cards keep their power between programs, however
// slow the machine, so that what is left unlocked shows.
func longPowerLab(t *testing.T) *lab.Lab {
	t.Helper()
	running, err := lab.Start(context.Background(), lab.Options{NoCard: true, Seed: 3, PowerGrace: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := running.Close(); err != nil {
			t.Error(err)
		}
	})
	return running
}

// newDesk puts a new card into the lab's reader.
func newDesk(t *testing.T, running *lab.Lab, firmware string, serial uint32) *desk {
	t.Helper()
	card, err := running.NewCard(lab.CardSpec{Serial: serial, Firmware: firmware})
	if err != nil {
		t.Fatal(err)
	}
	_ = running.Pull(0)
	if err := running.Insert(0, card); err != nil {
		t.Fatal(err)
	}
	d := &desk{t: t, lab: running, card: card, dir: t.TempDir(), user: fmt.Sprintf("user-%d@lab.example", serial)}
	pin := filepath.Join(d.dir, "pin")
	if err := os.WriteFile(pin, []byte("271828"), 0o600); err != nil {
		t.Fatal(err)
	}
	d.enroll = []string{
		"enroll", d.user, "--yes", "--pin-file", pin, "--algorithm", "eccp256",
		"--escrow-plain", "--escrow-dir", filepath.Join(d.dir, "escrow"), "--evidence", filepath.Join(d.dir, "evidence"),
	}
	if !yubikey.Metadata.Of(card.Firmware()) { // which tells neither factory secrets nor an empty slot
		d.enroll = append(d.enroll, "--new-card", "--overwrite", "--confirm", fmt.Sprint(serial))
	}
	return d
}

// command is the program with arguments, pointed at the lab.
func (d *desk) command(args ...string) *exec.Cmd {
	d.t.Helper()
	program, err := exec.LookPath("cse-piv") // testscript's, which is this test's program
	if err != nil {
		d.t.Fatal(err)
	}
	return d.program(program, args...)
}

func (d *desk) program(name string, args ...string) *exec.Cmd {
	command := exec.CommandContext(d.t.Context(), name, args...)
	command.Dir = d.dir
	command.Env = append(os.Environ(), "CSE_PIV_RETRY_BASE=1ms")
	for name, value := range d.lab.Env() {
		command.Env = append(command.Env, name+"="+value)
	}
	return command
}

// json runs the program and reads what it writes.
func (d *desk) json(into any, args ...string) {
	d.t.Helper()
	command := d.command(append(args, "--json")...)
	var errors bytes.Buffer
	command.Stderr = &errors
	out, err := command.Output()
	if err != nil {
		d.t.Fatalf("%v: %v\n%s", args, err, errors.String())
	}
	if err := json.Unmarshal(out, into); err != nil {
		d.t.Fatalf("%v: %v\n%s", args, err, out)
	}
}

// TestFirmwares has our commands and ykman look at a card of each firmware, before
// and after an enrollment.
func TestFirmwares(t *testing.T) {
	testenv.Program(t, "ykman")
	running := longPowerLab(t)
	for i, firmware := range yubikey.Profiles() {
		t.Run(firmware.String(), func(t *testing.T) {
			d := newDesk(t, running, firmware.String(), 40_000_000+uint32(i))
			d.looksAt()
			if !yubikey.Attestation.Of(firmware) {
				d.refuses()
				return
			}
			d.finish("nothing")
			d.looksAt()
			d.attests()
		})
	}
}

// looksAt compares what card list and card show say with the card.
func (d *desk) looksAt() {
	d.t.Helper()
	var listed struct {
		Readers []struct {
			Serial   uint32
			Firmware string
		}
	}
	d.json(&listed, "card", "list")
	if readers := listed.Readers; len(readers) != 1 || readers[0].Serial != d.card.Serial() || readers[0].Firmware != d.card.Firmware().String() {
		d.t.Errorf("card list: %+v", listed)
	}
	var shown struct {
		PIN struct {
			TriesLeft int    `json:"tries_left"`
			Factory   string `json:"factory"`
		}
	}
	d.json(&shown, "card", "show")
	snapshot := d.card.Snapshot()
	factory := map[bool]string{true: "yes", false: "no"}[snapshot.PIN.Default]
	if !yubikey.Metadata.Of(d.card.Firmware()) {
		factory = "unknown"
	}
	if shown.PIN.Factory != factory || shown.PIN.TriesLeft != snapshot.PIN.Tries {
		d.t.Errorf("card show: %+v, want factory %s", shown, factory)
	}
	d.agrees()
}

// agrees compares what card show, card history, status --card and card states say of the card with
// each other and with the card.
func (d *desk) agrees() {
	d.t.Helper()
	type slots []struct {
		Slot        string
		KeyUnknown  bool `json:"key_unknown"`
		Certificate any
		Problem     string
	}
	var show struct{ Slots slots }
	var history struct {
		Slots         slots
		Free, Unknown int
	}
	var state struct{ State, Meaning string }
	var states struct {
		States []struct{ State, Meaning string }
	}
	d.json(&show, "card", "show")
	d.json(&history, "card", "history")
	d.json(&state, "status", "--card")
	d.json(&states, "card", "states")
	tells := yubikey.Metadata.Of(d.card.Firmware())
	retired, unknown, main := 0, 0, 0
	for _, slot := range show.Slots {
		bare := slot.KeyUnknown && slot.Certificate == nil && slot.Problem == ""
		switch {
		case slot.Slot[0] == '9' && slot.Slot[1] >= 'a' && !bare:
			main++
		case slot.Slot[0] == '9' && slot.Slot[1] >= 'a':
		case bare:
			unknown++
		default:
			retired++
		}
	}
	if unknown != history.Unknown || retired != len(history.Slots) || history.Free != 20-unknown-retired || tells == (unknown > 0) {
		d.t.Errorf("card show has %d retired slots and does not know of %d; card history says %+v", retired, unknown, history)
	}
	want := map[bool]string{true: "empty", false: "unknown"}[tells]
	if main > 0 {
		want = "registered"
	}
	meant := slices.ContainsFunc(states.States, func(s struct{ State, Meaning string }) bool { return s == state })
	if state.State != want || !meant {
		d.t.Errorf("status --card says %+v, want %s as card states has it", state, want)
	}
}

// refuses tries to enroll a card that cannot be, and finds it as it was.
func (d *desk) refuses() {
	d.t.Helper()
	before := d.card.Snapshot()
	if out, err := d.command(d.enroll...).CombinedOutput(); err == nil || !bytes.Contains(out, []byte("cannot attest")) {
		d.t.Errorf("enrolled all the same: %v\n%s", err, out)
	}
	if diff := cmp.Diff(before, d.card.Snapshot()); diff != "" {
		d.t.Error(diff)
	}
}

// attests compares our attestation, ykman's, and the key that is on the card.
func (d *desk) attests() {
	d.t.Helper()
	var facts struct {
		Serial   uint32
		Firmware string
		Slot     string
	}
	d.json(&facts, "card", "attest", "--slot", "9d")
	serial := d.card.Serial()
	if !yubikey.SerialInAttestation.Of(d.card.Firmware()) {
		serial = 0
	}
	if facts.Serial != serial || facts.Firmware != d.card.Firmware().String() || facts.Slot != "9d" {
		d.t.Errorf("attested: %+v", facts)
	}
	for _, args := range [][]string{
		{"ykman", "--device", fmt.Sprint(d.card.Serial()), "piv", "keys", "attest", "9d", "attestation.pem"},
		{"ykman", "--device", fmt.Sprint(d.card.Serial()), "piv", "certificates", "export", "9d", "certificate.pem"},
	} {
		if out, err := d.program(args[0], args[1:]...).CombinedOutput(); err != nil {
			d.t.Fatalf("%v: %v\n%s", args, err, out)
		}
	}
	var keys [2][]byte
	for i, file := range []string{"attestation.pem", "certificate.pem"} {
		out, err := d.program("openssl", "x509", "-in", file, "-noout", "-pubkey").Output()
		if err != nil {
			d.t.Fatal(err)
		}
		keys[i] = out
	}
	if !bytes.Equal(keys[0], keys[1]) {
		d.t.Error("ykman finds another key attested than certified")
	}
}
