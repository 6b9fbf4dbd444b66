package batch_test

import (
	"testing"

	"github.com/cse-piv/cse-piv/internal/batch/source"
	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/lab/ca"
)

// TestDryRunSeesAnAddressTwice: also where another ledger knows the user to be
// done with the certificate of the first row.
func TestDryRunSeesAnAddressTwice(t *testing.T) {
	o := newOffice(t)
	people := o.people(t, 2)
	known := openLedger(t, ledgerFile(t))
	mustRun(t, o.options(t, known, people))
	again := o.row(t, people[0].Email, 3)
	again.Certificates = []source.Certificate{{Use: certificate.UseBoth, Data: o.certificate(t, again.Email, ca.Profile{})}}
	twice := append(people, again)

	options := o.options(t, openLedger(t, ledgerFile(t)), twice)
	options.DryRun, options.Known, options.Domain = true, known, nil
	if dry := mustRun(t, options); dry.Failed != 1 || dry.Done != 1 || dry.Earlier != 1 {
		t.Errorf("dry: %+v", dry)
	}
	if real := mustRun(t, o.options(t, known, twice)); real.Failed != 1 || real.Done != 1 {
		t.Errorf("real: %+v", real)
	}
}
