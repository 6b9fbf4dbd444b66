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

// profile says what a firmware can do.
type profile struct {
	serialOverPIV  bool // GET SERIAL in the PIV applet
	policies       bool // PIN and touch policies of a key
	cachedTouch    bool
	attest         bool
	metadata       bool
	aesManagement  bool
	moveKey        bool
	asciiPUK       bool // a PUK is refused when a byte of it is above 7F
	formFactor     bool // known to the card, and so in an attestation
	nfc            bool
	fips           bool
	newAlgorithms  bool // RSA 3072 and 4096, Ed25519, X25519
	factoryManaged managementAlgorithm
}

// formFactorFIPS is the bit of the form factor that marks a FIPS model.
const formFactorFIPS = 0x80

func profileOf(v Version, formFactor byte) profile {
	p := profile{
		serialOverPIV:  v.AtLeast(5, 0, 0),
		policies:       v.AtLeast(4, 0, 0),
		cachedTouch:    v.AtLeast(4, 3, 0),
		attest:         v.AtLeast(4, 3, 0),
		metadata:       v.AtLeast(5, 3, 0),
		aesManagement:  v.AtLeast(5, 4, 0),
		moveKey:        v.AtLeast(5, 7, 0),
		asciiPUK:       v.AtLeast(5, 7, 0),
		formFactor:     v.AtLeast(5, 0, 0),
		fips:           formFactor&formFactorFIPS != 0 || v.Major == 4 && v.Minor == 4,
		newAlgorithms:  v.AtLeast(5, 7, 0),
		factoryManaged: tripleDES,
	}
	if v.AtLeast(5, 7, 0) {
		p.factoryManaged = aes192
	}
	shape := formFactor &^ formFactorFIPS
	p.nfc = v.AtLeast(5, 0, 0) && (shape == FormFactorUSBAKeychain || shape == FormFactorUSBCKeychain)
	return p
}

// supports reports whether keys of the algorithm can be made or imported.
func (p profile) supports(a algorithm) bool {
	switch a {
	case rsa1024:
		return !p.fips
	case rsa2048, eccP256:
		return true
	case eccP384:
		return p.policies // both came with the YubiKey 4
	case rsa3072, rsa4096, ed25519Key:
		return p.newAlgorithms
	case x25519Key:
		return p.newAlgorithms && !p.fips
	}
	return false
}

// Form factors as the management applet and attestations give them. FIPS models
// have bit 80 set in addition.
const (
	FormFactorUSBAKeychain  = 0x01
	FormFactorUSBANano      = 0x02
	FormFactorUSBCKeychain  = 0x03
	FormFactorUSBCNano      = 0x04
	FormFactorUSBCLightning = 0x05
)
