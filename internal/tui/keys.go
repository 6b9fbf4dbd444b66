package tui

import (
	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"github.com/cse-piv/cse-piv/internal/desk"
)

// keyMap is every key of the wizard. A touched YubiKey types letters of the
// ModHex alphabet (cbdefghijklnrtuv) and Enter into whatever window is in front,
// so no act is on one of those letters; burst.go swallows the Enter.
type keyMap struct {
	Next, Back, Help, Quit     key.Binding
	Up, Down, PageUp, PageDown key.Binding
	Change                     key.Binding
	Again, Park, Other, End    key.Binding
	More                       key.Binding
	Copy                       key.Binding
	Practice                   key.Binding
}

func newKeyMap() keyMap {
	bind := func(help, what string, keys ...string) key.Binding {
		return key.NewBinding(key.WithKeys(keys...), key.WithHelp(help, what))
	}
	return keyMap{
		Next:     bind("enter", "go on", "enter"),
		Back:     bind("esc", "back", "esc"),
		Help:     bind("?", "help", "?", "f1"),
		Quit:     bind("ctrl+c", "quit", "ctrl+c"),
		Up:       bind("↑", "up", "up", "shift+tab"),
		Down:     bind("↓", "down", "down", "tab"),
		PageUp:   bind("pgup", "scroll up", "pgup"),
		PageDown: bind("pgdn", "scroll down", "pgdown"),
		Change:   bind("←/→", "change", "left", "right"),
		Again:    bind("a", "again", "a", "A"),
		Park:     bind("p", "park this person", "p", "P"),
		Other:    bind("o", "use this card all the same", "o", "O"),
		End:      bind("q", "end", "q", "Q"),
		More:     bind("m", "more", "m", "M"),
		Copy:     bind("y", "copy the path", "y", "Y"),
		Practice: bind("ctrl+o", "practice", "ctrl+o"),
	}
}

// named gives a binding another description where a screen means something
// narrower by it.
func named(binding key.Binding, what string) key.Binding {
	binding.SetHelp(binding.Help().Key, what)
	return binding
}

// act tells the conversation what a key means, where it is one of those bindings.
func (s *session) act(msg tea.Msg, bindings []key.Binding) tea.Cmd {
	press, ok := msg.(tea.KeyPressMsg)
	if !ok || !key.Matches(press, bindings...) {
		return nil
	}
	for _, known := range []struct {
		key    key.Binding
		action desk.Action
	}{
		{s.keys.Next, desk.GoOn}, {s.keys.Back, desk.Back}, {s.keys.Again, desk.Again},
		{s.keys.Park, desk.Park}, {s.keys.Other, desk.TakeAnyway}, {s.keys.End, desk.Stop}, {s.keys.More, desk.More},
	} {
		if key.Matches(press, known.key) {
			return s.tell(known.action)
		}
	}
	return nil
}
