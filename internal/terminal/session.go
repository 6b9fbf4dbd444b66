package terminal

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"
)

// Options say which program runs, on which terminal.
type Options struct {
	Command []string // the program and its arguments
	Env     []string // as for os/exec: nil is this process's environment
	Dir     string   // where the program starts; empty is here
	// Width and Height are the terminal's, in cells; 0 is 80 and 24.
	Width, Height int
	// Light makes the background light, should the program ask for its colour.
	Light bool
	// Term is the program's TERM; empty is tmux-256color.
	Term string
	// Timeout is how long a wait may take at most, which only what hangs needs; 0 is 10 minutes.
	Timeout time.Duration
}

// Session is a program on a terminal. Its methods can be called from several goroutines.
type Session struct {
	dir     string // holds the server's socket and what the program wrote
	env     []string
	timeout time.Duration

	mu   sync.Mutex
	seen []string
}

const (
	defaultTimeout = 10 * time.Minute
	closeTimeout   = time.Minute
)

// Start runs the program. The error is ErrNoTmux where tmux is not installed. The session
// must be closed, also when the program has ended; should this process die before, the
// terminal and the program end by themselves.
func Start(ctx context.Context, options Options) (*Session, error) {
	if len(options.Command) == 0 {
		return nil, errors.New("no program to run was named")
	}
	dir, err := os.MkdirTemp("", "terminal-")
	if err != nil {
		return nil, fmt.Errorf("making a folder for the terminal: %w", err)
	}
	s := &Session{dir: dir, env: options.Env, timeout: options.Timeout}
	if s.env == nil {
		s.env = os.Environ()
	}
	if s.timeout == 0 {
		s.timeout = defaultTimeout
	}
	if _, err := s.tmux(ctx, startCommands(options, s.outputFile())...); err != nil {
		return nil, errors.Join(fmt.Errorf("starting %s on a terminal: %w", options.Command[0], err), s.Close())
	}
	return s, nil
}

// startCommands are the tmux commands that start the server and the program.
func startCommands(options Options, output string) []string {
	term, background := options.Term, Dark()
	if term == "" {
		term = "tmux-256color"
	}
	if options.Light {
		background = Light()
	}
	width, height := options.Width, options.Height
	if width == 0 {
		width = 80
	}
	if height == 0 {
		height = 24
	}
	commands := []string{
		"start-server",
		";", "set-option", "-g", "default-terminal", term,
		";", "set-option", "-g", "status", "off",
		";", "set-option", "-g", "remain-on-exit", "on",
		";", "set-option", "-g", "remain-on-exit-format", "",
		// A program that asks for the colours of the terminal is told these.
		";", "set-option", "-g", "window-style", "fg=" + background.Foreground + ",bg=" + background.Background,
		";", "new-session", "-d", "-s", target, "-x", strconv.Itoa(width), "-y", strconv.Itoa(height),
	}
	if options.Dir != "" {
		commands = append(commands, "-c", options.Dir)
	}
	// A single argument would go through a shell; env makes it two.
	commands = append(commands, "env", "--")
	for _, argument := range options.Command {
		commands = append(commands, literal(argument))
	}
	return append(commands,
		";", "pipe-pane", "-t", target, "exec cat > "+quote(output),
		";", "run-shell", "-b", fmt.Sprintf("while kill -0 %d 2>/dev/null; do sleep 1; done; tmux -S '#{socket_path}' kill-server", os.Getpid()),
	)
}

func (s *Session) outputFile() string { return filepath.Join(s.dir, "output") }

// Output returns every byte that the program wrote, as far as tmux has passed it on.
func (s *Session) Output() ([]byte, error) {
	output, err := os.ReadFile(s.outputFile())
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading what the program wrote: %w", err)
	}
	return output, nil
}

// Close ends the program, if it still runs, and the terminal.
func (s *Session) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	if _, err := os.Stat(s.socket()); err == nil {
		// It fails when the server is gone already, which is as well.
		_, _ = s.tmux(ctx, "kill-server")
	}
	if err := os.RemoveAll(s.dir); err != nil {
		return fmt.Errorf("removing the terminal's folder: %w", err)
	}
	return nil
}
