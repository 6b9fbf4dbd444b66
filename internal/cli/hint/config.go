package hint

import (
	"errors"

	"github.com/cse-piv/cse-piv/internal/config"
	"github.com/cse-piv/cse-piv/internal/enroll"
)

// ofConfig is about config.toml and the enrollment profiles in it.
func (h hints) ofConfig(err error) string {
	if unknown, found := errors.AsType[*config.UnknownKeyError](err); found {
		if name := nearest(unknown.Key, unknown.Known); name != "" {
			return "did you mean: " + name
		}
		return "all that there are: cse-piv config show"
	}
	if unknown, found := errors.AsType[*config.UnknownProfileError](err); found {
		if name := nearest(unknown.Name, unknown.Known); name != "" {
			if h.desk || !h.has("profile") {
				return "did you mean: " + name
			}
			return "did you mean: --profile " + name
		}
		return "the enrollment profiles are shown by: cse-piv profile list"
	}
	if other, found := errors.AsType[*enroll.ProfileError](err); found {
		return "use another card, or another enrollment profile; what this one says: cse-piv profile show " + other.Profile
	}
	if errors.Is(err, config.ErrBackslash) {
		return `write a Windows path in single quotes, such as 'C:\keys\key.json', or with each backslash twice`
	}
	return ""
}
