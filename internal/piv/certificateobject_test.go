package piv

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/binary"
	"errors"
	"io"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/cse-piv/cse-piv/internal/piv/bertlv"
)

// aCertificate makes a certificate of at least that many bytes.
func aCertificate(t testing.TB, size int) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: strings.Repeat("x", size)}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func gzipped(plain []byte) []byte {
	return packedBy(func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) }, plain)
}

// asNetID packs as Pointsharp's Net iD does, with that length in its header.
func asNetID(plain []byte, length int) []byte {
	header := binary.LittleEndian.AppendUint16([]byte{0x01, 0x00}, uint16(length))
	return append(header, packedBy(func(w io.Writer) io.WriteCloser { return zlib.NewWriter(w) }, plain)...)
}

func packedBy(writer func(io.Writer) io.WriteCloser, plain []byte) []byte {
	var packed bytes.Buffer
	w := writer(&packed)
	if _, err := w.Write(plain); err != nil {
		panic(err) // a bytes.Buffer takes everything
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	return packed.Bytes()
}

func TestCertificateObjects(t *testing.T) {
	der := aCertificate(t, 900)
	cut := func(object []byte, n int) []byte { return object[:len(object)-n] }
	join := func(parts ...[]byte) []byte { return slices.Concat(parts...) }
	mscuid := bertlv.Append(nil, 0x72, []byte("MSCUID0123456789")...)
	plain := frame(der, 0)
	for name, test := range map[string]struct {
		object []byte
		says   string // empty: it is read
	}{
		"plain":                        {plain, ""},
		"nothing but the certificate":  {bertlv.Append(nil, tagCertificate, der...), ""},
		"MSCUID at the end":            {join(plain, mscuid), ""},
		"MSCUID at first":              {join(mscuid, plain), ""},
		"zeros at the end":             {join(plain, make([]byte, 7)), ""},
		"marked as packed, and is not": {frame(der, certInfoGzip), ""},
		"gzip":                         {frame(gzipped(der), certInfoGzip), ""},
		"gzip, not marked":             {frame(gzipped(der), 0), ""},
		"gzip, no CertInfo":            {bertlv.Append(nil, tagCertificate, gzipped(der)...), ""},
		"zlib":                         {frame(asNetID(der, 0)[4:], certInfoGzip), ""},
		"zlib, not marked":             {frame(asNetID(der, 0)[4:], 0), ""},
		"zlib, cut off":                {frame(cut(asNetID(der, 0)[4:], 9), certInfoGzip), "packed with zlib: unexpected EOF"},
		"zlib, a byte behind":          {frame(join(asNetID(der, 0)[4:], []byte{0}), certInfoGzip), "packed with zlib: a byte follows"},
		"zlib, a bomb":                 {frame(asNetID(make([]byte, 10<<20), 0)[4:], certInfoGzip), "it unpacks to more than 64 KiB"},
		"Net iD":                       {frame(asNetID(der, len(der)), certInfoGzip), ""},
		"Net iD, not marked":           {frame(asNetID(der, len(der)), 0), ""},
		"Net iD, length too great":     {frame(asNetID(der, len(der)+1), certInfoGzip), "a Net iD certificate whose length is wrong"},
		"Net iD, length too small":     {frame(asNetID(der, 17), certInfoGzip), "a Net iD certificate whose length is wrong: it says 17 bytes"},
		"Net iD, cut off":              {frame(cut(asNetID(der, len(der)), 9), certInfoGzip), "a Net iD certificate: unexpected EOF"},
		"Net iD, header alone":         {frame([]byte{0x01, 0x00, 0x10, 0x00, 0x78}, certInfoGzip), "a Net iD certificate"},
		"Net iD, half a header":        {frame([]byte{0x01, 0x00, 0x10}, certInfoGzip), "it begins with 01 00 10"},
		"Net iD, bytes behind":         {frame(join(asNetID(der, len(der)), []byte{1, 2}), certInfoGzip), "a Net iD certificate: 2 bytes follow"},
		"Net iD, a bomb":               {frame(asNetID(make([]byte, 10<<20), 0xFFFF), certInfoGzip), "a Net iD certificate: it unpacks to more than 64 KiB"},
		"gzip, cut off":                {frame(cut(gzipped(der), 9), certInfoGzip), "packed with gzip: unexpected EOF"},
		"gzip, damaged":                {frame(join(cut(gzipped(der), 8), make([]byte, 8)), certInfoGzip), "packed with gzip: gzip: invalid checksum"},
		"gzip, a byte behind":          {frame(join(gzipped(der), []byte{0}), certInfoGzip), "packed with gzip: a byte follows the certificate"},
		"gzip twice":                   {frame(join(gzipped(der[:9]), gzipped(der[9:])), certInfoGzip), "bytes follow the certificate"},
		"gzip, a bomb":                 {frame(gzipped(make([]byte, 10<<20)), certInfoGzip), "it unpacks to more than 64 KiB"},
		"gzip of something else":       {frame(gzipped([]byte("hello")), certInfoGzip), "x509: "},
		"bytes behind":                 {frame(join(der, []byte{0, 0, 0}), 0), "3 bytes follow the certificate"},
		"cut off":                      {cut(plain, 400), "the object has another length than it says"},
		"certificate cut off":          {frame(cut(der, 40), 0), "x509: "},
		"length too small":             {join([]byte{0x70, 0x82, 0x01, 0x00}, der[:0x100], []byte{0x71, 0x7F}), "the object has another length than it says"},
		"two certificates":             {join(plain, plain), "two certificates"},
		"no certificate":               {bertlv.Append(nil, tagCertInfo, 0), "something else"},
		"empty":                        {frame(nil, 0), "no bytes of a certificate"},
		"text":                         {frame([]byte("-----BEGIN CERTIFICATE-----"), 0), "begins with 2D 2D 2D 2D"},
	} {
		t.Run(name, func(t *testing.T) { checkObject(t, test.object, test.says, der) })
	}
}

// TestCertificateOfAnIssuer: a certificate is read that crypto/x509 refuses for its holder's name.
func TestCertificateOfAnIssuer(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	name := []byte("\x30\x1a\x31\x18\x30\x16\x06\x03\x55\x04\x03\x13\x0fkim@example.com") // PrintableString
	template := &x509.Certificate{SerialNumber: big.NewInt(1), RawSubject: name}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	checkObject(t, bertlv.Append(nil, tagCertificate, der...), "", der)
}

// checkObject parses a data object's contents, and wants that certificate or an
// error that says so.
func checkObject(t *testing.T, object []byte, says string, want []byte) {
	t.Helper()
	certificate, err := parseCertificateObject(object)
	switch {
	case says == "" && err != nil:
		t.Errorf("not read: %v", err)
	case says == "" && !bytes.Equal(certificate.Raw, want):
		t.Error("another certificate is read")
	case says != "" && (err == nil || !strings.Contains(err.Error(), says)):
		t.Errorf("error %v, want %q", err, says)
	}
}

// TestPackingOf looks at certificates about the size where they have to be packed,
// and finds on the card what was told before.
func TestPackingOf(t *testing.T) {
	base := len(aCertificate(t, 2500)) // the name stands in it twice
	for name, test := range map[string]struct {
		firmware Version
		extra    int
		gzip     bool
	}{
		"as it is":    {Version{5, 7, 4}, 0, false},
		"packed":      {Version{5, 7, 4}, 600, true},
		"NEO, as is":  {Version{3, 4, 0}, -2000, false},
		"NEO, packed": {Version{3, 4, 0}, 0, true},
	} {
		certificate, err := x509.ParseCertificate(aCertificate(t, (3000-(base-5000)+test.extra)/2))
		if err != nil {
			t.Fatal(err)
		}
		packing, err := PackingOf(test.firmware, certificate)
		if err != nil {
			t.Fatal(err)
		}
		if packing.Gzip != test.gzip || packing.Gzip != (packing.Size > packing.Room) || packing.Size != len(certificate.Raw) {
			t.Errorf("%s: %+v for %d bytes", name, packing, len(certificate.Raw))
		}
		object, err := certificateObject(certificate.Raw, maxObject(test.firmware))
		if err != nil {
			t.Fatal(err)
		}
		if info, err := bertlv.Find(object, tagCertInfo); err != nil || (info[0] == certInfoGzip) != packing.Gzip {
			t.Errorf("%s: CertInfo % X, %v", name, info, err)
		}
		checkObject(t, object, "", certificate.Raw)
	}
	random := make([]byte, 4000)
	if _, err := rand.Read(random); err != nil {
		t.Fatal(err)
	}
	if _, err := PackingOf(Version{5, 7, 4}, &x509.Certificate{Raw: random}); !errors.Is(err, ErrCertificateTooLarge) {
		t.Errorf("4,000 random bytes: %v", err)
	}
}

// TestCardObjectsInTheField reads one certificate as different issuers' tools
// leave it on cards.
func TestCardObjectsInTheField(t *testing.T) {
	const folder = "../../../shared/samples/card-objects"
	read := func(name string) []byte {
		raw, err := os.ReadFile(filepath.Join(folder, name))
		if errors.Is(err, fs.ErrNotExist) {
			t.Skipf("NOT TESTED: there is no %s: no certificate object of the field was read", filepath.Join(folder, name))
		}
		if err != nil {
			t.Fatal(err)
		}
		contents, err := bertlv.Find(raw, 0x53)
		if err != nil {
			t.Fatal(err)
		}
		return contents
	}
	plain, err := parseCertificateObject(read("9c-plain.bin"))
	if err != nil {
		t.Fatal(err)
	}
	for name, says := range map[string]string{
		"9c-gzip.bin": "", "9c-netid-zlib.bin": "", "9c-mscuid.bin": "",
		"9c-gzip-bomb.bin":               "it unpacks to more than 64 KiB",
		"9c-netid-zlib-wrong-length.bin": "a Net iD certificate whose length is wrong: it says 1544 bytes and has 1534",
	} {
		t.Run(name, func(t *testing.T) { checkObject(t, read(name), says, plain.Raw) })
	}
}

// TestBombsAreCheap has a card hold what unpacks to 64 MB, and bounds what
// reading it takes.
func TestBombsAreCheap(t *testing.T) {
	nothing := make([]byte, 64<<20)
	for name, object := range map[string][]byte{
		"gzip":   frame(gzipped(nothing), certInfoGzip),
		"Net iD": frame(asNetID(nothing, 0xFFFF), certInfoGzip),
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := parseCertificateObject(object)
		runtime.ReadMemStats(&after)
		if err == nil {
			t.Errorf("%s: 64 MB of nothing are a certificate", name)
		}
		if taken := after.TotalAlloc - before.TotalAlloc; taken > 1<<20 {
			t.Errorf("%s: reading it took %d KiB", name, taken>>10)
		}
	}
}

func FuzzParseCertificateObject(f *testing.F) {
	der := aCertificate(f, 0)
	for _, stored := range [][]byte{der, gzipped(der), asNetID(der, len(der)), {0x30, 0x03, 0x02, 0x01, 0x01}} {
		f.Add(frame(stored, 0))
		f.Add(frame(stored, certInfoGzip))
	}
	f.Add(frame(gzipped(make([]byte, 1<<20)), certInfoGzip))
	f.Add([]byte{0, 0x70, 0x82, 0x01})
	f.Fuzz(func(t *testing.T, object []byte) {
		certificate, err := parseCertificateObject(object)
		if (certificate == nil) == (err == nil) {
			t.Fatalf("%v and %v", certificate, err)
		}
		if err != nil {
			return
		}
		if len(certificate.Raw) > maxCertificate {
			t.Errorf("a certificate of %d bytes", len(certificate.Raw))
		}
		again, err := parseCertificateObject(frame(certificate.Raw, 0))
		if err != nil || !again.Equal(certificate) {
			t.Errorf("framed again it is %v, %v", again, err)
		}
	})
}
