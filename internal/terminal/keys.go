package terminal

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
)

// keyName is what tmux knows as a key (tmux(1), "KEY BINDINGS"). It types anything else out
// as text, so that a slip would go unnoticed.
var keyName = regexp.MustCompile(`^([CMS]-)*(.|Enter|Escape|Tab|BTab|Space|BSpace|Up|Down|Left|Right|Home|End|PageUp|PageDown|IC|DC|F([1-9]|1[0-2]))$`)

// Keys presses keys by tmux's names: Enter, Escape, Up, PageDown, C-c, F1, a.
func (s *Session) Keys(ctx context.Context, names ...string) error {
	arguments := []string{"send-keys", "-t", target, "--"}
	for _, name := range names {
		if !keyName.MatchString(name) {
			return fmt.Errorf("%q is no name of a key", name)
		}
		arguments = append(arguments, literal(name))
	}
	if _, err := s.tmux(ctx, arguments...); err != nil {
		return fmt.Errorf("pressing %v: %w", names, err)
	}
	return nil
}

// Type types text.
func (s *Session) Type(ctx context.Context, text string) error {
	if text == "" {
		return nil
	}
	if _, err := s.tmux(ctx, "send-keys", "-t", target, "-l", "--", literal(text)); err != nil {
		return fmt.Errorf("typing: %w", err) // not what: it may be a secret
	}
	return nil
}

// Resize changes the terminal's size, in cells.
func (s *Session) Resize(ctx context.Context, width, height int) error {
	if _, err := s.tmux(ctx, "resize-window", "-t", target, "-x", strconv.Itoa(width), "-y", strconv.Itoa(height)); err != nil {
		return fmt.Errorf("changing the window to %d×%d: %w", width, height, err)
	}
	return nil
}
