package certificate

import (
	"bytes"
	"encoding/base64"
	"encoding/pem"
	"fmt"

	"golang.org/x/crypto/cryptobyte"
	cryptobyte_asn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/cse-piv/cse-piv/internal/safetext"
)

var (
	pemBegin     = []byte("-----BEGIN ")
	linePEMBegin = append([]byte("\n"), pemBegin...)
)

// blocks returns the PEM blocks of a text with line feeds, nil where there is none. Other
// text may stand around them (RFC 7468 section 5.2); a damaged block is an error, as are
// more blocks than any file of certificates has. A private key is one even where its
// block is damaged.
func blocks(text []byte) ([]*pem.Block, error) {
	var found []*pem.Block
	begins := 0
	for rest := text; ; begins++ {
		at := lineBegin(rest)
		if at < 0 {
			break
		}
		rest = rest[at+len(pemBegin):]
		line, _, _ := bytes.Cut(rest, []byte("\n"))
		if label, _, _ := bytes.Cut(line, []byte("-----")); kindOfBlock(string(label)) == KindPrivateKey {
			return nil, &KindError{KindPrivateKey, safetext.Clean(string(label))}
		}
		if begins == maxCertificates {
			return nil, errTooMany()
		}
	}
	for range begins {
		at := lineBegin(text)
		if block, rest := plainBlock(text[at:]); block != nil {
			found, text = append(found, block), rest
			continue
		}
		block, rest := pem.Decode(text[at:])
		// pem.Decode passes over damaged blocks without a word.
		if block == nil || countBegins(text[at:len(text)-len(rest)]) != 1 {
			return nil, fmt.Errorf("%w: PEM block %d is damaged or cut off", ErrUnreadable, len(found)+1)
		}
		found, text = append(found, block), rest
	}
	return found, nil
}

// plainBlock decodes the block that a text begins with where nothing but lines of base64
// stands between its labels, as in nearly all files: in half the time that [pem.Decode]
// takes, which it leaves all others to.
func plainBlock(text []byte) (block *pem.Block, rest []byte) {
	line, body, _ := bytes.Cut(text[len(pemBegin):], []byte("\n"))
	label, ok := bytes.CutSuffix(line, []byte("-----"))
	end := bytes.Index(body, []byte("-----END "))
	if !ok || end < 1 || body[end-1] != '\n' {
		return nil, nil
	}
	last, rest, _ := bytes.Cut(body[end+len("-----END "):], []byte("\n"))
	if after, ok := bytes.CutPrefix(last, label); !ok || string(after) != "-----" {
		return nil, nil
	}
	data := make([]byte, base64.StdEncoding.DecodedLen(end))
	n, err := base64.StdEncoding.Decode(data, body[:end])
	if err != nil {
		return nil, nil
	}
	return &pem.Block{Type: string(label), Bytes: data[:n]}, rest
}

// lineBegin returns where the first line that begins a block stands, -1 for none.
func lineBegin(text []byte) int {
	if bytes.HasPrefix(text, pemBegin) {
		return 0
	}
	at := bytes.Index(text, linePEMBegin)
	if at < 0 {
		return -1
	}
	return at + 1
}

func countBegins(text []byte) int {
	n := bytes.Count(text, linePEMBegin)
	if bytes.HasPrefix(text, pemBegin) {
		n++
	}
	return n
}

// block reads what is in one block.
func (r *reader) block(block *pem.Block) error {
	switch kind := kindOfBlock(block.Type); kind {
	case "":
	case KindPrivateKey:
		return &KindError{kind, safetext.Clean(block.Type)}
	default:
		r.passedOver = kind
		return nil
	}
	switch block.Type {
	case "CERTIFICATE", "X509 CERTIFICATE", "X.509 CERTIFICATE", "PKCS7", "PKCS #7 SIGNED DATA", "CMS", "PKCS12":
		return r.der(block.Bytes)
	case "TRUSTED CERTIFICATE":
		// OpenSSL puts what it trusts the certificate for behind it.
		input := cryptobyte.String(block.Bytes)
		var raw cryptobyte.String
		if !input.ReadASN1Element(&raw, cryptobyte_asn1.SEQUENCE) {
			return fmt.Errorf("%w: a trusted certificate is damaged", ErrUnreadable)
		}
		return r.certificate(raw)
	}
	return fmt.Errorf("%w: unexpected PEM block %q", ErrUnreadable, safetext.Clean(block.Type))
}
