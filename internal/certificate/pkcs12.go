package certificate

import (
	"bytes"
	"encoding/asn1"
	"errors"
	"fmt"

	"golang.org/x/crypto/cryptobyte"
	cryptobyte_asn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// ErrPassword is returned for a PKCS#12 that is encrypted, where no password was given or it is not the
// right one.
var ErrPassword = errors.New("a PKCS#12 that its password does not open")

// passwordError is an [ErrPassword] that says which of the two it is. It is an [ErrUnreadable].
type passwordError struct{ given bool }

func (e *passwordError) Error() string {
	if e.given {
		return "this is a PKCS#12, and the password that was given does not open it"
	}
	return "this is a PKCS#12 that needs a password, and none was given"
}

func (e *passwordError) Is(target error) bool {
	return target == ErrPassword || target == ErrUnreadable
}

const (
	pfxVersion = 3 // of a PFX (RFC 7292 section 4)
	// maxIterations bounds what is derived from a password for one file, in rounds of
	// PBKDF2 with SHA-256, which take about a second. GnuTLS has each certificate in a part of
	// its own, with six hundred thousand, of whichever derivation.
	maxIterations = 5_500_000
	// slowRound is what a round of PKCS#12's own derivation costs, and one with a longer hash.
	slowRound = 3
	// roundsPerPart is what each encrypted part of a file costs besides.
	roundsPerPart = 1000
	// maxEncrypted bounds an encrypted part in octets: how much is in it shows too late.
	maxEncrypted = 1 << 20
)

// errPublicKeyMode is a PKCS#12 that is encrypted or signed with a key.
var errPublicKeyMode = fmt.Errorf("%w: a PKCS#12 that no password, but a key protects", ErrUnreadable)

func oidEncryptedData() asn1.ObjectIdentifier {
	return asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 6}
}

func oidCertBag() asn1.ObjectIdentifier {
	return asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 12, 10, 1, 3}
}

func oidKeyBag() asn1.ObjectIdentifier {
	return asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 12, 10, 1, 1}
}

func oidX509Certificate() asn1.ObjectIdentifier {
	return asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 22, 1}
}

// IsPKCS12 reports whether a file begins with a PKCS#12 in DER or BER.
func IsPKCS12(data []byte) bool {
	if !isDER(data) || len(data) > MaxFile {
		return false
	}
	kind, _, _, err := firstValue(data)
	return err == nil && kind == kindPKCS12
}

// pkcs12 reads the certificates of a PKCS#12 (RFC 7292). They vouch for themselves, so
// the file's own checksum is not looked at, and certificates that are not encrypted need
// no password.
func (r *reader) pkcs12(der []byte) error {
	damaged := fmt.Errorf("%w: a PKCS#12 that is damaged", ErrUnreadable)
	input := cryptobyte.String(der)
	var pfx, content cryptobyte.String
	if !input.ReadASN1(&pfx, cryptobyte_asn1.SEQUENCE) || !pfx.SkipASN1(cryptobyte_asn1.INTEGER) {
		return damaged
	}
	kind, content, ok := readContent(&pfx)
	switch {
	case !ok:
		return damaged
	case kind.Equal(oidSignedData()):
		return errPublicKeyMode
	case !kind.Equal(oidData()) || !content.ReadASN1(&content, cryptobyte_asn1.OCTET_STRING):
		return damaged
	}
	plain, rest, err := toDER(content)
	if err != nil || len(rest) > 0 {
		return damaged
	}
	safes := cryptobyte.String(plain)
	if !safes.ReadASN1(&safes, cryptobyte_asn1.SEQUENCE) {
		return damaged
	}
	r.work = 0
	before := len(r.list)
	for !safes.Empty() {
		kind, content, ok := readContent(&safes)
		switch {
		case !ok:
			return damaged
		case kind.Equal(oidData()):
			if !content.ReadASN1(&content, cryptobyte_asn1.OCTET_STRING) {
				return damaged
			}
			err = r.safeContents(content)
		case kind.Equal(oidEncryptedData()):
			err = r.encryptedSafe(content)
		default:
			err = errPublicKeyMode
		}
		if err != nil {
			return err
		}
	}
	if len(r.list) == before && (r.keys == nil || len(*r.keys) == 0) {
		return &KindError{Kind: "a PKCS#12 without a certificate"}
	}
	return nil
}

// readContent reads a ContentInfo (RFC 5652 section 3).
func readContent(from *cryptobyte.String) (kind asn1.ObjectIdentifier, content cryptobyte.String, ok bool) {
	var info cryptobyte.String
	ok = from.ReadASN1(&info, cryptobyte_asn1.SEQUENCE) && info.ReadASN1ObjectIdentifier(&kind) &&
		info.ReadASN1(&content, tagContent) && info.Empty()
	return kind, content, ok
}

