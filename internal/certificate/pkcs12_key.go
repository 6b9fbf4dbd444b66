package certificate

import (
	"crypto"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"

	"golang.org/x/crypto/cryptobyte"
	cryptobyte_asn1 "golang.org/x/crypto/cryptobyte/asn1"
	"software.sslmate.com/src/go-pkcs12"

	"github.com/cse-piv/cse-piv/internal/secret"
)

// PrivateKey is a private key of a PKCS#12 with the certificate that was issued for it; nil where
// the file has none.
type PrivateKey struct {
	Key         crypto.Signer
	Certificate *x509.Certificate
}

const (
	kindPKCS12WithoutKey Kind = "a PKCS#12 without a private key"
	// maxKeys bounds how many keys one file may hold.
	maxKeys = 64
)

func oidShroudedKeyBag() asn1.ObjectIdentifier {
	return asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 12, 10, 1, 2}
}

// ParsePrivateKeys reads the private keys of a PKCS#12 in DER or BER, in the order of the file. Its
// errors are those of [ParseWithPassword]; a [*KindError] is a file that holds no key, such as a
// chain alone.
func ParsePrivateKeys(data []byte, password secret.Secret) ([]PrivateKey, error) {
	var keys []crypto.Signer
	r := reader{password: password, keys: &keys}
	if err := r.file(data); err != nil {
		return nil, err
	}
	if len(keys) == 0 {
		kind := kindPKCS12WithoutKey
		if !IsPKCS12(data) {
			kind = "certificates without a private key"
		}
		return nil, &KindError{Kind: kind}
	}
	var all []PrivateKey
	for _, key := range keys {
		entry := PrivateKey{Key: key}
		for _, cert := range r.list {
			if entry.Certificate == nil && SameKey(cert.PublicKey, key.Public()) {
				entry.Certificate = cert
			}
		}
		all = append(all, entry)
	}
	return all, nil
}

// key reads a private key of a PKCS#12: a PKCS#8 as it is, or an encrypted one (RFC 5958).
func (r *reader) key(kind asn1.ObjectIdentifier, der []byte) error {
	if r.keys == nil {
		return nil
	}
	if len(*r.keys) == maxKeys {
		return &TooLargeError{"the number of private keys", maxKeys}
	}
	var parsed any
	var err error
	if kind.Equal(oidKeyBag()) {
		parsed, err = x509.ParsePKCS8PrivateKey(der)
	} else {
		parsed, err = r.openKey(der)
	}
	if errors.Is(err, ErrUnreadable) {
		return err
	}
	key, ok := parsed.(crypto.Signer)
	if err != nil || !ok { // the library's error may quote what it read
		return fmt.Errorf("%w: a PKCS#12 with a private key that is neither RSA, EC nor Ed25519", ErrUnreadable)
	}
	*r.keys = append(*r.keys, key)
	return nil
}

// openKey decrypts a private key by way of a file of the shape that the library reads, as openSafe
// does.
func (r *reader) openKey(der []byte) (any, error) {
	var info, algorithm cryptobyte.String
	input := cryptobyte.String(der)
	if !input.ReadASN1(&info, cryptobyte_asn1.SEQUENCE) || !info.ReadASN1Element(&algorithm, cryptobyte_asn1.SEQUENCE) {
		return nil, fmt.Errorf("%w: a PKCS#12 that is damaged", ErrUnreadable)
	}
	if err := r.spend(algorithm); err != nil {
		return nil, err
	}
	revealed := r.password.Reveal()
	defer clear(revealed)
	octets := zeroTerminated(string(revealed))
	defer clear(octets)
	key, err := decodeKey(der, string(revealed), octets)
	if err != nil && r.password.IsZero() {
		key, err = decodeKey(der, "", nil)
	}
	if _, unsupported := errors.AsType[pkcs12.NotImplementedError](err); unsupported {
		return nil, &CipherError{cipherOf(algorithm)}
	}
	if err != nil {
		return nil, &passwordError{!r.password.IsZero()}
	}
	return key, nil
}

// decodeKey reads one encrypted key, with a certificate that is nobody's beside it.
func decodeKey(der []byte, password string, octets []byte) (any, error) {
	seed := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	nobodys, err := x509.CreateCertificate(nil, &x509.Certificate{SerialNumber: big.NewInt(1)}, &x509.Certificate{}, seed.Public(), seed)
	if err != nil {
		return nil, err
	}
	var bags, safes, bag cryptobyte.Builder
	bag.AddASN1(cryptobyte_asn1.SEQUENCE, func(value *cryptobyte.Builder) {
		value.AddASN1ObjectIdentifier(oidX509Certificate())
		value.AddASN1(tagContent, func(content *cryptobyte.Builder) { content.AddASN1OctetString(nobodys) })
	})
	cert, err := bag.Bytes()
	if err != nil {
		return nil, err
	}
	bags.AddASN1(cryptobyte_asn1.SEQUENCE, func(list *cryptobyte.Builder) {
		addContent(list, oidShroudedKeyBag(), der)
		addContent(list, oidCertBag(), cert)
	})
	contents, err := bags.Bytes()
	if err != nil {
		return nil, err
	}
	safes.AddASN1(cryptobyte_asn1.SEQUENCE, func(list *cryptobyte.Builder) { addContent(list, oidData(), octetString(contents)) })
	authenticated, err := safes.Bytes()
	if err != nil {
		return nil, err
	}
	file, err := fileOf(authenticated, octets)
	if err != nil {
		return nil, err
	}
	key, _, _, err := pkcs12.DecodeChain(file, password)
	return key, err
}
