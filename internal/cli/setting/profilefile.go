package setting

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/cse-piv/cse-piv/internal/cli/usage"
	"github.com/cse-piv/cse-piv/internal/config"
	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/piv"
)

// profileAnnotation is the annotation of a flag that a profile can set.
const profileAnnotation = "profile"

// InProfile lets an enrollment profile say what the flags say.
func InProfile(flags *pflag.FlagSet, names ...string) {
	for _, name := range names {
		annotate(flags, name, profileAnnotation, name)
	}
}

// The keys of a profile that are no flags.
const (
	keyDescription = "description"
	keyFirmware    = "require-firmware"
	keyFIPS        = "require-fips"
	keyPIN         = "require-pin"
	keyTouch       = "require-touch"
)

// ownKeys are those keys, with what they are for.
func ownKeys() map[string]string {
	return map[string]string{
		keyDescription: "what the profile is for, shown where one is chosen",
		keyFirmware:    "the oldest firmware that the card may have, such as \"5.7.0\"",
		keyFIPS:        "true: the card attests that it is a FIPS one, which is known once it has a key",
		keyPIN:         "true: no key asks for no PIN (PIN policy never), as its attestation says",
		keyTouch:       "true: every key asks for a touch, as its attestation says",
	}
}

// ProfileKey is a key that a profile can have.
type ProfileKey struct{ Name, About string }

// ProfileKeys returns the keys that profiles can have, by their names.
func ProfileKeys(root *cobra.Command) (all []ProfileKey) {
	keys, own := profileKeys(root), ownKeys()
	for _, name := range slices.Sorted(maps.Keys(keys)) {
		about := own[name]
		if flag := keys[name]; flag != nil {
			_, about = pflag.UnquoteUsage(flag)
			about = strings.TrimSuffix(about, " ("+EnvironmentName(name)+")")
		}
		all = append(all, ProfileKey{name, about})
	}
	return all
}

// EnrollmentProfile is one that stands in config.toml.
type EnrollmentProfile struct {
	enroll.Profile
	Description string
	Origin      config.Origin
	table       config.Table
}

// Line names the profile for people, with its description.
func (p *EnrollmentProfile) Line() string {
	if p.Description == "" {
		return p.Name
	}
	return p.Name + ": " + p.Description
}

// ProfileValue is what a profile says about one key.
type ProfileValue struct {
	Key    string        `json:"key"`
	Value  any           `json:"value"`  // text, a number, true or false, or a list
	Origin config.Origin `json:"origin"` // where it stands
}

// Values returns what the profile says, in the order of the file.
func (p *EnrollmentProfile) Values() (values []ProfileValue) {
	for _, key := range p.table.Keys() {
		values = append(values, ProfileValue{key, p.table.Values[key].Any, p.table.Values[key].Origin})
	}
	return values
}

// Text returns the value as it is written in the file.
func (v ProfileValue) Text() string { return shown(config.Value{Any: v.Value}) }

// profileKeys are the keys that a profile can have: flags, or nil for those that are none.
func profileKeys(root *cobra.Command) map[string]*pflag.Flag {
	keys := flagsOf(root, func(flag *pflag.Flag) bool { return len(flag.Annotations[profileAnnotation]) > 0 })
	for own := range ownKeys() {
		keys[own] = nil
	}
	return keys
}

// readProfiles returns the enrollment profiles of config.toml, by their names.
func readProfiles(root *cobra.Command, file *config.File) (map[string]*EnrollmentProfile, error) {
	keys, settings := profileKeys(root), All(root)
	all := map[string]*EnrollmentProfile{}
	for _, name := range slices.SortedFunc(maps.Keys(file.Profiles), func(a, b string) int {
		return file.Profiles[a].Origin.Line - file.Profiles[b].Origin.Line
	}) {
		table := file.Profiles[name]
		if name == "" || name == NoProfile {
			return nil, table.Origin.Errorf("no enrollment profile can be called %q", name)
		}
		for _, key := range table.Keys() {
			if err := checkKey(key, table.Values[key], slices.Sorted(maps.Keys(keys)), settings); err != nil {
				return nil, err
			}
		}
		profile, err := readProfile(name, table, keys)
		if err != nil {
			return nil, err
		}
		all[name] = profile
	}
	return all, nil
}

