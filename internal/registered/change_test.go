package registered_test

import (
	"errors"
	"testing"
	"time"

	"github.com/cse-piv/cse-piv/internal/gmail"
	"github.com/cse-piv/cse-piv/internal/registered"
)

// TestForecast: what each change would do, to a user with a split identity.
func TestForecast(t *testing.T) {
	now := time.Date(2027, 3, 1, 12, 0, 0, 0, time.UTC)
	state := registered.State{
		KeyPairs: []gmail.KeyPair{
			{ID: "sign", Enabled: true}, {ID: "encrypt", Enabled: true}, {ID: "old", Enabled: true},
			{ID: "off", DisableTime: now},
		},
		Identity: &gmail.Identity{Email: "ada@example.com", SigningKeyPairID: "sign", EncryptionKeyPairID: "encrypt"},
	}
	pair := func(verb registered.Verb, id string) registered.Change {
		return registered.Change{Verb: verb, KeyPairID: id}
	}
	set := func(id string) registered.Change {
		return registered.Change{Verb: registered.VerbSet, Identity: gmail.Identity{Email: "ada@example.com", PrimaryKeyPairID: id}}
	}
	type effect struct{ done, signing, encrypting, reading, forEver, risky bool }
	for name, test := range map[string]struct {
		change  registered.Change
		want    effect
		refused any
	}{
		"disable what signs":        {pair(registered.VerbDisable, "sign"), effect{signing: true, reading: true, risky: true}, nil},
		"disable what encrypts":     {pair(registered.VerbDisable, "encrypt"), effect{encrypting: true, reading: true, risky: true}, nil},
		"disable what is not used":  {pair(registered.VerbDisable, "old"), effect{reading: true, risky: true}, nil},
		"disable what is disabled":  {pair(registered.VerbDisable, "off"), effect{done: true}, nil},
		"enable":                    {pair(registered.VerbEnable, "off"), effect{}, nil},
		"enable what is enabled":    {pair(registered.VerbEnable, "old"), effect{done: true}, nil},
		"obliterate":                {pair(registered.VerbObliterate, "off"), effect{reading: true, forEver: true, risky: true}, nil},
		"obliterate an enabled one": {pair(registered.VerbObliterate, "old"), effect{}, new(*registered.EnabledError)},
		"one that is not there":     {pair(registered.VerbDisable, "none"), effect{}, new(*registered.UnknownKeyPairError)},
		"set":                       {set("old"), effect{risky: true}, nil},
		"set to a disabled one":     {set("off"), effect{}, new(*registered.DisabledError)},
		"set to one not there":      {set("none"), effect{}, new(*registered.UnknownKeyPairError)},
		"delete":                    {registered.Change{Verb: registered.VerbDelete}, effect{signing: true, encrypting: true, risky: true}, nil},
	} {
		got, err := registered.Forecast(state, test.change)
		if test.refused != nil {
			if err == nil || !errors.As(err, test.refused) {
				t.Errorf("%s: error %v, want a %T", name, err, test.refused)
			}
			continue
		}
		have := effect{got.Done, got.StopsSigning, got.StopsEncrypting, got.StopsReading, got.ForEver, got.Risky()}
		if err != nil || have != test.want {
			t.Errorf("%s: %+v, error %v, want %+v", name, have, err, test.want)
		}
	}
	if got, err := registered.Forecast(state, pair(registered.VerbObliterate, "off")); err != nil || !got.AllowedFrom.Equal(now.Add(30*24*time.Hour)) {
		t.Errorf("obliterate: %+v, error %v", got, err)
	}
	state.Identity = nil
	if got, err := registered.Forecast(state, registered.Change{Verb: registered.VerbDelete}); err != nil || !got.Done || got.Risky() {
		t.Errorf("delete no identity: %+v, error %v", got, err)
	}
}
