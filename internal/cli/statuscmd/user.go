package statuscmd

import (
	"fmt"
	"io"
	"strings"

	"github.com/cse-piv/cse-piv/internal/cli/stdio"
	"github.com/cse-piv/cse-piv/internal/describe"
	"github.com/cse-piv/cse-piv/internal/format"
	"github.com/cse-piv/cse-piv/internal/gmail"
	"github.com/cse-piv/cse-piv/internal/ledger"
	"github.com/cse-piv/cse-piv/internal/safetext"
	"github.com/cse-piv/cse-piv/internal/status"
)

// StatusJSON is the output of status --json; the names are a contract.
type StatusJSON struct {
	Users []userStatus   `json:"users"`
	Error *stdio.Failure `json:"error,omitempty"` // the first problem, with which the command ends
}

// userStatus is one user in the JSON of status.
type userStatus struct {
	Email string `json:"email"`
	// KeyPairs and Identity are what Gmail has; Problem says why it is not known.
	KeyPairs []pairStatus    `json:"key_pairs"`
	Identity *gmail.Identity `json:"identity"`
	Problem  string          `json:"problem,omitempty"`
	// Ledger is null for a user that the ledger does not know.
	Ledger *ledger.Entry `json:"ledger"`
	// Actions are what people changed by hand at Gmail, the oldest first.
	Actions []ledger.Action `json:"actions"`
	// Cards are the certificates on cards that the ledger has of the user, the oldest
	// first.
	Cards []ledger.CardCertificate `json:"cards"`
	// InsertedCard is the user's card that is in a reader; null for none.
	InsertedCard *insertedCard `json:"inserted_card"`
	// Findings are what is not as it should be, the most urgent first.
	Findings []found `json:"findings"`
	// Next is what to type next; absent where nothing is to be done.
	Next string `json:"next,omitempty"`

	facts     status.User
	err       error // Gmail's
	ledgerErr error
	begunErr  error // of the evidence
}

// insertedCard is a card in a reader in the JSON of status.
type insertedCard struct {
	Serial uint32       `json:"serial"`
	State  status.State `json:"state"`
	Keys   []status.Key `json:"keys"`
}

// found is a finding in the JSON of status and reconcile.
type found struct {
	status.Finding
	CommandLine string `json:"command_line"` // what to type for the command
}

// printUser writes all that is known of one user.
func printUser(out io.Writer, user userStatus) error {
	rows := stdio.NewTable(out, user.Email)
	switch {
	case user.Problem != "":
		rows.Row("  Gmail", user.Problem)
	case len(user.KeyPairs) == 0:
		rows.Row("  key pairs", "none")
	}
	for _, pair := range user.KeyPairs {
		rows.Row("  key pair", pair.text(user.Identity)+user.movedTo(pair))
		rows.Row("", "certificate SHA-256 "+pair.LeafSHA256)
	}
	if user.Problem == "" {
		rows.Row("  identity", describe.Identity(user.Identity))
	}
	rows.Row("  ledger", describeEntry(user.Ledger))
	if user.Ledger != nil && user.Ledger.Hint != "" {
		rows.Row("", "hint: "+user.Ledger.Hint)
	}
	for _, card := range user.Cards {
		rows.Row("  card", describeCard(card))
	}
	if card := user.InsertedCard; card != nil {
		rows.Row("  in the reader", fmt.Sprintf("card %d, %s", card.Serial, card.State))
	}
	for _, action := range user.Actions {
		rows.Row("  by hand", describeAction(action))
	}
	for _, finding := range user.Findings {
		rows.Row("  finding", finding.Text)
		rows.Row("", "hint: "+finding.CommandLine)
	}
	return rows.Flush()
}

// movedTo says where the key of a key pair is now, where that is another slot than Gmail's
// description names, which nobody can change: the ledger knows, or the card in the reader.
func (u userStatus) movedTo(pair pairStatus) string {
	described := strings.Join(pair.HardwareDescriptions, " ")
	told := func(serial uint32, slot string) string {
		if !strings.Contains(described, "slot ") || slot == "" || strings.Contains(described, "slot "+slot) {
			return ""
		}
		return fmt.Sprintf("; the key is in slot %s of card %d now", slot, serial)
	}
	if card := u.InsertedCard; card != nil {
		for _, key := range card.Keys {
			if key.LeafSHA256 == pair.LeafSHA256 {
				return told(card.Serial, key.Slot.String())
			}
		}
	}
	for _, card := range u.Cards {
		if card.LeafSHA256 == pair.LeafSHA256 && (card.State == ledger.CardInUse || card.State == ledger.CardSuperseded) {
			return told(card.Serial, card.Slot)
		}
	}
	return ""
}

// describeCard is a certificate on a card, in a line.
func describeCard(card ledger.CardCertificate) string {
	text := fmt.Sprintf("%d", card.Serial)
	if card.Slot != "" {
		text += ", slot " + card.Slot
	}
	text += fmt.Sprintf(", %s since %s, certificate %.16s until %s", card.State, format.Day(card.Changed), card.LeafSHA256, format.Day(card.NotAfter))
	if card.Reason != "" {
		text += ": " + card.Reason
	}
	return text
}

// describeAction is what somebody did at Gmail, in a line.
func describeAction(action ledger.Action) string {
	outcome := string(action.Outcome)
	if outcome == "" {
		outcome = "begun, and not known how it ended"
	}
	what := strings.TrimSpace(action.Verb + " " + action.Object)
	text := fmt.Sprintf("%s UTC %s: %s, by %s", action.Started.UTC().Format(stdio.Clock), what, outcome, action.Operator)
	if action.Message != "" {
		text += " (" + action.Message + ")"
	}
	if action.Reason != "" {
		text += ": " + action.Reason
	}
	return text
}

func describeEntry(entry *ledger.Entry) string {
	if entry == nil {
		return "no entry"
	}
	text := fmt.Sprintf("%s since %s UTC", entry.State, entry.Updated.UTC().Format(stdio.Clock))
	if entry.State == ledger.StateDone && entry.Step == ledger.StepEnrolled {
		text += ", enrolled by " + safetext.Clean(entry.Worker)
	}
	if entry.State == ledger.StateWaiting && entry.Earlier {
		text += ", registered by an earlier run"
	}
	if entry.Run != 0 {
		text += fmt.Sprintf(", run %d", entry.Run)
	}
	text += ", " + safetext.Clean(entry.Where)
	if entry.State != ledger.StateDone && entry.Message != "" {
		text += ": " + entry.Message
	}
	return text
}
