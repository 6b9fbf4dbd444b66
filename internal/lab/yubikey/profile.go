package yubikey

import "slices"

// Profiles returns the firmware versions that the lab offers as examples: each
// is one that cards in use have, and differs from its neighbours in what it can
// do. Other versions work as well.
func Profiles() []Version {
	return []Version{{4, 2, 7}, {4, 3, 7}, {5, 1, 2}, {5, 2, 7}, {5, 4, 3}, {5, 7, 4}}
}

// Ability is something that not every firmware from 4.0 on can do.
type Ability int

// The abilities, in the order of the versions that brought them.
const (
	CachedTouch Ability = iota
	Attestation
	SerialOverPIV
	SerialInAttestation
	ConstrainedDevice
	FullDeviceInfo
	Metadata
	AESManagementKey
	NewAlgorithms
	MoveKey
	ASCIIPUK
	AESFromFactory
	PINComplexity
	IntermediateCAs
	abilities // their number
)

// span is a range of versions: from the first on, before the second; zero is
// open.
type span struct{ from, before Version }

// table says what can do what. Sources: Yubico's page "PIV extensions", the
// PIV chapter of the manual of Yubico's .NET SDK, and attestations of real
// cards.
var table = [abilities]struct {
	name  string
	spans []span
}{
	CachedTouch: {"touch policy cached", []span{{from: Version{4, 3, 0}}}},
	Attestation: {"attestation, slot f9", []span{{from: Version{4, 3, 0}}}},
	// GET SERIAL; before, the OTP and management applets tell it.
	SerialOverPIV:       {"serial number over PIV", []span{{from: Version{5, 0, 0}}}},
	SerialInAttestation: {"serial number and form factor in attestations", []span{{from: Version{5, 0, 0}}}},
	// Seen to be missing on cards with 4.3 and with 5.2.4.
	ConstrainedDevice: {"basic constraints in f9's certificate", []span{
		{from: Version{5, 0, 0}, before: Version{5, 2, 0}}, {from: Version{5, 3, 0}},
	}},
	// Before: applications and serial number only.
	FullDeviceInfo:   {"form factor, version and FIDO2 in device information", []span{{from: Version{5, 0, 0}}}},
	Metadata:         {"metadata of keys, PIN and PUK", []span{{from: Version{5, 3, 0}}}},
	AESManagementKey: {"AES management keys", []span{{from: Version{5, 4, 0}}}},
	NewAlgorithms:    {"RSA 3072 and 4096, Ed25519, X25519", []span{{from: Version{5, 7, 0}}}},
	MoveKey:          {"moving and deleting keys", []span{{from: Version{5, 7, 0}}}},
	ASCIIPUK:         {"PUK of ASCII characters only", []span{{from: Version{5, 7, 0}}}},
	AESFromFactory:   {"AES-192 management key from the factory (before: 3DES)", []span{{from: Version{5, 7, 0}}}},
	PINComplexity:    {"PIN complexity in device information", []span{{from: Version{5, 7, 0}}}},
	// Before, the root signed f9's certificate.
	IntermediateCAs: {"intermediates between the attestation root and f9", []span{{from: Version{5, 7, 4}}}},
}

// Abilities returns all of them, in order.
func Abilities() []Ability {
	var all []Ability
	for a := range abilities {
		all = append(all, a)
	}
	return all
}

// String says in a few words what the ability is.
func (a Ability) String() string { return table[a].name }

// Of reports whether a firmware has the ability.
func (a Ability) Of(v Version) bool {
	return slices.ContainsFunc(table[a].spans, func(s span) bool {
		return v.AtLeast(s.from.Major, s.from.Minor, s.from.Patch) &&
			(s.before == (Version{}) || !v.AtLeast(s.before.Major, s.before.Minor, s.before.Patch))
	})
}

// profile is what a card can do by its firmware and model.
type profile struct {
	firmware Version
	fips     bool
	nfc      bool
}

// formFactorFIPS is the bit of the form factor that marks a FIPS model.
const formFactorFIPS = 0x80

func profileOf(v Version, formFactor byte) profile {
	shape := formFactor &^ formFactorFIPS
	return profile{
		firmware: v,
		fips:     formFactor&formFactorFIPS != 0 || v.Major == 4 && v.Minor == 4,
		nfc:      v.AtLeast(5, 0, 0) && (shape == FormFactorUSBAKeychain || shape == FormFactorUSBCKeychain),
	}
}

func (p profile) can(a Ability) bool { return a.Of(p.firmware) }

// factoryManagement is the algorithm of a new card's management key.
func (p profile) factoryManagement() managementAlgorithm {
	if p.can(AESFromFactory) {
		return aes192
	}
	return tripleDES
}

// holds reports whether a slot is one that can hold a key pair.
func (p profile) holds(slot slotID) bool {
	return slot.forUser() || slot == slotAttestation && p.can(Attestation)
}

// supports reports whether keys of the algorithm can be made or imported.
func (p profile) supports(a algorithm) bool {
	switch a {
	case rsa1024:
		return !p.fips
	case rsa2048, eccP256, eccP384:
		return true
	case rsa3072, rsa4096, ed25519Key:
		return p.can(NewAlgorithms)
	case x25519Key:
		return p.can(NewAlgorithms) && !p.fips
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
