package certificate_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"math/big"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/cse-piv/cse-piv/internal/certificate"
)

// inUTF16 is what Notepad writes under "Unicode".
func inUTF16(text []byte, order binary.AppendByteOrder, mark bool) []byte {
	var out []byte
	if mark {
		out = order.AppendUint16(out, 0xfeff)
	}
	for _, unit := range utf16.Encode([]rune(string(text))) {
		out = order.AppendUint16(out, unit)
	}
	return out
}

// wrapped is base64 in lines of that length.
func wrapped(data []byte, width int, end string) []byte {
	text := base64.StdEncoding.EncodeToString(data)
	var out strings.Builder
	for line := range slices.Chunk([]byte(text), width) {
		out.Write(line)
		out.WriteString(end)
	}
	return []byte(out.String())
}

// TestFormsOfText: the same certificates in whatever spelling a program or a mail
// program gives the text.
func TestFormsOfText(t *testing.T) {
	chain := newChain(t)
	block := certificate.EncodePEM(chain...)
	der := packed(t, chain)
	crlf := bytes.ReplaceAll(block, []byte("\n"), []byte("\r\n"))
	lines := func(before, after string) []byte {
		var out []byte
		for line := range bytes.Lines(block) {
			out = append(append(append(out, before...), bytes.TrimSuffix(line, []byte("\n"))...), after...)
		}
		return out
	}
	raw := slices.Concat(chain[0].Raw, chain[1].Raw, chain[2].Raw)
	for name, data := range map[string][]byte{
		"UTF-16LE, mark":             inUTF16(crlf, binary.LittleEndian, true),
		"UTF-16LE, none":             inUTF16(crlf, binary.LittleEndian, false),
		"UTF-16BE, mark":             inUTF16(block, binary.BigEndian, true),
		"UTF-16BE, none":             inUTF16(block, binary.BigEndian, false),
		"UTF-16 with other letters":  inUTF16(append([]byte("Gr\u00fc\u00dfe \U0001f44b\n"), block...), binary.LittleEndian, true),
		"base64 in UTF-16":           inUTF16(wrapped(der, 64, "\r\n"), binary.LittleEndian, true),
		"base64 in UTF-8, mark":      append([]byte("\xef\xbb\xbf"), wrapped(der, 64, "\n")...),
		"base64, one line":           wrapped(der, 1<<20, ""),
		"base64, 76 and CRLF":        wrapped(der, 76, "\r\n"),
		"base64 without padding":     bytes.TrimRight(wrapped(der, 1<<20, ""), "="),
		"base64 of DER after DER":    wrapped(raw, 64, "\n"),
		"base64, NUL and blank ends": append(wrapped(der, 64, "\n"), "\n \r\n\x00\x1a"...),
		"indented":                   lines("    ", "\n"),
		"quoted in mail":             lines("> ", "\r\n"),
		"blanks at the ends":         lines("", "  \t\n"),
		"CR alone":                   lines("", "\r"),
		"text that names the lines":  append([]byte("Copy all from -----BEGIN CERTIFICATE----- to the end.\n"), block...),
		"text between":               bytes.ReplaceAll(block, []byte("-----END CERTIFICATE-----\n"), []byte("-----END CERTIFICATE-----\nBag Attributes\n    friendlyName: Kim\n")),
		"NUL at the end":             append(slices.Clone(block), 0, 0, 0),
		"a public key before":        append(toPEM("PUBLIC KEY", chain[0].RawSubjectPublicKeyInfo), block...),
		"DER and line ends":          append(slices.Clone(raw), "\r\n"...),
		"DER in lines of its own":    slices.Concat(chain[0].Raw, []byte("\r\n"), chain[1].Raw, []byte("\n"), chain[2].Raw),
		"DER and other octets":       append(slices.Clone(raw), "and more"...),
		"PKCS#7 and other octets":    append(slices.Clone(der), "and more"...),
		"Netscape's sequence":        tlv(0x30, false, object(t, 2, 16, 840, 1, 113730, 2, 5), tlv(0xa0, false, tlv(0x30, false, raw))),
		"DER with OpenSSL's trust":   slices.Concat(chain[0].Raw, tlv(0x30, false, tlv(0x30, false, object(t, 1, 3, 6, 1, 5, 5, 7, 3, 4))), chain[1].Raw, chain[2].Raw),
		"two PKCS#7":                 append(packed(t, chain[:1]), packed(t, chain[1:])...),
	} {
		got, err := certificate.Parse(data)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		sameCerts(t, name, got, chain)
	}
}

