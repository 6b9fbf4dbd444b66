package yubikey

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/google/renameio/v2/maybe"
)

// stateFormat is the version of the state file's form.
const stateFormat = 1

// state is what a card keeps without power, and the content of the state file.
type state struct {
	Format        int                   `json:"format"`
	Serial        uint32                `json:"serial"`
	Firmware      Version               `json:"firmware"`
	FormFactor    byte                  `json:"form_factor"`
	PINComplexity bool                  `json:"pin_complexity"`
	PIN           reference             `json:"pin"`
	PUK           reference             `json:"puk"`
	ManagementKey managementKey         `json:"management_key"`
	Slots         map[slotID]*slotState `json:"slots"`
	Objects       map[objectID][]byte   `json:"objects"`
}

// restoreFactory sets PIN, PUK and management key as they leave the factory.
func (s *state) restoreFactory(p profile) {
	s.PIN = factoryReference(factoryPIN, factoryTries)
	s.PUK = factoryReference(factoryPUK, factoryTries)
	s.ManagementKey = managementKey{
		Algorithm: p.factoryManagement(), Value: factoryManagementKey(), TouchPolicy: touchNever,
	}
}

// load takes up the card in the state file, and reports whether there is one.
func (c *Card) load() (bool, error) {
	if c.stateFile == "" {
		return false, nil
	}
	raw, err := os.ReadFile(c.stateFile)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("reading the state of a virtual YubiKey: %w", err)
	}
	s, err := parseState(raw)
	if err != nil {
		if errors.As(err, new(*json.SyntaxError)) || errors.As(err, new(*json.UnmarshalTypeError)) {
			return false, fmt.Errorf("%s is not the saved state of a virtual YubiKey", c.stateFile)
		}
		return false, fmt.Errorf("state of a virtual YubiKey in %s: %w", c.stateFile, err)
	}
	c.install(s, raw)
	return true, nil
}

func (c *Card) install(s state, raw []byte) {
	c.state, c.saved, c.dirty = s, raw, false
	c.profile = profileOf(s.Firmware, s.FormFactor)
}

// parseState reads a state file and refuses what a card could not be in.
func parseState(raw []byte) (state, error) {
	var s state
	if err := json.Unmarshal(raw, &s); err != nil {
		return state{}, err
	}
	if s.Format != stateFormat {
		return state{}, fmt.Errorf("form %d, where %d is known", s.Format, stateFormat)
	}
	for name, ref := range map[string]reference{"pin": s.PIN, "puk": s.PUK} {
		if len(ref.Value) != referenceLength || ref.Max < 1 || ref.Max > 255 || ref.Tries < 0 || ref.Tries > ref.Max {
			return state{}, fmt.Errorf("%s is not one", name)
		}
	}
	key := s.ManagementKey
	if len(key.Value) == 0 || len(key.Value) != key.Algorithm.keyLength() {
		return state{}, errors.New("management_key is not one")
	}
	for slot, held := range s.Slots {
		if held == nil {
			return state{}, fmt.Errorf("slot %v: nothing there", slot)
		}
		if err := held.parse(); err != nil {
			return state{}, fmt.Errorf("slot %v: %w", slot, err)
		}
	}
	if s.Slots == nil {
		s.Slots = map[slotID]*slotState{}
	}
	if s.Objects == nil {
		s.Objects = map[objectID][]byte{}
	}
	return s, nil
}

// persist writes a changed state to the state file. When that fails the change
// is taken back, as far as there was a state before.
func (c *Card) persist() error {
	if !c.dirty || c.stateFile == "" {
		c.dirty = false
		return nil
	}
	raw, err := json.MarshalIndent(c.state, "", "  ")
	if err == nil {
		err = maybe.WriteFile(c.stateFile, append(raw, '\n'), 0o600)
	}
	if err == nil {
		c.saved, c.dirty = raw, false
		return nil
	}
	if before, err := parseState(c.saved); err == nil {
		c.install(before, c.saved)
	}
	return fmt.Errorf("writing the state of a virtual YubiKey: %w", err)
}
