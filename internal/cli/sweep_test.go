package cli_test

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/lab"
	"github.com/cse-piv/cse-piv/internal/lab/ca"
	"github.com/cse-piv/cse-piv/internal/lab/sweep"
)

// sweptCommand is a command of the second day that is interrupted at every command to the card and every
// call of the API, or at a sample, and typed again.
type sweptCommand struct {
	name    string
	prepare func(d *sweptDesk) (args []string)
	check   func(d *sweptDesk)
	// again judges how the same command ended that was typed again; nil where it has to succeed.
	again func(d *sweptDesk, err error) error
}

// sweptDesk is a desk with a ledger, and what was there before the command.
type sweptDesk struct {
	*desk
	kept map[string][]byte // by whoever prepares
}

// TestCommandSweeps: wherever a card is pulled or an answer of Gmail is lost, the command ends with the
// exit code for that, and the same command again ends as it should, with nothing lost.
func TestCommandSweeps(t *testing.T) {
	t.Parallel()
	var serial atomic.Uint32
	serial.Store(70_000_000)
	for _, command := range sweptCommands() {
		t.Run(command.name, func(t *testing.T) {
			t.Parallel()
			running := longPowerLab(t)
			tallies := sweep.Work{
				Lab: running, Sampled: 2, IsCardTrouble: isExit(5),
				Prepare: func(t *testing.T) sweep.Attempt { return command.attempt(t, running, serial.Add(1)) },
			}.Sweep(t)
			for _, tally := range tallies {
				t.Logf("%+v", tally)
			}
		})
	}
}

// isExit tells a program that ended with an exit code.
func isExit(code int) func(error) bool {
	return func(err error) bool {
		exit, is := errors.AsType[*exec.ExitError](err)
		return is && exit.ExitCode() == code
	}
}

func (c sweptCommand) attempt(t *testing.T, running *lab.Lab, serial uint32) sweep.Attempt {
	if err := running.SetFaults("off"); err != nil {
		t.Fatal(err)
	}
	d := &sweptDesk{desk: newDesk(t, running, "5.7.4", serial), kept: map[string][]byte{}}
	d.write("pin", "271828")
	d.write("new", "314159")
	args := c.prepare(d)
	work := func() error {
		out, err := d.command(args...).CombinedOutput()
		if err != nil {
			err = fmt.Errorf("%w: %s", err, out)
		}
		return err
	}
	return sweep.Attempt{
		Run: func(*sweep.Fault) error { return work() },
		Again: func() error {
			_ = running.Pull(0)
			if err := running.Insert(0, d.card); err != nil {
				return err
			}
			if c.again != nil {
				return c.again(d, work())
			}
			return work()
		},
		Check: func() { c.check(d) },
	}
}

func (d *sweptDesk) write(name, text string) {
	d.t.Helper()
	if err := os.WriteFile(filepath.Join(d.dir, name), []byte(text), 0o600); err != nil {
		d.t.Fatal(err)
	}
}

// do runs the program, which has to succeed.
func (d *sweptDesk) do(args ...string) {
	d.t.Helper()
	if out, err := d.command(args...).CombinedOutput(); err != nil {
		d.t.Fatalf("%v: %v\n%s", args, err, out)
	}
}

// oldMail writes a PKCS#12 with the user's key of former years.
func (d *sweptDesk) oldMail(name string) {
	d.t.Helper()
	for _, line := range []string{
		"openssl ecparam -name prime256v1 -genkey -noout -out old.key", "openssl req -x509 -new -key old.key -subj /CN=Old -addext subjectAltName=email:" + d.user + " -days 30 -out old.pem",
		"openssl pkcs12 -export -inkey old.key -in old.pem -passout pass: -out " + name,
	} {
		words := strings.Fields(line)
		if out, err := d.program(words[0], words[1:]...).CombinedOutput(); err != nil {
			d.t.Fatalf("%s: %v\n%s", line, err, out)
		}
	}
}

