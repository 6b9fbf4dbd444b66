package prepare_test

import (
	"crypto/x509"
	"fmt"
	"testing"

	"github.com/cse-piv/cse-piv/internal/batch/prepare"
	"github.com/cse-piv/cse-piv/internal/batch/source"
	"github.com/cse-piv/cse-piv/internal/lab/ca"
	"github.com/cse-piv/cse-piv/internal/ledger"
)

// BenchmarkEntry prepares rows of different users of one authority, as a source
// of 100,000 has them: with the chain in the file, and with it from a bundle.
func BenchmarkEntry(b *testing.B) {
	authority := newCA(b)
	const users = 1500 // more than are remembered
	var whole, leaves []source.Row
	for i := range users {
		email := fmt.Sprintf("user%d@example.com", i)
		chain := issue(b, authority, email, ca.Profile{})
		whole = append(whole, both(email, pemOf(chain...)))
		leaves = append(leaves, both(email, pemOf(chain[0])))
	}
	bundle := []*x509.Certificate{authority.Issuing(), authority.Root()}
	run := func(name string, rows []source.Row, chain []*x509.Certificate) {
		b.Run(name, func(b *testing.B) {
			preparer := prepare.New(prepare.Options{Chain: chain})
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if entry := preparer.Entry(rows[i%users]); entry.State != ledger.StateWaiting {
					b.Fatal(entry.Message)
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
	run("whole", whole, nil)
	run("bundle", leaves, bundle)
}
