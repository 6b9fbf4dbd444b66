package prompt

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/cse-piv/cse-piv/internal/enroll"
)

// pseudo is a terminal whose keyboard is the test's.
type pseudo struct {
	*Terminal
	keyboard *os.File
}

func newPseudo(t *testing.T) *pseudo {
	t.Helper()
	keyboard, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	fd := int(keyboard.Fd())
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	number, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	tty, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { keyboard.Close(); tty.Close() })
	return &pseudo{&Terminal{in: tty, Out: io.Discard, tty: tty}, keyboard}
}

// echoes reports whether what is typed is shown.
func (p *pseudo) echoes(t *testing.T) bool {
	t.Helper()
	state, err := unix.IoctlGetTermios(int(p.tty.Fd()), unix.TCGETS)
	if err != nil {
		t.Error(err)
		return true
	}
	return state.Lflag&unix.ECHO != 0
}

func TestNothingOfASecretIsShown(t *testing.T) {
	p := newPseudo(t)
	go func() {
		for p.echoes(t) {
			time.Sleep(time.Millisecond)
		}
		_, _ = io.WriteString(p.keyboard, "271828\n")
	}()
	pin, err := p.Secret(t.Context(), enroll.SecretQuestion{})
	if err != nil || string(pin.Reveal()) != "271828" {
		t.Errorf("the PIN was not taken: %v", err)
	}
	if !p.echoes(t) {
		t.Error("the echo stays off")
	}
}

// Whenever the context ends, the echo is on again afterwards, and stays on.
func TestTheEchoIsGivenBack(t *testing.T) {
	for _, wait := range []bool{true, false} {
		for range 20 {
			p := newPseudo(t)
			ctx, cancel := context.WithCancel(t.Context())
			go func() {
				for wait && p.echoes(t) {
					time.Sleep(time.Millisecond)
				}
				cancel()
			}()
			if _, err := p.Secret(ctx, enroll.SecretQuestion{}); !errors.Is(err, context.Canceled) {
				t.Fatal(err)
			}
			for range 3 {
				if !p.echoes(t) {
					t.Fatalf("the echo is off; waited for the question: %v", wait)
				}
				time.Sleep(time.Millisecond)
			}
		}
	}
}
