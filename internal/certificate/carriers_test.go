package certificate_test

import (
	"bytes"
	"compress/gzip"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"mime/quotedprintable"
	"slices"
	"strings"
	"testing"

	"github.com/cse-piv/cse-piv/internal/certificate"
)

// TestCarriers: what programs, web forms, databases and mail make of a file of certificates
// is read wholly, or named for what it is. No certificate is passed over silently.
func TestCarriers(t *testing.T) {
	chain := newChain(t)
	var blocks []string
	for _, cert := range chain {
		blocks = append(blocks, string(certificate.EncodePEM(cert)))
	}
	all, first := strings.Join(blocks, ""), blocks[0]
	raw := slices.Concat(chain[0].Raw, chain[1].Raw, chain[2].Raw)
	pkcs7 := packed(t, chain)
	encoded := base64.StdEncoding.EncodeToString(chain[0].Raw)
	replaced := func(pairs ...string) string { return strings.NewReplacer(pairs...).Replace(all) }
	lines := func(before string) string { return before + strings.ReplaceAll(all, "\n", "\n"+before) }
	quoted, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	var printable, squeezed bytes.Buffer
	writer := quotedprintable.NewWriter(&printable)
	_, _ = writer.Write([]byte(all))
	_ = writer.Close()
	pack := gzip.NewWriter(&squeezed)
	_, _ = pack.Write(raw)
	_ = pack.Close()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	signed := pkcs7[bytes.Index(pkcs7, []byte{2, 1, 1, 0x31})-4:]

	for name, c := range map[string]struct {
		data string
		want int // certificates of the chain; 0 where says is the answer
		says string
	}{
		// Labels.
		"PKCS7":               {string(toPEM("PKCS7", pkcs7)), 3, ""},
		"CMS":                 {string(toPEM("CMS", pkcs7)), 3, ""},
		"CERTIFICATE":         {string(toPEM("CERTIFICATE", pkcs7)), 3, ""},
		"PKCS #7 SIGNED DATA": {string(toPEM("PKCS #7 SIGNED DATA", pkcs7)), 3, ""},
		"CERTIFICATE CHAIN":   {string(toPEM("CERTIFICATE CHAIN", pkcs7)), 3, ""},
		"USER CERTIFICATE":    {string(toPEM("USER CERTIFICATE", chain[0].Raw)), 1, ""},
		"NEW CERTIFICATE":     {string(toPEM("NEW CERTIFICATE", chain[0].Raw)), 1, ""},
		"small letters":       {string(toPEM("certificate", chain[0].Raw)), 1, ""},
		// Line ends, marks, blanks.
		"CR":                {replaced("\n", "\r"), 3, ""},
		"CR CR LF":          {replaced("\n", "\r\r\n"), 3, ""},
		"empty lines":       {replaced("\n", "\n\n"), 3, ""},
		"a mark each":       {"\xef\xbb\xbf" + strings.Join(blocks, "\xef\xbb\xbf"), 3, ""},
		"two marks":         {"\xef\xbb\xbf\xef\xbb\xbf" + all, 3, ""},
		"NUL between":       {strings.Join(blocks, "\x00"), 3, ""},
		"no-break spaces":   {lines("\u00a0\u00a0"), 3, ""},
		"zero-width spaces": {lines("\u200b"), 3, ""},
		"UTF-16LE, no mark": {string(inUTF16([]byte(replaced("\n", "\r\n")), binary.LittleEndian, false)), 3, ""},
		"UTF-16BE, mark":    {string(inUTF16([]byte(all), binary.BigEndian, true)), 3, ""},
		"UTF-32":            {"\xff\xfe\x00\x00-\x00\x00\x00", 0, "a text in UTF-32"},
		// The signs of comments, quotations and lists on each line.
		"slashes":          {lines("// "), 3, ""},
		"dashes":           {lines("-- "), 3, ""},
		"semicolons":       {lines("; "), 3, ""},
		"asterisks":        {lines(" * "), 3, ""},
		"a patch":          {lines("+"), 3, ""},
		"tabs and blanks":  {lines("\t \t"), 3, ""},
		"a list of lines":  {"[\n\"" + strings.ReplaceAll(strings.TrimSpace(all), "\n", "\",\n\"") + "\"\n]", 3, ""},
		"lines added up":   {strings.ReplaceAll(strings.TrimSpace(lines("\"")), "\n", "\\n\" +\n") + `\n";`, 3, ""},
		"backslashes":      {replaced("\n", "\\\n"), 3, ""},
		"only on one line": {strings.ReplaceAll(all, "-----BEGIN", "+-----BEGIN"), 3, ""},
		// Lines that went lost, and what stands beside them.
		"no line end between": {replaced("-----\n-----", "----------"), 3, ""},
		"one line":            {replaced("\n", ""), 3, ""},
		"blanks for lines":    {replaced("\n", " "), 3, ""},
		"escaped lines":       {replaced("\n", `\n`), 3, ""},
		"escaped CRLF":        {replaced("\n", `\r\n`), 3, ""},
		"JSON string":         {string(quoted), 3, ""},
		"JSON object":         {`{"chain": ` + string(quoted) + `}`, 3, ""},
		"JSON of PHP":         {`{"chain": ` + strings.ReplaceAll(string(quoted), "/", `\/`) + `}`, 3, ""},
		"JSON, all escaped":   {strings.NewReplacer(`\n`, `\u000a`, "+", `\u002b`, "=", `\u003d`, "/", `\u002F`).Replace(`{"chain": ` + string(quoted) + `}`), 3, ""},
		"JSON, indented":      {"[\n  " + strings.ReplaceAll(string(quoted), `-----\n-----`, "-----\\n\",\n  \"-----") + "\n]", 3, ""},
		"PowerShell":          {`$chain = "` + replaced("\n", "`r`n") + `"`, 3, ""},
		"XML, escaped":        {"<chain>" + replaced("\n", "&#xD;&#10;") + "</chain>", 3, ""},
		"XML":                 {"<chain><![CDATA[" + all + "]]></chain>", 3, ""},
		"a page":              {"<html><body>" + replaced("\n", "<br>\n") + "</body></html>", 3, ""},
		"a page, one line":    {"<html><body>" + replaced("\n", "<br/>") + "</body></html>", 3, ""},
		"environment file":    {`CHAIN="` + all + `"` + "\n", 3, ""},
		"YAML":                {"chain: |\n" + lines("    "), 3, ""},
		"commented out":       {lines("# "), 3, ""},
		"quoted in a reply":   {lines("> > "), 3, ""},
		"quoted with bars":    {lines("| "), 3, ""},
		"quoted-printable":    {printable.String(), 3, ""},
		"prose":               {"Copy from -----BEGIN CERTIFICATE----- to\n-----END CERTIFICATE-----:\n" + all, 3, ""},
		"only the end":        {first[strings.Index(first, "\n")+1:], 0, "the first or last line of a PEM block"},
		"only the beginning":  {first[:strings.Index(first, "-----END")], 0, "PEM block 1 is damaged"},
		"another end":         {strings.Replace(first, "END CERTIFICATE", "END PKCS7", 1), 0, "PEM block 1 is damaged"},
		"a word processor's":  {strings.ReplaceAll(first, "-----", "\u2014\u2014-"), 0, "the first or last line of a PEM block"},
		"four dashes":         {strings.ReplaceAll(first, "-----", "----"), 0, "the first or last line of a PEM block"},
		"the second cut off":  {first + blocks[1][:200], 0, "PEM block 2 is damaged"},
		// Without a frame.
		"base64, quoted":      {`"` + encoded + `"`, 1, ""},
		"base64 of PEM":       {base64.StdEncoding.EncodeToString([]byte(all)), 3, ""},
		"base64 of base64":    {base64.StdEncoding.EncodeToString([]byte(encoded)), 1, ""},
		"base64, two values":  {encoded + "\n" + base64.StdEncoding.EncodeToString(chain[1].Raw) + "\n", 2, ""},
		"base64 of a store":   {base64.StdEncoding.EncodeToString([]byte("\x00\x00\x00\x00CERT" + string(entry(32, chain[0].Raw)) + strings.Repeat("\x00", 12))), 1, ""},
		"data URL":            {"data:application/pkix-cert;base64," + encoded, 1, ""},
		"hexadecimal":         {hex.EncodeToString(raw), 3, ""},
		"capital hexadecimal": {strings.ToUpper(hex.EncodeToString(raw)), 3, ""},
		"0x":                  {"0x" + hex.EncodeToString(chain[0].Raw), 1, ""},
		"csvde":               {"X'" + hex.EncodeToString(chain[0].Raw) + "'", 1, ""},
		"PkiPath":             {string(tlv(0x30, false, raw)), 3, ""},
		"no ContentInfo":      {string(signed), 3, ""},
		"DER and NUL":         {string(raw) + "\x00\x00\x00", 3, ""},
		// Directories.
		"LDIF, a part":    {"userCertificate;binary:: " + encoded + "\n", 1, ""},
		"LDIF, one colon": {"dn: uid=kim\nuserCertificate: " + encoded + "\n", 1, ""},
		"LDIF of PEM":     {"dn: uid=kim\nuserCertificate:: " + base64.StdEncoding.EncodeToString([]byte(first)) + "\n", 1, ""},
		"LDIF, an empty":  {"dn: uid=lee\nuserCertificate;binary::\n\ndn: uid=kim\nuserCertificate;binary:: " + encoded + "\n", 1, ""},
		"LDIF, CR":        {"# export\rdn: uid=kim\ruserCertificate;binary:: " + encoded[:60] + "\r " + encoded[60:] + "\r", 1, ""},
		"LDIF, numbers":   {"dn: uid=kim\n2.5.4.36;binary:: " + encoded + "\n", 1, ""},
		"LDIF, a pair":    {"dn: cn=ca\ncrossCertificatePair;binary:: " + base64.StdEncoding.EncodeToString(tlv(0x30, false, tlv(0xa0, false, chain[0].Raw), tlv(0xa1, false, chain[1].Raw))) + "\n", 2, ""},
		"LDIF, half one":  {"dn: cn=ca\ncrossCertificatePair;binary:: " + base64.StdEncoding.EncodeToString(tlv(0x30, false, tlv(0xa1, false, chain[0].Raw))) + "\n", 1, ""},
		"LDIF, a photo":   {"dn: uid=kim\njpegPhoto:: /9j/4AAQ\nuserCertificate;binary:: " + encoded + "\n", 1, ""},
		"vCard, indented": {"BEGIN:VCARD\r\nVERSION:3.0\r\nKEY;TYPE=X509;ENCODING=B:\r\n  " + string(wrapped(chain[0].Raw, 72, "\r\n  ")) + "\r\nEND:VCARD\r\n", 1, ""},
		// What is named.
		"DER after PEM":     {first + string(chain[1].Raw), 0, "DER follows what is in PEM"},
		"DSML":              {`<dsml:dsml xmlns:dsml="http://www.dsml.org/DSML"><dsml:value>` + encoded, 0, "it holds XML"},
		"registry":          {"Windows Registry Editor Version 5.00\r\n\r\n\"Blob\"=hex:30,82\r\n", 0, "a part of the Windows registry"},
		"dump of certutil":  {"0000  30 82 03 50 30 82 01 f8  a0 03 02 01 02 02 14 00   0..P0...........\r\n", 0, "a dump"},
		"mail":              {"Date: Mon, 2 Nov 2026\nSubject: certificate\n\nMII\n", 0, "a mail message"},
		"part of a mail":    {"Content-Type: application/pkix-cert\nContent-Transfer-Encoding: base64\n\n" + encoded, 0, "a mail message"},
		"address":           {"https://ca.example.com/kim.cer\n", 0, "an address"},
		"dump":              {"00000000: 3082 0350 3082 01f8 a003 0201 0202 1400  0..P0...........\n", 0, "a dump in hexadecimal digits"},
		"table":             {"DN,userCertificate\nuid=kim,X'3082'\n", 0, "a table"},
		"tar":               {"kim.pem" + strings.Repeat("\x00", 250) + "ustar\x0000" + all, 0, "a tar archive"},
		"gzip":              {squeezed.String(), 0, "a gzip archive"},
		"shortcut":          {"L\x00\x00\x00\x01\x14\x02\x00\x00\x00\x00\x00", 0, "a Windows shortcut"},
		"certificate store": {"\x00\x00\x00\x00CERT\x20\x00\x00\x00", 0, "the Windows certificate store (.sst) is damaged"},
		"object of a card":  {hex.EncodeToString(tlv(0x53, false, tlv(0x70, false, chain[0].Raw))), 0, "a data object of a card"},
		"text":              {"hello world\n", 0, "neither PEM nor DER nor base64"},
		// A private key, wherever it stands.
		"key in JSON":      {`{"cert": ` + string(quoted) + `, "key": "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIJ1h"}`, 0, "a private key"},
		"key behind prose": {all + "the key: -----BEGIN EC PRIVATE KEY----- MHcCAQEE", 0, "a private key"},
		"key in an LDIF":   {"dn: uid=kim\nuserCertificate;binary:: " + encoded + "\nuserPrivateKey:: " + base64.StdEncoding.EncodeToString(pkcs8) + "\n", 0, "a private key"},
		"key of Word":      {all + "\u2014\u2014-BEGIN PRIVATE KEY\u2014\u2014-\nMC4CAQAwBQYDK2VwBCIEIJ1h\n", 0, "a private key"},
		"key, four dashes": {all + "----BEGIN EC PRIVATE KEY----\nMHcCAQEE\n", 0, "a private key"},
		"key of .NET":      {"<RSAKeyValue><Modulus>AA==</Modulus><Exponent>AQAB</Exponent><D>MC4CAQ==</D></RSAKeyValue>", 0, "a private key"},
		"key in base64":    {base64.StdEncoding.EncodeToString([]byte("-----BEGIN RSA PRIVATE KEY-----\nMC4CAQ\n")), 0, "a private key"},
	} {
		got, err := certificate.Parse([]byte(c.data))
		switch {
		case c.want > 0 && err != nil:
			t.Errorf("%s: %v", name, err)
		case c.want > 0:
			sameCerts(t, name, got, chain[:c.want])
		case !errors.Is(err, certificate.ErrUnreadable) || !strings.Contains(err.Error(), c.says):
			t.Errorf("%s: %d certificates, %v; want %q", name, len(got), err, c.says)
		case strings.Contains(err.Error(), "MC4CAQ") || strings.Contains(err.Error(), "MHcCAQEE"):
			t.Errorf("%s: a part of the key is shown: %v", name, err)
		}
	}
}
