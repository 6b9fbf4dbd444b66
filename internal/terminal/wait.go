package terminal

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// pollPause is how long the screen is left alone between two looks.
const pollPause = 30 * time.Millisecond

// WaitError says that the screen did not become as wanted.
type WaitError struct {
	Want   string // what was waited for
	Screen string // the last screen
	Err    error  // why the wait ended
}

// Error says what was waited for and why that ended, and shows the last screen.
func (e *WaitError) Error() string {
	return fmt.Sprintf("waiting for %s: %v; the last screen:\n%s", e.Want, e.Err, frame(e.Screen))
}

// Unwrap returns why the wait ended.
func (e *WaitError) Unwrap() error { return e.Err }

// frame puts a bar before each line, so that a screen stands out in a log.
func frame(screen string) string {
	return "│ " + strings.ReplaceAll(strings.TrimRight(screen, "\n"), "\n", "\n│ ")
}

// look is what is known of the terminal at one moment.
type look struct {
	screen string
	title  string
	dead   bool
	status string // exit code; empty where a signal ended the program
	signal string
}

// look asks tmux for the state and the screen together.
func (s *Session) look(ctx context.Context) (look, error) {
	out, err := s.tmux(ctx, "display-message", "-p", "-t", target, "#{pane_dead},#{pane_dead_status},#{pane_dead_signal},#{pane_title}", ";", "capture-pane", "-p", "-t", target)
	if err != nil {
		return look{}, fmt.Errorf("looking at the screen: %w", err)
	}
	state, screen, _ := strings.Cut(out, "\n")
	fields := strings.SplitN(state, ",", 4)
	if len(fields) != 4 {
		return look{}, fmt.Errorf("looking at the screen: tmux says %q", state)
	}
	s.keep(screen)
	// A program's terminal is gone a moment before it is known how the program ended. Now and
	// then tmux misses the end; it notices with that of another program.
	gone, known := fields[0] == "1", fields[1]+fields[2] != ""
	if gone && !known {
		if _, err := s.tmux(ctx, "run-shell", "-b", "true"); err != nil {
			return look{}, fmt.Errorf("asking how the program ended: %w", err)
		}
	}
	return look{screen: screen, dead: gone && known, status: fields[1], signal: fields[2], title: fields[3]}, nil
}

// keep remembers a screen that is another than the last.
func (s *Session) keep(screen string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.seen) == 0 || s.seen[len(s.seen)-1] != screen {
		s.seen = append(s.seen, screen)
	}
}

// Seen returns every screen that was looked at, by waits too, in order.
func (s *Session) Seen() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.seen)
}

// Screen returns what the screen shows, a line for each of the terminal's, without blanks
// at their ends.
func (s *Session) Screen(ctx context.Context) (string, error) {
	now, err := s.look(ctx)
	return now.screen, err
}

// Title returns the window title that the program has set.
func (s *Session) Title(ctx context.Context) (string, error) {
	now, err := s.look(ctx)
	return now.title, err
}

// WaitFor waits until all texts are on the screen at once, each as Shows has it, and returns the
// screen. The error is a *WaitError when that does not happen, at once when the program ends.
func (s *Session) WaitFor(ctx context.Context, texts ...string) (string, error) {
	return s.WaitUntil(ctx, fmt.Sprintf("%q", texts), func(screen string) bool {
		return !slices.ContainsFunc(texts, func(text string) bool { return !Shows(screen, text) })
	})
}

// Shows reports whether a text is on a screen. A text of one line is so also where the width of
// the terminal broke it, between words or within one; blanks within a line count.
func Shows(screen, text string) bool {
	if strings.Contains(screen, text) {
		return true
	}
	if strings.Contains(text, "\n") {
		return false
	}
	const lineBreak = ` *\n *`
	var pattern strings.Builder
	for i, char := range text {
		switch {
		case char == ' ':
			pattern.WriteString("(?: |" + lineBreak + ")")
		case i > 0:
			pattern.WriteString("(?:" + lineBreak + ")?" + regexp.QuoteMeta(string(char)))
		default:
			pattern.WriteString(regexp.QuoteMeta(string(char)))
		}
	}
	return regexp.MustCompile(pattern.String()).MatchString(screen)
}

// WaitUntil waits for a screen that is as wanted; want says in words what that is.
func (s *Session) WaitUntil(ctx context.Context, want string, wanted func(screen string) bool) (string, error) {
	last, err := s.poll(ctx, want, func(now look) (bool, error) {
		if wanted(now.screen) {
			return true, nil
		}
		if now.dead {
			return false, fmt.Errorf("the program has ended with %s", now.outcome())
		}
		return false, nil
	})
	return last.screen, err
}

// Exit waits until the program ends, and returns its exit code.
func (s *Session) Exit(ctx context.Context) (int, error) {
	last, err := s.poll(ctx, "the program's end", func(now look) (bool, error) { return now.dead, nil })
	if err != nil {
		return 0, err
	}
	code, err := strconv.Atoi(last.status)
	if err != nil {
		return 0, fmt.Errorf("the program has ended with %s", last.outcome())
	}
	return code, nil
}

func (l look) outcome() string {
	if l.status == "" {
		return "signal " + l.signal
	}
	return "exit code " + l.status
}

// poll looks until it is enough, or fails.
func (s *Session) poll(ctx context.Context, want string, enough func(look) (bool, error)) (look, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, s.timeout, fmt.Errorf("not within %v", s.timeout))
	defer cancel()
	var last look
	for {
		now, err := s.look(ctx)
		if err == nil {
			last = now
			var done bool
			if done, err = enough(now); done {
				return now, nil
			}
		}
		if err != nil {
			if errors.Is(err, context.DeadlineExceeded) {
				err = context.Cause(ctx)
			}
			return last, &WaitError{Want: want, Screen: last.screen, Err: err}
		}
		select {
		case <-ctx.Done():
		case <-time.After(pollPause):
		}
	}
}
