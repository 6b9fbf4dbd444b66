package statuscmd

import (
	"fmt"
	"io"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"github.com/cse-piv/cse-piv/internal/cli/stdio"
	"github.com/cse-piv/cse-piv/internal/format"
	"github.com/cse-piv/cse-piv/internal/safetext"
)

// wideColumns is how wide a terminal has to be for everything to be shown of a user.
const wideColumns = 160

// printTable writes a user a row. columns is the terminal's width; 0 is as wide as it takes.
func printTable(out io.Writer, users []userStatus, columns int) error {
	if columns > 0 && columns < wideColumns {
		return printNarrow(out, users, columns)
	}
	rows := stdio.NewTable(out, "EMAIL", "KEY PAIRS", "GMAIL", "ENDS", "CARD", "IN THE READER", "ITS CERTIFICATE", "NEXT")
	for _, user := range users {
		rows.Row(user.Email, user.pairs(), user.gmailWord(), user.ends(), user.card(", slot "), user.inserted(), user.leaf(), user.Next)
	}
	return rows.Flush()
}

// printNarrow writes what there is room for: 80 columns are enough for all but the address
// and the command's arguments.
func printNarrow(out io.Writer, users []userStatus, columns int) error {
	widths := []int{25, 11, 10, 12}
	const between = 2
	last := max(columns-25-11-10-12-4*between, 8)
	line := func(cells ...string) {
		var text strings.Builder
		for i, width := range widths {
			text.WriteString(padded(cells[i], width) + strings.Repeat(" ", between))
		}
		text.WriteString(ansi.Truncate(safetext.Clean(cells[len(widths)]), last, "…"))
		fmt.Fprintln(out, strings.TrimRight(text.String(), " "))
	}
	line("EMAIL", "GMAIL", "ENDS", "CARD", "NEXT")
	marked := false
	for _, user := range users {
		card := user.card("/")
		if mark := user.mark(); mark != "" {
			card, marked = fmt.Sprintf("%d%s", user.InsertedCard.Serial, mark), true
		}
		line(user.Email, user.gmailWord(), user.ends(), card, user.nextVerb())
	}
	if marked {
		fmt.Fprintln(out, "* in the reader, and Gmail uses its certificate; ! and Gmail does not")
	}
	return nil
}

// pairs are the ids of the key pairs that the identity uses.
func (u userStatus) pairs() string {
	var ids []string
	for _, pair := range u.facts.Used() {
		ids = append(ids, pair.ID)
	}
	return strings.Join(ids, " ")
}

// gmailWord says how the user stands at Gmail.
func (u userStatus) gmailWord() string {
	switch {
	case u.Problem != "":
		return "no answer"
	case u.Identity == nil && len(u.KeyPairs) == 0:
		return "nothing"
	case u.Identity == nil:
		return "no identity"
	}
	for _, pair := range u.facts.Used() {
		if !pair.Enabled {
			return "disabled"
		}
	}
	switch {
	case u.facts.Renews():
		return "renewing"
	case u.facts.Replaces():
		return "replacing"
	}
	return "enabled"
}

func (u userStatus) ends() string {
	if end := u.facts.End(); !end.IsZero() {
		return format.Day(end)
	}
	return ""
}

// card is where the ledger has the user's certificates in use: the card and the slots.
func (u userStatus) card(between string) string {
	var cards []string
	for _, card := range u.facts.Current() {
		text := fmt.Sprint(card.Serial)
		if card.Slot != "" {
			text += between + card.Slot
		}
		if n := len(cards); n > 0 && strings.HasPrefix(cards[n-1], fmt.Sprint(card.Serial)+between) {
			cards[n-1] += "+" + card.Slot
			continue
		}
		cards = append(cards, text)
	}
	return strings.Join(cards, " ")
}

// inserted is the user's card that is in the reader, with the slots that hold something.
func (u userStatus) inserted() string {
	if u.InsertedCard == nil {
		return ""
	}
	var slots []string
	for _, key := range u.InsertedCard.Keys {
		slots = append(slots, key.Slot.String())
	}
	text := fmt.Sprintf("%d, %s", u.InsertedCard.Serial, u.InsertedCard.State)
	if len(slots) > 0 {
		text += ", " + strings.Join(slots, "+")
	}
	return text
}

// leaf says whether Gmail uses a certificate of the card in the reader.
func (u userStatus) leaf() string {
	switch u.mark() {
	case "*":
		return "used"
	case "!":
		return "not used"
	}
	return ""
}

// mark tells in one character whether Gmail uses a certificate of the card in the reader;
// empty where there is none, or Gmail did not answer.
func (u userStatus) mark() string {
	switch {
	case u.facts.Inserted == nil || u.facts.Gmail == nil:
		return ""
	case u.facts.Inserted.Uses(u.Identity):
		return "*"
	}
	return "!"
}

// nextVerb is the command to type next without its arguments, such as "keypair enable".
func (u userStatus) nextVerb() string {
	line := strings.TrimPrefix(u.Next, "cse-piv ")
	verb, _, _ := strings.Cut(line, " "+u.Email)
	return verb
}

// padded returns a text cut, or filled with blanks, to a width.
func padded(text string, width int) string {
	text = ansi.Truncate(safetext.Clean(text), width, "…")
	return text + strings.Repeat(" ", max(width-ansi.StringWidth(text), 0))
}
