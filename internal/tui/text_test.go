package tui

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"

	"github.com/cse-piv/cse-piv/internal/desk"
	"github.com/cse-piv/cse-piv/internal/enroll"
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

// An ID and a flag can be copied: they are never broken at a hyphen.
func TestParagraphsBreakAtSpacesAlone(t *testing.T) {
	for _, whole := range []string{"ANe1Bhry6-8EtMIi-kF1kGRWmhTStk", "--management-key-file"} {
		for width := len(whole); width < 60; width++ {
			if text := strings.Join(paragraph("the key pair is "+whole+" as it was", width), "\n"); !strings.Contains(text, whole) {
				t.Errorf("%d columns: %q", width, text)
			}
		}
	}
}

// The address and the card are whole at every width; of the counts, who is done and
// who failed stay longest.
func TestTheHeaderKeepsTheCard(t *testing.T) {
	fake := newFakeDesk()
	w := newWizard(t, fake, "").toCard(ada).insert(adasCard)
	s := w.model.session
	s.Roster, s.Entries = true, nil
	for i, stage := range []enroll.Stage{enroll.StageNone, enroll.StageDone, enroll.StageWaiting, enroll.StageReady, enroll.StageBegun} {
		email := string(rune('a'+i)) + "@example.com"
		s.Entries = append(s.Entries, desk.QueueEntry{Person: desk.Person{Email: email}, Progress: enroll.Progress{Stage: stage}})
	}
	s.Failures.Note("e@example.com", errNoRoom)
	for email, counts := range map[string]string{
		"chloe@lab.example":                      "1 of 5 done · 1 failed",
		"chloe.of.a.longer.name@lab.example.com": "1 of 5 done",
		strings.Repeat("c", 38) + "@lab.example": "",
	} {
		s.Person.Email = email
		header := ansi.Strip(w.model.header(80))
		if !strings.Contains(header, email+" · card 12345678 ") || strings.TrimSpace(header[strings.Index(header, "12345678")+8:]) != counts || ansi.StringWidth(header) > 80 {
			t.Errorf("%q", header)
		}
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