// TestDirectories: what LDAP tools and address books export.
func TestDirectories(t *testing.T) {
	chain := newChain(t)
	value := func(der []byte) string { return base64.StdEncoding.EncodeToString(der) }
	folded := func(der []byte) string { return string(bytes.TrimSuffix(wrapped(der, 76, "\n "), []byte("\n "))) }
	for name, c := range map[string]struct {
		text string
		want []*x509.Certificate
	}{
		"LDIF, one entry":     {"dn: uid=kim,dc=example\nobjectClass: person\nuserCertificate;binary:: " + folded(chain[0].Raw) + "\n", chain[:1]},
		"LDIF, ldapsearch":    {"# extended LDIF\n#\n# LDAPv3\n\n# kim, example\ndn: uid=kim,dc=example\nuserCertificate:: " + folded(chain[0].Raw) + "\n\n# search result\nsearch: 2\n", chain[:1]},
		"LDIF, version":       {"version: 1\r\n\r\ndn:: dWlkPWtpbQ==\r\ncACertificate;binary:: " + value(chain[1].Raw) + "\r\nuserCertificate;binary:: " + value(chain[0].Raw) + "\r\n", []*x509.Certificate{chain[1], chain[0]}},
		"LDIF, PKCS#7":        {"dn: uid=kim\nuserSMIMECertificate;binary:: " + folded(packed(t, chain)) + "\n", chain},
		"LDIF, several users": {"dn: uid=a\nuserCertificate;binary:: " + folded(chain[0].Raw) + "\n\ndn: uid=b\nUSERCERTIFICATE:: " + folded(chain[1].Raw) + "\n", chain[:2]},
		"vCard 3":             {"BEGIN:VCARD\r\nVERSION:3.0\r\nN:Kim\r\nKEY;ENCODING=b;TYPE=X509:" + folded(chain[0].Raw) + "\r\nEND:VCARD\r\n", chain[:1]},
		"vCard 2.1":           {"BEGIN:VCARD\r\nVERSION:2.1\r\nKEY;X509;ENCODING=BASE64:\r\n " + string(wrapped(chain[0].Raw, 72, "\r\n ")) + "\r\nEND:VCARD\r\n", chain[:1]},
		"vCard 4":             {"BEGIN:VCARD\r\nVERSION:4.0\r\nKEY:data:application/pkix-cert;base64," + folded(chain[0].Raw) + "\r\nEND:VCARD\r\n", chain[:1]},
	} {
		got, err := certificate.Parse([]byte(c.text))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		sameCerts(t, name, got, c.want)
	}
}

