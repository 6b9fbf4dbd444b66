package enroll_test

import (
	"testing"
	"time"

	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/lab"
	"github.com/cse-piv/cse-piv/internal/piv"
)

// BenchmarkEnrollment enrolls a new card and a new user in fair weather, and
// reports how much of the time is this program's own: the whole less what was
// spent inside the virtual card, the API and the CA.
func BenchmarkEnrollment(b *testing.B) {
	for _, c := range []struct {
		name      string
		algorithm piv.Algorithm
		faults    []string
	}{
		{"eccp256", piv.ECCP256, []string{"off"}},
		{"eccp256-50ms-API", piv.ECCP256, []string{"off", "latency:50ms"}},
		{"rsa2048", piv.RSA2048, []string{"off"}},
		{"rsa2048-50ms-API", piv.RSA2048, []string{"off", "latency:50ms"}},
	} {
		b.Run(c.name, func(b *testing.B) {
			var whole, outside time.Duration
			var apdus, calls int64
			for b.Loop() {
				b.StopTimer()
				d := newDesk(b, "5.7.4")
				d.request.Keys[0].Algorithm = c.algorithm
				d.world.Notify = func(enroll.Event) {}
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
				apdus += after.APDUs - before.APDUs
				calls += after.APICalls - before.APICalls
				b.StartTimer()
			}
			b.ReportMetric(100*float64(whole-outside)/float64(whole), "own-%")
			b.ReportMetric(float64(apdus)/float64(b.N), "APDUs/op")
			b.ReportMetric(float64(calls)/float64(b.N), "API-calls/op")
		})
	}
}

func elsewhere(stats lab.Stats) time.Duration { return stats.InCard + stats.InAPI + stats.InCA }
