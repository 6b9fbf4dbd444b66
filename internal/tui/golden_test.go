package tui

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"
	"github.com/google/go-cmp/cmp"
)

// updating reports whether the golden views are to be written anew: go test
// -update, a flag that teatest defines.
func updating() bool { return flag.Lookup("update").Value.String() == "true" }

// sizes are the windows in which every golden view is looked at; the first two
// are kept as files.
var sizes = []struct{ columns, lines int }{{80, 24}, {120, 40}, {200, 60}, {97, 31}}

// golden compares the view with the one that is kept, in each size. The window's
// title and what the terminal is told of the progress stand above it.
func (w *wizard) golden(name string) {
	w.t.Helper()
	for i, size := range sizes {
		w.size(size.columns, size.lines)
		if i > 1 {
			continue
		}
		lines := strings.Split(w.view(), "\n")
		for n := range lines {
			lines[n] = strings.TrimRight(lines[n], " ")
		}
		view := w.model.View()
		got := fmt.Sprintf("# %s | %s\n%s\n", view.WindowTitle, progressText(view), strings.Join(lines, "\n"))
		golden(w.t, name, fmt.Sprintf("%dx%d", size.columns, size.lines), got)
	}
	w.size(minWidth, minHeight)
}

// golden compares a view with the one that is kept.
func golden(t *testing.T, name, size, got string) {
	t.Helper()
	path := filepath.Join("testdata", "golden", size, name+".txt")
	if updating() {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if difference := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); difference != "" {
		t.Errorf("%s (-kept +shown):\n%s", path, difference)
	}
}

// progressText is what the terminal is told for its own bar and taskbar.
func progressText(view tea.View) string {
	states := map[tea.ProgramState]string{
		tea.ProgramStateIdle: "idle", tea.ProgramStateWorking: "working", tea.ProgramStateDone: "done",
		tea.ProgramStateBlocked: "blocked", tea.ProgramStateError: "error",
	}
	text := states[view.ProgramStatus.State]
	if view.ProgressBar != nil {
		text += fmt.Sprintf(", %s bar at %d %%", strings.ToLower(view.ProgressBar.State.String()), view.ProgressBar.Value)
	}
	return text
}
