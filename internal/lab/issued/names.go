package issued

import (
	"encoding/hex"
	"fmt"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// passwordFile holds the password of the folder's PKCS#12 files.
const passwordFile = "password.txt"

// kind says what a file holds.
type kind int

const (
	isCertificate kind = iota // PEM or DER
	isPKCS12                  // a private key with its certificate
	isKey                     // a private key in PEM
	isObject                  // a data object as the card holds it
)

// item is what a file is of a card: something of a slot, or a data object that
// belongs to none.
type item struct {
	kind kind
	slot byte   // key reference; 0 for other data objects
	tag  uint32 // of a data object that is not a slot's
}

// Tags of the data objects that are not a slot's certificate (SP 800-73-4 Part 1,
// table 3).
const (
	tagCHUID      = 0x5fc102
	tagCCC        = 0x5fc107
	tagKeyHistory = 0x5fc10c
)

// String names the item for people.
func (i item) String() string {
	if i.slot == 0 {
		return fmt.Sprintf("data object %06X", i.tag)
	}
	return map[kind]string{
		isCertificate: "certificate", isPKCS12: "PKCS#12 file", isKey: "key", isObject: "certificate object",
	}[i.kind] + fmt.Sprintf(" of slot %02x", i.slot)
}

// object is the tag of the item's data object (SP 800-73-4 Part 1, table 3).
func (i item) object() uint32 {
	switch i.slot {
	case 0:
		return i.tag
	case 0x9a:
		return 0x5fc105
	case 0x9c:
		return 0x5fc10a
	case 0x9d:
		return 0x5fc10b
	case 0x9e:
		return 0x5fc101
	}
	return 0x5fc10d + uint32(i.slot-0x82)
}

// kindOf reads a file name's extension.
func kindOf(extension string) (kind, bool) {
	switch strings.ToLower(extension) {
	case ".pem", ".crt", ".cer", ".der":
		return isCertificate, true
	case ".p12", ".pfx":
		return isPKCS12, true
	case ".key":
		return isKey, true
	case ".bin":
		return isObject, true
	}
	return 0, false
}

// icamName is how the GSA ICAM card builder names files: a number, a dash and a
// description. Its archive has spaces where copies of it have underscores.
var icamName = regexp.MustCompile(`^(\d{1,2})[ _]-[ _]`)

// itemOf reads a file's name. It is false for files that are not for a card.
func itemOf(name string) (item, bool) {
	if match := icamName.FindStringSubmatch(name); match != nil {
		number, _ := strconv.Atoi(match[1]) // two digits
		return icamItem(number, filepath.Ext(name))
	}
	extension := filepath.Ext(name)
	kind, known := kindOf(extension)
	if !known {
		return item{}, false
	}
	switch base := strings.ToLower(strings.TrimSuffix(name, extension)); {
	case kind == isObject && base == "chuid":
		return item{kind: isObject, tag: tagCHUID}, true
	case kind == isObject && base == "ccc":
		return item{kind: isObject, tag: tagCCC}, true
	case kind == isObject && base == "key-history":
		return item{kind: isObject, tag: tagKeyHistory}, true
	default:
		slot, err := hex.DecodeString(base)
		if err != nil || len(slot) != 1 || !isSlot(slot[0]) {
			return item{}, false
		}
		return item{kind: kind, slot: slot[0]}, true
	}
}

// icamItem knows the numbers of a card's files: 3 to 6 the four slots, 7 CCC, 8
// CHUID, 13 the key history, 14 to 33 the retired keys.
func icamItem(number int, extension string) (item, bool) {
	switch number {
	case 7:
		return item{kind: isObject, tag: tagCCC}, true
	case 8:
		return item{kind: isObject, tag: tagCHUID}, true
	case 13:
		return item{kind: isObject, tag: tagKeyHistory}, true
	}
	kind, known := kindOf(extension)
	it := item{kind: kind}
	switch {
	case number >= 3 && number <= 6:
		it.slot = []byte{0x9a, 0x9c, 0x9d, 0x9e}[number-3]
	case number >= 14 && number <= 33:
		it.slot = 0x82 + byte(number-14)
	default:
		known = false
	}
	return it, known && kind != isObject
}

func isSlot(slot byte) bool {
	return slot == 0x9a || slot >= 0x9c && slot <= 0x9e || slot >= 0x82 && slot <= 0x95
}
