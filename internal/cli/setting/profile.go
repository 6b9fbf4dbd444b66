package setting

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/cse-piv/cse-piv/internal/cli/stdio"
	"github.com/cse-piv/cse-piv/internal/cli/usage"
	"github.com/cse-piv/cse-piv/internal/config"
	"github.com/cse-piv/cse-piv/internal/enroll"
)

const profileFlag = "profile"

// NoProfile is what --profile says for none.
const NoProfile = "none"

// Profile is the flag --profile: which enrollment profile of config.toml is followed.
type Profile struct {
	name   string
	only   bool // the only one is followed where nobody names one
	flags  *pflag.FlagSet
	all    map[string]*EnrollmentProfile
	chosen *EnrollmentProfile
	undo   []func() // brings the flags back to how they were before one was chosen
}

// Add adds the flag. With only, the only profile of config.toml is followed where nobody names one.
func (p *Profile) Add(flags *pflag.FlagSet, only bool) {
	p.only = only
	text := "`name` of the enrollment profile of config.toml that is followed, or none"
	if only {
		text += " (default: the only one that is there)"
	}
	flags.Var(p, profileFlag, text)
	Mark(flags, profileFlag)
}

// Set takes a name; which ones there are is not known yet.
func (p *Profile) Set(name string) error {
	p.name = name
	return nil
}

// String returns the name.
func (p *Profile) String() string { return p.name }

// Type is for the help.
func (p *Profile) Type() string { return "name" }

// Chosen returns the profile that is followed; nil for none.
func (p *Profile) Chosen() *EnrollmentProfile { return p.chosen }

// Say tells a person which profile is followed, and where it stands; nothing where none is.
func (p *Profile) Say(messages io.Writer) {
	if p.chosen != nil {
		stdio.Note(messages, fmt.Sprintf("as the enrollment profile %s says (%s)", p.chosen.Name, p.chosen.Origin))
	}
}

// Request returns what an enrollment has to keep to; nil for nothing.
func (p *Profile) Request() *enroll.Profile {
	if p.chosen == nil {
		return nil
	}
	return &p.chosen.Profile
}

// Choices returns the profiles of which one is still to be chosen; none where nobody has to.
func (p *Profile) Choices() (choices []enroll.Choice) {
	if p.name != "" || !p.only || len(p.all) < 2 {
		return nil
	}
	for _, name := range slices.Sorted(maps.Keys(p.all)) {
		choices = append(choices, enroll.Choice{ID: name, Text: p.all[name].Line()})
	}
	return choices
}

// CheckChosen returns a usage error where one of several profiles is still to be chosen.
func (p *Profile) CheckChosen() error {
	if len(p.Choices()) == 0 {
		return nil
	}
	return usage.Errorf("config.toml has several enrollment profiles, and none is named: --profile %s", strings.Join(append(slices.Sorted(maps.Keys(p.all)), NoProfile), ", "))
}

// profileOf returns what the flag --profile of a command is for; nil where it has none, or one
// that means something else.
func profileOf(flags *pflag.FlagSet) *Profile {
	if flag := flags.Lookup(profileFlag); flag != nil {
		profile, _ := flag.Value.(*Profile)
		return profile
	}
	return nil
}

// offer takes in the profiles that there are, and chooses what is chosen already.
func (p *Profile) offer(flags *pflag.FlagSet, all map[string]*EnrollmentProfile) error {
	p.flags, p.all = flags, all
	if p.name != "" {
		return p.Choose(p.name)
	}
	if p.only && len(all) == 1 {
		for name := range all {
			return p.Choose(name)
		}
	}
	return nil
}

// Choose has the profile of that name followed: the flags get what it says. A flag or variable
// that says something else is an error, because evidence that names a profile must be able to
// count on it.
func (p *Profile) Choose(name string) error {
	for _, undo := range p.undo {
		undo()
	}
	p.undo, p.chosen = nil, nil
	if p.name = name; name == NoProfile {
		return nil
	}
	profile := p.all[name]
	if profile == nil {
		return usage.Errorf("%w", &config.UnknownProfileError{Name: name, Known: slices.Sorted(maps.Keys(p.all))})
	}
	for _, key := range profile.table.Keys() {
		flag := p.flags.Lookup(key)
		if flag == nil || len(flag.Annotations[profileAnnotation]) == 0 {
			continue // it is about something that the command does not decide
		}
		value, before, origin := profile.table.Values[key], valueOf(flag), OriginOf(flag)
		p.undo = append(p.undo, undoOf(flag))
		if err := setValue(flag, value); err != nil {
			return usage.Errorf("%w", err)
		}
		if decided := origin.Kind == OriginFlag || origin.Kind == OriginVariable; decided && before != valueOf(flag) {
			return usage.Errorf("the enrollment profile %s says %s = %s (%s), and --%s, from %s, says %s: leave that out, or choose another profile",
				name, key, shown(value), value.Origin, key, origin, before)
		}
		flag.Changed = true
		setOrigin(flag, Origin{Kind: OriginProfile, Profile: name, File: value.Origin.File, Line: value.Origin.Line})
	}
	if err := profile.checkNeeds(p.flags); err != nil {
		return usage.Errorf("%w", err)
	}
	p.chosen = profile
	return nil
}

// undoOf returns what brings a flag back to how it is.
func undoOf(flag *pflag.Flag) func() {
	changed, origin, text := flag.Changed, flag.Annotations[originAnnotation], flag.Value.String()
	list, isList := flag.Value.(pflag.SliceValue)
	var elements []string
	if isList {
		elements = list.GetSlice()
	}
	return func() {
		flag.Changed = changed
		flag.Annotations[originAnnotation] = origin
		if isList {
			_ = list.Replace(elements) // it had them
		} else {
			_ = flag.Value.Set(text)
		}
	}
}

// valueOf returns the value of a flag, of a list in the order of the elements' names.
func valueOf(flag *pflag.Flag) string {
	if list, isList := flag.Value.(pflag.SliceValue); isList {
		return strings.Join(slices.Sorted(slices.Values(list.GetSlice())), ", ")
	}
	return flag.Value.String()
}
