package prepare_test

import (
	"crypto/x509"
	"fmt"
	"testing"

	"github.com/cse-piv/cse-piv/internal/batch/source"
	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/lab/ca"
)

const ada = "ada@example.com"

func newCA(t testing.TB) *ca.CA {
	t.Helper()
	authority, err := ca.New(ca.Config{BaseURL: "http://ca.example.com"})
	if err != nil {
		t.Fatal(err)
	}
	return authority
}

// issue returns leaf, intermediate and root for an address.
func issue(t testing.TB, authority *ca.CA, email string, profile ca.Profile) []*x509.Certificate {
	t.Helper()
	chain, err := authority.Issue(email, nil, profile)
	if err != nil {
		t.Fatal(err)
	}
	return chain
}

func pemOf(certs ...*x509.Certificate) []byte { return certificate.EncodePEM(certs...) }

// rowOf is a row of line 7 with one certificate for each use, in turn.
func rowOf(email string, uses []certificate.Use, data ...[]byte) source.Row {
	row := source.Row{Where: "people.csv line 7", Line: 7, Email: email}
	for i, use := range uses {
		row.Certificates = append(row.Certificates, source.Certificate{Use: use, Origin: fmt.Sprintf("file%d.pem", i+1), Data: data[i]})
	}
	return row
}

func both(email string, data []byte) source.Row {
	return rowOf(email, []certificate.Use{certificate.UseBoth}, data)
}
