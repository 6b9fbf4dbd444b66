package terminationcmd

import (
	"fmt"
	"io"

	"github.com/cse-piv/cse-piv/internal/cli/failure"
	"github.com/cse-piv/cse-piv/internal/cli/hint"
	"github.com/cse-piv/cse-piv/internal/cli/stdio"
	"github.com/cse-piv/cse-piv/internal/ledger"
	"github.com/cse-piv/cse-piv/internal/safetext"
	"github.com/cse-piv/cse-piv/internal/termination"
)

// JSON is the output of the commands that end the use of cards; the names are a contract.
type JSON struct {
	Command string         `json:"command"` // such as "lost"
	DryRun  bool           `json:"dry_run"`
	Users   []*Result      `json:"users"`
	Confirm string         `json:"confirm,omitempty"` // in a dry run: what --confirm takes to agree to it
	Error   *stdio.Failure `json:"error,omitempty"`   // with which the command ends
}

// Result is what came of it for one user; the JSON names are a contract.
type Result struct {
	Email  string             `json:"email"`
	Reason termination.Reason `json:"reason"`
	// Outcome is done, unchanged (it was so already), refused or failed; in a dry run
	// would-change where it would be done.
	Outcome string `json:"outcome"`
	// Changes are those at Gmail, in their order.
	Changes []Change `json:"changes"`
	// Effects say what stops working, and what mail can still be read by whom.
	Effects []string `json:"effects"`
	// Revoked are certificates that the local CA revokes, and AskToRevoke those of which
	// another CA has to be asked.
	Revoked     []Certificate `json:"revoked"`
	AskToRevoke []Certificate `json:"ask_to_revoke"`
	Message     string        `json:"message,omitempty"`
	Hint        string        `json:"hint,omitempty"`

	plan    termination.Plan
	deps    termination.Dependencies
	streams *stdio.Streams
	err     error
}

// Change is a change at Gmail in the JSON.
type Change struct {
	Verb      string `json:"verb"` // set or delete, of the identity, or disable
	KeyPairID string `json:"key_pair_id,omitempty"`
	Done      bool   `json:"done"` // it was so already
}

// Certificate is a certificate of a card in the JSON.
type Certificate struct {
	Serial string `json:"serial"` // in hexadecimal
	Issuer string `json:"issuer"`
	Reason string `json:"reason"` // by RFC 5280 section 5.3.1
}

func (r *Result) fail(outcome ledger.Outcome, err error) {
	r.Outcome, r.err = string(outcome), err
	r.Message, r.Hint = safetext.Clean(err.Error()), safetext.Clean(r.streams.Hint(err))
}

// Moved returns a *[termination.NotMovedError] where a card that was replaced is in use still.
func Moved(results []*Result) error {
	for _, result := range results {
		if result.plan.InUse {
			return &termination.NotMovedError{Email: result.Email, Serial: result.plan.Serial}
		}
	}
	return nil
}

// OldMail says how old mail is read with a card that took the place of others.
func OldMail(results []*Result) (texts []string) {
	for _, result := range results {
		if text := hint.ForOldMail(result.plan); text != "" && result.err == nil {
			texts = append(texts, text)
		}
	}
	return texts
}

// Print writes the results for people.
func Print(out io.Writer, results []*Result) error {
	for _, result := range results {
		text := result.Outcome
		if result.Message != "" {
			text += ": " + result.Message
		}
		fmt.Fprintf(out, "%s  %s\n", safetext.Clean(result.Email), safetext.Clean(text))
		for _, effect := range result.Effects {
			if _, err := fmt.Fprintf(out, "  %s\n", safetext.Clean(effect)); err != nil {
				return err
			}
		}
	}
	return nil
}

// EndOf is the one failure of a single user, or that some failed.
func EndOf(results []*Result) error {
	failures := make([]error, len(results))
	for i, result := range results {
		failures[i] = result.err
	}
	return failure.Several(failures, "user")
}
