package secret

import "unicode/utf8"

// Key is an editing key of a Field.
type Key int

// The editing keys. Nobody sees where the cursor is, so that Clear, as Ctrl+U and
// Ctrl+W mean it, leaves nothing on either side of it.
const (
	Backspace Key = iota
	Delete
	Left
	Right
	Home
	End
	Clear
	ClearToEnd
)

// Field is a secret that is being typed. The zero Field is empty.
type Field struct {
	text   Secret
	cursor int // in bytes
}

// Text returns what is typed so far.
func (f *Field) Text() Secret { return f.text }

// Insert types text at the cursor, and reports whether it fits into max bytes: where
// it does not, nothing changes.
func (f *Field) Insert(text []byte, max int) bool {
	if f.text.Len()+len(text) > max {
		return false
	}
	f.replace(0, 0, text)
	return true
}

// Press does what an editing key does.
func (f *Field) Press(key Key) {
	before, after := f.beside()
	switch key {
	case Backspace:
		f.replace(before, 0, nil)
	case Delete:
		f.replace(0, after, nil)
	case Left:
		f.cursor -= before
	case Right:
		f.cursor += after
	case Home:
		f.cursor = 0
	case End:
		f.cursor = f.text.Len()
	case Clear:
		*f = Field{}
	case ClearToEnd:
		f.replace(0, f.text.Len()-f.cursor, nil)
	}
}

// beside returns the lengths of the characters before and after the cursor.
func (f *Field) beside() (before, after int) {
	text := f.text.Reveal()
	defer clear(text)
	_, before = utf8.DecodeLastRune(text[:f.cursor])
	_, after = utf8.DecodeRune(text[f.cursor:])
	return before, after
}

// replace puts text in place of so many bytes before and after the cursor.
func (f *Field) replace(before, after int, text []byte) {
	old := f.text.Reveal()
	changed := make([]byte, 0, len(old)+len(text))
	defer clear(old)
	defer clear(changed[:cap(changed)])
	changed = append(changed, old[:f.cursor-before]...)
	changed = append(changed, text...)
	changed = append(changed, old[f.cursor+after:]...)
	f.text, f.cursor = New(changed), f.cursor-before+len(text)
}
