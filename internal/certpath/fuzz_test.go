package certpath_test

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/certificate/certtest"
	"github.com/cse-piv/cse-piv/internal/certpath"
)

// FuzzBuild: of whatever certificates are read, a path is built from the first one, or is
// said to be none for a reason; what is returned holds.
func FuzzBuild(f *testing.F) {
	for _, c := range moreSituations()[:20] {
		l := newLine(f)
		c.change(f, l)
		s := l.situation(f)
		f.Add(certificate.EncodePEM(append([]*x509.Certificate{s.leaf}, append(s.pool, s.roots...)...)...))
	}
	folders, _ := filepath.Glob(filepath.Join(samples, "chains", "*"))
	for _, folder := range folders {
		var all []byte
		for _, name := range []string{"leaf.pem", "pool.pem", "roots.pem"} {
			data, err := os.ReadFile(filepath.Join(folder, name))
			if err != nil {
				f.Fatal(err)
			}
			all = append(all, data...)
		}
		if len(all) < 64<<10 {
			f.Add(all)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		list, err := certificate.Parse(data)
		if err != nil {
			return
		}
		var v certpath.Verifier
		options := certpath.Options{Now: now(), Mail: true}
		chain, err := v.Build(list[0], certpath.NewPool(list), options)
		if none, ok := err.(*certpath.NoPathError); ok {
			if chain = none.Chain; none.Fault.Cause == "" || !printableText(err.Error()) || none.Last() == nil {
				t.Fatalf("%q", err)
			}
		} else if err != nil {
			t.Fatal(err)
		} else {
			holds(t, chain)
		}
		if !chain[0].Equal(list[0]) {
			t.Fatal("the chain begins with another certificate")
		}
		for _, fault := range v.Validate(chain, options) {
			if !printableText(fault.Text) || fault.Index < 0 || fault.Index >= len(chain) {
				t.Fatalf("%+v", fault)
			}
		}
		for _, fault := range v.Validate(list, options) {
			if !printableText(fault.Text) || fault.Index < 0 || fault.Index >= len(list) {
				t.Fatalf("%+v", fault)
			}
		}
	})
}

// holds checks that each certificate is signed by the next and none is there twice.
func holds(t *testing.T, chain []*x509.Certificate) {
	t.Helper()
	for i, cert := range chain[:len(chain)-1] {
		issuer := chain[i+1]
		if !bytes.Equal(cert.RawIssuer, issuer.RawSubject) || issuer.CheckSignature(cert.SignatureAlgorithm, cert.RawTBSCertificate, cert.Signature) != nil {
			t.Fatalf("certificate %d is not signed by the next", i)
		}
		if slices.ContainsFunc(chain[i+1:], cert.Equal) {
			t.Fatalf("certificate %d is there twice", i)
		}
	}
	if last := chain[len(chain)-1]; !bytes.Equal(last.RawIssuer, last.RawSubject) {
		t.Fatal("the last is no root")
	}
}

// FuzzConstraints: name constraints, alternative names and subjects of any octets do no
// harm.
func FuzzConstraints(f *testing.F) {
	for _, c := range moreSituations() {
		l := newLine(f)
		c.change(f, l)
		s := l.situation(f)
		value := func(cert *x509.Certificate, number int) []byte {
			for _, extension := range cert.Extensions {
				if extension.Id.Equal(asn1.ObjectIdentifier{2, 5, 29, number}) {
					return extension.Value
				}
			}
			return nil
		}
		if len(s.pool) > 0 && value(s.pool[0], 30) != nil {
			f.Add(value(s.pool[0], 30), value(s.leaf, 17), s.leaf.RawSubject)
		}
	}
	chain := certtest.Certs(goodChain(f)...)
	f.Fuzz(func(t *testing.T, constraints, names, subject []byte) {
		leaf, issuing := *chain[0], *chain[1]
		leaf.RawSubject = subject
		leaf.Extensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 17}, Value: names}}
		issuing.Extensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 30}, Value: constraints}}
		for _, fault := range new(certpath.Verifier).Validate([]*x509.Certificate{&leaf, &issuing, chain[2]}, certpath.Options{Now: now()}) {
			if !printableText(fault.Text) {
				t.Fatalf("%+v", fault)
			}
		}
	})
}
