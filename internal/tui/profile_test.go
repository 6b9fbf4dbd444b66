package tui

import (
	"context"
	"errors"
	"testing"

	"github.com/cse-piv/cse-piv/internal/enroll"
)

// TestProfileIsChosen: with several enrollment profiles one is chosen before the start; one that
// cannot be followed is said, and another one can be chosen.
func TestProfileIsChosen(t *testing.T) {
	fake := newFakeDesk()
	d := fake.desk(t)
	d.Profiles = []enroll.Choice{{ID: "staff", Text: "staff: YubiKey 5"}, {ID: "vip", Text: "vip"}}
	var used []string
	d.UseProfile = func(_ context.Context, name string) error {
		used = append(used, name)
		if name == "vip" {
			return errors.New("no such CA")
		}
		d.Request.Profile = &enroll.Profile{Name: name}
		return nil
	}
	w := &wizard{t: t, fake: fake}
	w.model = newModel(commands{ctx: t.Context(), desk: d, tasks: &tasks{}, send: drop, keep: func(*enroll.Receipt) {}, sleep: noTime}, "")
	w.run(w.model.Init())
	w.on(screenProfile).shows("[Start]", "Which enrollment profile?", "▸ staff: YubiKey 5", "  vip").golden("profile")
	w.press("down", "down").shows("▸ vip").press("enter").on(screenProfile).shows("cannot be followed", "no such CA")
	w.press("up", "enter").on(screenStart).hides("profile?")
	if len(used) != 2 || used[0] != "vip" || used[1] != "staff" {
		t.Errorf("were followed: %q", used)
	}
}
