package smime

import (
	"cmp"
	"crypto/x509"
	"encoding/asn1"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/certpath"
)

// maxSerialOctets is the longest serial number as a DER INTEGER's content
// (RFC 5280 section 4.1.2.2).
const maxSerialOctets = 20

// checkIntermediate measures chain[i] against Google's profile for
// intermediates; the leaf's issuer is "the issuing one".
func (c *checker) checkIntermediate(i int, cert *x509.Certificate) {
	issuing := i == 1
	if cert.Version != 3 {
		c.report(ruleCAVersion, i, "it is an X.509 version %d certificate", cert.Version)
	}
	if n := serialOctets(cert); cert.SerialNumber.Sign() <= 0 || n > maxSerialOctets {
		c.report(ruleCASerial, i, "its serial number is not a positive number of at most %d octets", maxSerialOctets)
	}
	if !acceptedSignature(cert) {
		c.report(ruleCASignature, i, "it is signed with %s", signatureName(cert))
	}
	if !acceptedKey(publicKey(cert)) {
		c.report(ruleCAKey, i, "its key is %s", certificate.KeyName(cert))
	}
	if cert.KeyUsage == 0 {
		c.report(ruleCAKeyUsage, i, "it has no key usage")
	} else if !critical(cert, asn1.ObjectIdentifier{2, 5, 29, 15}) {
		c.report(ruleCAKeyUsage, i, "its key usage is not critical")
	}
	if cert.BasicConstraintsValid && !critical(cert, asn1.ObjectIdentifier{2, 5, 29, 19}) {
		c.report(ruleCABasic, i, "its basic constraints are not critical")
	}
	switch {
	case !hasPathLen(cert):
		c.report(ruleCAPathLength, i, "it has no path length")
	case issuing && cert.MaxPathLen != 0:
		c.report(ruleCAPathLength, i, "it issues leaves and has a path length of %d instead of 0", cert.MaxPathLen)
	}
	c.checkCRL(i, cert, ruleCACRL, ruleCACRLPublic)
	c.checkNetscapeType(i, cert, ruleCANetscape)
	if issuing && !slices.Contains(cert.ExtKeyUsage, x509.ExtKeyUsageEmailProtection) && !certpath.ExcludesMail(cert) {
		c.report(ruleCAEKU, i, "its extended key usage lacks emailProtection")
	}
}

// checkCRL checks that a certificate says where its revocation list is.
func (c *checker) checkCRL(i int, cert *x509.Certificate, missing, private string) {
	switch web, public := webAddress(cert.CRLDistributionPoints); {
	case web == "":
		c.report(missing, i, "it has no CRL distribution point with an http address")
	case !public:
		c.report(private, i, "its CRL at %s cannot be reached from the internet", web)
	}
}

// webAddress returns an address whose scheme is http, "" where there is none, and tells
// whether it may be reached from the internet: one that may comes before others.
func webAddress(uris []string) (web string, public bool) {
	for _, uri := range uris {
		host := webHost(uri)
		if host == "" {
			continue
		}
		if isPublic(host) {
			return uri, true
		}
		web = cmp.Or(web, uri)
	}
	return web, false
}

// webHost returns the host of an address whose scheme is http, "" for any other (RFC 3986
// section 3). Nearly all are so plain that their host is told without parsing, which a batch
// would do three times a row.
func webHost(uri string) string {
	if rest, http := strings.CutPrefix(uri, "http://"); http && !strings.ContainsFunc(rest, isUnusual) {
		host, _, _ := strings.Cut(rest, "/")
		return host
	}
	u, err := url.Parse(uri)
	if err != nil || !strings.EqualFold(u.Scheme, "http") || u.Host == "" {
		return ""
	}
	return u.Hostname()
}

// isUnusual reports whether a character may be anything else than part of a host's name or of a path.
func isUnusual(r rune) bool {
	return (r < 'a' || r > 'z') && (r < '-' || r > '9') && (r < 'A' || r > 'Z') && r != '_'
}

// isPublic tells whether a host may be known on the internet. A name that looks public
// is given the benefit of the doubt.
func isPublic(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if strings.Contains(host, ":") || strings.Trim(host, "0123456789.") == "" {
		if ip, err := netip.ParseAddr(host); err == nil {
			ip = ip.Unmap()
			return ip.IsGlobalUnicast() && !ip.IsPrivate()
		}
	}
	if !strings.Contains(host, ".") {
		return false
	}
	for _, suffix := range []string{".local", ".localhost", ".internal", ".lan", ".intranet", ".corp", ".home.arpa", ".test", ".invalid"} {
		if strings.HasSuffix(host, suffix) {
			return false
		}
	}
	return true
}

// acceptedSignature tells whether a certificate is signed in a way that Google's
// profile lists.
func acceptedSignature(cert *x509.Certificate) bool {
	switch cert.SignatureAlgorithm {
	case x509.SHA256WithRSA, x509.SHA384WithRSA, x509.SHA512WithRSA,
		x509.ECDSAWithSHA256, x509.ECDSAWithSHA384, x509.ECDSAWithSHA512:
		return true
	}
	return false
}

// serialOctets returns the length of the serial number's DER content: a positive
// number whose top bit is set takes a leading zero octet.
func serialOctets(cert *x509.Certificate) int { return cert.SerialNumber.BitLen()/8 + 1 }

// critical tells whether a certificate has that extension, marked critical.
func critical(cert *x509.Certificate, oid asn1.ObjectIdentifier) bool {
	for _, e := range cert.Extensions {
		if e.Id.Equal(oid) {
			return e.Critical
		}
	}
	return false
}

func hasPathLen(cert *x509.Certificate) bool { return cert.MaxPathLen > 0 || cert.MaxPathLenZero }
