package certificate

import (
	"bytes"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"strings"
	"unicode/utf16"

	"golang.org/x/crypto/cryptobyte"
	cryptobyte_asn1 "golang.org/x/crypto/cryptobyte/asn1"
	"software.sslmate.com/src/go-pkcs12"

	"github.com/cse-piv/cse-piv/internal/secret"
)

// openSafe decrypts the certificates of one encrypted part of a PKCS#12. The library
// reads whole files of one shape only, so the part is put into such a file: behind a key
// that is nobody's, since there has to be exactly one, and under a checksum of that
// password. So files of any shape are read, and no key in them is decrypted but one in the
// very part that the certificates are in, which is dropped.
func openSafe(algorithm, encrypted []byte, password secret.Secret) ([]*x509.Certificate, error) {
	revealed := password.Reveal()
	defer clear(revealed)
	octets := zeroTerminated(string(revealed))
	defer clear(octets)
	certs, err := decodeSafe(algorithm, encrypted, string(revealed), octets)
	if err != nil && password.IsZero() { // some programs take no octets at all for an empty password
		certs, err = decodeSafe(algorithm, encrypted, "", nil)
	}
	if _, unsupported := errors.AsType[pkcs12.NotImplementedError](err); unsupported {
		return nil, &CipherError{cipherOf(algorithm)}
	}
	switch {
	case isKeyTooMany(err):
		return nil, &KindError{Kind: "a PKCS#12 with several private keys in one encrypted part"}
	case err != nil:
		return nil, &passwordError{!password.IsZero()}
	}
	return certs, nil
}

// isKeyTooMany tells the library's error for a key beside another one, which has no type.
func isKeyTooMany(err error) bool {
	return err != nil && strings.Contains(err.Error(), "expected exactly one key bag")
}

func decodeSafe(algorithm, encrypted []byte, password string, octets []byte) ([]*x509.Certificate, error) {
	file, err := fileAround(algorithm, encrypted, octets, true)
	if err != nil {
		return nil, err
	}
	_, first, others, err := pkcs12.DecodeChain(file, password)
	if isKeyTooMany(err) { // there is one in the part
		if file, err = fileAround(algorithm, encrypted, octets, false); err != nil {
			return nil, err
		}
		_, first, others, err = pkcs12.DecodeChain(file, password)
	}
	if err != nil {
		return nil, err
	}
	return append([]*x509.Certificate{first}, others...), nil
}

// fileAround returns a PKCS#12 with that encrypted part, and perhaps nobody's key.
func fileAround(algorithm, encrypted, password []byte, withKey bool) ([]byte, error) {
	key, err := x509.MarshalPKCS8PrivateKey(ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)))
	if err != nil {
		return nil, err
	}
	var keys, safes cryptobyte.Builder
	keys.AddASN1(cryptobyte_asn1.SEQUENCE, func(bags *cryptobyte.Builder) {
		addContent(bags, oidKeyBag(), key)
	})
	nobodys, err := keys.Bytes()
	if err != nil {
		return nil, err
	}
	safes.AddASN1(cryptobyte_asn1.SEQUENCE, func(list *cryptobyte.Builder) {
		if withKey {
			addContent(list, oidData(), octetString(nobodys))
		}
		list.AddASN1(cryptobyte_asn1.SEQUENCE, func(info *cryptobyte.Builder) {
			info.AddASN1ObjectIdentifier(oidEncryptedData())
			info.AddASN1(tagContent, func(content *cryptobyte.Builder) {
				content.AddASN1(cryptobyte_asn1.SEQUENCE, func(data *cryptobyte.Builder) {
					data.AddASN1Int64(0) // version
					data.AddASN1(cryptobyte_asn1.SEQUENCE, func(info *cryptobyte.Builder) {
						info.AddASN1ObjectIdentifier(oidData())
						info.AddBytes(algorithm)
						info.AddASN1(cryptobyte_asn1.Tag(0).ContextSpecific(), func(b *cryptobyte.Builder) { b.AddBytes(encrypted) })
					})
				})
			})
		})
	})
	authenticated, err := safes.Bytes()
	if err != nil {
		return nil, err
	}
	return fileOf(authenticated, password)
}

// fileOf returns a PKCS#12 of an AuthenticatedSafe (RFC 7292 section 4.1), under a checksum of the
// password.
func fileOf(authenticated, password []byte) ([]byte, error) {
	var file cryptobyte.Builder
	file.AddASN1(cryptobyte_asn1.SEQUENCE, func(pfx *cryptobyte.Builder) {
		pfx.AddASN1Int64(pfxVersion)
		addContent(pfx, oidData(), octetString(authenticated))
		pfx.AddASN1(cryptobyte_asn1.SEQUENCE, func(mac *cryptobyte.Builder) { // MacData
			mac.AddASN1(cryptobyte_asn1.SEQUENCE, func(digest *cryptobyte.Builder) {
				digest.AddASN1(cryptobyte_asn1.SEQUENCE, func(algorithm *cryptobyte.Builder) {
					algorithm.AddASN1ObjectIdentifier(asn1.ObjectIdentifier{1, 3, 14, 3, 2, 26}) // SHA-1
					algorithm.AddASN1NULL()
				})
				digest.AddASN1OctetString(checksum(authenticated, password))
			})
			mac.AddASN1OctetString(nil) // salt
			mac.AddASN1Int64(1)         // iterations
		})
	})
	return file.Bytes()
}

// addContent adds a value under its type, explicitly tagged [0]: a ContentInfo, or a bag.
func addContent(to *cryptobyte.Builder, kind asn1.ObjectIdentifier, value []byte) {
	to.AddASN1(cryptobyte_asn1.SEQUENCE, func(info *cryptobyte.Builder) {
		info.AddASN1ObjectIdentifier(kind)
		info.AddASN1(tagContent, func(content *cryptobyte.Builder) { content.AddBytes(value) })
	})
}

func octetString(value []byte) []byte { return append(header(tagOctets, len(value)), value...) }

// checksum is the MAC of a PKCS#12 by SHA-1, without a salt and with one iteration
// (RFC 7292 appendix B.2, where the key is as long as the hash). It protects nothing: the
// library insists on one.
func checksum(data, password []byte) []byte {
	const block, purpose = 64, 3
	input := bytes.Repeat([]byte{purpose}, block)
	for n := (len(password) + block - 1) / block * block; len(input) < block+n; {
		input = append(input, password[:min(len(password), block+n-len(input))]...)
	}
	key := sha1.Sum(input)
	mac := hmac.New(sha1.New, key[:])
	mac.Write(data)
	return mac.Sum(nil)
}

// zeroTerminated returns a password as PKCS#12 has it (RFC 7292 appendix B.1).
func zeroTerminated(password string) []byte {
	var out []byte
	for _, unit := range utf16.Encode([]rune(password)) {
		out = append(out, byte(unit>>8), byte(unit))
	}
	return append(out, 0, 0)
}
