package baseline

import (
	"bytes"
	"regexp"

	"golang.org/x/crypto/cryptobyte"
	cryptobyte_asn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// checkBody looks at the fields that crypto/x509 passes over, and at what it reads although it is
// no DER: the form of times, unique identifiers, and how extensions are encoded.
func (c *checker) checkBody() {
	input, body := cryptobyte.String(c.cert.RawTBSCertificate), cryptobyte.String(nil)
	if !input.ReadASN1(&body, cryptobyte_asn1.SEQUENCE) {
		return
	}
	for !body.Empty() {
		var element cryptobyte.String
		var tag cryptobyte_asn1.Tag
		if !body.ReadAnyASN1(&element, &tag) {
			return
		}
		switch tag {
		case cryptobyte_asn1.Tag(1).ContextSpecific(), cryptobyte_asn1.Tag(2).ContextSpecific():
			c.report("smbr-unique-id", "it has a unique identifier beside a name")
		case cryptobyte_asn1.Tag(3).ContextSpecific().Constructed():
			c.checkDefaults(element)
		case cryptobyte_asn1.SEQUENCE:
			c.checkTimes(element)
		}
	}
}

// The forms of times (RFC 5280 section 4.1.2.5): a UTCTime until 2049, and a GeneralizedTime from
// then on.
var (
	utcTime         = regexp.MustCompile(`^\d{12}Z$`)
	generalizedTime = regexp.MustCompile(`^(?:20[5-9]|2[1-9]|[3-9])\d+Z$`)
)

// checkTimes looks at the two times of the validity, where that is what stands there.
func (c *checker) checkTimes(validity cryptobyte.String) {
	for validity.PeekASN1Tag(cryptobyte_asn1.UTCTime) || validity.PeekASN1Tag(cryptobyte_asn1.GeneralizedTime) {
		var value cryptobyte.String
		var tag cryptobyte_asn1.Tag
		if !validity.ReadAnyASN1(&value, &tag) {
			return
		}
		switch {
		case tag == cryptobyte_asn1.UTCTime && !utcTime.Match(value):
			c.report("smbr-time", "a time of its validity, %s, has not the form YYMMDDHHMMSSZ", string(value))
		case tag == cryptobyte_asn1.GeneralizedTime && !generalizedTime.Match(value):
			c.report("smbr-time", "a time of its validity before 2050 is no UTCTime")
		}
	}
}

// checkDefaults looks for values that DER leaves out, because they are what holds without them
// (X.690 section 11.5), and for a key usage that ends with bits that are not set (section 11.2.2).
func (c *checker) checkDefaults(list cryptobyte.String) {
	list.ReadASN1(&list, cryptobyte_asn1.SEQUENCE)
	for !list.Empty() {
		var extension cryptobyte.String
		if !list.ReadASN1(&extension, cryptobyte_asn1.SEQUENCE) {
			return
		}
		extension.SkipASN1(cryptobyte_asn1.OBJECT_IDENTIFIER)
		if isFalse(extension) {
			c.report("smbr-encoding", "one of its extensions says that it is not critical, which DER leaves out")
		}
	}
	constraints := cryptobyte.String(c.extension(2, 5, 29, 19).Value)
	if constraints.ReadASN1(&constraints, cryptobyte_asn1.SEQUENCE) && isFalse(constraints) {
		c.reportAt("smbr-encoding", "extensions.basicConstraints", "its basic constraints say that it is no authority's, which DER leaves out")
	}
	var bits cryptobyte.String
	usage := cryptobyte.String(c.extension(2, 5, 29, 15).Value)
	if usage.ReadASN1(&bits, cryptobyte_asn1.BIT_STRING) && len(bits) > 1 && bits[len(bits)-1]&(1<<(bits[0]&7)) == 0 {
		c.reportAt("smbr-encoding", "extensions.keyUsage", "its key usage ends with bits that are not set, which DER leaves out")
	}
}

// isFalse tells whether a BOOLEAN that is false stands next.
func isFalse(der cryptobyte.String) bool {
	return bytes.HasPrefix(der, []byte{1, 1, 0})
}
