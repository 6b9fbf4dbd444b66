package config

import (
	"bytes"
	"strings"

	"github.com/pelletier/go-toml/v2/unstable"
)

// lines holds in which line each key stands, by its path.
type lines map[string]int

// linesOf looks where the keys of a TOML document stand, which was parsed before.
func linesOf(data []byte) lines {
	found := lines{}
	var parser unstable.Parser
	parser.Reset(data)
	var table []string
	for parser.NextExpression() {
		switch node := parser.Expression(); node.Kind {
		case unstable.Table, unstable.ArrayTable:
			table = found.note(data, nil, node)
		case unstable.KeyValue:
			found.note(data, table, node)
		}
	}
	return found
}

// note notes where a key stands, and the tables above it that have no line yet. It returns the
// key's path.
func (l lines) note(data []byte, above []string, node *unstable.Node) []string {
	path := append([]string(nil), above...)
	for key := node.Key(); key.Next(); {
		path = append(path, string(key.Node().Data))
		if at := pathOf(path); l[at] == 0 {
			l[at] = 1 + bytes.Count(data[:key.Node().Raw.Offset], []byte("\n"))
		}
	}
	if node.Kind == unstable.KeyValue && node.Value().Kind == unstable.InlineTable {
		for inside := node.Value().Children(); inside.Next(); {
			l.note(data, path, inside.Node())
		}
	}
	return path
}

// of returns the line of a key, 0 where it is not known.
func (l lines) of(path ...string) int { return l[pathOf(path)] }

func pathOf(path []string) string { return strings.Join(path, "\x00") }
