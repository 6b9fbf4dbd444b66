package format_test

import (
	"testing"
	"time"

	"github.com/cse-piv/cse-piv/internal/format"
)

func TestNumbersAndDurations(t *testing.T) {
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 123456789: "123,456,789", -1234: "-1,234", -123: "-123"} {
		if got := format.Number(n); got != want {
			t.Errorf("%d is %q", n, got)
		}
	}
	for d, want := range map[time.Duration]string{
		400 * time.Millisecond: "0 s", 59 * time.Second: "59 s", 185 * time.Second: "3 min 5 s", 25 * time.Minute: "25 min", 130 * time.Minute: "2 h 10 min",
	} {
		if got := format.Duration(d); got != want {
			t.Errorf("%v is %q", d, got)
		}
	}
}