// TestKinds: what is no certificate is named, and nothing of a key is shown.
func TestKinds(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	rsaKey, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	must := func(der []byte, err error) []byte {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	leaf := newChain(t)[0]
	pkcs8, sec1, pkcs1 := must(x509.MarshalPKCS8PrivateKey(key)), must(x509.MarshalECPrivateKey(key)), x509.MarshalPKCS1PrivateKey(rsaKey)
	request := must(x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, key))
	crl := must(x509.CreateRevocationList(rand.Reader, &x509.RevocationList{Number: big.NewInt(1), NextUpdate: time.Now().Add(time.Hour)},
		newCertificate(t, &x509.Certificate{KeyUsage: x509.KeyUsageCRLSign, IsCA: true, BasicConstraintsValid: true, SubjectKeyId: []byte{1}}, key), key))
	content := func(id ...int) []byte { return signedData(t, false, object(t, id...), nil) }
	block := certificate.EncodePEM(leaf)
	for name, c := range map[string]struct {
		data []byte
		says string
	}{
		"PKCS#8":                  {pkcs8, "a private key"},
		"SEC 1":                   {sec1, "a private key"},
		"PKCS#1":                  {pkcs1, "a private key"},
		"PKCS#8 in base64":        {wrapped(pkcs8, 64, "\n"), "a private key"},
		"encrypted PKCS#8":        {tlv(0x30, false, tlv(0x30, false, object(t, 1, 2, 840, 113549, 1, 5, 13)), []byte{4, 2, 1, 2}), "a private key"},
		"PEM":                     {toPEM("PRIVATE KEY", pkcs8), "a private key (PRIVATE KEY)"},
		"PEM, encrypted":          {toPEM("ENCRYPTED PRIVATE KEY", pkcs8), "a private key (ENCRYPTED PRIVATE KEY)"},
		"OpenSSH":                 {toPEM("OPENSSH PRIVATE KEY", pkcs8), "a private key (OPENSSH PRIVATE KEY)"},
		"after a certificate":     {slices.Concat(block, toPEM("RSA PRIVATE KEY", pkcs1)), "a private key (RSA PRIVATE KEY)"},
		"before a certificate":    {slices.Concat(toPEM("EC PRIVATE KEY", sec1), block), "a private key (EC PRIVATE KEY)"},
		"cut off":                 {slices.Concat(block, toPEM("EC PRIVATE KEY", sec1)[:90]), "a private key (EC PRIVATE KEY)"},
		"indented":                {[]byte("key: |\n  " + strings.ReplaceAll(string(toPEM("PRIVATE KEY", pkcs8)), "\n", "\n  ")), "a private key (PRIVATE KEY)"},
		"in UTF-16":               {inUTF16(toPEM("PRIVATE KEY", pkcs8), binary.LittleEndian, true), "a private key (PRIVATE KEY)"},
		"after DER":               {slices.Concat(leaf.Raw, pkcs8), "a private key"},
		"in JSON":                 {[]byte(`{"private_key": "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIJ1h"}`), "a private key"},
		"PuTTY":                   {[]byte("PuTTY-User-Key-File-3: ssh-ed25519\n"), "a private key"},
		"PGP":                     {[]byte("-----BEGIN PGP PRIVATE KEY BLOCK-----\n\nAAAA\n=AAAA\n-----END PGP PRIVATE KEY BLOCK-----\n"), "a private key (PGP PRIVATE KEY BLOCK)"},
		"PGP, public":             {toPEM("PGP PUBLIC KEY BLOCK", leaf.Raw), "an OpenPGP key or message"},
		"PGP, binary":             {[]byte{0x99, 1, 0x0d, 4, 1, 2, 3, 4, 5}, "an OpenPGP key or message"},
		"SSH, public":             {[]byte("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI kim@desk\n"), "an OpenSSH public key"},
		"request":                 {request, "a certificate request"},
		"request in PEM":          {toPEM("CERTIFICATE REQUEST", request), "a certificate request"},
		"request in base64":       {wrapped(request, 64, "\r\n"), "a certificate request"},
		"revocation list":         {crl, "a certificate revocation list"},
		"revocation list in PEM":  {toPEM("X509 CRL", crl), "a certificate revocation list"},
		"one in a PKCS#7":         {signedData(t, false, object(t, 1, 2, 840, 113549, 1, 7, 2), nil, tlv(0xa1, false, crl)), "a certificate revocation list"},
		"public key":              {leaf.RawSubjectPublicKeyInfo, "a public key without a certificate"},
		"public key in PEM":       {toPEM("PUBLIC KEY", leaf.RawSubjectPublicKeyInfo), "a public key without a certificate"},
		"encrypted message":       {content(1, 2, 840, 113549, 1, 7, 3), "an encrypted message (PKCS#7 EnvelopedData)"},
		"the same in BER":         {signedData(t, true, object(t, 1, 2, 840, 113549, 1, 7, 3), nil), "an encrypted message (PKCS#7 EnvelopedData)"},
		"plain data":              {content(1, 2, 840, 113549, 1, 7, 1), "a PKCS#7 of plain data"},
		"another content":         {content(1, 2, 3, 4), "a PKCS#7 of content type 1.2.3.4"},
		"error page":              {[]byte("<!DOCTYPE html>\n<html><title>404</title></html>"), "a web page"},
		"page in UTF-16":          {inUTF16([]byte("<html>"), binary.LittleEndian, true), "a web page"},
		"JSON":                    {[]byte("\n {\"error\": \"not found\"}"), "JSON"},
		"ZIP":                     {[]byte("PK\x03\x04abcdefgh"), "a ZIP archive"},
		"PDF":                     {[]byte("%PDF-1.7\n"), "a PDF document"},
		"Java keystore":           {[]byte("\xfe\xed\xfe\xed\x00\x00\x00\x02"), "a Java keystore"},
		"a card's object":         {slices.Concat([]byte{0x53, 0x82, 1, 4, 0x70, 0x82, 1, 0}, make([]byte, 256)), "a data object of a card"},
		"text of OpenSSL":         {[]byte("Certificate:\n    Data:\n        Version: 3 (0x2)\n"), "a text about a certificate, without the certificate"},
		"LDIF without":            {[]byte("dn: uid=kim\nmail: kim@example.com\n"), "an LDIF export without certificates"},
		"vCard without":           {[]byte("BEGIN:VCARD\nVERSION:4.0\nEND:VCARD\n"), "a vCard without certificates"},
		"vCard with an address":   {[]byte("BEGIN:VCARD\nKEY;VALUE=uri:https://example.com/kim.cer\nEND:VCARD\n"), "a vCard without certificates"},
		"base64 for URLs":         {[]byte(base64.RawURLEncoding.EncodeToString(bytes.Repeat([]byte{0xfb}, 60))), "base64url"},
		"LDIF that names a file":  {[]byte("dn: uid=kim\nuserCertificate;binary:< file:///etc/shadow\n"), "names files"},
		"a label of another kind": {toPEM("SOMETHING", leaf.Raw), `unexpected PEM block "SOMETHING"`},
	} {
		got, err := certificate.Parse(c.data)
		if !errors.Is(err, certificate.ErrUnreadable) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %d certificates, %v; want %q", name, len(got), err, c.says)
			continue
		}
		for _, secret := range [][]byte{pkcs8, sec1, pkcs1} {
			for line := range bytes.Lines(wrapped(secret, 16, "\n")) {
				if strings.Contains(err.Error(), string(bytes.TrimSpace(line))) {
					t.Errorf("%s: a part of the key is shown: %v", name, err)
				}
			}
		}
	}
}

