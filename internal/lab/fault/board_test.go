package fault

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func board(t *testing.T, specs ...string) *Board {
	t.Helper()
	b := New(1)
	if err := b.Set(specs...); err != nil {
		t.Fatal(err)
	}
	return b
}

func TestCallsAreCountedFromWhenTheFaultWasSet(t *testing.T) {
	b := New(1)
	b.Call("token")
	if err := b.Set("api:503@3", "api:lost@keypairs.create:2"); err != nil {
		t.Fatal(err)
	}
	var got []API
	for _, method := range []string{"token", "keypairs.create", "keypairs.list", "keypairs.create", "keypairs.create"} {
		got = append(got, b.Call(method))
	}
	want := []API{APINone, APINone, APIUnavailable, APILost, APINone}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if n := b.Counts().API; n != 2 {
		t.Errorf("%d faults counted", n)
	}
}

func TestEveryCallOfAMethod(t *testing.T) {
	b := board(t, "api:body=null@keypairs.list", "api:body=html@2")
	var got []string
	for _, method := range []string{"keypairs.list", "token", "keypairs.list", "identities.get"} {
		got = append(got, b.Call(method).Body())
	}
	if diff := cmp.Diff([]string{"null", "html", "null", ""}, got); diff != "" {
		t.Error(diff)
	}
	if API("503").Body() != "" || b.Counts().API != 3 {
		t.Errorf("%+v", b.Counts())
	}
}

func TestCommandsAreCounted(t *testing.T) {
	b := board(t, "card:pull@2", "card:pull-after@3", "card:reset@5")
	var got []Card
	for range 6 {
		got = append(got, b.Command())
	}
	if got[0].Kind != CardNone || got[3].Kind != CardNone || got[5].Kind != CardNone {
		t.Errorf("faults where none were set: %+v", got)
	}
	if want := (Card{Kind: CardPull}); got[1] != want {
		t.Errorf("second: %+v", got[1])
	}
	if want := (Card{Kind: CardPull, Executed: true}); got[2] != want {
		t.Errorf("third: %+v", got[2])
	}
	if got[4].Kind != CardReset {
		t.Errorf("fifth: %+v", got[4])
	}
	if n := b.Counts().Card; n != 3 {
		t.Errorf("%d faults counted", n)
	}
}

func TestALieFromACommandOn(t *testing.T) {
	b := board(t, "card:lie=serial@3")
	var got []string
	for range 4 {
		got = append(got, b.Command().Lie)
	}
	if diff := cmp.Diff([]string{"", "", "serial", "serial"}, got); diff != "" {
		t.Error(diff)
	}
	if err := b.Set("card:lie=empty", "off", "card:lie=noise"); err != nil || b.Command().Lie != "noise" {
		t.Error(err)
	}
}

func TestBackground(t *testing.T) {
	const rounds = 10_000
	b := board(t, "api:5%", "card:reset:2%")
	calls, resets := map[API]int{}, map[Card]int{}
	for range rounds {
		calls[b.Call("token")]++
		resets[b.Command()]++
	}
	faults := rounds - calls[APINone]
	if faults < rounds*4/100 || faults > rounds*6/100 {
		t.Errorf("%d of %d calls failed at 5 %%", faults, rounds)
	}
	for _, kind := range background {
		if calls[kind] == 0 {
			t.Errorf("no fault %q among %d", kind, faults)
		}
	}
	if calls[APIInternal] != 0 {
		t.Error("an internal error is not part of the background")
	}
	losses := rounds - resets[Card{}]
	if losses < rounds*15/1000 || losses > rounds*25/1000 {
		t.Errorf("%d of %d commands lost contact at 2 %%", losses, rounds)
	}
	for _, executed := range []bool{false, true} {
		for _, removed := range []bool{false, true} {
			if resets[Card{Kind: CardReset, Executed: executed, Removed: removed}] == 0 {
				t.Errorf("never executed=%v with removed=%v", executed, removed)
			}
		}
	}
}

func TestSeedDecides(t *testing.T) {
	run := func(seed uint64) (faults []API) {
		b := New(seed)
		if err := b.Set("api:50%"); err != nil {
			t.Fatal(err)
		}
		for range 50 {
			faults = append(faults, b.Call("token"))
		}
		return faults
	}
	if !slices.Equal(run(7), run(7)) {
		t.Error("the same seed gave different faults")
	}
	if slices.Equal(run(7), run(8)) {
		t.Error("different seeds gave the same faults")
	}
}

func TestSwitches(t *testing.T) {
	b := board(t, "card:full", "pin:blocked", "cse-off:a@lab.example", "cse-off", "cse-off", "scope-missing", "latency:10s", "latency:50ms")
	want := Switches{
		CardFull: true, PINBlocked: true, CSEOff: []string{"a@lab.example", ""},
		ScopeMissing: true, Latency: 50 * time.Millisecond,
	}
	if diff := cmp.Diff(want, b.Switches()); diff != "" {
		t.Error(diff)
	}
	if err := b.Set("api:100%", "card:pull@1", "off"); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(Switches{}, b.Switches()); diff != "" {
		t.Errorf("after off: %s", diff)
	}
	if f := b.Call("token"); f != APINone {
		t.Errorf("after off: %q", f)
	}
	if f := b.Command(); f.Kind != CardNone {
		t.Errorf("after off: %+v", f)
	}
}

func TestSpecsThatSayNothing(t *testing.T) {
	for _, spec := range []string{
		"", "api", "api:", "api:5", "api:101%", "api:-1%", "api:NaN%", "api:418@1", "api:503@0", "api:503@", "api:503@x",
		"api:lost@:2", "api:lost@keypairs.create:", "api:lost@keypairs.crate:1", "api:503@", "api:body=@1", "api:body=truth@1", "api:body=null", "card", "card:reset", "card:reset:5", "card:pull", "card:pull@-1", "card:lie", "card:lie=", "card:lie=truth", "card:lie=serial@", "card:lie=serial@0",
		"card:eaten@3", "pin", "pin:forgotten", "cse-off:", "cse-off:nobody", "scope", "latency", "latency:50",
		"latency:-1s", "off:now", "OFF",
	} {
		b := New(1)
		err := b.Set("latency:1s", spec)
		var specErr *SpecError
		if !errors.As(err, &specErr) || specErr.Spec != spec || specErr.Want == "" {
			t.Errorf("%q: %v", spec, err)
		}
		if b.Switches().Latency != 0 {
			t.Errorf("%q: the specification before it was carried out", spec)
		}
	}
}

func FuzzSpec(f *testing.F) {
	for _, spec := range []string{"api:5%", "api:503@3", "api:lost@keypairs.create:2", "card:reset:2%", "card:pull-after@17", "cse-off:a@b", "latency:1h"} {
		f.Add(spec)
	}
	f.Fuzz(func(t *testing.T, spec string) {
		b := New(1)
		if err := b.Set(spec); err != nil {
			var specErr *SpecError
			if !errors.As(err, &specErr) {
				t.Fatalf("error %T", err)
			}
			return
		}
		b.Call("token")
		b.Command()
		if b.Switches().Latency < 0 {
			t.Fatal("negative latency")
		}
	})
}
