package source

import (
	"fmt"
	"slices"

	"golang.org/x/text/encoding/charmap"
)

const expectUTF8 = "save the manifest as CSV UTF-8, or as UTF-8 text"

// notUTF8 says of a text that is not UTF-8 what it seems to be, and how it would read
// then.
func notUTF8(text string) string {
	// Windows-1252, which has ISO 8859-1 in it, leaves five octets out.
	if slices.ContainsFunc([]byte(text), func(c byte) bool { return slices.Contains([]byte{0x81, 0x8d, 0x8f, 0x90, 0x9d}, c) }) {
		return "is not UTF-8"
	}
	decoded, err := charmap.Windows1252.NewDecoder().String(text)
	if err != nil {
		return "is not UTF-8"
	}
	return fmt.Sprintf("is not UTF-8; it reads %q in Windows-1252", shorten(decoded))
}

// isUTF16 tells UTF-16 without a byte order mark by its beginning: every other octet
// of Latin text is zero.
func isUTF16(head []byte) bool {
	const least = 4
	if len(head) < least {
		return false
	}
	zeros := [2]int{}
	for i, c := range head {
		if c == 0 {
			zeros[i%2]++
		}
	}
	half := len(head) / 2
	return slices.Max(zeros[:]) >= half-half/4 && slices.Min(zeros[:]) == 0
}
