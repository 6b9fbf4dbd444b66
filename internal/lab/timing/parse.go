package timing

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"
)

// longest bounds the times of a table: no card takes as long.
const longest = time.Hour

// Load returns the built-in table for "real", else reads a file. Errors name
// file and line.
func Load(file string) (Table, error) {
	if file == realName {
		return Real(), nil
	}
	info, err := os.Stat(file)
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is not a file", file)
	}
	if err != nil {
		return Table{}, fmt.Errorf("read how long cards take: %w", err)
	}
	f, err := os.Open(file)
	if err != nil {
		return Table{}, fmt.Errorf("read how long cards take: %w", err)
	}
	defer f.Close()
	return Parse(file, f)
}

// Parse reads a table. The name stands in errors, with the number of the line.
func Parse(name string, from io.Reader) (Table, error) {
	t := Table{entries: map[key]entry{}}
	lines := bufio.NewScanner(from)
	n := 0
	for lines.Scan() {
		n++
		text, _, _ := strings.Cut(lines.Text(), "#")
		words := strings.Fields(text)
		if len(words) == 0 {
			continue
		}
		k, e, err := parseLine(words)
		if err != nil {
			return Table{}, fmt.Errorf("%s:%d: %w", name, n, err)
		}
		if _, twice := t.entries[k]; twice {
			return Table{}, fmt.Errorf("%s:%d: a second entry for %s", name, n, strings.TrimSpace(k.instruction+" "+k.algorithm))
		}
		t.entries[k] = e
	}
	if err := lines.Err(); err != nil {
		return Table{}, fmt.Errorf("%s:%d: %w", name, n+1, err)
	}
	return t, nil
}

func parseLine(words []string) (key, entry, error) {
	k := key{instruction: words[0]}
	if k.instruction != anyCommand && !named(instructions, k.instruction) {
		return key{}, entry{}, fmt.Errorf("no command is called %q: want %s or one of %s", words[0], anyCommand, list(instructions))
	}
	words = words[1:]
	if len(words) > 0 && named(algorithms, words[0]) {
		if !slices.Contains(byAlgorithm, k.instruction) {
			return key{}, entry{}, fmt.Errorf("%s has no algorithm: only %s have", k.instruction, strings.Join(byAlgorithm, ", "))
		}
		k.algorithm, words = words[0], words[1:]
	}
	if len(words) == 0 {
		return key{}, entry{}, fmt.Errorf("%s: the time is missing, such as 12ms", k.instruction)
	}
	var e entry
	var err error
	if e.time, err = duration(words[0]); err != nil {
		return key{}, entry{}, fmt.Errorf("%w (algorithms are %s)", err, list(algorithms))
	}
	for _, word := range words[1:] {
		spread, isSpread := strings.CutPrefix(word, "~")
		rate, isRate := strings.CutSuffix(strings.TrimPrefix(word, "+"), "/byte")
		switch {
		case isSpread:
			e.spread, err = duration(spread)
		case isRate:
			e.perByte, err = duration(rate)
		default:
			err = fmt.Errorf("%q is not understood: want ~DURATION or +DURATION/byte", word)
		}
		if err != nil {
			return key{}, entry{}, err
		}
	}
	if e.spread > e.time {
		return key{}, entry{}, fmt.Errorf("a spread of %v makes %v less than nothing", e.spread, e.time)
	}
	return k, e, nil
}

// byAlgorithm are the commands that work on a key.
var byAlgorithm = []string{"generate", "general-authenticate", "import-key"}

func duration(word string) (time.Duration, error) {
	d, err := time.ParseDuration(word)
	if err != nil || d < 0 || d > longest {
		return 0, fmt.Errorf("%q is not a time from 0s to %v, such as 12ms", word, longest)
	}
	return d, nil
}

func named(names map[byte]string, name string) bool {
	return slices.Contains(slices.Collect(maps.Values(names)), name)
}

func list(names map[byte]string) string {
	return strings.Join(slices.Sorted(maps.Values(names)), ", ")
}
