package prepare_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"testing"
	"time"

	"github.com/cse-piv/cse-piv/internal/batch/prepare"
	"github.com/cse-piv/cse-piv/internal/batch/source"
	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/ledger"
)

// benchUsers are as many as one run of a benchmark has rows: what is remembered of a user
// would spare checks that a batch has to make.
const benchUsers = 1500

// benchAuthority is a root and an issuing authority with keys of one kind.
type benchAuthority struct {
	root, issuing *x509.Certificate
	key, leafKey  crypto.Signer
}

func newBenchAuthority(b *testing.B, newKey func() (crypto.Signer, error)) *benchAuthority {
	b.Helper()
	var keys []crypto.Signer
	for range 3 {
		key, err := newKey()
		if err != nil {
			b.Fatal(err)
		}
		keys = append(keys, key)
	}
	now := time.Now()
	template := func(name string) *x509.Certificate {
		return &x509.Certificate{
			SerialNumber: big.NewInt(now.UnixNano()), Subject: pkix.Name{Organization: []string{"Bench"}, CommonName: name},
			NotBefore: now.Add(-time.Hour), NotAfter: now.AddDate(10, 0, 0), BasicConstraintsValid: true, IsCA: true,
			KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign, CRLDistributionPoints: []string{"http://crl.example.com/ca.crl"},
		}
	}
	a := &benchAuthority{key: keys[1], leafKey: keys[2]}
	a.root = sign(b, template("Root"), template("Root"), keys[0].Public(), keys[0])
	issuing := template("Issuing")
	issuing.MaxPathLenZero, issuing.ExtKeyUsage = true, []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection}
	a.issuing = sign(b, issuing, a.root, keys[1].Public(), keys[0])
	return a
}

func sign(b *testing.B, template, issuer *x509.Certificate, public crypto.PublicKey, key crypto.Signer) *x509.Certificate {
	b.Helper()
	der, err := x509.CreateCertificate(rand.Reader, template, issuer, public, key)
	if err != nil {
		b.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		b.Fatal(err)
	}
	return cert
}

// leaf issues a certificate without a fault.
func (a *benchAuthority) leaf(b *testing.B, email string) *x509.Certificate {
	policy, err := x509.OIDFromInts([]uint64{2, 23, 140, 1, 5, 1, 3})
	if err != nil {
		b.Fatal(err)
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 126))
	if err != nil {
		b.Fatal(err)
	}
	usage := x509.KeyUsageDigitalSignature | x509.KeyUsageKeyAgreement
	if _, isRSA := a.leafKey.(*rsa.PrivateKey); isRSA {
		usage = x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment
	}
	return sign(b, &x509.Certificate{
		SerialNumber: serial.SetBit(serial, 126, 1), Subject: pkix.Name{Organization: []string{"Bench"}, CommonName: "A User"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(1, 0, 0), BasicConstraintsValid: true,
		KeyUsage: usage, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection}, EmailAddresses: []string{email},
		Policies: []x509.OID{policy}, CRLDistributionPoints: []string{"http://crl.example.com/issuing.crl"},
		IssuingCertificateURL: []string{"http://ca.example.com/issuing.cer"},
	}, a.issuing, a.leafKey.Public(), a.key)
}