// TestSamples is the verdict on files that other tools wrote, by names of the folder's.
func TestSamples(t *testing.T) {
	const folder = "../../../shared/samples/pkcs7"
	verdicts := map[string]string{
		"01-leaf-first.p7pem": "3", "02-root-first.p7pem": "3", "03-der-sorted-set.p7pem": "3", "04-ber-indefinite.p7b": "3",
		"05-label-CMS.p7pem": "3", "06-label-CERTIFICATE.p7pem": "3", "09-utf16le-notepad.p7pem": "3", "11-bare-base64.p7b": "3",
		"13-leaf-only.p7pem": "1", "15-two-leaves.p7pem": "4", "17-empty-crls.p7pem": "3", "18-trailing-bytes.p7b": "3",
		"19-openssl-text-before-pem.pem": "3", "boringssl-nss.p7c": "3", "boringssl-windows.p7c": "1",
		"boringssl-openssl_crl.p7c": "a certificate revocation list",
	}
	if _, err := os.Stat(folder); err != nil {
		t.Skipf("NOT TESTED: there are no samples: %v", err)
	}
	for name, want := range verdicts {
		data, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			t.Error(err)
			continue
		}
		list, err := certificate.Parse(data)
		got := ""
		if err == nil {
			got = string(rune('0' + len(list)))
		} else if kind, ok := errors.AsType[*certificate.KindError](err); ok {
			got = string(kind.Kind)
		}
		if got != want {
			t.Errorf("%s: %s, %v; want %s", name, got, err, want)
		}
	}
}

