package stdio

import (
	"io"
	"os"

	"golang.org/x/term"

	"github.com/cse-piv/cse-piv/internal/progress"
)

// Columns returns how wide a terminal is, nil for what is none that can draw.
func Columns(out io.Writer) func() int {
	file, ok := out.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) || os.Getenv("TERM") == "dumb" {
		return nil
	}
	return func() int {
		width, _, err := term.GetSize(int(file.Fd()))
		if err != nil || width <= 0 {
			return 80
		}
		return width
	}
}

// NewBar shows how far long work is: on a terminal in a line that changes, where no log is written
// into it.
func (s *Streams) NewBar() *progress.Bar {
	if s.Logged {
		return progress.NewBar(s.Err, nil)
	}
	return progress.NewBar(s.Err, Columns(s.Err))
}