// signed has the CA of the lab sign the request in a folder.
func (d *sweptDesk) signed(folder string) {
	d.t.Helper()
	requests, err := filepath.Glob(filepath.Join(d.dir, folder, "*.csr"))
	if err != nil || len(requests) != 1 {
		d.t.Fatalf("requests %v, %v", requests, err)
	}
	data, err := os.ReadFile(requests[0])
	if err != nil {
		d.t.Fatal(err)
	}
	block, _ := pem.Decode(data)
	if block == nil {
		d.t.Fatalf("%s holds no PEM", requests[0])
	}
	csr, err := x509.ParseCertificateRequest(block.Bytes)
	if err != nil {
		d.t.Fatal(err)
	}
	profile, err := ca.Named("standard", time.Now())
	if err != nil {
		d.t.Fatal(err)
	}
	chain, err := d.lab.CA().Sign(csr, profile)
	if err != nil {
		d.t.Fatal(err)
	}
	if err := os.WriteFile(strings.TrimSuffix(requests[0], ".csr")+".pem", certificate.EncodePEM(chain...), 0o600); err != nil {
		d.t.Fatal(err)
	}
}

// tries: no try of PIN or PUK was burnt.
func (d *sweptDesk) tries(pin string) {
	d.t.Helper()
	now := d.card.Snapshot()
	if now.PIN.Tries != now.PIN.Max || now.PUK.Tries != now.PUK.Max || now.PIN.Value != pin {
		d.t.Errorf("PIN %d of %d (the one that was given: %v), PUK %d of %d", now.PIN.Tries, now.PIN.Max, now.PIN.Value == pin, now.PUK.Tries, now.PUK.Max)
	}
}

// registered: Gmail has so many enabled and disabled key pairs and identities of the user.
func (d *sweptDesk) registered(enabled, disabled, identities int) {
	d.t.Helper()
	for _, pair := range d.lab.Gmail().KeyPairs(d.user) {
		if pair.Enabled {
			enabled--
		} else {
			disabled--
		}
	}
	if now := len(d.lab.Gmail().Identities(d.user)); enabled != 0 || disabled != 0 || now != identities {
		d.t.Errorf("%d enabled and %d disabled key pairs are missing, %d identities", enabled, disabled, now)
	}
}

// retired: the key of slot 82 is there with its certificate, and Key History counts it alone.
func (d *sweptDesk) retired() {
	d.t.Helper()
	now := d.card.Snapshot()
	if _, there := now.Slots[0x82]; !there || len(now.Objects[0x5FC10D]) == 0 || !bytes.Equal(now.Objects[0x5FC10C], []byte{0xC1, 1, 1, 0xC2, 1, 0, 0xFE, 0}) {
		d.t.Errorf("slot 82 holds a key: %v, a certificate of %d bytes, Key History % X", there, len(now.Objects[0x5FC10D]), now.Objects[0x5FC10C])
	}
}

// inLedger: the ledger says that of the user's or the card's certificates, and each action in it is done or failed.
func (d *sweptDesk) inLedger(want ...string) {
	d.t.Helper()
	out, err := d.command("status", "--card", "--store", "ledger.db", "--json").CombinedOutput()
	for _, text := range want {
		if err != nil || !bytes.Contains(out, []byte(text)) {
			d.t.Errorf("the ledger does not say %s: %v\n%s", text, err, out)
		}
	}
}

