package maintenance_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/cse-piv/cse-piv/internal/escrow"
	"github.com/cse-piv/cse-piv/internal/lab"
	"github.com/cse-piv/cse-piv/internal/lab/yubikey"
	"github.com/cse-piv/cse-piv/internal/maintenance"
	"github.com/cse-piv/cse-piv/internal/piv"
	"github.com/cse-piv/cse-piv/internal/secret"
)

// practice is the lab of this test process: libpcsclite remembers its daemon's
// socket from the first call on.
var practice *lab.Lab

func TestMain(m *testing.M) { os.Exit(runTests(m)) }

func runTests(m *testing.M) int {
	dir, err := os.MkdirTemp("", "maintenance")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	practice, err = lab.Start(context.Background(), lab.Options{Dir: dir, Readers: 1, NoCard: true, Seed: 1})
	if err != nil {
		fmt.Fprintln(os.Stderr, "starting the practice lab:", err)
		return 1
	}
	defer practice.Close()
	os.Setenv("PCSCLITE_CSOCK_NAME", practice.Env()["PCSCLITE_CSOCK_NAME"])
	return m.Run()
}

const serial = 31415926

// desk is a card in the lab whose PIN is blocked and whose PUK is in the escrow.
type desk struct {
	t       *testing.T
	card    *yubikey.Card
	folder  string
	store   escrow.Store
	notices []string
}

func newDesk(t *testing.T, firmware string) *desk {
	t.Helper()
	d := &desk{t: t, folder: filepath.Join(t.TempDir(), "escrow")}
	d.fault("off")
	var err error
	if d.card, err = practice.NewCard(lab.CardSpec{Serial: serial, Firmware: firmware}); err != nil {
		t.Fatal(err)
	}
	d.insert()
	t.Cleanup(func() { d.fault("off"); _ = practice.Pull(0) })
	if d.store, err = escrow.NewPlainFile(d.folder); err != nil {
		t.Fatal(err)
	}
	first := secret.FromString("31415926")
	d.use(func(card *piv.Card) error { return card.ChangePUK(t.Context(), piv.FactoryPUK(), first) })
	path, err := d.store.Put(t.Context(), escrow.Record{Serial: serial, PUK: first})
	if err != nil {
		t.Fatal(err)
	}
	if err := escrow.NoteInForce(path, serial, escrow.KindPUK); err != nil {
		t.Fatal(err)
	}
	d.fault("pin:blocked")
	return d
}

func (d *desk) fault(faults ...string) {
	d.t.Helper()
	if err := practice.SetFaults(faults...); err != nil {
		d.t.Fatal(err)
	}
}

// insert puts the card into the reader, whatever is in it.
func (d *desk) insert() {
	d.t.Helper()
	_ = practice.Pull(0)
	if err := practice.Insert(0, d.card); err != nil {
		d.t.Fatal(err)
	}
}

// use opens the card for some work.
func (d *desk) use(work func(*piv.Card) error) {
	d.t.Helper()
	if err := d.try(work); err != nil {
		d.t.Fatal(err)
	}
}

func (d *desk) try(work func(*piv.Card) error) error {
	card, err := piv.Open(d.t.Context(), serial, piv.Options{})
	if err != nil {
		return err
	}
	defer func() { _ = card.Release(context.WithoutCancel(d.t.Context())) }()
	return work(card)
}

// puks are the PUKs of the escrow that the card may have.
func (d *desk) puks() []escrow.Record {
	d.t.Helper()
	records, err := escrow.ReadAll(d.t.Context(), d.folder, serial)
	if err == nil {
		records, err = escrow.PUKs(d.t.Context(), d.folder, serial, records)
	}
	if err != nil {
		d.t.Fatal(err)
	}
	return records
}

func (d *desk) unblock(pin string) error {
	return d.try(func(card *piv.Card) error {
		_, err := (&maintenance.Unblocking{
			Card: card, PUKs: d.puks(), PIN: secret.FromString(pin), Escrow: d.store, Notice: func(what string) { d.notices = append(d.notices, what) },
		}).Run(d.t.Context())
		return err
	})
}

