package certificate_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/testenv"
)

// entry is one of a Windows certificate store.
func entry(id uint32, value []byte) []byte {
	out := binary.LittleEndian.AppendUint32(nil, id)
	out = binary.LittleEndian.AppendUint32(out, 1)
	return append(binary.LittleEndian.AppendUint32(out, uint32(len(value))), value...)
}

// TestStrangeFiles: files of other programs that people take for certificates are read, or
// named for what they are; none is read in part without a word.
func TestStrangeFiles(t *testing.T) {
	chain := newChain(t)
	leaf := chain[0]
	block := string(certificate.EncodePEM(leaf))
	encoded := base64.StdEncoding.EncodeToString(leaf.Raw)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	hidden := base64.RawURLEncoding.EncodeToString(secret)
	jwk := func(more map[string]any) string {
		all := map[string]any{"kty": "EC", "crv": "P-256", "x": "AQ", "y": "AQ", "x5c": []string{encoded}}
		for name, value := range more {
			all[name] = value
		}
		text, _ := json.Marshal(all)
		return string(text)
	}
	headers := func(lines string) string { return strings.Replace(block, "-----\n", "-----\n"+lines+"\n\n", 1) }
	in16 := func(text string, order binary.AppendByteOrder) string {
		return string(inUTF16([]byte(text), order, false))
	}
	signed := object(t, 1, 2, 840, 113549, 1, 7, 2)
	set, digest := []byte{0x31, 0}, tlv(0x30, false, object(t, 2, 16, 840, 1, 101, 3, 4, 2, 1))
	// opaque is a SignedData with what was signed in it, as a mail or a Windows catalog is.
	opaque := func(indefinite bool, kind []byte, content []byte) string {
		body := tlv(0x30, indefinite, []byte{2, 1, 1}, set, tlv(0x30, indefinite, kind, tlv(0xa0, indefinite, content)), tlv(0xa0, indefinite, leaf.Raw), set)
		return string(tlv(0x30, indefinite, signed, tlv(0xa0, indefinite, body)))
	}
	data, list := object(t, 1, 2, 840, 113549, 1, 7, 1), object(t, 1, 3, 6, 1, 4, 1, 311, 10, 1)
	store := func(entries ...[]byte) string {
		return "\x00\x00\x00\x00CERT" + string(slices.Concat(entries...)) + strings.Repeat("\x00", 12)
	}
	validity := func(from, to string) []byte {
		return tlv(0x30, false, tlv(0x18, false, []byte(from)), tlv(0x18, false, []byte(to)))
	}
	years := validity("20260101000000Z", "20510101000000Z")
	body := func(serial []byte, validity []byte, kind ...[]byte) []byte {
		name, algorithm := tlv(0x30, false), tlv(0x30, false, object(t, 1, 2, 840, 10045, 4, 3, 2))
		parts := slices.Concat(append([][]byte{{0xa0, 3, 2, 1, 2}, tlv(2, false, serial), algorithm, name, validity, name, leaf.RawSubjectPublicKeyInfo}, kind...)...)
		return tlv(0x30, false, tlv(0x30, false, parts), algorithm, []byte{3, 3, 0, 1, 1})
	}
	algorithm := tlv(0x30, false, object(t, 1, 2, 840, 10045, 4, 3, 2))
	holder := tlv(0x30, false, tlv(0xa1, false, tlv(0xa4, false, tlv(0x30, false))))
	attributes := tlv(0x30, false, tlv(0x30, false, []byte{2, 1, 1}, holder, tlv(0xa0, false, tlv(0x30, false)), algorithm, []byte{2, 1, 7}, years, tlv(0x30, false)), algorithm, []byte{3, 3, 0, 1, 1})
	question := tlv(0x30, false, tlv(0x30, false, tlv(0x30, false, tlv(0x30, false, tlv(0x30, false, digest, []byte{4, 1, 1}, []byte{4, 1, 1}, []byte{2, 1, 7})))))
	stamp := tlv(0x30, false, []byte{2, 1, 1}, tlv(0x30, false, digest, []byte{4, 1, 1}), []byte{1, 1, 255})

	for name, c := range map[string]struct {
		data string
		want int // certificates of the chain; 0 where says is the answer
		says string
	}{
		"UTF-16LE without mark, an umlaut first": {in16("Öffentlich:\r\n"+block, binary.LittleEndian), 1, ""},
		"UTF-16BE without mark, an umlaut first": {in16("Ö\n"+block, binary.BigEndian), 1, ""},
		"UTF-16LE without mark, base64":          {in16(encoded, binary.LittleEndian), 1, ""},
		"UTF-16BE with an octet too many":        {in16(block, binary.BigEndian) + "x", 1, ""},
		"headers":                                {headers("Proc-Type: 4,MIC-CLEAR\nOriginator-Name: Kim"), 1, ""},
		"encrypted PEM":                          {headers("Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,0011223344"), 0, "a PEM block that is encrypted (CERTIFICATE)"},

		"a signed mail":            {opaque(false, data, tlv(4, false, []byte("text"))), 1, ""},
		"a signed mail, streamed":  {opaque(true, data, tlv(0x24, true, tlv(4, false, []byte("te")), tlv(4, false, []byte("xt")))), 1, ""},
		"a Windows catalog":        {opaque(false, list, tlv(0x30, false, []byte{2, 1, 1})), 1, ""},
		"a PKCS#7 in pieces":       {string(toBER(t, packed(t, chain))), 3, ""},
		"a PKCS#7 of nothing":      {string(signedData(t, true, signed, nil)), 0, "the PKCS#7 holds no certificate"},
		"a PKCS#7 of encrypted":    {string(signedData(t, true, object(t, 1, 2, 840, 113549, 1, 7, 6), nil)), 0, "encrypted data (PKCS#7 EncryptedData)"},
		"a PKCS#7 with attributes": {string(signedData(t, false, signed, tlv(0xa0, false, leaf.Raw, tlv(0xa2, false, attributes[4:])))), 1, ""},
		"a PKCS#7 of attributes":   {string(signedData(t, false, signed, tlv(0xa0, false, tlv(0xa2, false, attributes[4:])))), 0, "an attribute certificate"},

		"LDIF, folded":   {"version: 1\ndn:: dWlkPWtpbQ==\nchangetype: modify\nreplace: userCertificate;binary\nuserCertificate;binary:: " + string(wrapped(leaf.Raw, 60, "\r\n ")) + "\n-\n", 1, ""},
		"LDIF, language": {"dn: uid=kim\nUserCertificate;lang-de;binary:: " + encoded, 1, ""},

		"Windows store":            {store(entry(3, []byte("12345678901234567890")), entry(32, leaf.Raw), entry(11, []byte("K\x00")), entry(32, chain[1].Raw)), 2, ""},
		"Windows store of lists":   {store(entry(33, []byte{0x30, 0})), 0, "a certificate revocation list"},
		"Windows store of nothing": {store(), 0, "it holds no certificate"},
		"Windows store, cut off":   {store(entry(32, leaf.Raw))[:200], 0, "the Windows certificate store (.sst) is damaged or cut off"},
		"Windows store, its end":   {"\x00\x00\x00\x00CERT" + string(entry(32, leaf.Raw)), 0, "the Windows certificate store (.sst) is damaged or cut off"},
		".pvk":                     {"\x1e\xf1\xb5\xb0\x00\x00\x00\x00\x02\x00\x00\x00" + string(secret), 0, "a private key"},
		"private key blob":         {"\x07\x02\x00\x00\x00\xa4\x00\x00RSA2" + string(secret), 0, "a private key"},
		"public key blob":          {"\x06\x02\x00\x00\x00\xa4\x00\x00RSA1", 0, "a public key"},
		"JKS":                      {"\xfe\xed\xfe\xed\x00\x00\x00\x02\x00\x00\x00\x01", 0, "a Java keystore"},
		"JCEKS":                    {"\xce\xce\xce\xce\x00\x00\x00\x02\x00\x00\x00\x01", 0, "a Java keystore"},
		"BKS":                      {"\x00\x00\x00\x02\x00\x00\x00\x14" + strings.Repeat("\x07", 20), 0, "a Java keystore"},
		"NSS, old":                 {"\x00\x06\x15\x61\x00\x00\x00\x02", 0, "a database"},

		"PGP public key":     {"-----BEGIN PGP PUBLIC KEY BLOCK-----\nVersion: 2\n\n" + encoded + "\n=abcd\n-----END PGP PUBLIC KEY BLOCK-----\n", 0, "an OpenPGP key or message"},
		"PGP signature":      {"-----BEGIN PGP SIGNATURE-----\n\n" + encoded + "\n=abcd\n-----END PGP SIGNATURE-----\n", 0, "an OpenPGP key or message"},
		"PGP signed text":    {"-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\nhello\n-----BEGIN PGP SIGNATURE-----\n\n" + encoded + "\n=abcd\n-----END PGP SIGNATURE-----\n", 0, "an OpenPGP key or message"},
		"PGP signed PEM":     {"-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\n" + strings.ReplaceAll(block, "-----BEGIN", "- -----BEGIN")[:strings.Index(block, "-----END")+2] + "- " + block[strings.Index(block, "-----END"):] + "-----BEGIN PGP SIGNATURE-----\n\n" + encoded + "\n=abcd\n-----END PGP SIGNATURE-----\n", 1, ""},
		"PGP secret, binary": {"\x95\x01\x0d\x04" + string(secret), 0, "a private key"},
		"PGP secret, newer":  {"\xc5\x58\x04\x00" + string(secret), 0, "a private key"},
		"PGP, detached":      {"\x89\x01\xb3\x04\x00\x01\x0a\x00", 0, "an OpenPGP key or message"},
		"PGP, encrypted":     {"\x85\x01\x0c\x03\x00\x01\x0a\x00", 0, "an OpenPGP key or message"},
		"SSH certificate":    {"ssh-ed25519-cert-v01@openssh.com AAAAC3Nza kim\n", 0, "an OpenSSH public key"},

		"JSON Web Key":          {jwk(nil), 0, "a JSON Web Key"},
		"set of JSON Web Keys":  {"{\n \"keys\": [\n  " + jwk(nil) + "]}", 0, "a JSON Web Key"},
		"private JSON Web Key":  {jwk(map[string]any{"d": hidden}), 0, "a private key"},
		"JSON Web Key, secret":  {jwk(map[string]any{"kty": "oct", "k": hidden}), 0, "a private key"},
		"JSON of a certificate": {`["` + encoded + `"]`, 0, "JSON"},

		"OCSP request":          {string(question), 0, "an OCSP request"},
		"OCSP response":         {string(tlv(0x30, false, []byte{10, 1, 0}, tlv(0xa0, false, tlv(0x30, false)))), 0, "an OCSP response"},
		"attribute certificate": {string(attributes), 0, "an attribute certificate"},
		"time stamp request":    {string(stamp), 0, "a time stamp request"},
		"Diffie-Hellman":        {string(tlv(0x30, false, tlv(2, false, bytes.Repeat([]byte{7}, 64)), []byte{2, 1, 2}, []byte{2, 2, 1, 0})), 0, "key parameters"},
		"keytool's text":        {"Owner: CN=Kim\nIssuer: CN=CA\nSerial number: 7\n", 0, "a text about a certificate"},
		"certutil's text":       {"================ Certificate 0 ================\nSerial Number: 07\n", 0, "a text about a certificate"},

		"two letters of base64":   {"-----BEGIN CERTIFICATE-----00-----END CERTIFICATE-----", 0, "damaged or cut off"},
		"six letters of base64":   {"-----BEGIN CERTIFICATE-----MIIBAA-----END CERTIFICATE-----", 0, "damaged or cut off"},
		"negative serial":         {string(body([]byte{0x80}, years)), 0, "negative serial"},
		"fractions of seconds":    {string(body([]byte{7}, validity("20260101000000.5Z", "20510101000000Z"))), 0, "malformed GeneralizedTime"},
		"time without Z":          {string(body([]byte{7}, validity("20260101000000", "20510101000000Z"))), 0, "malformed GeneralizedTime"},
		"a certificate and words": {string(leaf.Raw) + "and so on", 1, ""},
		"a certificate and more":  {string(leaf.Raw) + "0and so on", 0, "damaged or cut off"},
		"the same in PEM":         {string(toPEM("CERTIFICATE", append(slices.Clone(leaf.Raw), "and so on"...))), 1, ""},
	} {
		got, err := certificate.Parse([]byte(c.data))
		switch {
		case c.want > 0 && err != nil:
			t.Errorf("%s: %v", name, err)
		case c.want > 0:
			sameCerts(t, name, got, chain[:c.want])
		case !errors.Is(err, certificate.ErrUnreadable) || !strings.Contains(err.Error(), c.says):
			t.Errorf("%s: %d certificates, %v; want %q", name, len(got), err, c.says)
		case strings.Contains(err.Error(), hidden[:16]):
			t.Errorf("%s: a part of the key is shown: %v", name, err)
		}
	}
}