func sweptCommands() []sweptCommand {
	return []sweptCommand{
		{"undo --clear-card", func(d *sweptDesk) []string {
			d.do(append(d.enroll, "--store", "ledger.db")...)
			return []string{"undo", d.user, "--clear-card", fmt.Sprint(d.card.Serial()), "--confirm", d.user, "--store", "ledger.db", "--evidence", "evidence", "--escrow-dir", "escrow"}
		}, func(d *sweptDesk) {
			d.tries("271828")
			d.registered(0, 1, 0)
			if now := d.card.Snapshot(); len(now.Objects[0x5FC10B]) != 0 || len(now.Slots) != 1 {
				d.t.Errorf("the card has a certificate of %d bytes and %d keys", len(now.Objects[0x5FC10B]), len(now.Slots))
			}
		}, nil},
		{"card history --repair", func(d *sweptDesk) []string {
			d.oldMail("old.p12")
			d.do("card", "import", "--p12", "old.p12", "--slot", "82")
			d.card.PutObject(0x5FC10C, []byte{0xC1, 1, 7, 0xC2, 1, 9, 0xFE, 0})
			return []string{"card", "history", "--repair", "--escrow-dir", "escrow"}
		}, func(d *sweptDesk) {
			d.retired()
			d.tries("123456")
		}, nil},
		{"card import", func(d *sweptDesk) []string {
			d.oldMail("old.p12")
			return []string{"card", "import", "--p12", "old.p12", "--slot", "82", "--store", "ledger.db", "--escrow-dir", "escrow"}
		}, func(d *sweptDesk) {
			d.retired()
			d.tries("123456")
		}, nil},
		{"card init", func(d *sweptDesk) []string {
			return []string{"card", "init", "--yes", "--escrow-plain", "--pin-file", "pin", "--evidence", "evidence", "--store", "ledger.db", "--escrow-dir", "escrow"}
		}, func(d *sweptDesk) {
			d.tries("271828")
			if now := d.card.Snapshot(); now.PUK.Default || now.ManagementKey.Default || len(now.Objects[0x5FC102]) == 0 {
				d.t.Error("a factory secret is left, or no CHUID")
			}
		}, nil},
		{"card pin unblock", func(d *sweptDesk) []string {
			d.do(d.enroll...)
			if err := d.lab.SetFaults("pin:blocked"); err != nil {
				d.t.Fatal(err)
			}
			if err := d.lab.SetFaults("off"); err != nil {
				d.t.Fatal(err)
			}
			d.kept["puk"] = []byte(d.card.Snapshot().PUK.Value)
			return []string{"card", "pin", "unblock", "--new-pin-file", "new", "--escrow-plain", "--escrow-dir", "escrow"}
		}, func(d *sweptDesk) {
			d.tries("314159")
			puk := d.card.Snapshot().PUK.Value
			records, err := filepath.Glob(filepath.Join(d.dir, "escrow", "*"))
			found := false
			for _, record := range records {
				data, readErr := os.ReadFile(record)
				found, err = found || bytes.Contains(data, []byte(puk)), errors.Join(err, readErr)
			}
			if !found || puk == string(d.kept["puk"]) || err != nil {
				d.t.Errorf("the PUK is the one of before: %v; kept: %v, %v", puk == string(d.kept["puk"]), found, err)
			}
		}, nil},
		{"card reset", func(d *sweptDesk) []string {
			d.do(append(d.enroll, "--store", "ledger.db")...)
			return []string{"card", "reset", "--store", "ledger.db", "--confirm", fmt.Sprint(d.card.Serial()), "--escrow-dir", "escrow"}
		}, func(d *sweptDesk) {
			now := d.card.Snapshot()
			if !now.PIN.Default || !now.PUK.Default || !now.ManagementKey.Default || len(now.Slots) != 1 || now.PIN.Tries != 3 || now.PUK.Tries != 3 {
				d.t.Errorf("PIN %+v, PUK %+v, %d keys", now.PIN, now.PUK, len(now.Slots))
			}
			d.registered(1, 0, 1)
			d.inLedger(`"state": "erased"`)
		}, nil},
		{"replace --p12", func(d *sweptDesk) []string {
			d.do(append(d.enroll, "--store", "ledger.db")...)
			d.oldMail("old.p12")
			former := d.desk
			d.desk = newDesk(d.t, d.lab, "5.7.4", former.card.Serial()+5_000_000)
			d.user, d.dir = former.user, former.dir
			return []string{"replace", d.user, "--reason", "lost", "--yes", "--pin-file", "pin", "--algorithm", "eccp256", "--escrow-plain", "--evidence", "evidence",
				"--store", "ledger.db", "--p12", "old.p12", "--confirm-end", d.user, "--escrow-dir", "escrow"}
		}, func(d *sweptDesk) {
			d.tries("271828")
			d.retired()
			d.registered(1, 1, 1)
			d.inLedger(`"use": "history"`, `"origin": "imported"`)
		}, nil},
		{"enroll of a replacement that waited", func(d *sweptDesk) []string {
			d.do(append(d.enroll, "--store", "ledger.db")...)
			former := d.desk
			d.desk = newDesk(d.t, d.lab, "5.7.4", former.card.Serial()+5_000_000)
			d.user, d.dir = former.user, former.dir
			where := []string{"--evidence", "evidence", "--store", "ledger.db", "--escrow-dir", "escrow", "--issuer", "file", "--issuer-dir", "requests"}
			out, err := d.command(append([]string{"replace", d.user, "--reason", "lost", "--yes", "--pin-file", "pin", "--algorithm", "eccp256", "--escrow-plain",
				"--confirm-end", d.user}, where...)...).CombinedOutput()
			if !isExit(8)(err) {
				d.t.Fatalf("%v\n%s", err, out)
			}
			d.signed("requests")
			return append([]string{"enroll", d.user, "--yes", "--pin-file", "pin"}, where...)
		}, func(d *sweptDesk) {
			d.tries("271828")
			d.registered(1, 1, 1)
			if earlier, err := enroll.ReadEarlier(filepath.Join(d.dir, "evidence"), d.user, d.card.Serial()); err != nil || len(earlier.KeyPairs) == 0 || earlier.Replaces != nil {
				d.t.Errorf("%+v, %v", earlier, err)
			}
		}, nil},
		{"lost", func(d *sweptDesk) []string {
			d.do(append(d.enroll, "--store", "ledger.db")...)
			return []string{"lost", d.user, "--confirm", d.user, "--store", "ledger.db"}
		}, func(d *sweptDesk) { d.registered(0, 1, 0) }, nil},
		{"leave", func(d *sweptDesk) []string {
			d.do(append(d.enroll, "--store", "ledger.db")...)
			return []string{"leave", d.user, "--confirm", d.user, "--store", "ledger.db"}
		}, func(d *sweptDesk) { d.registered(0, 1, 0) }, nil},
		{"keypair history", func(d *sweptDesk) []string {
			d.oldMail("old.p12")
			d.do("card", "import", "--p12", "old.p12", "--slot", "82", "--escrow-dir", "escrow")
			d.oldMail("older.p12")
			d.do("card", "import", "--p12", "older.p12", "--slot", "83", "--escrow-dir", "escrow")
			return []string{"keypair", "history", d.user, "--store", "ledger.db"}
		}, func(d *sweptDesk) {
			d.registered(2, 0, 0)
			d.inLedger(`"slot": "82"`, `"slot": "83"`)
		}, nil},
		{"keypair disable", func(d *sweptDesk) []string {
			d.do(append(d.enroll, "--store", "ledger.db")...)
			return []string{"keypair", "disable", d.user, d.lab.Gmail().KeyPairs(d.user)[0].ID, "--confirm", d.user, "--store", "ledger.db"}
		}, func(d *sweptDesk) { d.registered(0, 1, 1) }, nil},
		{"identity delete", func(d *sweptDesk) []string {
			d.do(append(d.enroll, "--store", "ledger.db")...)
			return []string{"identity", "delete", d.user, "--confirm", d.user, "--store", "ledger.db"}
		}, func(d *sweptDesk) { d.registered(1, 0, 0) }, nil},
		{"card pin change", func(d *sweptDesk) []string {
			d.do(d.enroll...)
			return []string{"card", "pin", "change", "--pin-file", "pin", "--new-pin-file", "new"}
		}, func(d *sweptDesk) {
			if now := d.card.Snapshot(); now.PIN.Value != "314159" {
				d.t.Errorf("PIN %+v", now.PIN)
			}
		}, wrongOnceChanged},
		{"card puk change", func(d *sweptDesk) []string {
			d.write("puk", "12345678")
			return []string{"card", "puk", "change", "--puk-file", "puk", "--new-puk-file", "new"}
		}, func(d *sweptDesk) {
			if now := d.card.Snapshot(); now.PUK.Value != "314159" {
				d.t.Errorf("PUK %+v", now.PUK)
			}
		}, wrongOnceChanged},
	}
}

// wrongOnceChanged: where the card has the new PIN or PUK already, the old one is wrong.
func wrongOnceChanged(d *sweptDesk, err error) error {
	if now := d.card.Snapshot(); isExit(6)(err) && (now.PIN.Value == "314159" || now.PUK.Value == "314159") {
		return nil
	}
	return err
}
