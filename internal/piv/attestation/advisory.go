package attestation

import "crypto"

// Advisory is a published weakness that touches an attested key without making
// its attestation worthless.
type Advisory struct {
	ID      string `json:"id"`      // Yubico's number, such as "YSA-2024-03"
	Message string `json:"message"` // what it means for this key
	URL     string `json:"url"`     // where it is published
}

func advisoryURL(path string) string {
	return "https://www.yubico.com/support/security-advisories/" + path + "/"
}

// isEC tells whether an algorithm name is one of the NIST curves.
func isEC(algorithm string) bool { return algorithm == "eccp256" || algorithm == "eccp384" }

// hasROCA tells whether a key is an RSA key from firmware 4.2.0 to 4.3.4, whose
// primes have a structure that lets the modulus be factored (YSA-2017-01).
func hasROCA(key crypto.PublicKey, firmware version) bool {
	name := algorithmName(key)
	return len(name) > 3 && name[:3] == "rsa" &&
		!firmware.less(version{4, 2, 0}) && firmware.less(version{4, 3, 5})
}

// FirmwareAdvisories lists what is known against cards with that firmware, for
// whichever keys they may make.
func FirmwareAdvisories(major, minor, patch byte) []Advisory {
	firmware := version{major, minor, patch}
	list := advisories("eccp256", firmware)
	if !firmware.less(version{4, 2, 0}) && firmware.less(version{4, 3, 5}) {
		list = append(list, Advisory{
			ID:      "YSA-2017-01",
			Message: "RSA keys that are generated on firmware 4.2.0 to 4.3.4 can be factored; replace the card",
			URL:     advisoryURL("ysa-2017-01"),
		})
	}
	return list
}

// FormFactor names a YubiKey's case, such as "USB-C keychain", by its number in
// device information and attestations; empty for 0, which tells nothing.
func FormFactor(number byte) string { return formFactorName(number) }

// advisories lists what is known against a key of that algorithm and firmware.
func advisories(algorithm string, firmware version) []Advisory {
	var list []Advisory
	if isEC(algorithm) && firmware.less(version{5, 7, 0}) {
		list = append(list, Advisory{
			ID: "YSA-2024-03",
			Message: "EUCLEAK: with the card in hand, its PIN and laboratory equipment, an elliptic-curve key " +
				"can be read out of firmware before 5.7; prefer RSA on this card",
			URL: advisoryURL("ysa-2024-03"),
		})
	}
	if firmware == (version{4, 4, 2}) || firmware == (version{4, 4, 4}) {
		list = append(list, Advisory{
			ID:      "YSA-2019-02",
			Message: "the first random values after power-up are weaker on FIPS firmware 4.4.2 and 4.4.4; replace the card",
			URL:     advisoryURL("ysa-2019-02"),
		})
	}
	return list
}
