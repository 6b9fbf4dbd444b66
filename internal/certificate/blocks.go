package certificate

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"strings"

	"golang.org/x/crypto/cryptobyte"
	cryptobyte_asn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/cse-piv/cse-piv/internal/safetext"
)

var (
	pemBegin  = []byte("-----BEGIN ")
	pemEnd    = []byte("-----END ")
	pemDashes = []byte("-----")
)

// maxLabel bounds a label, in octets; the longest in use has 30.
const maxLabel = 64

// pemBlock is a block as it stands in a text: its label, what that says, and what is between
// its two lines.
type pemBlock struct {
	label string
	kind  Kind // "" where the body is to be read
	body  []byte
}

// blocks returns the PEM blocks of a text. Other text may stand
// around them (RFC 7468 section 5.2), on the same line too, as in an environment file, and in
// them what mail, web forms and editors put there. A damaged block is an error, as are more
// blocks than any file of certificates has. A private key is one even where its block is
// damaged.
func blocks(text []byte) (found []pemBlock, err error) {
	found = make([]pemBlock, 0, 4) // a user's chain, most of the time
	begins, rest := 0, text
	for ; ; begins++ {
		at := bytes.Index(rest, pemBegin)
		if at < 0 {
			break
		}
		before := rest[:at]
		rest = rest[at+len(pemBegin):]
		label, whole := labelOf(rest)
		kind := kindOfBlock(strings.ToUpper(label))
		if kind == KindPrivateKey {
			return nil, &KindError{kind, safetext.Clean(label)}
		}
		if begins == maxCertificates {
			return nil, errTooMany()
		}
		if err != nil { // only a private key is still looked for
			continue
		}
		after := rest
		if whole {
			after = rest[len(label)+len(pemDashes):]
		}
		if isProse(before, after) {
			continue
		}
		switch body, behind, ended := bodyOf(label, after); {
		case whole && ended:
			found, rest = append(found, pemBlock{label, kind, withoutMargins(before, body)}), behind
		case whole && label == "PGP SIGNED MESSAGE": // it ends with the signature, a block of its own
			found = append(found, pemBlock{label: label, kind: kind})
		default:
			err = damagedBlock(len(found))
		}
	}
	if err != nil {
		return nil, err
	}
	if len(found) > 0 && isDER(bytes.TrimLeft(rest, "\r\n")) {
		return nil, fmt.Errorf("%w: DER follows what is in PEM; give each in a file of its own", ErrUnreadable)
	}
	return found, nil
}

// damagedBlock is the error about one of a file's blocks, counted from 0.
func damagedBlock(i int) error {
	return fmt.Errorf("%w: PEM block %d is damaged or cut off", ErrUnreadable, i+1)
}

// labelOf returns the label that a text begins with, and whether dashes follow it.
func labelOf(text []byte) (label string, whole bool) {
	line, _, _ := bytes.Cut(text[:min(len(text), maxLabel+len(pemDashes))], []byte("\n"))
	found, _, whole := bytes.Cut(line, pemDashes)
	return string(found), whole
}

// bodyOf returns what stands before the last line of the block whose first line was read,
// and what follows that line; ended is false where there is no such line.
func bodyOf(label string, text []byte) (body, rest []byte, ended bool) {
	end := bytes.Index(text, pemDashes)
	if end < 0 {
		return nil, nil, false
	}
	last, found := bytes.CutPrefix(text[end:], pemEnd)
	if !found {
		return nil, nil, false
	}
	if last, found = bytes.CutPrefix(last, []byte(label)); !found || !bytes.HasPrefix(last, pemDashes) {
		return nil, nil, false
	}
	return bytes.TrimSuffix(text[:end], []byte("\n- ")), last[len(pemDashes):], true // OpenPGP escapes dashes (RFC 9580 section 7.2)
}

// lineOf returns what stands on the last line of a text.
func lineOf(text []byte) []byte { return text[bytes.LastIndexByte(text, '\n')+1:] }

