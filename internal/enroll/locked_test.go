package enroll_test

import (
	"context"
	"errors"
	"testing"

	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/piv"
	"github.com/cse-piv/cse-piv/internal/piv/pcsc"
)

// checkLocked comes to the card as another program does, before it lost its
// power, and wants it to have forgotten PIN and management key.
func (d *desk) checkLocked() {
	d.t.Helper()
	setFaults(d.t, "off")
	service, err := pcsc.Establish()
	if err != nil {
		d.t.Fatal(err)
	}
	defer service.Release()
	readers, err := service.Readers()
	if err != nil {
		d.t.Fatal(err)
	}
	card, err := service.Connect(readers[0], pcsc.Exclusive)
	if err != nil {
		d.t.Fatalf("the card is not let go of: %v", err)
	}
	defer card.Disconnect(pcsc.LeaveCard)
	applet := pcsc.Applet{Card: card}
	if _, err := applet.Select(pcsc.PIV); err != nil {
		d.t.Fatal(err)
	}
	if _, verified, err := applet.Tries(); verified || err != nil {
		d.t.Errorf("the PIN is verified: %v, %v", verified, err)
	}
	if err := applet.PutData(0x5FC108, []byte{1}); !errors.Is(err, pcsc.SecurityNotSatisfied) {
		d.t.Errorf("data is written without a management key: %v", err)
	}
	digest := append([]byte{0x7C, 36, 0x82, 0, 0x81, 32}, make([]byte, 32)...)
	_, err = applet.Exchange(pcsc.Command{Instruction: 0x87, P1: pcsc.AlgorithmECCP256, P2: byte(piv.SlotKeyManagement), Data: digest})
	if err == nil {
		d.t.Error("a signature is made without a PIN")
	}
}

// TestTheCardIsLockedAfterwards: however an enrollment ends, the next program finds
// the card locked.
func TestTheCardIsLockedAfterwards(t *testing.T) {
	t.Run("done", func(t *testing.T) {
		d := newDesk(t, "5.7.4")
		d.mustRun()
		d.checkLocked()
	})
	d := newDesk(t, "5.7.4")
	for _, step := range enroll.NewPlan(d.request) {
		for _, state := range []enroll.State{enroll.StateStarted, enroll.StateDone} {
			t.Run("stopped at "+step.ID+" "+string(state), func(t *testing.T) {
				d := newDesk(t, "5.7.4")
				ctx, stop := context.WithCancel(t.Context())
				defer stop()
				d.deps.Notify = func(event enroll.Event) {
					if event.Step == step.ID && event.State == state {
						stop()
					}
				}
				_, err := enroll.Run(ctx, d.deps, d.request)
				if err == nil && step.ID != "record" {
					t.Error("it went on")
				}
				d.checkLocked()
			})
		}
	}
}