// safeContents reads the certificates among bags that are not encrypted (RFC 7292
// section 4.2), and keys where they were asked for.
func (r *reader) safeContents(octets []byte) error {
	damaged := fmt.Errorf("%w: a PKCS#12 that is damaged", ErrUnreadable)
	plain, _, err := toDER(octets)
	if err != nil {
		return damaged
	}
	bags := cryptobyte.String(plain)
	if !bags.ReadASN1(&bags, cryptobyte_asn1.SEQUENCE) {
		return damaged
	}
	for !bags.Empty() {
		var bag, value, octets cryptobyte.String
		var kind, of asn1.ObjectIdentifier
		if !bags.ReadASN1(&bag, cryptobyte_asn1.SEQUENCE) || !bag.ReadASN1ObjectIdentifier(&kind) || !bag.ReadASN1(&value, tagContent) {
			return damaged
		}
		if kind.Equal(oidKeyBag()) || kind.Equal(oidShroudedKeyBag()) {
			if err := r.key(kind, value); err != nil {
				return err
			}
			continue
		}
		if !kind.Equal(oidCertBag()) {
			continue
		}
		if !value.ReadASN1(&value, cryptobyte_asn1.SEQUENCE) || !value.ReadASN1ObjectIdentifier(&of) || !value.ReadASN1(&value, tagContent) {
			return damaged
		}
		if !of.Equal(oidX509Certificate()) {
			continue
		}
		if !value.ReadASN1(&octets, cryptobyte_asn1.OCTET_STRING) {
			return damaged
		}
		if err := r.certificate(octets); err != nil {
			return err
		}
	}
	return nil
}

// encryptedSafe reads the certificates of an EncryptedData (RFC 5652 section 8).
func (r *reader) encryptedSafe(content cryptobyte.String) error {
	damaged := fmt.Errorf("%w: a PKCS#12 that is damaged", ErrUnreadable)
	var data, info, algorithm, encrypted cryptobyte.String
	var version int
	var kind asn1.ObjectIdentifier
	if !content.ReadASN1(&data, cryptobyte_asn1.SEQUENCE) || !data.ReadASN1Integer(&version) ||
		!data.ReadASN1(&info, cryptobyte_asn1.SEQUENCE) || !info.ReadASN1ObjectIdentifier(&kind) || !info.ReadASN1Element(&algorithm, cryptobyte_asn1.SEQUENCE) {
		return damaged
	}
	var tag cryptobyte_asn1.Tag
	if !info.ReadAnyASN1(&encrypted, &tag) || tag&^constructed != cryptobyte_asn1.Tag(0).ContextSpecific() {
		return damaged
	}
	if tag&constructed != 0 { // BER may have it in pieces, and only the definition of the tag says of what
		list := encrypted
		encrypted = make(cryptobyte.String, 0, len(list))
		for !list.Empty() {
			var piece cryptobyte.String
			if !list.ReadASN1(&piece, cryptobyte_asn1.OCTET_STRING) {
				return damaged
			}
			encrypted = append(encrypted, piece...)
		}
	}
	if len(encrypted) > maxEncrypted {
		return &TooLargeError{"the size in bytes of a PKCS#12's encrypted part", maxEncrypted}
	}
	if err := r.spend(algorithm); err != nil {
		return err
	}
	certs, err := openSafe(algorithm, encrypted, r.password)
	if err != nil {
		return err
	}
	for _, cert := range certs {
		if err := r.certificate(cert.Raw); err != nil {
			return err
		}
	}
	return nil
}

// spend counts the work of an encrypted part, and returns a *TooLargeError where it is too much for
// one file.
func (r *reader) spend(algorithm cryptobyte.String) error {
	more, ok := countIterations(algorithm, 0)
	if !isPBES2(algorithm) || usesLongHash(algorithm) {
		more *= slowRound
	}
	if r.work += more + roundsPerPart; !ok || r.work > maxIterations {
		return &TooLargeError{"the work to try the password of a PKCS#12", maxIterations}
	}
	return nil
}

// isPBES2 reports whether an algorithm is that of RFC 8018 section 6.2.
func isPBES2(algorithm cryptobyte.String) bool {
	var inside cryptobyte.String
	var oid asn1.ObjectIdentifier
	return algorithm.ReadASN1(&inside, cryptobyte_asn1.SEQUENCE) && inside.ReadASN1ObjectIdentifier(&oid) &&
		oid.Equal(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 13})
}

// usesLongHash reports whether SHA-384, SHA-512 or one of their kind is in an algorithm of PBES2.
func usesLongHash(algorithm []byte) bool {
	for _, last := range []byte{10, 11, 12, 13} {
		if bytes.Contains(algorithm, []byte{6, 8, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 2, last}) {
			return true
		}
	}
	return false
}

// countIterations adds up the integers in an algorithm's parameters: the iteration count
// is one, and the others, such as the length of a key, are small.
func countIterations(der cryptobyte.String, depth int) (n int, ok bool) {
	for !der.Empty() {
		var value cryptobyte.String
		var tag cryptobyte_asn1.Tag
		whole := der
		if depth > maxDepth || !der.ReadAnyASN1(&value, &tag) {
			return n, false
		}
		more, valid := 0, true
		switch {
		case tag == cryptobyte_asn1.INTEGER:
			valid = whole.ReadASN1Integer(&more) && more >= 0 && more <= maxIterations
		case tag&constructed != 0:
			more, valid = countIterations(value, depth+1)
		}
		if n += more; !valid || n > maxIterations {
			return n, false
		}
	}
	return n, true
}
