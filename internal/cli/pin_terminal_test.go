package cli_test

import (
	"testing"

	"github.com/cse-piv/cse-piv/internal/lab"
	"github.com/cse-piv/cse-piv/internal/terminal"
)

// TestTriesLeftAreToldBeforeAPINIsTyped: of the PIN and of the PUK; the last one is not spent where
// the person says no, and of a PIN that is blocked nobody is asked.
func TestTriesLeftAreToldBeforeAPINIsTyped(t *testing.T) {
	d := newLabDesk(t, lab.Options{Readers: 1, Seed: 7})
	type answer struct{ asked, typed string }
	for _, test := range []struct {
		args    []string
		answers []answer
		end     string
	}{
		{[]string{"card", "pin", "change"}, []answer{{"3 tries left", "161803"}}, "still the factory one, and another one was given: not tried"},
		{[]string{"card", "pin", "change"}, []answer{{"3 tries left", "123456"}, {"a new PIN", "314159"}, {"once more", "314159"}}, "has the new PIN"},
		{[]string{"card", "puk", "change"}, []answer{{"a new PUK", "31415926"}, {"once more", "31415926"}}, "has the new PUK"},
		{[]string{"card", "pin", "change"}, []answer{{"8 letters, digits or signs; 3 tries left", "161803"}, {"a new PIN", "271828"}, {"once more", "271828"}}, "wrong PIN, 2 tries left"},
		{[]string{"card", "pin", "change"}, []answer{{"2 tries left", "161803"}, {"a new PIN", "271828"}, {"once more", "271828"}}, "wrong PIN, 1 try left"},
		{[]string{"card", "pin", "change"}, []answer{{"1 try left: a wrong one blocks it", "161803"}, {"a new PIN", "271828"}, {"once more", "271828"}, {"blocks it for good; try it?", "no"}}, "not tried"},
		{[]string{"card", "puk", "change"}, []answer{{"8 letters, digits or signs; 3 tries left", "16180333"}, {"a new PUK", "27182818"}, {"once more", "27182818"}}, "wrong PUK, 2 tries left"},
		{[]string{"card", "pin", "unblock"}, []answer{{"the PUK of card", "31415926"}, {"a new PIN", "271828"}, {"once more", "271828"}}, "has the new PIN, and all its tries"},
		{[]string{"card", "pin", "change"}, []answer{{"3 tries left", "271828"}, {"a new PIN", "314159"}, {"once more", "314159"}}, "has the new PIN"},
	} {
		w := startProgram(t, terminal.Options{Width: 160, Env: d.env}, d.dir, test.args...)
		for _, answer := range test.answers {
			w.see(answer.asked)
			w.enter(answer.typed)
		}
		w.see(test.end)
		if _, err := w.Exit(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.lab.SetFaults("pin:blocked"); err != nil {
		t.Fatal(err)
	}
	w := startProgram(t, terminal.Options{Width: 160, Env: d.env}, d.dir, "card", "pin", "change")
	w.see("the PIN is blocked")
	if code, err := w.Exit(t.Context()); err != nil || code != 6 {
		t.Errorf("exit code %d, %v", code, err)
	}
}
