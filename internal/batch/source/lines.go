package source

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
)

// maxRow bounds one row of a manifest, in octets.
const maxRow = 1 << 20

// line is one physical line without its end.
type line struct {
	text    []byte
	number  int  // from 1
	tooLong bool // text is only the beginning
	cut     bool // the input ends without a line break
}

// lines reads an endless file line by line in bounded memory.
type lines struct {
	ctx    context.Context
	reader *bufio.Reader
	number int
	back   []line // lines that were put back, first one first
}

// next returns the next line, or io.EOF, or the context's error.
func (l *lines) next() (line, error) {
	if err := l.ctx.Err(); err != nil {
		return line{}, err
	}
	if len(l.back) > 0 {
		first := l.back[0]
		l.back = l.back[1:]
		return first, nil
	}
	current := line{number: l.number + 1}
	for {
		piece, err := l.reader.ReadSlice('\n')
		if room := maxRow - len(current.text); len(piece) > room {
			current.text, current.tooLong = append(current.text, piece[:room]...), true
		} else {
			current.text = append(current.text, piece...)
		}
		switch {
		case err == nil:
		case errors.Is(err, bufio.ErrBufferFull):
			if err := l.ctx.Err(); err != nil { // one line may be as long as the file
				return line{}, err
			}
			continue
		case errors.Is(err, io.EOF) && len(current.text) > 0:
			current.cut = true
		default:
			return line{}, err
		}
		l.number++
		current.text = bytes.TrimSuffix(bytes.TrimSuffix(current.text, []byte("\n")), []byte("\r"))
		return current, nil
	}
}

// putBack makes lines be read again, before whatever follows them.
func (l *lines) putBack(again []line) { l.back = append(again, l.back...) }
