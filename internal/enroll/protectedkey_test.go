package enroll_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/piv"
	"github.com/cse-piv/cse-piv/internal/secret"
	"github.com/cse-piv/cse-piv/internal/testenv"
)

// ykman runs Debian's on the desk's card.
func (d *desk) ykman(arguments ...string) string {
	d.t.Helper()
	testenv.Program(d.t, "ykman")
	command := exec.CommandContext(d.t.Context(), "ykman", append([]string{"--device", fmt.Sprint(d.serial)}, arguments...)...)
	command.Env = append(os.Environ(), "HOME="+d.t.TempDir(), "LC_ALL=C.UTF-8")
	out, err := command.CombinedOutput()
	if err != nil {
		d.t.Fatalf("ykman %s: %v\n%s", strings.Join(arguments, " "), err, out)
	}
	return string(out)
}

func factoryKeyHex() string { return hex.EncodeToString(piv.FactoryManagementKey().Reveal()) }

// notices has the desk's notices collected.
func (d *desk) notices() *[]string {
	var all []string
	d.deps.Notify = func(event enroll.Event) { all = append(all, event.Message) }
	return &all
}

// TestCardProtectedByYkman is enrolled with the PIN alone: nobody gives a management key, and the
// one that ykman made stays.
func TestCardProtectedByYkman(t *testing.T) {
	for _, firmware := range []string{"5.2.7", "5.4.3"} {
		t.Run(firmware, func(t *testing.T) {
			d := newDesk(t, firmware)
			setFaults(t, "off")
			d.ykman("piv", "access", "change-pin", "-P", "123456", "-n", "271828")
			d.ykman("piv", "access", "change-puk", "-p", "12345678", "-n", "31415926")
			d.ykman("piv", "access", "change-management-key", "-m", factoryKeyHex(), "-P", "271828", "--protect")
			before := d.card.Snapshot()
			if firmware == "5.2.7" { // which does not tell whether a slot is empty
				d.request.Overwrite, d.request.Confirm = true, fmt.Sprint(d.serial)
			}
			d.deps.Recover = nil
			d.mustRun()
			after := d.card.Snapshot()
			if !bytes.Equal(before.ManagementKey.Value, after.ManagementKey.Value) || !bytes.Equal(before.Objects[0x5FC109], after.Objects[0x5FC109]) {
				t.Error("the management key was changed")
			}
			if len(after.Objects[0x5FC10B]) == 0 || len(after.Objects[0x5FC102]) == 0 || len(after.Objects[0x5FC107]) == 0 {
				t.Error("certificate, CHUID or CCC is missing")
			}
		})
	}
}

// TestProtectedByEnrollment: ykman finds the management key of an enrollment that protects it.
func TestProtectedByEnrollment(t *testing.T) {
	d := newDesk(t, "5.2.7") // ykman 4.0 knows no AES management keys
	setFaults(t, "off")
	d.request.ProtectManagementKey, d.request.NewCard = true, true
	d.request.Overwrite, d.request.Confirm = true, fmt.Sprint(d.serial)
	d.checkWhole(d.mustRun())
	if out := d.ykman("piv", "info"); !strings.Contains(out, "protected by PIN") {
		t.Errorf("ykman says:\n%s", out)
	}
	d.ykman("piv", "keys", "generate", "-P", "271828", "-a", "ECCP256", "9a", os.DevNull)
	// Who is enrolled again needs no management key either.
	d.deps.Recover = nil
	d.request.Keys[0].Slot = piv.SlotAuthentication
	d.request.Replace = nil
	if _, err := d.run(); err != nil && errors.Is(err, piv.ErrManagementKey) {
		t.Error(err)
	}
}

// TestPrintedInUse: where something else stands in PRINTED, the run ends before a key is made.
func TestPrintedInUse(t *testing.T) {
	d := newDesk(t, "5.4.3")
	setFaults(t, "off")
	file := filepath.Join(t.TempDir(), "printed")
	printed := []byte{0x01, 0x03, 'A', 'd', 'a', 0xFE, 0x00}
	if err := os.WriteFile(file, printed, 0o600); err != nil {
		t.Fatal(err)
	}
	d.ykman("piv", "objects", "import", "-m", factoryKeyHex(), "0x5fc109", file)
	d.request.ProtectManagementKey = true
	_, err := d.run()
	var foreign *piv.PrintedError
	if !errors.As(err, &foreign) || len(foreign.Fields) != 1 || foreign.Fields[0] != "name" {
		t.Errorf("error %v", err)
	}
	snapshot := d.card.Snapshot()
	if _, made := snapshot.Slots[0x9D]; made || !snapshot.ManagementKey.Default || !bytes.Equal(snapshot.Objects[0x5FC109], printed) {
		t.Error("the card was changed")
	}
	d.request.ProtectManagementKey = false
	d.mustRun()
}

// TestAsTheMinidriverLeavesIt: Yubico's minidriver for Windows blocks a factory PUK, protects the
// management key by the PIN and writes no CCC. Such a card is enrolled, and what it means is said.
func TestAsTheMinidriverLeavesIt(t *testing.T) {
	d := newDesk(t, "5.4.3")
	setFaults(t, "off")
	d.ykman("piv", "access", "change-pin", "-P", "123456", "-n", "271828")
	d.ykman("piv", "access", "change-management-key", "-m", factoryKeyHex(), "-P", "271828", "--protect")
	for range 3 {
		_ = d.usingCard(func(card *piv.Card) error {
			return card.AllowLastTry().ChangePUK(t.Context(), secret.FromString("00000000"), secret.FromString("31415926"))
		})
	}
	if tries := d.card.Snapshot().PUK.Tries; tries != 0 {
		t.Fatalf("the PUK has %d tries", tries)
	}
	said := d.notices()
	d.mustRun()
	if !strings.Contains(strings.Join(*said, "\n"), enroll.PUKBlocked) {
		t.Errorf("nothing is said of the PUK: %q", *said)
	}
	if after := d.card.Snapshot(); len(after.Objects[0x5FC107]) == 0 || after.PUK.Tries != 0 {
		t.Error("no CCC, or another PUK")
	}
}

// TestProtectedKeyThatIsNotTheCards: where the PIN leads to a key that the card does not take,
// the escrow and the person are asked as for any other card.
func TestProtectedKeyThatIsNotTheCards(t *testing.T) {
	d := newDesk(t, "5.4.3")
	setFaults(t, "off")
	d.ykman("piv", "access", "change-pin", "-P", "123456", "-n", "271828")
	d.ykman("piv", "access", "change-management-key", "-m", factoryKeyHex(), "-P", "271828", "--protect")
	own, protected := secret.New(bytes.Repeat([]byte{0x5A}, 24)), d.card.Snapshot().ManagementKey.Value
	if err := d.usingCard(func(card *piv.Card) error {
		return card.ChangeManagementKey(t.Context(), secret.New(protected), own)
	}); err != nil {
		t.Fatal(err)
	}
	said := d.notices()
	if _, err := d.run(); !errors.As(err, new(*enroll.MissingError)) {
		t.Errorf("error %v", err)
	}
	if !strings.Contains(strings.Join(*said, "\n"), "its PIN leads to its management key, and it does not") {
		t.Errorf("%q", *said)
	}
	d.request.ManagementKey = own
	d.mustRun()
}
