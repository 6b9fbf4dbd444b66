package piv

import (
	"fmt"
	"strconv"
	"strings"
)

// Version is a card's firmware version.
type Version struct{ Major, Minor, Patch int }

// ParseVersion reads "5.7.4" or "5.7".
func ParseVersion(text string) (Version, error) {
	parts := strings.Split(text, ".")
	if len(parts) < 2 || len(parts) > 3 {
		return Version{}, fmt.Errorf("%q is not a firmware version", text)
	}
	var numbers [3]int
	for i, part := range parts {
		n, err := strconv.ParseUint(part, 10, 8)
		if err != nil {
			return Version{}, fmt.Errorf("%q is not a firmware version", text)
		}
		numbers[i] = int(n)
	}
	return Version{numbers[0], numbers[1], numbers[2]}, nil
}

// String returns "5.7.4".
func (v Version) String() string { return fmt.Sprintf("%d.%d.%d", v.Major, v.Minor, v.Patch) }

// AtLeast reports whether v is that version or a later one.
func (v Version) AtLeast(major, minor, patch int) bool {
	if v.Major != major {
		return v.Major > major
	}
	if v.Minor != minor {
		return v.Minor > minor
	}
	return v.Patch >= patch
}

// MarshalText returns String, for JSON.
func (v Version) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// hasMetadata reports whether the firmware answers GET METADATA.
func (v Version) hasMetadata() bool { return v.AtLeast(5, 3, 0) }

// Attests reports whether the firmware answers ATTEST.
func (v Version) Attests() bool { return v.AtLeast(4, 3, 0) }
