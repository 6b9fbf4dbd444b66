package baseline

import (
	"encoding/asn1"
	"strings"

	"golang.org/x/crypto/cryptobyte"
	cryptobyte_asn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// maxSerialOctets is the longest serial number (RFC 5280 section 4.1.2.2).
const maxSerialOctets = 20

// checkBasics looks at the fields that every certificate has, and at what makes an
// authority's.
func (c *checker) checkBasics() {
	if c.cert.Version != 3 {
		c.report("smbr-version", "it is an X.509 version %d certificate", c.cert.Version)
	}
	if serial := c.cert.SerialNumber; serial.Sign() <= 0 || serial.BitLen()/8+1 > maxSerialOctets {
		c.report("smbr-serial", "its serial number is not a positive number of at most %d octets", maxSerialOctets)
	}
	if c.cert.IsCA {
		c.report("smbr-authority", "its basic constraints say that it is an authority's")
	} else if c.cert.BasicConstraintsValid && (c.cert.MaxPathLen > 0 || c.cert.MaxPathLenZero) {
		c.report("smbr-path-length", "its basic constraints have a path length, which is an authority's")
	}
	if c.extension(2, 5, 29, 30).Id != nil {
		c.report("smbr-name-constraints", "it has name constraints, which are an authority's")
	}
	if len(c.cert.RawIssuer) <= 2 {
		c.report("smbr-issuer", "its issuer's name is empty")
	}
	c.checkBody()
}

// checkAdobe looks at Adobe's extensions (SMBR section 7.1.2.3 (m)).
func (c *checker) checkAdobe() {
	for _, adobe := range []struct {
		name    string
		id      []int
		hasForm func(cryptobyte.String) bool
	}{
		{"time stamp", []int{1, 2, 840, 113583, 1, 1, 9, 1}, isTimeStamp},
		{"archive of revocation", []int{1, 2, 840, 113583, 1, 1, 9, 2}, isSequence},
	} {
		extension := c.extension(adobe.id...)
		if extension.Id == nil {
			continue
		}
		where := "extensions." + extension.Id.String()
		switch {
		case c.profile.Generation == Strict:
			c.reportAt("smbr-adobe", where, "it has Adobe's %s extension, which the strict generation does not allow", adobe.name)
		case extension.Critical:
			c.reportAt("smbr-adobe-critical", where, "Adobe's %s extension is critical", adobe.name)
		}
		if !adobe.hasForm(extension.Value) {
			c.reportAt("smbr-encoding", where, "Adobe's %s extension has not the form that it has to have", adobe.name)
		}
	}
}

// isTimeStamp tells whether a value says where a time stamp server is: a version, and an
// address that is a URI (Adobe, "X.509 extension for time stamp").
func isTimeStamp(value cryptobyte.String) bool {
	var stamp cryptobyte.String
	var version int
	return value.ReadASN1(&stamp, cryptobyte_asn1.SEQUENCE) && stamp.ReadASN1Integer(&version) && stamp.PeekASN1Tag(cryptobyte_asn1.Tag(tagURI).ContextSpecific())
}

func isSequence(value cryptobyte.String) bool {
	return value.SkipASN1(cryptobyte_asn1.SEQUENCE) && value.Empty()
}

// checkExtensions looks at extensions that few certificates have.
func (c *checker) checkExtensions() {
	c.checkAdobe()
	for _, other := range []struct {
		field string
		id    []int
	}{
		{"subjectDirectoryAttributes", []int{2, 5, 29, 9}},
		{"subjectInfoAccess", []int{1, 3, 6, 1, 5, 5, 7, 1, 11}},
		{"freshestCRL", []int{2, 5, 29, 46}},
		{"smimeCapabilities", []int{1, 2, 840, 113549, 1, 9, 15}},
	} {
		if c.extension(other.id...).Critical {
			c.reportAt("smbr-critical", "extensions."+other.field, "its extension %s is critical", other.field)
		}
	}
	if value := c.extension(1, 2, 840, 113549, 1, 9, 15).Value; value != nil && !isCapabilities(value) {
		c.reportAt("smbr-encoding", "extensions.smimeCapabilities", "its S/MIME capabilities are malformed")
	}
	if c.extension(2, 5, 29, 9).Id != nil && c.profile.modern() {
		c.report("smbr-directory-attributes", "it has subject directory attributes, which its generation does not allow")
	}
}

// isCapabilities tells whether a value is a list of algorithms, each with or without parameters
// (RFC 4262 section 2).
func isCapabilities(value cryptobyte.String) bool {
	var list cryptobyte.String
	ok := value.ReadASN1(&list, cryptobyte_asn1.SEQUENCE) && value.Empty()
	for ok && !list.Empty() {
		var capability, parameters cryptobyte.String
		var tag cryptobyte_asn1.Tag
		ok = list.ReadASN1(&capability, cryptobyte_asn1.SEQUENCE) && capability.SkipASN1(cryptobyte_asn1.OBJECT_IDENTIFIER) &&
			(capability.Empty() || capability.ReadAnyASN1(&parameters, &tag) && capability.Empty())
	}
	return ok
}

// The statements whose form is known here (ETSI EN 319 412-5 sections 4 and 5).
const (
	qcCompliance, qcLimit, qcRetention = "0.4.0.1862.1.1", "0.4.0.1862.1.2", "0.4.0.1862.1.3"
	qcDevice, qcDisclosure, qcType     = "0.4.0.1862.1.4", "0.4.0.1862.1.5", "0.4.0.1862.1.6"
	qcCountries                        = "0.4.0.1862.1.7"
)

// checkQC looks at the statements of a qualified certificate (SMBR section 7.1.2.3 (k),
// RFC 3739 section 3.2.6).
func (c *checker) checkQC() {
	extension := c.extension(1, 3, 6, 1, 5, 5, 7, 1, 3)
	if extension.Id == nil {
		return
	}
	if extension.Critical {
		c.report("smbr-qc-critical", "its QC statements are critical")
	}
	input, statements := cryptobyte.String(extension.Value), cryptobyte.String(nil)
	if !input.ReadASN1(&statements, cryptobyte_asn1.SEQUENCE) {
		c.reportAt("smbr-encoding", "extensions.qcStatements", "its QC statements are malformed")
		return
	}
	for !statements.Empty() {
		var statement cryptobyte.String
		var id asn1.ObjectIdentifier
		if !statements.ReadASN1(&statement, cryptobyte_asn1.SEQUENCE) || !statement.ReadASN1ObjectIdentifier(&id) {
			c.reportAt("smbr-encoding", "extensions.qcStatements", "its QC statements are malformed")
			return
		}
		if !isStatement(id.String(), statement) {
			c.reportAt("smbr-encoding", "extensions.qcStatements", "its QC statement %v has not the form that it has to have", id)
		}
	}
}

// isStatement tells whether a statement's information has its form.
func isStatement(id string, info cryptobyte.String) bool {
	var list, entry cryptobyte.String
	switch id {
	case qcCompliance, qcDevice:
		return info.Empty()
	case qcRetention:
		return info.SkipASN1(cryptobyte_asn1.INTEGER) && info.Empty()
	case qcLimit:
		return info.ReadASN1(&list, cryptobyte_asn1.SEQUENCE) && info.Empty() &&
			(isCode(&list, 3) || list.SkipASN1(cryptobyte_asn1.INTEGER)) && list.SkipASN1(cryptobyte_asn1.INTEGER) && list.SkipASN1(cryptobyte_asn1.INTEGER) && list.Empty()
	case qcCountries:
		ok := info.ReadASN1(&list, cryptobyte_asn1.SEQUENCE) && info.Empty()
		for ok && !list.Empty() {
			ok = isCode(&list, 2)
		}
		return ok
	case qcType:
		ok := info.ReadASN1(&list, cryptobyte_asn1.SEQUENCE) && info.Empty()
		for ok && !list.Empty() {
			ok = list.SkipASN1(cryptobyte_asn1.OBJECT_IDENTIFIER)
		}
		return ok
	case qcDisclosure:
		ok := info.ReadASN1(&list, cryptobyte_asn1.SEQUENCE) && info.Empty()
		for ok && !list.Empty() {
			ok = list.ReadASN1(&entry, cryptobyte_asn1.SEQUENCE) && entry.SkipASN1(cryptobyte_asn1.IA5String) &&
				isCode(&entry, 2) && entry.Empty()
		}
		return ok
	}
	return true
}

// isCode reads a PrintableString of that length: of a currency, country or language.
func isCode(der *cryptobyte.String, length int) bool {
	var text cryptobyte.String
	return der.ReadASN1(&text, cryptobyte_asn1.PrintableString) && len(text) == length
}

// readPrintable reads an extension that is one PrintableString (or UTF8String, as some
// write it).
func readPrintable(der cryptobyte.String) (string, bool) {
	var text cryptobyte.String
	var tag cryptobyte_asn1.Tag
	ok := der.ReadAnyASN1(&text, &tag) && der.Empty() && tag == cryptobyte_asn1.PrintableString
	return strings.Clone(string(text)), ok
}
