package yubikey

import "fmt"

// Version is a firmware version, for example 5.7.4.
type Version struct{ Major, Minor, Patch byte }

// ParseVersion reads "5.7.4".
func ParseVersion(s string) (Version, error) {
	var v Version
	var rest string
	if n, _ := fmt.Sscanf(s+" ", "%d.%d.%d%s", &v.Major, &v.Minor, &v.Patch, &rest); n != 3 || v.String() != s {
		return Version{}, fmt.Errorf("firmware version %q is not of the form 5.7.4", s)
	}
	return v, nil
}

// ParseFirmware reads the version of a firmware that a virtual YubiKey can have:
// 4.0.0 at least.
func ParseFirmware(s string) (Version, error) {
	v, err := ParseVersion(s)
	if err == nil {
		err = v.check()
	}
	return v, err
}

func (v Version) check() error {
	if v.Major < 4 {
		return fmt.Errorf("firmware %v is older than 4.0.0", v)
	}
	return nil
}

// String returns the version as "5.7.4".
func (v Version) String() string { return fmt.Sprintf("%d.%d.%d", v.Major, v.Minor, v.Patch) }

// AtLeast reports whether v is the given version or a later one.
func (v Version) AtLeast(major, minor, patch byte) bool {
	if v.Major != major {
		return v.Major > major
	}
	if v.Minor != minor {
		return v.Minor > minor
	}
	return v.Patch >= patch
}

// MarshalText writes the version as "5.7.4".
func (v Version) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// UnmarshalText reads "5.7.4".
func (v *Version) UnmarshalText(text []byte) error {
	parsed, err := ParseVersion(string(text))
	if err != nil {
		return err
	}
	*v = parsed
	return nil
}
