package describe

import (
	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/evidence"
)

// ProfileFindings says whether a card is as an enrollment profile asks for, a value for each thing.
func ProfileFindings(findings []enroll.ProfileFinding) (values []Value) {
	for _, f := range findings {
		value := Value{Label: f.What, Text: f.Found, Tone: OK}
		if !f.Met {
			value.Text, value.Tone = f.Found+", not "+f.Wanted, Bad
		}
		values = append(values, value)
	}
	return values
}

// profileOf says which enrollment profile a receipt names; nothing for none.
func profileOf(profile *evidence.Profile) []Value {
	if profile == nil {
		return nil
	}
	return []Value{{Label: "profile", Text: profile.Name + ", SHA-256 " + profile.SHA256}}
}
