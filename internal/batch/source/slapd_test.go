package source_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const (
	ldapBase     = "dc=example,dc=com"
	ldapAdmin    = "cn=reader," + ldapBase
	ldapPassword = "correct horse"
)

// slapd is a directory server of this test alone, on loopback.
type slapd struct {
	plain, encrypted string // host:port
	roots            *x509.CertPool
}

// entryLDIF writes one entry; values of name;binary attributes are octets.
func entryLDIF(name string, attributes ...string) string {
	var out strings.Builder
	fmt.Fprintf(&out, "dn: cn=%s,ou=people,%s\nobjectClass: inetOrgPerson\ncn: %s\nsn: %s\n", name, ldapBase, name, name)
	for i := 0; i < len(attributes); i += 2 {
		fmt.Fprintf(&out, "%s:: %s\n", attributes[i], base64.StdEncoding.EncodeToString([]byte(attributes[i+1])))
	}
	return out.String() + "\n"
}

// startSlapd starts Debian's slapd with those entries under ou=people, which
// anybody may read, and further lines for the database's configuration.
func startSlapd(t *testing.T, entries string, further ...string) *slapd {
	t.Helper()
	program, err := exec.LookPath("slapd")
	if err != nil {
		program = "/usr/sbin/slapd"
	}
	if _, err := os.Stat(program); err != nil {
		fmt.Fprintf(os.Stderr, "SKIPPED %s: slapd is not installed (Debian: slapd)\n", t.Name())
		t.Skip("slapd is not installed")
	}
	dir := t.TempDir()
	s := &slapd{plain: freeAddress(t), encrypted: freeAddress(t)}
	s.roots = writeServerCertificate(t, dir)
	write := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	if err := os.Mkdir(filepath.Join(dir, "db"), 0o700); err != nil {
		t.Fatal(err)
	}
	config := write("slapd.conf", strings.NewReplacer("DIR", dir, "BASE", ldapBase, "ADMIN", ldapAdmin, "PASSWORD", ldapPassword, "FURTHER", strings.Join(further, "\n")).Replace(`
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile DIR/slapd.pid
TLSCertificateFile DIR/server.pem
TLSCertificateKeyFile DIR/server.key
database mdb
suffix "BASE"
rootdn "cn=root,BASE"
directory DIR/db
FURTHER
access to dn.subtree="ou=secret,BASE" by dn="ADMIN" read by * none
access to attrs=userPassword by anonymous auth by * none
access to * by * read
`))
	data := write("data.ldif", "dn: "+ldapBase+"\nobjectClass: dcObject\nobjectClass: organization\no: Example\n\n"+
		"dn: ou=people,"+ldapBase+"\nobjectClass: organizationalUnit\nou: people\n\n"+
		"dn: ou=secret,"+ldapBase+"\nobjectClass: organizationalUnit\nou: secret\n\n"+
		"dn: "+ldapAdmin+"\nobjectClass: organizationalRole\nobjectClass: simpleSecurityObject\ncn: reader\nuserPassword: "+ldapPassword+"\n\n"+entries)
	add := exec.Command(program, "-T", "add", "-q", "-f", config, "-l", data)
	if out, err := add.CombinedOutput(); err != nil {
		t.Fatalf("fill the directory: %v\n%s", err, out)
	}
	server := exec.Command(program, "-d", "0", "-f", config, "-h", "ldap://"+s.plain+" ldaps://"+s.encrypted)
	server.Stderr = os.Stderr
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = server.Process.Kill()
		_ = server.Wait()
	})
	for _, address := range []string{s.plain, s.encrypted} {
		waitFor(t, address)
	}
	return s
}

// freeAddress is an address that nobody listened on just now.
func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

func waitFor(t *testing.T, address string) {
	t.Helper()
	for range 600 {
		if c, err := net.Dial("tcp", address); err == nil {
			c.Close()
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatal("slapd does not listen")
}

// writeServerCertificate makes an authority and a server's certificate for
// 127.0.0.1, and returns whom to trust.
func writeServerCertificate(t *testing.T, dir string) *x509.CertPool {
	t.Helper()
	key := func() *ecdsa.PrivateKey {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		return key
	}
	rootKey, serverKey := key(), key()
	root := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Directory Root"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	server := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "directory"}, NotBefore: root.NotBefore, NotAfter: root.NotAfter,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	rootDER, err := x509.CreateCertificate(rand.Reader, root, root, rootKey.Public(), rootKey)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.CreateCertificate(rand.Reader, server, root, serverKey.Public(), rootKey)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(serverKey)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{"server.pem": {Type: "CERTIFICATE", Bytes: der}, "server.key": {Type: "PRIVATE KEY", Bytes: keyDER}} {
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cert, err := x509.ParseCertificate(rootDER)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(cert)
	return pool
}
