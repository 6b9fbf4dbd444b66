package prepare_test

import (
	"crypto/x509"
	"fmt"
	"testing"
	"time"

	"github.com/cse-piv/cse-piv/internal/batch/prepare"
	"github.com/cse-piv/cse-piv/internal/batch/source"
	"github.com/cse-piv/cse-piv/internal/lab/ca"
	"github.com/cse-piv/cse-piv/internal/ledger"
)

// BenchmarkEntry prepares rows of different users of one authority, as a source
// of 100,000 has them: with the chain in the file, with it from a bundle, and with
// nothing known of the authority, as an enrollment has it. Beside it stands what one
// check of a leaf's signature takes, and how many of those a row costs.
func BenchmarkEntry(b *testing.B) {
	authority := newCA(b)
	const users = 1500 // more than are remembered
	var whole, leaves []source.Row
	var certs []*x509.Certificate
	for i := range users {
		email := fmt.Sprintf("user%d@example.com", i)
		chain := issue(b, authority, email, ca.Profile{})
		certs = append(certs, chain[0])
		whole = append(whole, both(email, pemOf(chain...)))
		leaves = append(leaves, both(email, pemOf(chain[0])))
	}
	bundle := []*x509.Certificate{authority.Issuing(), authority.Root()}
	var bare time.Duration
	b.Run("bare-signature", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			if err := certs[i%users].CheckSignatureFrom(authority.Issuing()); err != nil {
				b.Fatal(err)
			}
		}
		bare = b.Elapsed() / time.Duration(b.N)
	})
	run := func(name string, rows []source.Row, chain []*x509.Certificate, alone bool) {
		b.Run(name, func(b *testing.B) {
			preparer := prepare.New(prepare.Options{Chain: chain})
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if alone {
					preparer = prepare.New(prepare.Options{Chain: chain})
				}
				if entry := preparer.Entry(rows[i%users]); entry.State != ledger.StateWaiting {
					b.Fatal(entry.Message)
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "rows/s")
			b.ReportMetric(float64(b.Elapsed())/float64(b.N)/float64(bare), "bare-signatures/op")
		})
	}
	run("whole", whole, nil, false)
	run("bundle", leaves, bundle, false)
	run("alone", whole, nil, true)
}
