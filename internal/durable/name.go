package durable

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
)

// maxName bounds what FileName returns, in bytes: a name may have 255 on most file
// systems, and something may be put behind it.
const maxName = 200

// FileName makes a text, such as a mail address, the name of a file on every
// system, and another one for every text: what is not plainly safe is
// percent-encoded, and a name that would be too long ends in its SHA-256. Names
// that differ in case alone are one on some systems.
func FileName(text string) string {
	var b strings.Builder
	for i := range len(text) {
		c := text[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', strings.IndexByte("@_+=-", c) >= 0,
			c == '.' && i > 0 && i < len(text)-1:
			if i > 0 || !isDevice(text) {
				b.WriteByte(c)
				continue
			}
		}
		fmt.Fprintf(&b, "%%%02X", c)
	}
	name := b.String()
	if len(name) > maxName {
		sum := sha256.Sum256([]byte(text))
		name = name[:maxName-65] + "~" + hex.EncodeToString(sum[:])
	}
	return name
}

// IsFileName reports whether a text can be the name of a file on every system as
// it is.
func IsFileName(text string) bool {
	const most = 255
	return text != "" && len(text) <= most && !isDevice(text) && text[0] != '.' && !strings.HasSuffix(text, ".") &&
		!strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune(`<>:"/\|?*`, r) })
}

// isDevice tells the names that Windows keeps for devices, whatever comes after
// the first dot.
func isDevice(name string) bool {
	name, _, _ = strings.Cut(strings.ToLower(name), ".")
	if len(name) == len("com1") && (strings.HasPrefix(name, "com") || strings.HasPrefix(name, "lpt")) {
		return '0' <= name[3] && name[3] <= '9'
	}
	return slices.Contains([]string{"con", "prn", "aux", "nul", "conin$", "conout$"}, name)
}
