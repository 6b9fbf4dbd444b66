package plain_test

import (
	"strings"
	"testing"

	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/plain"
)

func TestProgressShowsWhatAPersonWantsToKnow(t *testing.T) {
	var out strings.Builder
	progress := plain.Progress(&out, false)
	for _, event := range []enroll.Event{
		{Index: 3, Of: 19, Title: "read", State: enroll.StateStarted},
		{Index: 3, Of: 19, Title: "read", State: enroll.StateDone},
		{Index: 4, Of: 19, Title: "set", State: enroll.StateAlready},
		{Index: 5, Of: 19, State: enroll.StateTouch},
		{Index: 5, Of: 19, State: enroll.StateCardOut, Message: "put card 1 back in\x07"},
		{Index: 5, Of: 19, State: enroll.StateCardBack},
		{Index: 5, Of: 19, State: enroll.StateRetry, Title: "import", Message: "the card was removed"},
	} {
		progress(event)
	}
	want := "[ 3/19] read: done\n[ 4/19] set: already done\n[ 5/19]   touch your YubiKey now\n[ 5/19]   put card 1 back in?\n[ 5/19]   the card is back\n[ 5/19] import: looking again, because the card was removed\n"
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", out.String(), want)
	}
}

func TestProgressRingsWhereThatIsAskedFor(t *testing.T) {
	var out strings.Builder
	progress := plain.Progress(&out, true)
	progress(enroll.Event{Index: 3, Of: 19, Title: "read", State: enroll.StateDone})
	progress(enroll.Event{Index: 5, Of: 19, State: enroll.StateTouch})
	if out.String() != "[ 3/19] read: done\n[ 5/19]   touch your YubiKey now\a\n" {
		t.Errorf("%q", out.String())
	}
}
