package cli_test

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/binary"
	"encoding/hex"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
	"software.sslmate.com/src/go-pkcs12"

	"github.com/cse-piv/cse-piv/internal/lab"
	"github.com/cse-piv/cse-piv/internal/lab/ca"
)

// issueCard has the lab's CA issue a small card, as a card management system
// would: issuecard DIR EMAIL [FORM]. It has a key for signing in 9C, one for
// encryption in 9D and an old one in 82, a CHUID that is signed, and a PIN, which
// $ISSUEDPIN names the file of. FORM says how the certificate in 9D stands on the
// card: netid, netid-wrong, gzip, gzip-unmarked, bomb, trailing, or not at all
// (none).
func issueCard(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: issuecard DIR EMAIL [FORM]")
	}
	dir := ts.MkAbs(args[0])
	ts.Check(os.MkdirAll(dir, 0o700))
	write := func(name string, data []byte) { ts.Check(os.WriteFile(filepath.Join(dir, name), data, 0o600)) }
	var reading []byte
	for slot, usage := range map[string]x509.KeyUsage{
		"9c": x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment, "9d": x509.KeyUsageKeyEncipherment, "82": x509.KeyUsageKeyEncipherment,
	} {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		ts.Check(err)
		request, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{
			Subject: pkix.Name{CommonName: "Card holder"}, EmailAddresses: []string{args[1]},
		}, key)
		ts.Check(err)
		csr, err := x509.ParseCertificateRequest(request)
		ts.Check(err)
		chain, err := labOf(ts).CA().Sign(csr, ca.Profile{KeyUsage: usage})
		ts.Check(err)
		file, err := pkcs12.Modern2023.Encode(key, chain[0], nil, "")
		ts.Check(err)
		if slot == "9d" && strings.Join(args[2:], "") == "none" {
			der, err := x509.MarshalPKCS8PrivateKey(key)
			ts.Check(err)
			write("9d.key", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
			continue
		}
		write(slot+".p12", file)
		if slot == "9d" {
			reading = chain[0].Raw
		}
	}
	write("chuid.bin", []byte{0x30, 0x00, 0x34, 0x01, 0x42, 0x35, 0x00, 0x3e, 0x02, 0x30, 0x00, 0xfe, 0x00})
	write("key-history.bin", []byte{0xc1, 0x01, 0x01, 0xc2, 0x01, 0x00, 0xfe, 0x00})
	if reading != nil && len(args) == 3 {
		write("9d.bin", certificateObject(ts, reading, args[2]))
	}
	write("pin", []byte(lab.IssuedPIN+"\n"))
	write("management-key", []byte(hex.EncodeToString(lab.IssuedManagementKey())+"\n"))
	ts.Setenv("ISSUEDPIN", filepath.Join(dir, "pin"))
	ts.Setenv("LABCHAIN", filepath.Join(labOf(ts).Dir(), "ca", "issuing.pem")+","+filepath.Join(labOf(ts).Dir(), "ca", "root.pem"))
}

// certificateObject frames a certificate in one of the forms that cards in the
// field have.
func certificateObject(ts *testscript.TestScript, der []byte, form string) []byte {
	netID := func(length int) []byte {
		return append(binary.LittleEndian.AppendUint16([]byte{0x01, 0x00}, uint16(length)), squeezed(ts, der, true)...)
	}
	info := byte(1)
	var stored []byte
	switch form {
	case "netid":
		stored = netID(len(der))
	case "netid-wrong":
		stored = netID(len(der) + 10)
	case "gzip":
		stored = squeezed(ts, der, false)
	case "gzip-unmarked":
		info, stored = 0, squeezed(ts, der, false)
	case "bomb":
		stored = squeezed(ts, make([]byte, 2<<20), false)
	case "trailing":
		info, stored = 0, append(bytes.Clone(der), 0, 0, 0)
	default:
		ts.Fatalf("issuecard: form %q is not known", form)
	}
	object := append([]byte{0x70, 0x82, byte(len(stored) >> 8), byte(len(stored))}, stored...)
	return append(object, 0x71, 0x01, info, 0xfe, 0x00)
}

// squeezed packs with gzip or zlib.
func squeezed(ts *testscript.TestScript, plain []byte, asZlib bool) []byte {
	var packed bytes.Buffer
	if asZlib {
		writer := zlib.NewWriter(&packed)
		_, err := writer.Write(plain)
		ts.Check(err)
		ts.Check(writer.Close())
	} else {
		writer := gzip.NewWriter(&packed)
		_, err := writer.Write(plain)
		ts.Check(err)
		ts.Check(writer.Close())
	}
	return packed.Bytes()
}
