package terminal

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"strings"
)

// The picture's measures, in its own units. A cell is as wide as a monospace letter of the
// font's size commonly is, 0.6 of it.
const (
	fontSize   = 15.0
	cellWidth  = 9.0
	cellHeight = 20.0
	baseline   = 15.0 // of the letters, from the cell's top
	padding    = 14.0
	titleBar   = 28.0
)

// SVG draws a screen as a picture of its own, without anything outside of it. Letters are text,
// which can be selected; lines and blocks are drawn, so that they join. title says what the
// picture shows, for those who do not see it.
func SVG(grid Grid, theme Theme, title string) []byte {
	width := float64(grid.Width)*cellWidth + 2*padding
	height := float64(grid.Height)*cellHeight + 2*padding + titleBar
	var out bytes.Buffer
	fmt.Fprintf(&out, `<svg xmlns="http://www.w3.org/2000/svg" xml:space="preserve" viewBox="0 0 %g %g" width="%g" height="%g">`+"\n", width, height, width, height)
	fmt.Fprintf(&out, "<title>%s</title>\n", escape(title))
	out.WriteString("<style>text{font-family:ui-monospace,'DejaVu Sans Mono',Menlo,Consolas,'Liberation Mono',monospace;font-size:15px;white-space:pre}</style>\n")
	fmt.Fprintf(&out, `<rect x=".5" y=".5" width="%g" height="%g" rx="8" fill="%s" stroke="%s"/>`+"\n", width-1, height-1, theme.Background, theme.Frame)
	fmt.Fprintf(&out, `<path d="M.5 %g V8.5 a8 8 0 0 1 8-8 H%g a8 8 0 0 1 8 8 V%g z" fill="%s"/>`+"\n", titleBar, width-8.5, titleBar, theme.Frame)
	fmt.Fprintf(&out, `<text x="%g" y="19" text-anchor="middle" style="font-size:13px" fill="%s">%s</text>`+"\n", width/2, theme.Foreground, escape(grid.Title))
	fmt.Fprintf(&out, `<g transform="translate(%g %g)">`+"\n", padding, padding+titleBar)
	for y, line := range grid.Cells {
		for _, run := range runs(line) {
			run.draw(&out, theme, float64(y)*cellHeight)
		}
	}
	out.WriteString("</g>\n</svg>\n")
	return out.Bytes()
}

// run is cells of a line that are drawn together: in one style, and either letters that every
// monospace font has or one character that makes a bar. Other characters, which a font may take
// from elsewhere in another width, stand alone.
type run struct {
	column, width int
	text          string
	style         Style
}

func runs(line []Cell) []run {
	var all []run
	for x, cell := range line {
		if cell.Width == 0 {
			continue // behind a wide character
		}
		text := cell.Text
		if text == "" {
			text = " "
		}
		if last := len(all) - 1; last >= 0 && all[last].style == cell.Style && together(all[last].text, text) {
			all[last].text += text
			all[last].width += cell.Width
			continue
		}
		all = append(all, run{column: x, width: cell.Width, text: text, style: cell.Style})
	}
	return all
}

// together reports whether a run can go on with the text of the next cell.
func together(run, next string) bool {
	if strings.Contains(bars, next) {
		return strings.HasPrefix(run, next)
	}
	plain := func(text string) bool {
		return !strings.ContainsFunc(text, func(r rune) bool { return r > 0xff })
	}
	return plain(run) && plain(next)
}

func (r run) draw(out *bytes.Buffer, theme Theme, top float64) {
	foreground, background := theme.inks(r.style)
	left, width := float64(r.column)*cellWidth, float64(r.width)*cellWidth
	if background != theme.Background {
		fmt.Fprintf(out, `<rect x="%g" y="%g" width="%g" height="%g" fill="%s"/>`+"\n", left, top, width, cellHeight, background)
	}
	if whole := r.text; !r.style.Underlined {
		// Nothing is seen of blanks around the text, and viewers differ in what they do with
		// them. Each is a cell wide.
		text := strings.TrimLeft(r.text, " ")
		left += float64(len(r.text)-len(text)) * cellWidth
		r.text = strings.TrimRight(text, " ")
		width = float64(r.width-(len(whole)-len(r.text))) * cellWidth
	}
	if r.text == "" {
		return
	}
	attributes := fmt.Sprintf(` fill="%s"`, foreground)
	if shape := shapeOf(firstRune(r.text)); shape != "" {
		fmt.Fprintf(out, `<g transform="translate(%g %g) scale(%d 1)" fill="%s" stroke="%s">%s</g>`+"\n", left, top, r.width, foreground, foreground, shape)
		attributes = ` fill="none"` // it is there to be selected
	}
	if r.style.Bold {
		attributes += ` font-weight="bold"`
	}
	if r.style.Italic {
		attributes += ` font-style="italic"`
	}
	if r.style.Underlined {
		attributes += ` text-decoration="underline"`
	}
	if r.style.Faint {
		attributes += ` opacity=".7"`
	}
	if width > cellWidth {
		attributes += fmt.Sprintf(` textLength="%g"`, width)
	}
	fmt.Fprintf(out, `<text x="%g" y="%g"%s>%s</text>`+"\n", left, top+baseline, attributes, escape(r.text))
}

func escape(text string) string {
	var out strings.Builder
	_ = xml.EscapeText(&out, []byte(text)) // a strings.Builder takes everything
	return out.String()
}
