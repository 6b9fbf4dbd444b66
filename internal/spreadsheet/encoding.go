package spreadsheet

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"slices"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

const expectCSV = "save it as CSV UTF-8"

// decode returns the text without its byte order mark, in UTF-8 where the mark says
// that it is UTF-16.
func decode(in *bufio.Reader) (*bufio.Reader, error) {
	head, err := beginning(in)
	switch begins := func(magic string) bool { return bytes.HasPrefix(head, []byte(magic)) }; {
	case len(head) == 0 && !errors.Is(err, io.EOF):
		return nil, err
	case begins("\xef\xbb\xbf"):
		_, _ = in.Discard(3)
	case begins("\xff\xfe"), begins("\xfe\xff"):
		in = bufio.NewReaderSize(transform.NewReader(in, unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewDecoder()), bufferSize)
	case begins("PK\x03"), begins("\xd0\xcf\x11"):
		return nil, &Error{errors.New("it is a spreadsheet or archive"), "save the sheet as CSV UTF-8"}
	case isUTF16(head):
		return nil, &Error{errors.New("it is UTF-16 without a byte order mark, not UTF-8"), expectCSV}
	}
	head, err = beginning(in)
	first, _, _ := bytes.Cut(head, []byte("\n"))
	switch {
	case len(head) == 0 && !errors.Is(err, io.EOF):
		return nil, err
	case bytes.IndexByte(first, 0) >= 0:
		return nil, &Error{Err: errors.New("it is not text")}
	}
	return in, nil
}

// beginning returns up to 64 octets without waiting for more than three.
func beginning(r *bufio.Reader) ([]byte, error) {
	const mark, most = 3, 64 // the byte order mark is the longest that is needed
	_, err := r.Peek(mark)
	head, _ := r.Peek(min(r.Buffered(), most))
	return head, err
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

// Windows1252 reads a text that is not UTF-8 as Windows-1252, which has ISO 8859-1 in
// it, and reports whether it can be that: five octets have no meaning there.
func Windows1252(text string) (string, bool) {
	decoded, err := charmap.Windows1252.NewDecoder().String(text)
	possible := !slices.ContainsFunc([]byte(text), func(c byte) bool { return slices.Contains([]byte{0x81, 0x8d, 0x8f, 0x90, 0x9d}, c) })
	return decoded, possible && err == nil
}
