package stdio_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/cse-piv/cse-piv/internal/cli/stdio"
)

// TestJSONList: element by element the same is written as in one piece.
func TestJSONList(t *testing.T) {
	type element struct {
		Name  string            `json:"name"`
		Inner map[string]string `json:"inner"`
		List  []int             `json:"list"`
	}
	type whole struct {
		Files []element      `json:"files"`
		Error *stdio.Failure `json:"error,omitempty"`
	}
	for _, elements := range [][]element{{}, {{"one\nline", nil, []int{}}}, {{"a", map[string]string{"b": "\x1b[2J"}, []int{1, 2}}, {}, {"<&>\u202e", nil, nil}}} {
		for _, failure := range []*stdio.Failure{nil, (&stdio.Streams{}).FailureOf(errors.New("refused"))} {
			var want, got strings.Builder
			if err := stdio.JSON(&want, whole{elements, failure}); err != nil {
				t.Fatal(err)
			}
			list := stdio.NewJSONList(&got, "files")
			for _, e := range elements {
				list.Add(e)
			}
			if err := list.Close(failure); err != nil || got.String() != want.String() {
				t.Errorf("%v\n%s\nwant\n%s", err, got.String(), want.String())
			}
		}
	}
	list := stdio.NewJSONList(fullDisk{}, "files")
	list.Add(1)
	if err := list.Close(nil); !errors.Is(err, errFull) {
		t.Errorf("a full disk: %v", err)
	}
}

var errFull = errors.New("no space left")

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errFull }
