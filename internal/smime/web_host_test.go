package smime

import (
	"net/url"
	"strings"
	"testing"
)

// FuzzWebHost has the host of an address be what net/url takes it for, however it is told.
func FuzzWebHost(f *testing.F) {
	for _, uri := range []string{
		"http://crl.example.com/ca.crl", "http://crl.example.com", "http://a/b/../c", "HTTP://crl.example.com/x", "http://CRL.example.com:80/x",
		"http://user@crl.example.com/x", "http://[2001:db8::1]/x", "http://10.0.0.1/x", "http:///x", "http://", "http:/x", "http://a b/x",
		"http://crl.example.com/a b", "http://crl.example.com/%zz", "http://crl.example.com?x", "http://crl.example.com#x", "ldap://crl.example.com/x",
		"https://crl.example.com/x", "http://-a_b.c-/x", "http://crl.example.com\\x", "http://crl.\x00example.com/x", "http://é.example/x", "",
	} {
		f.Add(uri)
	}
	f.Fuzz(func(t *testing.T, uri string) {
		want := ""
		if u, err := url.Parse(uri); err == nil && strings.EqualFold(u.Scheme, "http") && u.Host != "" {
			want = u.Hostname()
		}
		if host := webHost(uri); host != want {
			t.Errorf("the host of %q is %q, and net/url has %q", uri, host, want)
		}
	})
}
