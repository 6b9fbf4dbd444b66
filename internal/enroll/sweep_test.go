package enroll_test

import (
	"fmt"
	"testing"
)

// TestPulledCard pulls the card at every APDU of an enrollment in turn, before
// and after the card carried it out, puts it back and runs the same again.
func TestPulledCard(t *testing.T) {
	for _, fault := range []string{"card:pull@%d", "card:pull-after@%d"} {
		t.Run(fault[:len(fault)-3], func(t *testing.T) {
			for n := 1; ; n++ {
				if whole := pullAt(t, fmt.Sprintf(fault, n)); whole {
					if n < 50 {
						t.Errorf("an enrollment had only %d APDUs", n-1)
					}
					return
				}
				if t.Failed() {
					return
				}
			}
		})
	}
}

// pullAt enrolls with one fault and reports whether the enrollment was over
// before the fault came.
func pullAt(t *testing.T, fault string) (whole bool) {
	t.Run(fault, func(t *testing.T) {
		d := newDesk(t, "5.7.4")
		setFaults(t, "off", fault)
		receipt, err := d.run()
		if err == nil {
			whole = true
			d.checkWhole(receipt)
			return
		}
		if !isCardTrouble(err) {
			t.Fatalf("a pulled card gave: %v", err)
		}
		setFaults(t, "off")
		d.insert()
		d.world = d.newWorld()
		d.checkWhole(d.mustRun())
	})
	return whole
}

// TestLostAnswer loses the API's answer at every call of an enrollment in turn,
// after Gmail carried it out, and runs the same again.
func TestLostAnswer(t *testing.T) {
	for _, kind := range []string{"lost", "reset", "503"} {
		for n := 1; n <= 5; n++ {
			t.Run(fmt.Sprintf("%s@%d", kind, n), func(t *testing.T) {
				d := newDesk(t, "5.7.4")
				setFaults(t, "off", fmt.Sprintf("api:%s@%d", kind, n))
				if receipt, err := d.run(); err == nil {
					d.checkWhole(receipt)
				}
				setFaults(t, "off")
				d.world = d.newWorld()
				d.checkWhole(d.mustRun())
			})
		}
	}
}
