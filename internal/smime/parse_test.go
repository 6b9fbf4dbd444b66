package smime_test

import (
	"bytes"
	"crypto/x509"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/cse-piv/cse-piv/internal/smime"
)

func TestParseCertificates(t *testing.T) {
	chain := certs(goodChain(t)...)
	pkcs7 := encode(t, chain[1:])
	leaf, intermediate := toPEM("CERTIFICATE", chain[0].Raw), toPEM("CERTIFICATE", chain[1].Raw)
	for name, c := range map[string]struct {
		data []byte
		want []*x509.Certificate
	}{
		"DER":               {chain[0].Raw, chain[:1]},
		"PEM":               {leaf, chain[:1]},
		"several PEM":       {append(slices.Clone(leaf), intermediate...), chain[:2]},
		"old label":         {toPEM("X509 CERTIFICATE", chain[0].Raw), chain[:1]},
		"CRLF":              {bytes.ReplaceAll(append(slices.Clone(leaf), intermediate...), []byte("\n"), []byte("\r\n")), chain[:2]},
		"byte order mark":   {append([]byte("\xef\xbb\xbf"), leaf...), chain[:1]},
		"text around":       {slices.Concat([]byte("subject=CN = Kim\n\n"), leaf, []byte("issuer=CN = Issuing\n"), intermediate, []byte("\n \r\n")), chain[:2]},
		"PKCS7 PEM":         {pkcs7, chain[1:]},
		"PKCS7 DER":         {fromPEM(t, pkcs7), chain[1:]},
		"PEM and PKCS7":     {append(slices.Clone(leaf), pkcs7...), chain},
		"order of the file": {append(slices.Clone(intermediate), leaf...), []*x509.Certificate{chain[1], chain[0]}},
	} {
		got, err := smime.ParseCertificates(c.data)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		sameCerts(t, got, c.want)
	}
}

func TestParseCertificatesRefuses(t *testing.T) {
	der := goodChain(t)[0].cert.Raw
	block := toPEM("CERTIFICATE", der)
	twice := append(slices.Clone(block), block...)
	damage := func(at int) []byte {
		data := slices.Clone(twice)
		data[at] = '*'
		return data
	}
	for name, data := range map[string][]byte{
		"nothing":               nil,
		"space":                 []byte(" \n"),
		"text":                  []byte("a certificate"),
		"DER and an octet":      append(slices.Clone(der), 0),
		"DER twice":             append(slices.Clone(der), der...),
		"DER cut":               der[:len(der)-1],
		"DER and PEM":           append(slices.Clone(der), block...),
		"PEM and garbage":       append(slices.Clone(block), "garbage"...),
		"PEM cut":               block[:len(block)-10],
		"PEM cut in the second": twice[:len(twice)-30],
		"first block damaged":   damage(100),
		"second block damaged":  damage(len(block) + 100),
		"DER cut in PEM":        toPEM("CERTIFICATE", der[:len(der)-1]),
		"octet after in PEM":    toPEM("CERTIFICATE", append(slices.Clone(der), 0)),
		"empty block":           toPEM("CERTIFICATE", nil),
		"private key":           append(slices.Clone(block), toPEM("PRIVATE KEY", []byte{0x30, 0})...),
		"request":               toPEM("CERTIFICATE REQUEST", der),
		"escape in a label":     toPEM("\x1b[2J", der),
	} {
		got, err := smime.ParseCertificates(data)
		if !errors.Is(err, smime.ErrNotCertificates) {
			t.Errorf("%s: %d certificates, error %v", name, len(got), err)
		} else if strings.ContainsRune(err.Error(), '\x1b') {
			t.Errorf("%s: the error carries a control character: %q", name, err)
		}
	}
}

func TestFingerprint(t *testing.T) {
	cert := goodChain(t)[0].cert
	text := openssl(t, cert.Raw, "x509", "-inform", "DER", "-noout", "-fingerprint", "-sha256")
	_, want, _ := strings.Cut(strings.TrimSpace(text), "=")
	want = strings.ToLower(strings.ReplaceAll(want, ":", ""))
	if got := smime.Fingerprint(cert); got != want || len(got) != 64 {
		t.Errorf("fingerprint %s, openssl says %s", got, want)
	}
}

func fuzzReader(f *testing.F, read func([]byte) ([]*x509.Certificate, error)) {
	chain := certs(goodChain(f)...)
	pkcs7 := encode(f, chain)
	f.Add([]byte{})
	f.Add(chain[0].Raw)
	f.Add(append(toPEM("CERTIFICATE", chain[0].Raw), toPEM("CERTIFICATE", chain[1].Raw)...))
	f.Add(pkcs7)
	f.Add(fromPEM(f, pkcs7))
	f.Add(signedData(f, true, object(f, 1, 2, 840, 113549, 1, 7, 2), tlv(0xa0, true, chain[0].Raw)))
	f.Fuzz(func(t *testing.T, data []byte) {
		before := bytes.Clone(data)
		list, err := read(data)
		if !bytes.Equal(before, data) {
			t.Fatal("the input was changed")
		}
		if err != nil {
			if !errors.Is(err, smime.ErrNotCertificates) || list != nil {
				t.Fatalf("%d certificates and error %v", len(list), err)
			}
			return
		}
		if len(list) == 0 {
			t.Fatal("neither certificates nor an error")
		}
		// Whatever was read survives packing, and can be looked at safely.
		back, err := smime.ParsePKCS7(encode(t, list))
		if err != nil {
			t.Fatal(err)
		}
		sameCerts(t, back, list)
		for _, finding := range smime.Check(list, smime.CheckOptions{Email: email, Now: now()}) {
			if !printableText(finding.Message) || finding.ID == "" || finding.Severity == "" {
				t.Fatalf("finding %+q", finding)
			}
		}
		if chain, err := smime.BuildChain(list[0], list); err == nil && !chain[0].Equal(list[0]) {
			t.Fatal("the chain begins with another certificate")
		}
	})
}

func FuzzParseCertificates(f *testing.F) { fuzzReader(f, smime.ParseCertificates) }

func FuzzParsePKCS7(f *testing.F) { fuzzReader(f, smime.ParsePKCS7) }
