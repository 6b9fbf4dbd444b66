package piv

import (
	"fmt"
)

// Version is a card's firmware version.
type Version struct{ Major, Minor, Patch int }

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

// MovesKeys reports whether the firmware answers MOVE KEY.
func (v Version) MovesKeys() bool { return v.AtLeast(5, 7, 0) }
