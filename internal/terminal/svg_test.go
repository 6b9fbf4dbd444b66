package terminal_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/cse-piv/cse-piv/internal/terminal"
)

var picture = flag.String("picture", "", "write the picture that the test makes to this file, to be looked at")

const drawing = `printf '\033]0;<title> & more\007'
printf 'plain \033[1mbold\033[0m \033[3mitalic\033[0m \033[4munderlined\033[0m \033[2mfaint\033[0m \033[7mreverse\033[0m\n'
printf '\033[31mred\033[0m \033[92mgreen\033[0m \033[38;5;33mindexed\033[0m \033[38;2;1;2;3mtrue\033[0m \033[44mon blue\033[0m\n'
printf '<&> "quoted" 漢字 é ✓✗ \n'
printf '╭──┬──╮\n│▸ │██│░░▒▒▓▓\n├──┼──┤▌▐▀▄\n╰──┴──╯\n┌─┐\n└─┘\n'
printf done; read line`

func drawn(t *testing.T, theme terminal.Theme) (terminal.Grid, []byte) {
	t.Helper()
	session := start(t, terminal.Options{Width: 60, Height: 12, Light: theme.Name == "light"}, drawing)
	see(t, session, "done")
	grid, err := session.Cells(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return grid, terminal.SVG(grid, theme, "A <drawing> & its parts")
}

// textOf returns the text elements of an SVG, and fails on anything that is not
// well-formed XML or comes from elsewhere.
func textOf(t *testing.T, svg []byte) string {
	t.Helper()
	var text strings.Builder
	in := 0
	decoder := xml.NewDecoder(bytes.NewReader(svg))
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return text.String()
		}
		if err != nil {
			t.Fatalf("%v in\n%s", err, svg)
		}
		switch token := token.(type) {
		case xml.StartElement:
			if token.Name.Local == "text" {
				in++
			}
			for _, attribute := range token.Attr {
				if attribute.Name.Local == "href" || strings.Contains(attribute.Value, "url(") {
					t.Errorf("%s refers to %s", token.Name.Local, attribute.Value)
				}
			}
		case xml.EndElement:
			if token.Name.Local == "text" {
				in--
				text.WriteString("\n")
			}
		case xml.CharData:
			if in > 0 {
				text.Write(token)
			}
		}
	}
}

func TestCells(t *testing.T) {
	grid, _ := drawn(t, terminal.Dark())
	if grid.Title != "<title> & more" {
		t.Errorf("the title is %q", grid.Title)
	}
	lines := strings.Split(grid.Text(), "\n")
	for i, want := range []string{
		"plain bold italic underlined faint reverse", "red green indexed true on blue", `<&> "quoted" 漢字 é ✓✗`,
		"╭──┬──╮", "│▸ │██│░░▒▒▓▓", "├──┼──┤▌▐▀▄", "╰──┴──╯", "┌─┐", "└─┘", "done",
	} {
		if lines[i] != want {
			t.Errorf("line %d is %q, want %q", i, lines[i], want)
		}
	}
	first := grid.Cells[0]
	for column, has := range map[int]func(terminal.Style) bool{
		6:  func(s terminal.Style) bool { return s.Bold },
		11: func(s terminal.Style) bool { return s.Italic },
		18: func(s terminal.Style) bool { return s.Underlined },
		29: func(s terminal.Style) bool { return s.Faint },
		35: func(s terminal.Style) bool { return s.Reverse },
	} {
		if !has(first[column].Style) || first[0].Style != (terminal.Style{}) {
			t.Errorf("column %d (%q): %+v", column, first[column].Text, first[column].Style)
		}
	}
	if wide := grid.Cells[2][13:15]; wide[0].Text != "漢" || wide[0].Width != 2 || wide[1].Width != 0 {
		t.Errorf("a wide character is %+v", wide)
	}
}

func TestSVG(t *testing.T) {
	for _, theme := range []terminal.Theme{terminal.Dark(), terminal.Light()} {
		t.Run(theme.Name, func(t *testing.T) {
			_, svg := drawn(t, theme)
			if *picture != "" && theme.Name == "dark" {
				if err := os.WriteFile(*picture, svg, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			text := textOf(t, svg)
			for _, want := range []string{"<title> & more\n", "bold\n", `<&> "quoted"`, "漢", "✓", "──\n", "\ndone\n"} {
				if !strings.Contains(text, want) {
					t.Errorf("no text is %q in %q", want, text)
				}
			}
			for what, want := range map[string]string{
				"what it shows, for those who do not see it": "<title>A &lt;drawing&gt; &amp; its parts</title>",
				"the background":       `fill="` + theme.Background + `"`,
				"red of the palette":   `fill="` + theme.Palette[1] + `"`,
				"green of the palette": `fill="` + theme.Palette[10] + `"`,
				"blue behind the text": `fill="` + theme.Palette[4] + `"`,
				"an indexed colour":    `fill="#0087ff"`,
				"a colour of its own":  `fill="#010203"`,
				"bold":                 `font-weight="bold" textLength="36">bold<`,
				"italic":               `font-style="italic" textLength="54">italic<`,
				"underlined":           `text-decoration="underline" textLength="90">underlined<`,
				"reverse's background": `fill="` + theme.Foreground + `"`,
				"a corner, as a path":  `<path fill="none" d="M`,
				"a block, as an area":  `<rect stroke="none" opacity="1"`,
				"a quarter of a shade": `opacity="0.25"`,
			} {
				if !bytes.Contains(svg, []byte(want)) {
					t.Errorf("%s: no %s", what, want)
				}
			}
		})
	}
}