// BenchmarkEntry reads, builds, judges and packs the chains of different users of one
// authority, on one core: with the chain in each user's file ("whole"), with it from a
// bundle, and with nothing known of the authority, as an enrollment has it ("alone").
//
// Beside each row crypto/x509 does what no reader can do without: it verifies the
// signatures that nobody verified before, which are the leaf's, and of an authority that
// is not known also the authority's and the root's own ("bare"), and it parses those
// certificates. "of-bare" is how many chains there are for each time that the signatures
// are verified, "of-bare+parse" for each time that they are parsed and verified; "parse"
// is what parsing takes, in units of what verifying takes. Where parsing is dear beside
// verifying, as with RSA, of-bare cannot be more than 1/(1+parse). "unpacked-of-bare" is
// of-bare for reading, building and judging alone: without packing the chain for Gmail and
// the ledger, which is its PKCS#7, its leaf's fingerprint and a description.
//
// The figures are of the median row: whatever else the machine does interrupts others.
// Whichever comes first finds the processor's caches cold, so each does in its turn.
func BenchmarkEntry(b *testing.B) {
	onCurve := func(curve elliptic.Curve) func() (crypto.Signer, error) {
		return func() (crypto.Signer, error) { return ecdsa.GenerateKey(curve, rand.Reader) }
	}
	for _, kind := range []struct {
		name   string
		newKey func() (crypto.Signer, error)
	}{
		{"RSA-2048", func() (crypto.Signer, error) { return rsa.GenerateKey(rand.Reader, 2048) }},
		{"P-256", onCurve(elliptic.P256())},
		{"P-384", onCurve(elliptic.P384())},
	} {
		authority := newBenchAuthority(b, kind.newKey)
		bundle := []*x509.Certificate{authority.issuing, authority.root}
		var leaves []*x509.Certificate
		var whole, alone []source.Row
		for i := range benchUsers {
			email := fmt.Sprintf("user%d@example.com", i)
			leaf := authority.leaf(b, email)
			leaves = append(leaves, leaf)
			whole = append(whole, both(email, pemOf(append([]*x509.Certificate{leaf}, bundle...)...)))
			alone = append(alone, both(email, pemOf(leaf)))
		}
		run := func(name string, rows []source.Row, chain []*x509.Certificate, known bool) {
			b.Run(kind.name+"/"+name, func(b *testing.B) {
				preparer := prepare.New(prepare.Options{Chain: chain})
				needed := []*x509.Certificate{nil, authority.issuing, authority.root, authority.root}
				if known {
					needed = []*x509.Certificate{nil, authority.issuing}
				}
				var row source.Row
				parts := []*part{
					{do: func() error {
						if entry := preparer.Entry(b.Context(), row); entry.State != ledger.StateWaiting {
							return errors.New(entry.Message)
						}
						return nil
					}},
					{do: func() error {
						for k, cert := range needed[:len(needed)-1] {
							if err := cert.CheckSignatureFrom(needed[k+1]); err != nil {
								return err
							}
						}
						return nil
					}},
					{do: func() error {
						for _, cert := range needed[:len(needed)-1] {
							if _, err := x509.ParseCertificate(cert.Raw); err != nil {
								return err
							}
						}
						return nil
					}},
					{do: func() error {
						_, err := prepare.Pack(certificate.UseBoth, []*x509.Certificate{needed[0], authority.issuing, authority.root}, "")
						return err
					}},
				}
				for i := 0; b.Loop(); i++ {
					if !known {
						preparer = prepare.New(prepare.Options{Chain: chain})
					}
					row, needed[0] = rows[i%benchUsers], leaves[i%benchUsers]
					for k := range parts {
						parts[(i+k)%len(parts)].time(b)
					}
				}
				b.ReportMetric(0, "ns/op")
				entry, check, parse, pack := parts[0].median(), parts[1].median(), parts[2].median(), parts[3].median()
				b.ReportMetric(1/entry, "chains/s")
				b.ReportMetric(1/check, "bare/s")
				b.ReportMetric(check/entry, "of-bare")
				b.ReportMetric(check/(entry-pack), "unpacked-of-bare")
				b.ReportMetric((check+parse)/entry, "of-bare+parse")
				b.ReportMetric(parse/check, "parse")
			})
		}
		run("bundle", alone, bundle, true)
		run("whole", whole, nil, true)
		run("alone", whole, nil, false)
	}
}

// part is something that is done for each row, and how long that took.
type part struct {
	do    func() error
	times []time.Duration
}

func (p *part) time(b *testing.B) {
	began := time.Now()
	err := p.do()
	p.times = append(p.times, time.Since(began))
	if err != nil {
		b.Fatal(err)
	}
}

// median is in seconds.
func (p *part) median() float64 {
	slices.Sort(p.times)
	return p.times[len(p.times)/2].Seconds()
}
