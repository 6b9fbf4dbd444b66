package baseline

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	cryptobyte_asn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// organizationForm is the form of an organizationIdentifier: scheme, country, state and
// reference (SMBR section 7.1.4.2.2 (d)).
var organizationForm = regexp.MustCompile(`^([A-Z]{3})([A-Z]{2})(?:\+([A-Z0-9]{1,3}))?(?:-(.+))?$`)

// germanReference is the European unique identifier of a German register (EUID): the
// register's code, and the number in it.
var germanReference = regexp.MustCompile(`^DE[A-Z][0-9A-Z]{4}V?\.[A-Z]{1,3}[0-9A-Z_ -]+$`)

// paymentReference is the reference of a payment service provider: the competent authority, and
// the number that it has given (ETSI TS 119 495 section 5.2.1).
var paymentReference = regexp.MustCompile(`^[A-Z]{2,8}-.+$`)

// checkOrganizationIdentifier looks at the organizationIdentifier (SMBR section 7.1.4.2.2
// (d) and appendix A).
func (c *checker) checkOrganizationIdentifier(where string, n name) {
	for _, a := range n.attributes() {
		if a.id != idOrganizationIdentifier {
			continue
		}
		if a.tag != cryptobyte_asn1.PrintableString && a.tag != cryptobyte_asn1.UTF8String {
			c.reportAt("smbr-organization-encoding", where, "its organizationIdentifier is neither PrintableString nor UTF8String")
		}
		parts := organizationForm.FindStringSubmatch(a.text)
		if parts == nil {
			c.reportAt("smbr-organization-form", where, "its organizationIdentifier %s has not the form that its scheme asks for", shorten(a.text))
			continue
		}
		scheme, country, state, reference := parts[1], parts[2], parts[3], parts[4]
		c.checkScheme(where, scheme, country, state, reference)
		for _, named := range n.values(idCountry) {
			if country != "XG" && named != taxCountry(scheme, country) {
				c.reportAt("smbr-organization-country-name", where, "its countryName is %s, and its organizationIdentifier is of %s", named, country)
			}
		}
	}
}

// taxCountry returns the country of a prefix: with VAT, EL is Greece and XI Northern Ireland
// (article 215 of Directive 2006/112/EC).
func taxCountry(scheme, prefix string) string {
	if country, ok := map[string]string{"EL": "GR", "XI": "GB"}[prefix]; ok && scheme == "VAT" {
		return country
	}
	return prefix
}

// checkScheme looks at what belongs to the registration scheme.
func (c *checker) checkScheme(where, scheme, country, state, reference string) {
	known := []string{"NTR", "VAT", "PSD", "LEI", "GOV", "INT"}
	switch {
	case !slices.Contains(known, scheme):
		c.reportAt("smbr-organization-scheme", where, "the registration scheme %s is none of %s", scheme, strings.Join(known, ", "))
		return
	case (scheme == "LEI" || scheme == "INT") != (country == "XG"),
		country != "XG" && !isCountry(taxCountry(scheme, country)):
		c.reportAt("smbr-organization-country", where, "the scheme %s does not go with the country %s", scheme, country)
	}
	if state != "" && scheme != "NTR" && scheme != "GOV" {
		c.reportAt("smbr-organization-state", where, "the scheme %s does not go with a state or province, %s", scheme, state)
	}
	switch {
	case reference == "" && scheme != "GOV" && scheme != "INT":
		c.reportAt("smbr-organization-form", where, "its organizationIdentifier has no registration reference")
	case reference != "" && (scheme == "INT" || scheme == "GOV"):
		c.reportAt("smbr-organization-form", where, "the scheme %s has no registration reference, and its organizationIdentifier has %s", scheme, shorten(reference))
	case scheme == "PSD" && !paymentReference.MatchString(reference):
		c.reportAt("smbr-organization-form", where, "the reference %s has not the authority that authorized a payment service provider, and its number", shorten(reference))
	case scheme == "LEI":
		c.checkLEIText(where, reference)
	case scheme == "NTR" && country == "DE" && state != "":
		c.reportAt("smbr-organization-german", where, "a European unique identifier (EUID) of a German register has no state beside it, %s", state)
	case scheme == "NTR" && country == "DE" && !germanReference.MatchString(reference):
		c.reportAt("smbr-organization-german", where, "the reference %s to a German register is no European unique identifier (EUID)", shorten(reference))
	}
}

// checkLEIText looks at a legal entity identifier (ISO 17442): eighteen letters and
// digits, and two check digits.
func (c *checker) checkLEIText(where, lei string) {
	switch {
	case len(lei) != 20 || strings.Trim(lei, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") != "" || strings.Trim(lei[18:], "0123456789") != "":
		c.reportAt("smbr-lei-form", where, "%s is no legal entity identifier", shorten(lei))
	case !hasCheckDigits(lei):
		c.reportAt("smbr-lei-check-digits", where, "the check digits of the legal entity identifier %s are wrong", lei)
	}
}

// hasCheckDigits applies ISO/IEC 7064 MOD 97-10, with letters as 10 to 35.
func hasCheckDigits(lei string) bool {
	rest := 0
	for _, r := range lei {
		value, err := strconv.ParseInt(string(r), 36, 0)
		if err != nil {
			return false
		}
		if value >= 10 {
			rest *= 10
		}
		rest = (rest*10 + int(value)) % 97
	}
	return rest == 1
}

// checkLEI looks at the extensions with the legal entity identifier and its holder's role
// (SMBR section 7.1.2.3 (l)).
func (c *checker) checkLEI() {
	for _, extension := range []struct {
		name  string
		id    []int
		types []Validation // that may have it
	}{
		{"LEI", []int{1, 3, 6, 1, 4, 1, 52266, 1}, []Validation{Organization, Sponsored}},
		{"role", []int{1, 3, 6, 1, 4, 1, 52266, 2}, []Validation{Sponsored}},
	} {
		found := c.extension(extension.id...)
		if found.Id == nil {
			continue
		}
		if found.Critical {
			c.report("smbr-lei-critical", "its %s extension is critical", extension.name)
		}
		if c.profile != (Profile{}) && !c.profile.is(extension.types...) {
			c.report("smbr-lei-prohibited", "it has the %s extension, which its validation type does not allow", extension.name)
		}
		if text, ok := readPrintable(found.Value); !ok {
			c.reportAt("smbr-encoding", ruleTable()["smbr-lei-form"].Where, "its %s extension is no PrintableString", extension.name)
		} else if extension.name == "LEI" {
			c.checkLEIText(ruleTable()["smbr-lei-form"].Where, text)
		}
	}
}
