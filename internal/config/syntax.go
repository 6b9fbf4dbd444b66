package config

import (
	"bytes"
	"errors"
	"regexp"
	"strings"
	"unicode/utf8"

	gotoml "github.com/pelletier/go-toml/v2"
)

// syntaxError says in words where and why the file is no TOML: those of the parser are for who
// knows its grammar.
func syntaxError(whole Origin, data []byte, err error) error {
	broken, found := errors.AsType[*gotoml.DecodeError](err)
	if !found {
		return whole.Errorf("%s", notTOML)
	}
	at, column := whole, 0
	at.Line, column = broken.Position()
	line := ""
	if lines := bytes.Split(data, []byte("\n")); at.Line > 0 && at.Line <= len(lines) {
		line = string(lines[at.Line-1])
	}
	problem := problemOf(broken.Error())
	if problem == ErrBackslash.Error() && strings.Contains(line, `\`) {
		return at.Errorf("%w", ErrBackslash)
	}
	if column > 0 && column <= len(line)+1 {
		column = 1 + utf8.RuneCountInString(line[:column-1])
	}
	return at.Errorf("column %d: %s", column, problem)
}

// notTOML is said of what nothing better is known.
const notTOML = "this is no TOML: write KEY = VALUE on a line of its own, text in quotes, and [profile.NAME] above what a profile says"

// problems are what the parser finds, by what its message has in it, in our words; the first that
// fits counts. $1 is what the brackets stand for.
var problems = []struct {
	found *regexp.Regexp
	words string
}{
	{regexp.MustCompile(`escape|unicode code point`), ErrBackslash.Error()},
	{regexp.MustCompile(`UTF-8`), "a letter is not in UTF-8: save the file as UTF-8"},
	{regexp.MustCompile(`control characters|carriage return`), "a control character stands here"},
	{regexp.MustCompile(`unterminated|not terminated|cannot have new lines`), "the quote that ends the text is missing"},
	{regexp.MustCompile(`too many quotes`), "there is a quote too many at the end of the text"},
	{regexp.MustCompile(`(?:table|key) (\S+) (?:already exists|is already defined)$`), "$1 stands there twice"},
	{regexp.MustCompile(`(?:table|key) (\S+) (?:already exists as|should be)`), "$1 stands there twice: as a table, and as something else"},
	{regexp.MustCompile(`nested more than`), "too many brackets stand in each other"},
	{regexp.MustCompile(`close (?:array )?table name`), "the ] that ends the heading is missing: write [profile.NAME]"},
	{regexp.MustCompile(`'=' after key`), "the = behind the key is missing: write KEY = VALUE"},
	{regexp.MustCompile(`expected key but|start of key`), "a key is missing: write KEY = VALUE"},
	{regexp.MustCompile(`inline table`), `a comma or the } is missing, or there is a comma too many: write {KEY = "value", KEY = "value"}`},
	{regexp.MustCompile(`array`), `a comma or the ] is missing: write ["a", "b"]`},
	{regexp.MustCompile(`expected value`), "the value is missing"},
	{regexp.MustCompile(`expected newline`), "something follows what ends the line: a line has one KEY = VALUE or one heading, and text in quotes"},
	{regexp.MustCompile(`too large`), "the number is too large"},
	{regexp.MustCompile(`date|time|hour|minute|second|fraction|extra characters`), "this reads as a date or a time, and nothing here is one: write text in quotes"},
	{regexp.MustCompile(`number|digit|sign|radix|zeroes|decimal|exponent|float|integer`), "this is no number: write it with digits alone, such as 50 or 2.5, and text in quotes"},
	{regexp.MustCompile(`start of value|expected keyword|must be quoted`), "text stands in quotes; without them there are only numbers, true and false"},
}

// problemOf returns our words for what the parser says.
func problemOf(said string) string {
	for _, problem := range problems {
		if match := problem.found.FindStringSubmatchIndex(said); match != nil {
			return string(problem.found.ExpandString(nil, problem.words, said, match))
		}
	}
	return notTOML
}
