package internal_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// box is a box of the drawing in ARCHITECTURE.md: its place, and the words in it.
type box struct {
	top, bottom, left, right int
	words                    []string
}

// has reports whether a package is in the box, by its name or as lab/... .
func (b box) has(name string) bool {
	return slices.ContainsFunc(b.words, func(word string) bool {
		family, every := strings.CutSuffix(word, "...")
		return word == name || every && strings.HasPrefix(name, family)
	})
}

var border = regexp.MustCompile(`\+-[-+]*\+`)

// boxes finds the boxes of a drawing.
func boxes(lines []string) []box {
	var found []box
	open := map[[2]int]int{} // the line of a top by its columns
	for i, line := range lines {
		for _, at := range border.FindAllStringIndex(line, -1) {
			columns := [2]int{at[0], at[1]}
			top, begun := open[columns]
			if !begun {
				open[columns] = i
				continue
			}
			delete(open, columns)
			b := box{top: top, bottom: i, left: at[0], right: at[1]}
			for _, inside := range lines[top+1 : i] {
				b.words = append(b.words, strings.Fields(inside[at[0]+1:at[1]-1])...)
			}
			found = append(found, b)
		}
	}
	return found
}

// arrows returns for each box, by number, those that arrows lead to.
func arrows(t *testing.T, lines []string, all []box) [][]int {
	t.Helper()
	at := func(line, column int) int {
		return slices.IndexFunc(all, func(b box) bool {
			return b.top <= line && line <= b.bottom && b.left <= column && column < b.right
		})
	}
	leads := make([][]int, len(all))
	for i, line := range lines {
		for column := range len(line) {
			if line[column] != 'v' || at(i, column) >= 0 {
				continue
			}
			from := i - 1
			for lines[from][column] == '|' && at(from, column) < 0 {
				from--
			}
			source, target := at(from, column), at(i+1, column)
			if source < 0 || target < 0 {
				t.Fatalf("the arrow in line %d, column %d, leads from or to nowhere", i+1, column+1)
			}
			leads[source] = append(leads[source], target)
		}
	}
	return leads
}

// ourImports are the packages of this program, and what each imports of them, without
// tests.
func ourImports(t *testing.T) map[string][]string {
	t.Helper()
	out, err := exec.Command("go", "list", "-json=ImportPath,GoFiles,Imports", "../...").Output()
	if err != nil {
		t.Fatal(err)
	}
	short := func(path string) string {
		return strings.TrimPrefix(strings.TrimPrefix(path, module), "internal/")
	}
	imports := map[string][]string{}
	for decoder := json.NewDecoder(strings.NewReader(string(out))); decoder.More(); {
		var p struct {
			ImportPath       string
			GoFiles, Imports []string
		}
		if err := decoder.Decode(&p); err != nil {
			t.Fatal(err)
		}
		if len(p.GoFiles) == 0 {
			continue
		}
		name := short(p.ImportPath)
		imports[name] = nil
		for _, imported := range p.Imports {
			if strings.HasPrefix(imported, module) {
				imports[name] = append(imports[name], short(imported))
			}
		}
	}
	return imports
}

// TestDrawing: the drawing in ARCHITECTURE.md has each package once; each arrow is an
// import; and each import goes down, along arrows.
func TestDrawing(t *testing.T) {
	text, err := os.ReadFile("../ARCHITECTURE.md")
	if err != nil {
		t.Fatal(err)
	}
	_, drawing, found := strings.Cut(string(text), "```\n+--")
	drawing, _, ended := strings.Cut("+--"+drawing, "```")
	if !found || !ended {
		t.Fatal("ARCHITECTURE.md has no drawing")
	}
	lines := strings.Split(drawing, "\n")
	for i, line := range lines {
		lines[i] = line + strings.Repeat(" ", max(0, 100-len(line)))
	}
	all, imports := boxes(lines), ourImports(t)
	leads := arrows(t, lines, all)
	where := map[string]int{}
	for name := range imports {
		in := slices.DeleteFunc(slices.Collect(numbers(len(all))), func(i int) bool { return !all[i].has(name) })
		if len(in) != 1 {
			t.Errorf("%s is in %d boxes", name, len(in))
			return
		}
		where[name] = in[0]
	}
	drawn := map[[2]int]bool{} // pairs of boxes between which something is imported
	for name, imported := range imports {
		for _, other := range imported {
			from, to := where[name], where[other]
			if drawn[[2]int{from, to}] = true; from != to && (all[from].bottom >= all[to].top || !reaches(leads, from, to)) {
				t.Errorf("%s imports %s, to which no arrows lead down", name, other)
			}
		}
	}
	for from, targets := range leads {
		for _, to := range targets {
			if !drawn[[2]int{from, to}] {
				t.Errorf("an arrow leads from %v to %v, and nothing is imported", all[from].words, all[to].words)
			}
		}
	}
}

// reaches reports whether arrows lead from one box to another.
func reaches(leads [][]int, from, to int) bool {
	return slices.ContainsFunc(leads[from], func(next int) bool { return next == to || reaches(leads, next, to) })
}

func numbers(n int) func(func(int) bool) {
	return func(yield func(int) bool) {
		for i := range n {
			if !yield(i) {
				return
			}
		}
	}
}
