package cli

import (
	"maps"
	"slices"
	"testing"

	"github.com/cse-piv/cse-piv/internal/cli/setting"
	"github.com/cse-piv/cse-piv/internal/cli/stdio"
)

// TestNumbersHaveBounds: a number that is a setting knows its bounds itself, so that config show and
// every command refuse the same ones.
func TestNumbersHaveBounds(t *testing.T) {
	settings := setting.All(newRoot(&stdio.Streams{}, &runLog{}))
	numbers := 0
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		flag, less := settings[name], "-1"
		switch flag.Value.Type() {
		case "duration":
			less = "-1s"
		case "int", "int64", "uint32", "uint64", "float64":
		default:
			continue
		}
		numbers++
		checked, can := flag.Value.(interface{ Check(string) error })
		if !can || checked.Check(less) == nil {
			t.Errorf("--%s takes %s", name, less)
		}
	}
	if numbers < 5 {
		t.Errorf("only %d numbers were found", numbers)
	}
}
