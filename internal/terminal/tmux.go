package terminal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// ErrNoTmux means that tmux, which is the terminal, is not installed.
var ErrNoTmux = errors.New("tmux is not installed")

// target names the session's only window to tmux.
const target = "main"

func (s *Session) socket() string { return filepath.Join(s.dir, "socket") }

// tmux runs commands on the session's own server and returns what they print.
func (s *Session) tmux(ctx context.Context, commands ...string) (string, error) {
	// -u: what is printed is UTF-8 whatever the locale; no configuration is read.
	command := exec.CommandContext(ctx, "tmux", append([]string{"-u", "-S", s.socket(), "-f", "/dev/null"}, commands...)...)
	for _, variable := range s.env {
		if !strings.HasPrefix(variable, "TMUX=") && !strings.HasPrefix(variable, "TMUX_PANE=") {
			command.Env = append(command.Env, variable)
		}
	}
	command.WaitDelay = time.Second
	var out, problems bytes.Buffer
	command.Stdout, command.Stderr = &out, &problems
	err := command.Run()
	switch {
	case errors.Is(err, exec.ErrNotFound):
		return "", ErrNoTmux
	case ctx.Err() != nil:
		return "", ctx.Err()
	case err != nil:
		return "", fmt.Errorf("tmux: %w: %s", err, strings.TrimSpace(problems.String()))
	}
	return out.String(), nil
}

// literal keeps tmux from taking a semicolon at the end for its own.
func literal(argument string) string {
	if before, ok := strings.CutSuffix(argument, ";"); ok {
		return before + `\;`
	}
	return argument
}

// quote quotes for a shell.
func quote(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }
