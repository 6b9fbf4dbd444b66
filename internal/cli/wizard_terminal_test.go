package cli_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/cse-piv/cse-piv/internal/terminal"
)

// on opens the demo on another terminal than the usual.
func on(t *testing.T, options terminal.Options, args ...string) *wizard {
	t.Helper()
	dir, err := os.MkdirTemp("", "wizard")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return startDemo(t, options, dir, args...)
}

func (w *wizard) resize(width, height int) {
	w.t.Helper()
	if err := w.Resize(w.t.Context(), width, height); err != nil {
		w.t.Fatal(err)
	}
}

// colours finds a foreground or background colour in SGR sequences.
var colours = regexp.MustCompile(`\x1b\[([0-9;:]*[;:])?(3[0-8]|4[0-8]|9[0-7]|10[0-7])[0-9;:]*m`)

func TestWizardResized(t *testing.T) {
	w := on(t, terminal.Options{Width: 120, Height: 40})
	w.toUser()
	w.toCard("ada@lab.example", "enter go on")
	w.press("Enter")
	large := w.at("Plan", "write the receipt") // all of the plan has room
	if strings.Contains(large, "more: pgdn") {
		t.Errorf("something is hidden in a large window:\n%s", large)
	}
	w.resize(80, 24)
	w.at("Plan", "read the card", "↓ more: pgdn", "enter begin")
	w.press("PageDown")
	w.at("Plan", "write the receipt")
	w.resize(79, 23)
	w.see("This window has 79 columns and 23 lines; cse-piv needs 80 and 24.", "Please make it larger; ctrl+c quits.")
	w.resize(12, 3)
	w.see("This window")
	w.resize(100, 30)
	w.at("Plan", "read the card", "ada@lab.example", "enter begin")
	w.press("C-c")
	w.exits(0)
	w.outputHas("a colour", colours)
}

// TestWizardOnLight: on a light background other colours are readable.
func TestWizardOnLight(t *testing.T) {
	mark := func(light bool) string {
		w := on(t, terminal.Options{Light: light})
		w.toUser()
		w.press("Escape")
		w.checked("enter begin")
		grid, err := w.Cells(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		theme := terminal.Dark()
		if light {
			theme = terminal.Light()
		}
		svg := string(terminal.SVG(grid, theme, "start"))
		w.press("q")
		w.exits(0)
		return regexp.MustCompile(`fill="(#[0-9a-f]+)"[^>]*>✓<`).FindStringSubmatch(svg)[1]
	}
	// The nearest that a terminal of 256 colours has.
	if dark, light := mark(false), mark(true); dark != "#5fd787" || light != "#005f00" {
		t.Errorf("the marks are %s on dark and %s on light", dark, light)
	}
}

func TestWizardWithoutColour(t *testing.T) {
	w := on(t, terminal.Options{Env: []string{"NO_COLOR=1"}}, "--algorithm", "eccp256")
	w.toUser()
	w.toPIN("ada@lab.example")
	w.newPIN()
	w.register("ada@lab.example")
	w.press("q")
	w.exits(0)
	output, err := w.Output()
	if err != nil {
		t.Fatal(err)
	}
	if found := colours.Find(output); found != nil {
		t.Errorf("a colour is set: %q", found)
	}
}

// TestLineModeInsteadOfTheWizard: where a full screen cannot be shown or is not
// wanted, everything is asked line by line.
func TestLineModeInsteadOfTheWizard(t *testing.T) {
	for name, options := range map[string]terminal.Options{
		"dumb":       {Term: "dumb"},
		"accessible": {Env: []string{"CSE_PIV_ACCESSIBLE=1"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := on(t, options)
			w.see("ada@lab.example", "grace@lab.example")
			w.press("C-c")
			w.exits(130)
			output, err := w.Output()
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(string(output), "\x1b[?1049h") || colours.Match(output) {
				t.Errorf("it is not line by line: %q", output)
			}
		})
	}
}
