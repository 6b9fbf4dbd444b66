package repository

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"syscall"

	"github.com/cse-piv/cse-piv/internal/safetext"
)

// checkAddress refuses what can be told from the address alone. What a name resolves
// to is checked when a connection is made, so that a name cannot resolve to another
// address afterwards.
func (c *Client) checkAddress(target *url.URL) error {
	switch {
	case !isWeb(target.String()) || target.Hostname() == "":
		return fmt.Errorf("%w: it is neither http nor https", ErrAddress)
	case c.options.OnlyTLS && target.Scheme != "https":
		return fmt.Errorf("%w: it is not https", ErrAddress)
	case target.User != nil:
		return fmt.Errorf("%w: a user name stands in it", ErrAddress)
	}
	if ip, err := netip.ParseAddr(target.Hostname()); err == nil && !c.options.AllowPrivate && !isPublic(ip) {
		return errPrivate(ip)
	}
	return nil
}

func errPrivate(ip netip.Addr) error {
	return fmt.Errorf("%w: %s is a private address", ErrAddress, ip)
}

// Networks that are neither private in the sense of [netip.Addr.IsPrivate] nor reached
// over the internet: shared address space (RFC 6598), this network (RFC 1122),
// benchmarks (RFC 2544), documentation (RFC 5737, RFC 3849), the future (RFC 1112),
// and IPv4 addresses in IPv6 ones that a gateway translates (RFC 6052, RFC 3056).
var special = prefixes("100.64.0.0/10", "0.0.0.0/8", "198.18.0.0/15", "192.0.0.0/24", "192.0.2.0/24",
	"198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4", "2001:db8::/32", "64:ff9b::/96", "64:ff9b:1::/48", "2002::/16")

func prefixes(texts ...string) (list []netip.Prefix) {
	for _, text := range texts {
		list = append(list, netip.MustParsePrefix(text))
	}
	return list
}

// isPublic tells whether an address may be a server's on the internet.
func isPublic(ip netip.Addr) bool {
	ip = ip.Unmap()
	if !ip.IsGlobalUnicast() || ip.IsPrivate() {
		return false
	}
	for _, prefix := range special {
		if prefix.Contains(ip) {
			return false
		}
	}
	return true
}

// roundTripper asks public addresses only, unless private ones are allowed. Where the
// environment names a proxy it is the proxy that connects, and decides.
type roundTripper struct{ direct, proxied *http.Transport }

func newRoundTripper(allowPrivate bool) *roundTripper {
	dialer := &net.Dialer{Timeout: exchangeTimeout}
	if !allowPrivate {
		dialer.ControlContext = func(_ context.Context, _, address string, _ syscall.RawConn) error {
			at, err := netip.ParseAddrPort(address)
			if err != nil {
				return fmt.Errorf("%w: %s", ErrAddress, address)
			}
			if !isPublic(at.Addr()) {
				return errPrivate(at.Addr())
			}
			return nil
		}
	}
	transport := func(dial *net.Dialer, proxy func(*http.Request) (*url.URL, error)) *http.Transport {
		return &http.Transport{
			Proxy: proxy, OnProxyConnectResponse: safetext.CheckProxyConnect, DialContext: dial.DialContext, ForceAttemptHTTP2: true,
			TLSHandshakeTimeout: exchangeTimeout, MaxIdleConnsPerHost: 2, IdleConnTimeout: exchangeTimeout,
		}
	}
	return &roundTripper{
		direct:  transport(dialer, nil),
		proxied: transport(&net.Dialer{Timeout: exchangeTimeout}, http.ProxyFromEnvironment),
	}
}

// RoundTrip makes one request, as [http.RoundTripper] asks.
func (r *roundTripper) RoundTrip(request *http.Request) (*http.Response, error) {
	if proxy, err := http.ProxyFromEnvironment(request); err == nil && proxy != nil {
		return r.proxied.RoundTrip(request)
	}
	return r.direct.RoundTrip(request)
}
