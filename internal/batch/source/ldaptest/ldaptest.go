// Package ldaptest runs a directory server for tests: the slapd that is installed
// on this machine, on loopback and in a temporary folder.
package ldaptest

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

	"github.com/cse-piv/cse-piv/internal/testenv"
)

// What every directory has.
const (
	Base     = "dc=example,dc=com"
	Admin    = "cn=reader," + Base // may read ou=secret, others may not
	Password = "correct horse"     // of Admin
)

// Server is a directory server of one test.
type Server struct {
	Plain, Encrypted string // host:port for ldap:// and ldaps://
	Roots            *x509.CertPool
	RootFile         string // PEM of Roots
}

// Entry writes one entry below ou=people as LDIF, of attributes' names and values.
func Entry(name string, attributes ...string) string {
	var out strings.Builder
	fmt.Fprintf(&out, "dn: cn=%s,ou=people,%s\nobjectClass: inetOrgPerson\ncn: %s\nsn: %s\n", name, Base, name, name)
	for i := 0; i < len(attributes); i += 2 {
		fmt.Fprintf(&out, "%s:: %s\n", attributes[i], base64.StdEncoding.EncodeToString([]byte(attributes[i+1])))
	}
	return out.String() + "\n"
}

// Start runs slapd with those entries under ou=people, which anybody may read,
// and further lines for the database's configuration, until the test ends. Where
// slapd is not installed it skips the test, and says so.
func Start(t testing.TB, entries string, further ...string) *Server {
	t.Helper()
	program := testenv.Program(t, "slapd", "/usr/sbin/slapd")
	dir := t.TempDir()
	s := &Server{Plain: testenv.Address(t), Encrypted: testenv.Address(t)}
	for s.Encrypted == s.Plain {
		s.Encrypted = testenv.Address(t)
	}
	s.Roots, s.RootFile = writeServerCertificate(t, dir)
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
	config := write("slapd.conf", strings.NewReplacer("DIR", dir, "BASE", Base, "ADMIN", Admin, "PASSWORD", Password, "FURTHER", strings.Join(further, "\n")).Replace(`
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
	data := write("data.ldif", "dn: "+Base+"\nobjectClass: dcObject\nobjectClass: organization\no: Example\n\n"+
		"dn: ou=people,"+Base+"\nobjectClass: organizationalUnit\nou: people\n\n"+
		"dn: ou=secret,"+Base+"\nobjectClass: organizationalUnit\nou: secret\n\n"+
		"dn: "+Admin+"\nobjectClass: organizationalRole\nobjectClass: simpleSecurityObject\ncn: reader\nuserPassword: "+Password+"\n\n"+entries)
	add := exec.Command(program, "-T", "add", "-q", "-f", config, "-l", data)
	if out, err := add.CombinedOutput(); err != nil {
		t.Fatalf("fill the directory: %v\n%s", err, out)
	}
	server := exec.Command(program, "-d", "0", "-f", config, "-h", "ldap://"+s.Plain+" ldaps://"+s.Encrypted)
	server.Stderr = os.Stderr
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = server.Wait()
	}()
	t.Cleanup(func() {
		_ = server.Process.Kill()
		<-ended
	})
	for _, address := range []string{s.Plain, s.Encrypted} {
		waitFor(t, address, ended)
	}
	return s
}

// waitFor waits until the server listens at an address, or has ended.
func waitFor(t testing.TB, address string, ended <-chan struct{}) {
	t.Helper()
	for {
		if c, err := net.Dial("tcp", address); err == nil {
			c.Close()
			return
		}
		select {
		case <-ended:
			t.Fatal("slapd does not listen")
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// writeServerCertificate makes an authority and a server's certificate for
// 127.0.0.1, and returns whom to trust.
func writeServerCertificate(t testing.TB, dir string) (*x509.CertPool, string) {
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
	for name, block := range map[string]*pem.Block{"server.pem": {Type: "CERTIFICATE", Bytes: der}, "server.key": {Type: "PRIVATE KEY", Bytes: keyDER}, "root.pem": {Type: "CERTIFICATE", Bytes: rootDER}} {
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
	return pool, filepath.Join(dir, "root.pem")
}
