package issuer

import (
	"crypto"
	"crypto/x509"
	"crypto/x509/pkix"
	"net"
	"testing"
)

// serverCertificate is for a TLS server on this machine.
func (ca testCA) serverCertificate(t testing.TB, public crypto.PublicKey) *x509.Certificate {
	t.Helper()
	// The issuing authority is for mail only, as such are.
	return newCertificate(t, &x509.Certificate{Subject: pkix.Name{CommonName: "server"}, DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}, ca.root, public, ca.rootKey)
}
