package ledger_test

import (
	"slices"
	"testing"
)

// TestCardsWithOneCHUID are known of each other, as long as both have it.
func TestCardsWithOneCHUID(t *testing.T) {
	onEach(t, func(t *testing.T, url string) {
		l := open(t, url)
		for _, step := range []struct {
			serial uint32
			chuid  string
			others []uint32
		}{
			{3, "one", nil}, {3, "one", nil}, {1, "one", []uint32{3}}, {4294967295, "two", nil},
			{2, "one", []uint32{1, 3}}, {3, "two", []uint32{4294967295}}, {1, "one", []uint32{2}},
		} {
			others, err := l.NoteCHUID(t.Context(), step.serial, step.chuid)
			if err != nil || !slices.Equal(others, step.others) {
				t.Errorf("card %d with %s: %v, %v", step.serial, step.chuid, others, err)
			}
			if others, err = l.SameCHUID(t.Context(), step.serial, step.chuid); err != nil || !slices.Equal(others, step.others) {
				t.Errorf("card %d with %s, looked up: %v, %v", step.serial, step.chuid, others, err)
			}
			if others, err = l.SameCHUID(t.Context(), step.serial, ""); err != nil || others != nil {
				t.Errorf("a card without one: %v, %v", others, err)
			}
		}
	})
}
