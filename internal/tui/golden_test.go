package tui

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	tea "charm.land/bubbletea/v2"
	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden views anew")

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
		path := filepath.Join("testdata", "golden", fmt.Sprintf("%dx%d", size.columns, size.lines), name+".txt")
		if *update {
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				w.t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
				w.t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			w.t.Fatal(err)
		}
		if difference := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); difference != "" {
			w.t.Errorf("%s (-kept +shown):\n%s", path, difference)
		}
	}
	w.size(minWidth, minHeight)
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