// TestSampleCards: of each government test card the certificates are read, and from the
// PKCS#12 beside each, whose password is empty, the same one.
func TestSampleCards(t *testing.T) {
	files, err := filepath.Glob("../../../shared/samples/cards/[0-9]*/*.p12")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Skip("NOT TESTED: there are no samples")
	}
	read := func(file string) []*x509.Certificate {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		list, err := certificate.Parse(data)
		if err != nil {
			t.Errorf("%s: %v", file, err)
		}
		return list
	}
	for _, file := range files {
		sameCerts(t, file, read(file), read(strings.TrimSuffix(file, ".p12")+".crt"))
	}
}

// toDERFile is a PKCS#12 with an encrypted part that consists of those pieces.
func toDERFile(t *testing.T, pieces []byte) []byte {
	data := object(t, 1, 2, 840, 113549, 1, 7, 1)
	algorithm := tlv(0x30, false, object(t, 1, 2, 840, 113549, 1, 12, 1, 3), tlv(0x30, false, []byte{4, 2, 1, 2}, []byte{2, 1, 1}))
	part := tlv(0x30, false, object(t, 1, 2, 840, 113549, 1, 7, 6), tlv(0xa0, false, tlv(0x30, false, []byte{2, 1, 0}, tlv(0x30, false, data, algorithm, tlv(0xa0, false, pieces)))))
	return tlv(0x30, false, []byte{2, 1, 3}, tlv(0x30, false, data, tlv(0xa0, false, tlv(4, false, tlv(0x30, false, part)))))
}

