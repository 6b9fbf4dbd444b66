package tui

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"
)

// Nothing may be cut off at the window's edge, and nothing be lost.
func TestWrappedTextFitsAndIsWhole(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 5000 {
		var words []string
		for range 1 + random.IntN(30) {
			word := make([]byte, 1+random.IntN(24))
			for i := range word {
				word[i] = "abcdefgh-./:;@_"[random.IntN(15)]
			}
			words = append(words, string(word))
		}
		text, width, label := strings.Join(words, " "), 30+random.IntN(90), strings.Repeat("l", random.IntN(10))
		for how, lines := range map[string][]string{"wrapped": wrapped(label, text, width), "path": pathLines(label, text, width), "paragraph": paragraph(text, width)} {
			if problem := misfit(lines, label, text, width); problem != "" {
				t.Fatalf("%s, %d columns: %s:\n%s\n%s", how, width, problem, text, strings.Join(lines, "\n"))
			}
		}
	}
}

func misfit(lines []string, label, text string, width int) string {
	var whole strings.Builder
	for _, line := range lines {
		if got := ansi.StringWidth(line); got > width {
			return fmt.Sprintf("a line has %d columns", got)
		}
		whole.WriteString(line)
	}
	squeeze := func(text string) string { return strings.ReplaceAll(text, " ", "") }
	if got := squeeze(whole.String()); strings.TrimPrefix(got, label) != squeeze(text) && got != squeeze(text) {
		return "something is lost"
	}
	return ""
}

func TestAroundKeepsTheFocusInSight(t *testing.T) {
	lines := make([]string, 50)
	for i := range lines {
		lines[i] = fmt.Sprint(i)
	}
	for height := 3; height < 60; height++ {
		for focus := range lines {
			part := around(lines, focus, height)
			if len(part) != min(height, len(lines)) {
				t.Fatalf("%d lines of %d", len(part), height)
			}
			if joined := "\n" + strings.Join(part, "\n") + "\n"; !strings.Contains(joined, fmt.Sprintf("\n%d\n", focus)) {
				t.Fatalf("line %d is not in sight at %d lines:%s", focus, height, joined)
			}
		}
	}
}

// A path is broken after a separator, and whole when its lines are joined.
func TestPathsBreakAtSeparators(t *testing.T) {
	path := "/var/lib/desk/evidence/ada@example.com/12345678-20260314T092653Z"
	lines := exact(path, 44)
	if strings.Join(lines, "") != path || lines[0] != "/var/lib/desk/evidence/ada@example.com/" {
		t.Errorf("%q", lines)
	}
	if lines := exact(strings.Repeat("a", 25), 10); strings.Join(lines, "|") != "aaaaaaaaaa|aaaaaaaaaa|aaaaa" {
		t.Errorf("%q", lines)
	}
}

// Of keys that do not fit, the one for the help stays.
func TestHelpStaysInTheFooter(t *testing.T) {
	fake := withUsedCard()
	fake.practice = &fakePractice{}
	w := newWizard(t, fake, "").toPlan(ada, adasCard).shows("? help").hides("…")
	// What is missing is seen also where the plan was scrolled.
	w.press("pgdown", "enter").shows("is not agreed to", "↓ more")
}
