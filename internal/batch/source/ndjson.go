package source

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

const expectNDJSON = `each line is one JSON object such as {"email":"user@example.com","certificate":"user.pem"}`

// parseObject reads one line of NDJSON: an object whose values are texts, or for
// certificates lists of texts. It returns the values that are used, and the
// names that are not.
func parseObject(text []byte) (values []value, others []string, err error) {
	malformed := func(format string, args ...any) ([]value, []string, error) {
		return nil, nil, rowError(ReasonMalformed, expectNDJSON, format, args...)
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	if token, err := decoder.Token(); err != nil || token != json.Delim('{') {
		return malformed("the line is no JSON object")
	}
	var seen []column
	for decoder.More() {
		token, err := decoder.Token()
		if err != nil {
			return malformed("the line is not JSON: %s", jsonProblem(err))
		}
		name, _ := token.(string)
		var raw json.RawMessage
		if err := decoder.Decode(&raw); err != nil {
			return malformed("the line is not JSON: %s", jsonProblem(err))
		}
		c := columnOf(name)
		if c.kind == columnOther {
			others = append(others, name)
			continue
		}
		if slices.ContainsFunc(seen, func(d column) bool {
			return d.kind == c.kind && d.use == c.use && d.path == c.path && d.other == c.other
		}) {
			return malformed("it has %q twice", name)
		}
		seen = append(seen, c)
		// The decoder replaces what is not UTF-8, so this has to be seen before.
		if !utf8.Valid(raw) {
			return nil, nil, rowError(ReasonMalformed, expectUTF8, "%q %s", name, notUTF8(string(raw)))
		}
		texts, ok := textsOf(raw, c.kind == columnCertificate)
		if !ok {
			return malformed("%q is no text", name)
		}
		for _, text := range texts {
			values = append(values, value{c, text})
		}
	}
	if _, err := decoder.Token(); err != nil {
		return malformed("the line is cut off: %w", err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return malformed("something follows the JSON object")
	}
	// As in a CSV: where one is called email, none by another name is the address.
	if slices.ContainsFunc(seen, func(c column) bool { return c.kind == columnEmail && !c.other }) {
		values = slices.DeleteFunc(values, func(v value) bool { return v.column.other })
	}
	return values, others, nil
}

// textsOf returns a text, or several where a list is allowed; null is none.
func textsOf(raw json.RawMessage, list bool) ([]string, bool) {
	var one *string
	if err := json.Unmarshal(raw, &one); err == nil {
		if one == nil {
			return nil, true
		}
		return []string{*one}, true
	}
	var several []string
	if !list || json.Unmarshal(raw, &several) != nil {
		return nil, false
	}
	return several, true
}

// jsonProblem says what is wrong with a line that is not JSON.
func jsonProblem(err error) string {
	if syntax, found := errors.AsType[*json.SyntaxError](err); found && !strings.Contains(syntax.Error(), "unexpected end") {
		return fmt.Sprintf("an unexpected sign at character %d", syntax.Offset)
	}
	return "it ends in the middle"
}
