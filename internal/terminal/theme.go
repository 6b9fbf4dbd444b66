package terminal

import (
	"fmt"
	"image/color"

	"github.com/charmbracelet/x/ansi"
)

// Theme is a terminal's colours, as #rrggbb.
type Theme struct {
	Name                   string
	Foreground, Background string
	Frame                  string // of the title bar and the edge
	Palette                [16]string
}

// Dark returns the theme with a dark background.
func Dark() Theme {
	return Theme{
		Name: "dark", Foreground: "#d8dee9", Background: "#16191f", Frame: "#2b303b",
		Palette: [16]string{
			"#2b303b", "#ff8787", "#5fd787", "#ffd75f", "#5fafff", "#d7afff", "#5fd7d7", "#d8dee9",
			"#808694", "#ffafaf", "#87ffaf", "#ffff87", "#87d7ff", "#ffd7ff", "#87ffff", "#ffffff",
		},
	}
}

// Light returns the theme with a light background.
func Light() Theme {
	return Theme{
		Name: "light", Foreground: "#24292f", Background: "#ffffff", Frame: "#dfe3e8",
		Palette: [16]string{
			"#24292f", "#af0000", "#00662b", "#875f00", "#005faf", "#8700af", "#006b75", "#dfe3e8",
			"#5f6770", "#d70000", "#00812f", "#9a6700", "#0969da", "#af00d7", "#00868f", "#ffffff",
		},
	}
}

// hex returns a cell's colour as #rrggbb; own is what nil is.
func (t Theme) hex(c color.Color, own string) string {
	switch c := c.(type) {
	case nil:
		return own
	case ansi.BasicColor:
		return t.Palette[c%16]
	case ansi.IndexedColor:
		if c < 16 {
			return t.Palette[c]
		}
	}
	r, g, b, _ := c.RGBA()
	return fmt.Sprintf("#%02x%02x%02x", r>>8, g>>8, b>>8)
}

// inks returns the colours that a style is drawn with.
func (t Theme) inks(style Style) (foreground, background string) {
	foreground, background = t.hex(style.Foreground, t.Foreground), t.hex(style.Background, t.Background)
	if style.Reverse {
		return background, foreground
	}
	return foreground, background
}
