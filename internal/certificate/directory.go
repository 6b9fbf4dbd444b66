package certificate

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"regexp"
)

var (
	// ldifBegin is how an export of a directory begins (RFC 2849): a version, a comment,
	// a name or, where somebody copied a part, the value itself.
	ldifBegin = regexp.MustCompile(`(?i)^\s*(?:(?:#[^\n]*\n|version:[^\n]*\n)\s*)*(?:dn::?|(?:usercertificate|cacertificate|usersmimecertificate)(?:;[-a-z0-9;]+)?:)`)
	// ldifValue is a value with a certificate (RFC 4523 section 2). The user's may be in a
	// PKCS#7 (RFC 2798 section 2.8).
	ldifValue = regexp.MustCompile(`(?im)^(?:usercertificate|cacertificate|usersmimecertificate)(?:;[-a-z0-9;]+)?:(:|<|) *(\S*)`)

	vcardBegin = regexp.MustCompile(`(?i)^\s*begin:vcard`)
	// vcardValue is a key in base64, as versions 2.1, 3 and 4 write it (RFC 6350 section 6.8.1).
	vcardValue = regexp.MustCompile(`(?im)^(?:[-a-z0-9]+\.)?key(?:(?:;[^:\n]*)?;(?:encoding=)?(?:b|base64)(?:;[^:\n]*)?:|(?:;[^:\n]*)?:data:[^,\n]*;base64,)([ \S]*)`)
)

// isDirectory tells an LDIF or a vCard.
func isDirectory(text []byte) bool { return ldifBegin.Match(text) || vcardBegin.Match(text) }

// directory reads the certificates that a directory's export has as attributes.
func (r *reader) directory(text []byte) error {
	// A line that begins with a blank goes on with the one before it.
	text = bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n"))
	text = bytes.ReplaceAll(bytes.ReplaceAll(text, []byte("\n "), nil), []byte("\n\t"), nil)
	what, pattern := Kind("an LDIF export"), ldifValue
	if vcardBegin.Match(text) {
		what, pattern = "a vCard", vcardValue
	}
	for rest := text; ; {
		at := pattern.FindSubmatchIndex(rest)
		if at == nil {
			break
		}
		value := bytes.TrimSpace(rest[at[len(at)-2]:at[len(at)-1]])
		if pattern == ldifValue && at[2] < at[3] && rest[at[2]] == '<' {
			return fmt.Errorf("%w: %s that names files instead of holding certificates", ErrUnreadable, what)
		}
		rest = rest[at[1]:]
		der, err := base64.StdEncoding.AppendDecode(nil, value)
		if err != nil {
			return fmt.Errorf("%w: %s with a value that is no base64", ErrUnreadable, what)
		}
		if isDER(der) {
			err = r.der(der)
		} else {
			err = r.text(toText(der), false)
		}
		if err != nil {
			return err
		}
	}
	if len(r.list) == 0 {
		return &KindError{Kind: what + " without certificates"}
	}
	return nil
}