// isProse tells a line that only speaks of a block from the first line of one.
func isProse(before, after []byte) bool {
	speaks := bytes.ContainsFunc(lineOf(before), func(r rune) bool { return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' })
	if !speaks {
		return false
	}
	next := escapes.Replace(string(after[:min(len(after), maxLabel)]))
	return !strings.HasPrefix(strings.TrimLeft(next, " \r\n\t"), "MI")
}

// withoutMargins returns the body of a block without what stands before and behind each of its
// lines, where the same stands there on the block's first line: the signs of a comment, of a
// quotation, or of a list in a program.
func withoutMargins(before, body []byte) []byte {
	first, lines, several := bytes.Cut(body, []byte("\n"))
	left, right := bytes.TrimSpace(lineOf(before)), bytes.TrimSpace(first)
	if !several || len(left)+len(right) == 0 {
		return body
	}
	everywhere := func(holds func(line, margin []byte) bool, margin []byte) []byte {
		for line := range bytes.Lines(lines) {
			if line = bytes.TrimSpace(line); len(line) > 0 && !bytes.Equal(line, left) && !holds(line, margin) {
				return nil
			}
		}
		return margin
	}
	left, right = everywhere(bytes.HasPrefix, left), everywhere(bytes.HasSuffix, right)
	out := make([]byte, 0, len(lines))
	for line := range bytes.Lines(lines) {
		out = append(append(out, bytes.TrimSuffix(bytes.TrimPrefix(bytes.TrimSpace(line), left), right)...), '\n')
	}
	return out
}

// escapes are characters of base64, and blanks for line breaks, as JSON, PowerShell, XML and HTML
// write them.
var escapes = strings.NewReplacer(
	`\n`, " ", `\r`, " ", `\t`, " ", `\u000a`, " ", `\u000A`, " ", `\u000d`, " ", `\u000D`, " ", "`n", " ", "`r", " ",
	"&#10;", " ", "&#13;", " ", "&#xa;", " ", "&#xA;", " ", "&#xd;", " ", "&#xD;", " ", "<br>", " ", "<br/>", " ", "<br />", " ", "<BR>", " ",
	`\/`, "/", `\u002b`, "+", `\u002B`, "+", `\u002f`, "/", `\u002F`, "/", `\u003d`, "=", `\u003D`, "=",
)

// unescaped returns base64 whose characters are written as JSON, web pages or quoted-printable
// (RFC 2045 section 6.7) write some of them, with blanks for line breaks.
func unescaped(body []byte) []byte {
	if quotedPrintable := []byte("=3D"); bytes.Contains(body, quotedPrintable) {
		for _, end := range []string{"=\r\n", "=\n"} {
			body = bytes.ReplaceAll(body, []byte(end), nil)
		}
		body = bytes.ReplaceAll(body, quotedPrintable, []byte("="))
	}
	return []byte(escapes.Replace(string(body)))
}

// withoutHeaders returns what follows the headers of a block (RFC 1421 section 4.6).
func withoutHeaders(body []byte) []byte {
	for bytes.IndexByte(body, ':') >= 0 {
		line, after, _ := bytes.Cut(body, []byte("\n"))
		if len(bytes.TrimSpace(line)) > 0 && bytes.IndexByte(line, ':') < 0 {
			break
		}
		body = after
	}
	return body
}

// decode returns what the body of the i-th block stands for: after headers, base64. Blanks,
// signs of quotation, escaped line breaks, and whatever is not ASCII may stand in it. What is
// encrypted is a [*KindError].
func (b pemBlock) decode(i int) ([]byte, error) {
	der := make([]byte, base64.RawStdEncoding.DecodedLen(len(b.body))) // the padding may be left out
	if n, err := base64.StdEncoding.Decode(der, b.body); err == nil && n > 0 {
		return der[:n], nil
	}
	if bytes.Contains(b.body, []byte("Proc-Type: 4,ENCRYPTED")) { // RFC 1421 section 4.6.1.1
		return nil, &KindError{kindEncrypted, safetext.Clean(b.label)}
	}
	body := unescaped(withoutHeaders(b.body))
	packed, padding := make([]byte, 0, len(body)), 0
	for len(body) > 0 {
		switch c := body[0]; {
		case 'A' <= c && c <= 'Z', 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '+', c == '/':
			packed = append(packed, c)
			if padding > 0 {
				return nil, damagedBlock(i)
			}
		case c == '=':
			padding++
		case c > ' ' && c < 0x80 && !strings.ContainsRune(">|#\"'", rune(c)):
			return nil, damagedBlock(i)
		}
		body = body[1:]
	}
	n, err := base64.RawStdEncoding.Decode(der, packed)
	if err != nil || n == 0 || padding > (4-len(packed)%4)%4 {
		return nil, damagedBlock(i)
	}
	return der[:n], nil
}

// block reads what is in the i-th block, whatever certificate or PKCS#7 its label says it is.
// One that has nothing but an authority's certificate is remembered as it stands in the
// text, which spares decoding it in the next file.
func (r *reader) block(i int, block pemBlock) error {
	label := strings.ToUpper(block.label)
	switch {
	case block.kind != "":
		r.passedOver = block.kind
		return nil
	case !holdsCertificates(label):
		return fmt.Errorf("%w: unexpected PEM block %q", ErrUnreadable, safetext.Clean(block.label))
	}
	if cert := r.known.get(block.body); cert != nil {
		return r.add(cert)
	}
	der, err := block.decode(i)
	if err != nil {
		return err
	}
	before := len(r.list)
	if err := r.content(label, der); err != nil {
		return err
	}
	if len(r.list) == before+1 {
		r.known.keep(block.body, r.list[before])
	}
	return nil
}

// holdsCertificates tells whether a block of that label is one with certificates.
func holdsCertificates(label string) bool {
	return strings.Contains(label, "CERTIFICATE") || strings.HasPrefix(label, "PKCS") || label == "CMS" || label == "SIGNED DATA"
}

// content reads what a block was decoded to.
func (r *reader) content(label string, der []byte) error {
	if label == "TRUSTED CERTIFICATE" { // OpenSSL puts what it trusts the certificate for behind it
		input := cryptobyte.String(der)
		var raw cryptobyte.String
		if !input.ReadASN1Element(&raw, cryptobyte_asn1.SEQUENCE) {
			return fmt.Errorf("%w: a trusted certificate is damaged", ErrUnreadable)
		}
		return r.certificate(raw)
	}
	return r.der(der)
}
