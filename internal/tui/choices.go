package tui

import (
	"fmt"
	"slices"
	"strings"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"github.com/cse-piv/cse-piv/internal/enroll"
)

// choices asks several questions on one line each: up and down between the
// questions, left and right between the answers. All answers are always in
// sight and valid; huh, whose inline answers stand on a line of their own, would
// leave no room for the plan in a window of 24 lines.
type choices struct {
	rows   []choiceRow
	cursor int
}

// choiceRow is one question.
type choiceRow struct {
	title   string
	options []enroll.Choice // their IDs are words of the command line
	chosen  int
	hidden  bool // the question does not arise
}

// add adds a question with the answer that is preselected; where that is not
// among the options, the first is.
func (c *choices) add(title, value string, options []enroll.Choice) {
	chosen := slices.IndexFunc(options, func(o enroll.Choice) bool { return o.ID == value })
	c.rows = append(c.rows, choiceRow{title: title, options: options, chosen: max(0, chosen)})
}

// offer changes the options of a question; the answer stays, if it is among them.
func (c *choices) offer(title string, options []enroll.Choice) {
	for i := range c.rows {
		if c.rows[i].title == title {
			value := c.value(title)
			c.rows[i].options = options
			c.rows[i].chosen = max(0, slices.IndexFunc(options, func(o enroll.Choice) bool { return o.ID == value }))
		}
	}
}

// choose answers a question with one of its options.
func (c *choices) choose(title, value string) {
	for i, row := range c.rows {
		if at := slices.IndexFunc(row.options, func(o enroll.Choice) bool { return o.ID == value }); row.title == title && at >= 0 {
			c.rows[i].chosen = at
		}
	}
}

// value returns the answer to the question with that title.
func (c *choices) value(title string) string {
	for _, row := range c.rows {
		if row.title == title {
			return row.options[row.chosen].ID
		}
	}
	return ""
}

// hide says whether a question does not arise.
func (c *choices) hide(title string, hidden bool) {
	for i := range c.rows {
		if c.rows[i].title == title {
			c.rows[i].hidden = hidden
		}
	}
}

// press moves or changes, and reports whether an answer is another one now.
func (c *choices) press(keys keyMap, msg tea.KeyPressMsg) bool {
	switch {
	case key.Matches(msg, keys.Up):
		c.move(-1)
	case key.Matches(msg, keys.Down):
		c.move(1)
	case key.Matches(msg, keys.Change):
		row := &c.rows[c.cursor]
		step := 1
		if msg.Code == tea.KeyLeft {
			step = len(row.options) - 1
		}
		row.chosen = (row.chosen + step) % len(row.options)
		return len(row.options) > 1
	}
	return false
}

// move goes to the next question in that direction that arises.
func (c *choices) move(step int) {
	for i := c.cursor + step; i >= 0 && i < len(c.rows); i += step {
		if !c.rows[i].hidden {
			c.cursor = i
			return
		}
	}
}

func (c *choices) view(s styles) []string {
	var lines []string
	for i, row := range c.rows {
		if row.hidden {
			continue
		}
		text := row.options[row.chosen].Text
		if i != c.cursor {
			lines = append(lines, s.Label.Render(fmt.Sprintf("  %-16s", row.title))+"   "+text)
			continue
		}
		lines = append(lines, s.Selected.Render(fmt.Sprintf("%s %-16s", markNow, row.title)+" ← "+text+" →")+
			s.Faint.Render(fmt.Sprintf("%s%d of %d", strings.Repeat(" ", 3), row.chosen+1, len(row.options))))
	}
	return lines
}
