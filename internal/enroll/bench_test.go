package enroll_test

import (
	"context"
	"testing"
	"time"

	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/lab"
	"github.com/cse-piv/cse-piv/internal/piv"
)

// BenchmarkEnrollment enrolls a new card and a new user in fair weather, and
// reports how many commands the card got, and how much of the time is this
// program's own: the whole less what was spent inside the virtual card, the API
// and the CA. What the same commands take at a real card is counted, not waited
// for.
func BenchmarkEnrollment(b *testing.B) {
	for _, c := range []struct {
		name, firmware string
		algorithm      piv.Algorithm
		split          bool
		faults         []string
	}{
		{"eccp256", "5.7.4", piv.ECCP256, false, []string{"off"}},
		{"eccp256-50ms-API", "5.7.4", piv.ECCP256, false, []string{"off", "latency:50ms"}},
		{"rsa2048", "5.7.4", piv.RSA2048, false, []string{"off"}},
		{"rsa2048-50ms-API", "5.7.4", piv.RSA2048, false, []string{"off", "latency:50ms"}},
		{"rsa2048-on-5.4.3", "5.4.3", piv.RSA2048, false, []string{"off"}},
		{"rsa2048-split", "5.7.4", piv.RSA2048, true, []string{"off"}},
		{"rsa2048-split-on-5.4.3", "5.4.3", piv.RSA2048, true, []string{"off"}},
	} {
		b.Run(c.name, func(b *testing.B) {
			var whole, outside, atARealCard time.Duration
			var apdus, calls int64
			for b.Loop() {
				b.StopTimer()
				d := newDesk(b, c.firmware)
				d.request.Keys[0].Algorithm = c.algorithm
				if c.split {
					d.split()
				}
				d.deps.Notify = func(enroll.Event) {}
				setFaults(b, c.faults...)
				before, started := practice.Stats(), time.Now()
				b.StartTimer()
				if _, err := d.run(); err != nil {
					b.Fatal(err)
				}
				b.StopTimer()
				whole += time.Since(started)
				after := practice.Stats()
				outside += elsewhere(after) - elsewhere(before)
				atARealCard += after.CardTime - before.CardTime
				apdus += after.APDUs - before.APDUs
				calls += after.APICalls - before.APICalls
				b.StartTimer()
			}
			b.ReportMetric(100*float64(whole-outside)/float64(whole), "own-%")
			b.ReportMetric(float64(apdus)/float64(b.N), "APDUs/op")
			b.ReportMetric(atARealCard.Seconds()/float64(b.N), "real-card-s/op")
			b.ReportMetric(float64(calls)/float64(b.N), "API-calls/op")
		})
	}
}

// TestAnEnrollmentTakesFewCommands keeps the counts of the benchmark: ykman 4.0.9
// takes 74 for what is done here with one key.
func TestAnEnrollmentTakesFewCommands(t *testing.T) {
	for _, firmware := range []string{"5.4.3", "5.7.4"} {
		for _, c := range []struct {
			split bool
			most  int64
		}{{false, 74}, {true, 110}} {
			d := newDesk(t, firmware)
			d.request.Keys[0].Algorithm = piv.RSA2048
			if c.split {
				d.split()
			}
			d.deps.OpenCard = func(ctx context.Context, serial uint32, touch func(piv.Slot)) (enroll.Card, error) {
				// However slow the machine, the connection stays open between two steps.
				opened, err := piv.Open(ctx, serial, piv.Options{OnTouch: touch, KeepOpen: time.Hour})
				return card{opened}, err
			}
			setFaults(t, "off")
			before := practice.Stats().APDUs
			d.checkWhole(d.mustRun())
			if took := practice.Stats().APDUs - before; took > c.most {
				t.Errorf("firmware %s, split %v: %d commands to the card, more than %d", firmware, c.split, took, c.most)
			} else {
				t.Logf("firmware %s, split %v: %d commands", firmware, c.split, took)
			}
		}
	}
}

func elsewhere(stats lab.Stats) time.Duration { return stats.InCard + stats.InAPI + stats.InCA }
