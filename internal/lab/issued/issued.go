// Package issued reads from a folder what an issuer put on a card before it was
// handed out: certificates, private keys and data objects. Nothing in it is put
// right: where a certificate and the key beside it differ, the card has both.
package issued

import (
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Card is what is on an issued card.
type Card struct {
	// Keys holds the private keys by key reference: 9a, 9c, 9d, 9e, 82 to 95, in
	// the forms of x509.ParsePKCS8PrivateKey.
	Keys map[byte]crypto.PrivateKey
	// Objects holds the contents of the data objects, without tag 53, by tag.
	Objects map[uint32][]byte
	// Addresses are the mail addresses in the certificates, each once; those of
	// the signature and key management slots come first.
	Addresses []string
	// Unused names the files of the folder that are not for a card of this kind.
	Unused []string
}

// maxFile bounds a file in bytes: no card has room for more.
const maxFile = 64 << 10

// Load reads a card from a folder. Names are those of the GSA ICAM test cards
// ("4 - ICAM_PIV_Dig_Sig….crt") or plain ones ("9c.pem", "9c.p12", "chuid.bin");
// docs/how-to/the-practice-lab.md lists them. PKCS#12 files have the password in password.txt beside
// them, none without it. Errors name the file.
func Load(dir string) (*Card, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("an issued card: %w", err)
	}
	l := loader{
		dir: dir, files: map[item]string{}, certificates: map[byte]*x509.Certificate{},
		card: &Card{Keys: map[byte]crypto.PrivateKey{}, Objects: map[uint32][]byte{}},
	}
	for _, entry := range entries {
		if err := l.sort(entry.Name()); err != nil {
			return nil, fmt.Errorf("an issued card in %s: %w", dir, err)
		}
	}
	if err := l.load(); err != nil {
		return nil, fmt.Errorf("an issued card in %s: %w", dir, err)
	}
	return l.card, nil
}

// loader is a folder that is being read.
type loader struct {
	dir          string
	files        map[item]string // which file is what
	password     string
	certificates map[byte]*x509.Certificate
	card         *Card
}

// sort finds out what a file is.
func (l *loader) sort(name string) error {
	if strings.EqualFold(name, passwordFile) {
		password, err := l.read(name)
		l.password = strings.TrimRight(string(password), "\r\n")
		return err
	}
	it, ok := itemOf(name)
	if !ok {
		l.card.Unused = append(l.card.Unused, name)
		return nil
	}
	if other, twice := l.files[it]; twice {
		return fmt.Errorf("%s and %s are both the %s", other, name, it)
	}
	l.files[it] = name
	return nil
}

func (l *loader) load() error {
	if len(l.files) == 0 {
		return errors.New("no file in it is named for a slot or a data object of a card")
	}
	// Certificates go before PKCS#12 files, which may have them as well.
	for _, kind := range []kind{isObject, isCertificate, isPKCS12, isKey} {
		for it, name := range l.files {
			if it.kind != kind {
				continue
			}
			raw, err := l.read(name)
			if err == nil {
				err = l.take(it, raw)
			}
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	l.collectAddresses()
	return nil
}

func (l *loader) take(it item, raw []byte) error {
	switch it.kind {
	case isObject:
		l.card.Objects[it.object()] = withoutTag53(raw)
		return nil
	case isCertificate:
		certificate, err := parseCertificate(raw)
		if err != nil {
			return err
		}
		return l.putCertificate(it, certificate)
	case isPKCS12:
		key, certificate, err := parsePKCS12(raw, l.password)
		if err != nil {
			return err
		}
		l.card.Keys[it.slot] = key
		if _, beside := l.card.Objects[it.object()]; !beside {
			return l.putCertificate(it, certificate)
		}
		if l.certificates[it.slot] == nil {
			l.certificates[it.slot] = certificate // what the object is of
		}
		return nil
	}
	if _, twice := l.card.Keys[it.slot]; twice {
		return fmt.Errorf("there is a PKCS#12 file with the key of slot %02x as well", it.slot)
	}
	key, err := parseKey(raw)
	l.card.Keys[it.slot] = key
	return err
}

// putCertificate frames a certificate as the slot's data object, where the folder
// does not have that object itself.
func (l *loader) putCertificate(it item, certificate *x509.Certificate) error {
	if _, twice := l.card.Objects[it.object()]; twice {
		return fmt.Errorf("the data object of slot %02x is there as well", it.slot)
	}
	object, err := certificateObject(certificate.Raw)
	if err != nil {
		return err
	}
	l.card.Objects[it.object()] = object
	l.certificates[it.slot] = certificate
	return nil
}

func (l *loader) collectAddresses() {
	for _, slot := range append([]byte{0x9c, 0x9d}, slices.Sorted(maps.Keys(l.certificates))...) {
		certificate := l.certificates[slot]
		if certificate == nil {
			continue
		}
		for _, address := range certificate.EmailAddresses {
			if !slices.Contains(l.card.Addresses, address) {
				l.card.Addresses = append(l.card.Addresses, address)
			}
		}
	}
}

func (l *loader) read(name string) ([]byte, error) {
	path := filepath.Join(l.dir, name)
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, errors.New("it is not a file")
	case info.Size() > maxFile:
		return nil, fmt.Errorf("it has %d bytes, and no card has room for that", info.Size())
	}
	return os.ReadFile(path)
}
