package tui

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"charm.land/bubbles/v2/key"
	"charm.land/bubbles/v2/progress"
	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/cse-piv/cse-piv/internal/describe"
	"github.com/cse-piv/cse-piv/internal/enroll"
)

// workScreen shows a running enrollment, step by step.
type workScreen struct{}

func (*workScreen) enter(*session)                         {}
func (*workScreen) update(s *session, msg tea.Msg) tea.Cmd { return nil }
func (*workScreen) typing(*session) bool                   { return false }

func (*workScreen) bindings(s *session) []key.Binding {
	return []key.Binding{named(s.keys.Back, "stop")}
}

// spinnerFrames turn in front of the step that runs.
var spinnerFrames = [...]string{"◐", "◓", "◑", "◒"}

func (*workScreen) view(s *session, width, height int) string {
	r := s.Run
	if r == nil {
		return ""
	}
	bar := progress.New(progress.WithWidth(width-20), progress.WithoutPercentage(), progress.WithFillCharacters('█', '░'))
	bar.FullColor, bar.EmptyColor = s.styles.Now.GetForeground(), s.styles.Faint.GetForeground()
	lines := []string{fmt.Sprintf("%s  %d of %d steps", bar.ViewAs(float64(r.Done())/float64(max(1, len(r.Steps)))), r.Done(), len(r.Steps)), ""}
	if r.Task != nil {
		lines = []string{""}
	}
	notice := noticeLines(s, width)
	steps := make([]string, len(r.Steps))
	for i := range r.Steps {
		steps[i] = stepLine(s, i, width)
	}
	lines = append(lines, around(steps, r.Current, height-len(lines)-len(notice))...)
	return strings.Join(append(lines, notice...), "\n")
}

// stepLine is a step with its state, in words as well as by its mark.
func stepLine(s *session, i, width int) string {
	r := s.Run
	step := r.Steps[i]
	state := describe.State(step.State)
	mark, style := toned(s, state.Tone)
	title := s.styles.Value
	switch step.State {
	case "":
		mark, title = markNone+" ", s.styles.Faint
	case enroll.StateStarted:
		mark, style, title = spinnerFrames[s.turns%len(spinnerFrames)]+" ", s.styles.Now, s.styles.Now
	case enroll.StateFailed:
		title = s.styles.Bad
	}
	took := ""
	if elapsed := r.Elapsed(step); step.State == enroll.StateStarted || elapsed >= 100*time.Millisecond && step.State != enroll.StateAlready && step.State != enroll.StateSkipped {
		took = durationText(elapsed)
	}
	column := min(width-19, 60) // the longest title of a step fits into 80 columns
	return style.Render(mark) + title.Render(fmt.Sprintf("%-*s", column, ansi.Truncate(clean(step.Title), column, "…"))) + s.styles.Faint.Render(fmt.Sprintf(" %-7s %7s", state.Text, took))
}

// durationText is short, and moves while one looks.
func durationText(d time.Duration) string {
	if d >= 100*time.Second {
		return d.Truncate(time.Second).String()
	}
	return fmt.Sprintf("%.1f s", d.Seconds())
}

// noticeLines are what a person has to do or know now.
func noticeLines(s *session, width int) []string {
	r := s.Run
	var lines []string
	lines = append(lines, s.lastNotes(width)...)
	switch {
	case s.Retry != nil:
		lines = append(append(lines, ""), retryLines(s, width)...)
	case r.CardOut != "":
		lines = append(lines, "", s.styles.Warning.Render(markWarning+" The card is out: "+clean(r.CardOut)+"."))
		lines = append(append(lines, otherCardLines(s, r.Request.Serial)...), "It goes on where it was. esc stops.")
	case r.Touch != "":
		lines = append(lines, "", s.styles.Warning.Render(markWarning+" Touch your YubiKey now: "+clean(r.Touch)+"."))
	case s.generating():
		lines = append(lines, "")
		lines = append(lines, paragraph("The card is making the key. An RSA key can take a minute: the clock shows that it is at work.", width)...)
	}
	if len(lines) > 0 {
		lines = append([]string{""}, lines...)
	}
	return lines
}

// otherCardLines name what is in the readers while that card is waited for.
func otherCardLines(s *session, wanted uint32) []string {
	var lines []string
	for _, card := range s.Cards() {
		if card.Serial != wanted {
			lines = append(lines, s.styles.Warning.Render(fmt.Sprintf("%s card %d is in a reader: it is another one", markWarning, card.Serial)))
		}
	}
	return lines
}

// lastNotes are the last things that were told of what runs, but for those that are said beside them.
func (s *session) lastNotes(width int, said ...string) (lines []string) {
	for _, note := range s.Run.Notes[max(0, len(s.Run.Notes)-2):] {
		if slices.Contains(said, note) {
			continue
		}
		lines = append(lines, wrapped(s.styles.Faint.Render("note"), s.styles.Faint.Render(clean(note)), width)...)
	}
	return lines
}
