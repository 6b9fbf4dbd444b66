package desk

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cse-piv/cse-piv/internal/describe"
	"github.com/cse-piv/cse-piv/internal/enroll"
)

// mostLeftOut is how many lines of a roster a summary names at most.
const mostLeftOut = 20

// Summary says, a value each, who was enrolled at the desk and still is, who waits and for what, who
// failed and why, who was parked, and which lines of the roster were left out. Of whom
// nothing happened at this desk, and who is done or to do, it says nothing; see Tally.
func (c *Conversation) Summary(leftOut []*RosterError) []describe.Value {
	var values []describe.Value
	here := map[string]bool{}
	for _, receipt := range slices.Backward(c.Receipts) { // the latest counts
		entry, _ := c.Entry(receipt.Email)
		if email := strings.ToLower(receipt.Email); !here[email] && entry.Stage == enroll.StageDone && entry.Ended == nil {
			here[email] = true
			values = append(values, describe.Enrolled(receipt))
		}
	}
	slices.Reverse(values)
	for _, task := range c.Tasks {
		values = append(values, describe.Value{Label: task.Email, Text: "done: " + task.Title(), Tone: describe.OK})
	}
	for _, entry := range c.Entries {
		email := strings.ToLower(entry.Email)
		failure := c.Failures.Of(email)
		if failure == nil {
			failure = entry.Problem
		}
		value := describe.Unfinished(entry.Email, entry.Progress, failure, entry.Waits)
		switch {
		case here[email], entry.Stage == enroll.StageDone:
		case entry.Stage != enroll.StageNone || failure != nil:
			values = append(values, value)
		case c.Parked[email]:
			value.Text, value.Tone = "parked", describe.Warning
			values = append(values, value)
		}
	}
	for _, left := range leftOut[:min(len(leftOut), mostLeftOut)] {
		values = append(values, describe.Value{Label: "roster", Text: "left out: " + left.Error(), Tone: describe.Warning})
	}
	if more := len(leftOut) - mostLeftOut; more > 0 {
		values = append(values, describe.Value{Label: "roster", Text: fmt.Sprintf("left out: %d more", more), Tone: describe.Warning})
	}
	return values
}
