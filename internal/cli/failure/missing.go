package failure

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
)

// MissingError lists all that a command line lacks and nobody can be asked for.
type MissingError struct{ All []error }

// Error names all that is missing.
func (e *MissingError) Error() string {
	texts := make([]string, len(e.All))
	for i, err := range e.All {
		texts[i] = err.Error()
	}
	return strings.Join(texts, "; ")
}

// Unwrap returns an error for each thing that is missing.
func (e *MissingError) Unwrap() []error { return e.All }

// ErrNoAddress is returned where a command is for one user, and none was named.
var ErrNoAddress = errors.New("the user's address is missing")

// ErrLogOnScreen is returned where the log would be written into the wizard's screen.
var ErrLogOnScreen = errors.New("--log stderr would write into the wizard's screen")

// ErrNobody is matched by the error of a question that nobody was there to answer.
var ErrNobody = errors.New("there is no terminal to ask at")

// MissingSecretError is a secret that no flag gave, where nobody can be asked.
type MissingSecretError struct{ What, Flag string }

// Error says what is missing.
func (e *MissingSecretError) Error() string { return e.What + " is needed, and " + ErrNobody.Error() }

// Unwrap returns [ErrNobody].
func (e *MissingSecretError) Unwrap() error { return ErrNobody }

// ConfirmError is a change that nobody agreed to.
type ConfirmError struct {
	Want   string
	Losses []string
	Flag   string // that agrees, where it is not --confirm
	Users  int    // who lose something, where Want is how many they are; else 0
	Given  string // what the flag said instead, if anything
}

// most of the losses stand in the error; one more does rather than being counted.
const most = 3

// Cut reports whether there are more losses than the error says.
func (e *ConfirmError) Cut() bool { return len(e.Losses) > most+1 }

// Error says what would stop working.
func (e *ConfirmError) Error() string {
	text := "this has to be agreed to:"
	if e.Given != "" {
		text = fmt.Sprintf("--%s %s does not agree to this:", cmp.Or(e.Flag, "confirm"), e.Given)
	}
	for i, loss := range e.Losses {
		if i == most && e.Cut() {
			return fmt.Sprintf("%s and %d more", text, len(e.Losses)-most)
		}
		if i > 0 {
			text += ";"
		}
		text += " " + loss
	}
	return text
}

// NoEscrowError is returned where the folder that is named as the escrow does not exist.
type NoEscrowError struct{ Folder string }

// Error names the folder.
func (e *NoEscrowError) Error() string { return "there is no escrow in " + e.Folder }

// NoRecordError is returned where the escrow has no record that was asked for.
type NoRecordError struct {
	Folder string
	Serial uint32 // of the card; 0 for any
	Record string // its name; empty for one that is in force
}

// Error names the record, as far as one was asked for, and the folder.
func (e *NoRecordError) Error() string {
	if e.Record != "" && e.Serial != 0 {
		return fmt.Sprintf("there is no record %s of card %d in %s", e.Record, e.Serial, e.Folder)
	}
	if e.Record != "" {
		return fmt.Sprintf("there is no record %s in %s", e.Record, e.Folder)
	}
	return fmt.Sprintf("no record of card %d in %s is in force", e.Serial, e.Folder)
}

// PerhapsChangedError is returned where the card went away while its PIN or PUK was changed.
type PerhapsChangedError struct {
	What string // PIN or PUK
	Err  error
}

// Error says that it is not known which one the card has.
func (e *PerhapsChangedError) Error() string {
	return fmt.Sprintf("%v: whether it has the new %s is not known", e.Err, e.What)
}

// Unwrap returns what happened to the card.
func (e *PerhapsChangedError) Unwrap() error { return e.Err }

// ErrNoReaders is returned where the lab would have to put a card before the program.
var ErrNoReaders = errors.New("no virtual card can be put in on this system: its smart card service takes readers from nobody")

// SigningCardError is returned for a card that is not the user's: it signs for the
// service account.
type SigningCardError struct{ Serial uint32 }

// Error says which card it is.
func (e *SigningCardError) Error() string {
	return fmt.Sprintf("card %d signs for the service account, and is not the user's", e.Serial)
}