// ReadProfiles returns the enrollment profiles of the config.toml of a command, in the order of the
// file. Its errors are usage errors.
func ReadProfiles(cmd *cobra.Command) ([]*EnrollmentProfile, error) {
	file, err := readConfig(cmd)
	if err != nil {
		return nil, usage.Errorf("%w", err)
	}
	all, err := checkFile(cmd, file)
	if err != nil {
		return nil, usage.Errorf("%w", err)
	}
	return slices.SortedFunc(maps.Values(all), func(a, b *EnrollmentProfile) int { return a.Origin.Line - b.Origin.Line }), nil
}

// readProfile reads one profile. The order of the lines decides which of several errors is told.
func readProfile(name string, table config.Table, keys map[string]*pflag.Flag) (*EnrollmentProfile, error) {
	p := &EnrollmentProfile{Profile: enroll.Profile{Name: name}, Origin: table.Origin, table: table}
	if err := p.checkSlots(); err != nil {
		return nil, err
	}
	contents := map[string]any{}
	for _, key := range table.Keys() {
		value := table.Values[key]
		if err := p.read(key, value, keys); err != nil {
			return nil, err
		}
		contents[key] = value.Any
	}
	encoded, err := json.Marshal(contents)
	if err != nil {
		return nil, table.Origin.Errorf("the enrollment profile %s: %w", name, err)
	}
	sum := sha256.Sum256(encoded)
	p.SHA256 = hex.EncodeToString(sum[:])
	return p, p.checkContradictions()
}

// read takes in what stands at one key.
func (p *EnrollmentProfile) read(key string, value config.Value, keys map[string]*pflag.Flag) error {
	if flag := keys[key]; flag != nil {
		texts, err := textsOf(flag, value)
		if err == nil {
			err = checkValue(flag, texts, value)
		}
		if err != nil {
			return err
		}
		return p.take(key, strings.Join(texts, ","), value)
	}
	switch key {
	case keyDescription, keyFirmware:
		text, isText := value.Any.(string)
		if !isText {
			return value.Origin.Errorf("%s takes text in quotes", key)
		}
		if key == keyDescription {
			p.Description = text
			return nil
		}
		if n, err := fmt.Sscanf(text+".0.0", "%d.%d.%d", &p.Firmware.Major, &p.Firmware.Minor, &p.Firmware.Patch); n != 3 || err != nil {
			return value.Origin.Errorf("%s: %q is no version such as 5.7.0", key, text)
		}
		return nil
	}
	is, isBool := value.Any.(bool)
	if !isBool {
		return value.Origin.Errorf("%s takes true or false, without quotes", key)
	}
	switch key {
	case keyFIPS:
		p.FIPS = is
	case keyPIN:
		p.PIN = is
	case keyTouch:
		p.Touch = is
	}
	return nil
}

// take reads the values that an enrollment has to keep to.
func (p *EnrollmentProfile) take(key, text string, value config.Value) (err error) {
	switch key {
	case "layout":
		if p.Layout = enroll.Layout(text); p.Layout != enroll.LayoutSingle && p.Layout != enroll.LayoutSplit {
			err = fmt.Errorf("%q is neither single nor split", text)
		}
	case "slot":
		p.Slot, err = piv.ParseSlot(text)
	case "algorithm":
		if p.Algorithm, err = piv.ParseAlgorithm(text); err == nil && !slices.Contains(enroll.MailAlgorithms(), p.Algorithm) {
			err = fmt.Errorf("%q is none that Gmail takes", text)
		}
	case "pin-policy":
		p.PINPolicy, err = piv.ParsePINPolicy(text)
	case "touch-policy":
		p.TouchPolicy, err = piv.ParseTouchPolicy(text)
	case "pin-tries":
		p.PINTries, err = strconv.Atoi(text) // the flag knows the bounds
	case "puk-tries":
		p.PUKTries, err = strconv.Atoi(text)
	}
	if err != nil {
		return value.Origin.Errorf("%s: %w", key, err)
	}
	return nil
}

// shown writes a value as the file has it.
func shown(value config.Value) string {
	encoded, err := json.Marshal(value.Any)
	if err != nil {
		return fmt.Sprint(value.Any)
	}
	return string(encoded)
}