// isWhole checks that the card has the PIN, and the PUK that the escrow says it has.
func (d *desk) isWhole(pin string) {
	d.t.Helper()
	d.use(func(card *piv.Card) error { return card.VerifyPIN(d.t.Context(), secret.FromString(pin)) })
	puk := d.puks()[0].PUK
	d.use(func(card *piv.Card) error { return card.ChangePUK(d.t.Context(), puk, puk) })
}

// TestUnblockStoppedAnywhere pulls the card before and after each command, and loses
// the answer: the same again ends with the new PIN and a PUK that the escrow has, and no
// PUK is blocked on the way.
func TestUnblockStoppedAnywhere(t *testing.T) {
	for _, firmware := range []string{"5.7.4", "4.3.7"} {
		for _, fault := range []string{"card:pull", "card:pull-after"} {
			t.Run(firmware+" "+fault, func(t *testing.T) {
				d := newDesk(t, firmware)
				stopped := 0
				for n := 1; ; n++ {
					pin := fmt.Sprintf("%06d", 271828+n)
					d.fault("pin:blocked", fmt.Sprintf("%s@%d", fault, n))
					err := d.unblock(pin)
					d.fault("off")
					if err == nil {
						d.isWhole(pin)
						break
					}
					if !errors.Is(err, piv.ErrRemoved) && !errors.Is(err, piv.ErrNoCard) && !errors.Is(err, piv.ErrReset) {
						t.Fatalf("stopped at command %d: %v", n, err)
					}
					stopped++
					d.insert()
					if err := d.unblock(pin); err != nil {
						t.Fatalf("once more after command %d: %v; %q", n, err, d.notices)
					}
					d.isWhole(pin)
				}
				if stopped < 4 {
					t.Errorf("stopped %d times only", stopped)
				}
			})
		}
	}
}

// TestPUKIsNotBlockedByGuessing: of several PUKs that are all wrong the last try is left.
func TestPUKIsNotBlockedByGuessing(t *testing.T) {
	d := newDesk(t, "5.7.4")
	var puks []escrow.Record
	for n := range 5 {
		puks = append(puks, escrow.Record{Serial: serial, PUK: secret.FromString(fmt.Sprintf("%08d", n)), Path: fmt.Sprintf("record%d", n)})
	}
	err := d.try(func(card *piv.Card) error {
		_, err := (&maintenance.Unblocking{Card: card, PUKs: puks, PIN: secret.FromString("271828")}).Run(t.Context())
		return err
	})
	var last *piv.LastTryError
	if !errors.As(err, &last) {
		t.Errorf("error %v", err)
	}
	var of *maintenance.RecordError
	if !errors.As(err, &of) || of.Record != "record2" {
		t.Errorf("error %v: not about the record that would be next", err)
	}
	d.use(func(card *piv.Card) error {
		protection, err := card.Protection(t.Context())
		if protection.PUK.Tries != 1 {
			t.Errorf("%d tries left", protection.PUK.Tries)
		}
		return err
	})
	if err := d.try(func(card *piv.Card) error {
		_, err := (&maintenance.Unblocking{Card: card, PIN: secret.FromString("271828")}).Run(t.Context())
		return err
	}); !errors.Is(err, maintenance.ErrNoPUK) {
		t.Errorf("without a PUK: %v", err)
	}
}

// TestRefusedPUKIsNotTriedAgain: who agrees to the last try has the next PUK tried, and not one
// that the card refused already.
func TestRefusedPUKIsNotTriedAgain(t *testing.T) {
	d := newDesk(t, "5.7.4")
	right := d.puks()[0]
	puks := []escrow.Record{
		{Serial: serial, PUK: secret.FromString("00000001"), Path: "record0"}, {Serial: serial, PUK: secret.FromString("00000002"), Path: "record1"}, right,
	}
	pin := secret.FromString("271828")
	d.use(func(card *piv.Card) error {
		unblocking := &maintenance.Unblocking{Card: card, PUKs: puks, PIN: pin}
		_, err := unblocking.Run(t.Context())
		if _, last := errors.AsType[*piv.LastTryError](err); !last {
			t.Errorf("with one try left: %v", err)
		}
		unblocking.Card = card.AllowLastTry()
		done, err := unblocking.Run(t.Context())
		if done.Used != filepath.Base(right.Path) {
			t.Errorf("used %q", done.Used)
		}
		return err
	})
}