// TestMemoryIsBounded: whatever is in a file of the largest size, no more than 64 MiB
// is asked for while it is read, all in all.
func TestMemoryIsBounded(t *testing.T) {
	leaf := newChain(t)[0]
	fill := func(unit []byte) []byte { return bytes.Repeat(unit, certificate.MaxFile/len(unit)) }
	around := func(unit []byte, tags ...byte) []byte {
		data := bytes.Repeat(unit, (certificate.MaxFile-1000)/len(unit))
		for _, tag := range tags {
			data = tlv(tag, false, data)
		}
		return data
	}
	name := tlv(0x31, false, tlv(0x30, false, object(t, 2, 5, 4, 3), []byte{0x0c, 1, 'x'}))
	key := leaf.RawSubjectPublicKeyInfo
	certificateOf := func(subject, extensions []byte) []byte {
		validity := tlv(0x30, false, []byte("\x17\x0d250101000000Z"), []byte("\x17\x0d350101000000Z"))
		algorithm := tlv(0x30, false, object(t, 1, 2, 840, 10045, 4, 3, 2))
		body := tlv(0x30, false, []byte{0xa0, 3, 2, 1, 2, 2, 1, 1}, algorithm, tlv(0x30, false), validity, subject, key, extensions)
		return tlv(0x30, false, body, algorithm, []byte{3, 3, 0, 1, 1})
	}
	names := tlv(0x30, false, []byte{6, 3, 0x55, 0x1d, 17}, tlv(4, false, around([]byte{0x81, 3, 'a', '@', 'b'}, 0x30)))
	var small []byte
	for range 60 {
		small = append(small, name...)
	}
	many := certificateOf(tlv(0x30, false, small), nil)
	for what, data := range map[string][]byte{
		"names in the subject":             certificateOf(around(name, 0x30), nil),
		"alternative names":                certificateOf(tlv(0x30, false), tlv(0xa3, false, tlv(0x30, false, names))),
		"as many certificates, full":       fill(many)[:1000*len(many)],
		"certificates":                     fill(leaf.Raw),
		"certificates in PEM":              fill(toPEM("CERTIFICATE", leaf.Raw)),
		"certificates in UTF-16":           inUTF16(bytes.Repeat(toPEM("CERTIFICATE", leaf.Raw), 2500), binary.LittleEndian, true),
		"base64":                           wrapped(make([]byte, certificate.MaxFile/4*3-100), certificate.MaxFile, ""),
		"values in a PKCS#7":               tlv(0x30, false, object(t, 1, 2, 840, 113549, 1, 7, 2), around([]byte{5, 0}, 0xa0)),
		"values in BER":                    slices.Concat([]byte{0x30, 0x80}, object(t, 1, 2, 840, 113549, 1, 7, 2), bytes.Repeat([]byte{0x30, 0x80, 0, 0}, certificate.MaxFile/5)),
		"pieces of an octet string":        slices.Concat([]byte{0x30, 0x80, 0x24, 0x80}, bytes.Repeat([]byte{4, 1, 1}, certificate.MaxFile/4)),
		"lines":                            append([]byte("-----BEGIN CERTIFICATE-----"), bytes.Repeat([]byte("\n"), certificate.MaxFile-50)...),
		"LDIF of empty values":             append([]byte("dn: x\n"), bytes.Repeat([]byte("userCertificate:: \n"), certificate.MaxFile/20)...),
		"LDIF of one long value":           append([]byte("dn: x\nuserCertificate:: "), bytes.Repeat([]byte("AAAA\n "), certificate.MaxFile/7)...),
		"vCard":                            append([]byte("BEGIN:VCARD\n"), bytes.Repeat([]byte("KEY;B:AAAA\n"), certificate.MaxFile/12)...),
		"a PKCS#12 of pieces":              slices.Concat([]byte{0x30, 0x80, 2, 1, 3, 0x30, 0x80}, object(t, 1, 2, 840, 113549, 1, 7, 1), []byte{0xa0, 0x80, 0x24, 0x80}, bytes.Repeat([]byte{4, 1, 1}, certificate.MaxFile/4)),
		"public keys without end":          fill([]byte{0x30, 6, 2, 1, 1, 2, 1, 1}),
		"PKCS#7 of nothing, and more":      fill(signedData(t, false, object(t, 1, 2, 840, 113549, 1, 7, 2), nil, tlv(0xa1, false, []byte{0x30, 0}))),
		"an encrypted part in pieces":      toDERFile(t, slices.Repeat([]byte{4, 1, 1}, 350_000)),
		"labels":                           fill([]byte("-----BEGIN X-----\n-----END X-----\n")),
		"blanks":                           bytes.Repeat([]byte(" "), certificate.MaxFile),
		"zeros":                            make([]byte, certificate.MaxFile),
		"a SEQUENCE of octets":             around([]byte{0x30, 0}, 0x30),
		"DER of a thousand names, in PEM":  toPEM("PKCS7", tlv(0x30, false, object(t, 1, 2, 840, 113549, 1, 7, 2), bytes.Repeat([]byte{4, 0}, certificate.MaxFile/3))),
		"the largest key":                  withKey(t, leaf, 8*(certificate.MaxFile-2000)),
		"a certificate of extension after": certificateOf(tlv(0x30, false), tlv(0xa3, false, around(tlv(0x30, false, []byte{6, 3, 0x55, 0x1d, 99, 4, 0}), 0x30))),
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		list, err := certificate.Parse(data)
		runtime.ReadMemStats(&after)
		asked := (after.TotalAlloc - before.TotalAlloc) >> 20
		t.Logf("%s, %d octets: %d MiB, %d certificates, %v", what, len(data), asked, len(list), err)
		if asked > 64 {
			t.Errorf("%s: %d MiB were asked for", what, asked)
		}
		if err != nil && len(err.Error()) > 300 {
			t.Errorf("%s: an error of %d octets", what, len(err.Error()))
		}
	}
}
