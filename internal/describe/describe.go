// Package describe puts into words what a person is shown of a card, a certificate,
// a user at Gmail and an enrollment. The words are the same on every screen and in
// every command; each lays them out in its own way. Texts from outside are not
// cleaned here: whoever shows a [Value] does that.
package describe

// Tone says how much a value asks for attention.
type Tone int

// The tones.
const (
	Neutral Tone = iota
	Faint        // nothing is there, or nothing is to be done
	OK
	Warning
	Bad
)

// Value is one thing to be said.
type Value struct {
	Label string // what it is about; may be empty
	Text  string
	Tone  Tone
	// Exact says that the text is a path or a name to be copied: it is broken only
	// where a line ends.
	Exact bool
	// Details say more, a line each.
	Details []string
}