// TestFilesOfOtherPrograms: what openssl, Java's keytool and OpenSSH write is named.
func TestFilesOfOtherPrograms(t *testing.T) {
	dir := t.TempDir()
	run := func(t *testing.T, program string, args ...string) {
		t.Helper()
		command := exec.CommandContext(t.Context(), program, args...)
		command.Dir = dir
		if out, err := command.CombinedOutput(); err != nil {
			t.Fatalf("%s %v: %v\n%s", program, args, err, out)
		}
	}
	check := func(t *testing.T, file, says string) {
		t.Helper()
		data, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := certificate.Parse(data); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %d certificates, %v; want %q", file, len(got), err, says)
		}
	}
	t.Run("openssl", func(t *testing.T) {
		openssl := testenv.Program(t, "openssl")
		run(t, openssl, "genrsa", "-out", "key.pem", "2048")
		for form, file := range map[string]string{"PVK": "key.pvk", "MSBLOB": "key.blob"} {
			run(t, openssl, "rsa", "-in", "key.pem", "-outform", form, "-out", file, "-pvk-none")
			check(t, file, "a private key")
		}
		run(t, openssl, "req", "-x509", "-key", "key.pem", "-subj", "/CN=Kim", "-out", "cert.pem")
		run(t, openssl, "ocsp", "-issuer", "cert.pem", "-cert", "cert.pem", "-reqout", "question.der")
		check(t, "question.der", "an OCSP request")
		run(t, openssl, "ts", "-query", "-data", "key.pem", "-out", "stamp.der")
		check(t, "stamp.der", "a time stamp request")
	})
	t.Run("keytool", func(t *testing.T) {
		keytool, err := exec.LookPath("keytool")
		if err != nil {
			t.Skip("NOT TESTED: there is no keytool, and Java is too large to be installed for it")
		}
		for _, form := range []string{"JKS", "JCEKS"} {
			run(t, keytool, "-genkeypair", "-alias", "kim", "-keyalg", "EC", "-storetype", form, "-keystore", form, "-storepass", "changeit", "-keypass", "changeit", "-dname", "CN=Kim")
			check(t, form, "a Java keystore")
		}
	})
	t.Run("ssh-keygen", func(t *testing.T) {
		run(t, testenv.Program(t, "ssh-keygen"), "-q", "-t", "ed25519", "-N", "", "-f", "ssh")
		check(t, "ssh", "a private key (OPENSSH PRIVATE KEY)")
		check(t, "ssh.pub", "an OpenSSH public key")
	})
}
