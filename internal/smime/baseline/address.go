package baseline

import (
	"encoding/asn1"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/crypto/cryptobyte"
	cryptobyte_asn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// schemeOf returns a URI's scheme in lower case; "" where there is none.
func schemeOf(uri string) string {
	u, err := url.Parse(uri)
	if err != nil {
		return ""
	}
	return strings.ToLower(u.Scheme)
}

// checkURI looks at an address where a list or certificate is fetched.
func (c *checker) checkURI(where, uri string) {
	u, err := url.Parse(uri)
	if err != nil || !hasURICharacters(uri, u.Host) || !u.IsAbs() || u.Opaque != "" && u.Host == "" && u.Scheme == "http" {
		c.reportAt("smbr-uri", where, "%s is no URI with a scheme", shorten(uri))
	}
	switch {
	case err == nil && (u.Scheme == "ldap" || u.Scheme == "ldaps"):
	case err != nil || isInternalHost(u.Hostname()):
		c.reportAt("smbr-internal-domain", where, "the host of %s is not known on the internet", shorten(uri))
	}
}

// hasURICharacters reports whether a URI has but the characters that one may have (RFC 3986
// sections 2 and 3.2.2): brackets stand around the host alone.
func hasURICharacters(uri, host string) bool {
	return !strings.ContainsFunc(strings.Replace(uri, host, "", 1), func(r rune) bool {
		return r <= ' ' || r > '~' || strings.ContainsRune("\"<>[]\\^`{|}", r)
	})
}

// isInternalHost tells whether nobody on the internet can reach a host, a name or an address.
func isInternalHost(host string) bool {
	if ip, err := netip.ParseAddr(host); err == nil {
		return !ip.IsGlobalUnicast() || ip.IsPrivate()
	}
	return isInternal(host)
}

// checkPlaces looks at a list of addresses: none but http in the later generations, at
// least one http in all (SMBR section 7.1.2.3 (b) and (c)).
func (c *checker) checkPlaces(names []generalName, where, what, scheme, missing string) {
	var http bool
	for _, n := range names {
		switch {
		case n.tag != tagURI:
			c.reportAt(scheme, where, "its %s names something that is no URI", what)
			continue
		case schemeOf(n.text) == "http":
			http = true
		case c.profile.modern() || schemeOf(n.text) == "":
			c.reportAt(scheme, where, "its %s has %s, which is no http address", what, shorten(n.text))
		}
		c.checkURI(where, n.text)
	}
	if !http {
		c.reportAt(missing, where, "its %s has no http address", what)
	}
}

// checkRevocation measures the CRL distribution points (SMBR section 7.1.2.3 (b)).
func (c *checker) checkRevocation() {
	const where = "extensions.cRLDistributionPoints"
	extension := c.extension(2, 5, 29, 31)
	if extension.Id == nil {
		c.report("smbr-crl-missing", "it has no CRL distribution points")
		return
	}
	if extension.Critical {
		c.report("smbr-crl-critical", "its CRL distribution points are critical")
	}
	names, complete, ok := distributionPoints(extension.Value)
	switch {
	case !ok:
		c.reportAt("smbr-encoding", where, "its CRL distribution points are malformed")
		return
	case !complete:
		c.report("smbr-crl-point", "one of its CRL distribution points says neither where nor whose")
	}
	c.checkPlaces(names, where, "CRL distribution points", "smbr-crl-scheme", "smbr-crl-http")
}

// distributionPoints reads the names of CRL distribution points (RFC 5280 section
// 4.2.1.13). complete says that each has a name or an issuer.
func distributionPoints(der cryptobyte.String) (names []generalName, complete, ok bool) {
	var points cryptobyte.String
	if !der.ReadASN1(&points, cryptobyte_asn1.SEQUENCE) {
		return nil, false, false
	}
	complete = true
	context := func(n uint8) cryptobyte_asn1.Tag { return cryptobyte_asn1.Tag(n).ContextSpecific().Constructed() }
	for !points.Empty() {
		var point, where, full, issuer cryptobyte.String
		var hasName, hasFull, hasIssuer bool
		if !points.ReadASN1(&point, cryptobyte_asn1.SEQUENCE) || !point.ReadOptionalASN1(&where, &hasName, context(0)) ||
			!where.ReadOptionalASN1(&full, &hasFull, context(0)) || !point.SkipOptionalASN1(cryptobyte_asn1.Tag(1).ContextSpecific()) ||
			!point.ReadOptionalASN1(&issuer, &hasIssuer, context(2)) {
			return names, complete, false
		}
		complete = complete && (hasName || hasIssuer)
		for !full.Empty() {
			var value cryptobyte.String
			var tag cryptobyte_asn1.Tag
			if !full.ReadAnyASN1(&value, &tag) {
				return names, complete, false
			}
			names = append(names, generalName{tag: int(tag & 0x1f), text: string(value)})
		}
	}
	return names, complete, true
}

// checkAccess measures the authority information access (SMBR section 7.1.2.3 (c)).
func (c *checker) checkAccess() {
	const where = "extensions.authorityInfoAccess"
	extension := c.extension(1, 3, 6, 1, 5, 5, 7, 1, 1)
	if extension.Id == nil {
		c.report("smbr-aia-missing", "it has no authority information access")
		return
	}
	if extension.Critical {
		c.report("smbr-aia-critical", "its authority information access is critical")
	}
	places, ok := accessPlaces(extension.Value)
	if !ok {
		c.reportAt("smbr-encoding", where, "its authority information access is malformed")
	}
	if len(places[caIssuers]) == 0 {
		c.report("smbr-aia-issuers", "its authority information access does not say where its issuer's certificate is")
	}
	for _, method := range []string{caIssuers, ocsp} {
		if names := places[method]; len(names) > 0 {
			c.checkPlaces(names, where, "authority information access", "smbr-aia-scheme", "smbr-aia-http")
		}
	}
}

// The methods of authority information access.
const ocsp, caIssuers = "1.3.6.1.5.5.7.48.1", "1.3.6.1.5.5.7.48.2"

// accessPlaces reads the places of each method (RFC 5280 section 4.2.2.1).
func accessPlaces(der cryptobyte.String) (places map[string][]generalName, ok bool) {
	places = map[string][]generalName{}
	var descriptions cryptobyte.String
	if !der.ReadASN1(&descriptions, cryptobyte_asn1.SEQUENCE) {
		return places, false
	}
	for !descriptions.Empty() {
		var description, value cryptobyte.String
		var id asn1.ObjectIdentifier
		var tag cryptobyte_asn1.Tag
		if !descriptions.ReadASN1(&description, cryptobyte_asn1.SEQUENCE) || !description.ReadASN1ObjectIdentifier(&id) || !description.ReadAnyASN1(&value, &tag) {
			return places, false
		}
		places[id.String()] = append(slices.Clip(places[id.String()]), generalName{tag: int(tag & 0x1f), text: string(value)})
	}
	return places, true
}
