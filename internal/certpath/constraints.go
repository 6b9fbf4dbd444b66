package certpath

import (
	"bytes"
	"crypto/x509"
	"encoding/asn1"
	"fmt"

	"golang.org/x/crypto/cryptobyte"
	cryptobyte_asn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// maxComparisons bounds the names that are compared with the constraints of one
// authority.
const maxComparisons = 100_000

var (
	oidNameConstraints = asn1.ObjectIdentifier{2, 5, 29, 30}
	oidNetscapeType    = asn1.ObjectIdentifier{2, 16, 840, 1, 113730, 1, 1}
)

// nameConstraints say for which names an authority may issue (RFC 5280 section
// 4.2.1.10).
type nameConstraints struct{ permitted, excluded []generalName }

// constraintsOf returns a certificate's name constraints, nil where it has none; ok is
// false where they are malformed.
func constraintsOf(cert *x509.Certificate) (constraints *nameConstraints, ok bool) {
	for _, extension := range cert.Extensions {
		if !extension.Id.Equal(oidNameConstraints) {
			continue
		}
		input := cryptobyte.String(extension.Value)
		var sequence cryptobyte.String
		constraints = &nameConstraints{}
		return constraints, input.ReadASN1(&sequence, cryptobyte_asn1.SEQUENCE) && input.Empty() &&
			readSubtrees(&sequence, 0xa0, &constraints.permitted) && readSubtrees(&sequence, 0xa1, &constraints.excluded) && sequence.Empty()
	}
	return nil, true
}

// readSubtrees reads one of the two lists, which may be left out. Their distances have
// to be what RFC 5280 says that they always are.
func readSubtrees(input *cryptobyte.String, tag cryptobyte_asn1.Tag, list *[]generalName) bool {
	var subtrees cryptobyte.String
	if !input.ReadOptionalASN1(&subtrees, nil, tag) {
		return false
	}
	for !subtrees.Empty() {
		var subtree cryptobyte.String
		if !subtrees.ReadASN1(&subtree, cryptobyte_asn1.SEQUENCE) {
			return false
		}
		base, ok := readGeneralName(&subtree)
		if minimum := []byte{0x80, 1, 0}; bytes.Equal(subtree, minimum) { // the default, written out
			subtree = nil
		}
		if !ok || !subtree.Empty() || base.form == formIP && len(base.value) != 8 && len(base.value) != 32 {
			return false
		}
		*list = append(*list, base)
	}
	return true
}

// refusal says why the constraints do not let the authority issue for one of the names;
// "" where they do.
func (c *nameConstraints) refusal(names []generalName) string {
	if c.comparisons(names) > maxComparisons {
		return "there are too many names and constraints to compare"
	}
	for _, name := range names {
		for _, base := range c.excluded {
			if !name.sameForm(base) {
				continue
			}
			if inside, known := name.within(base); inside || !known {
				return fmt.Sprintf("%s is excluded, or may be", name)
			}
		}
		constrained, permitted := false, false
		for _, base := range c.permitted {
			if name.sameForm(base) {
				inside, _ := name.within(base)
				constrained, permitted = true, permitted || inside
			}
		}
		if constrained && !permitted {
			return fmt.Sprintf("%s is not among the permitted names", name)
		}
	}
	return ""
}

// comparisons is how many refusal takes.
func (c *nameConstraints) comparisons(names []generalName) int {
	return (len(c.permitted) + len(c.excluded)) * len(names)
}
