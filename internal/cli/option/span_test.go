package option

import (
	"testing"
	"time"
)

func TestSpan(t *testing.T) {
	var span Span
	for text, days := range map[string]int{"60d": 60, "8w": 56, "0d": 0, " 1d ": 1, "36525d": 36525} {
		if err := span.Set(text); err != nil || time.Duration(span) != time.Duration(days)*24*time.Hour {
			t.Errorf("%s: %v %v", text, time.Duration(span), err)
		}
	}
	for _, text := range []string{"", "60", "d", "-1d", "1.5d", "2h", "36526d", "9999999999999w", "60days"} {
		if err := span.Set(text); err == nil {
			t.Errorf("%q is read as %v", text, time.Duration(span))
		}
	}
	span = Span(56 * 24 * time.Hour)
	if text := span.String(); text != "56d" {
		t.Error(text)
	}
}
