package yubikey

import (
	"bytes"
	"crypto/x509"
	"slices"
	"strings"
	"testing"
)

// expected says, in the order of Abilities, what a card of each profile does
// when it is tried: it was written by hand, not taken from the table.
var expected = map[string]string{
	"4.2.7": "..............",
	"4.3.7": "xx............",
	"5.1.2": "xxxxxx........",
	"5.2.7": "xxxx.x........",
	"5.4.3": "xxxxxxxx......",
	"5.7.4": "xxxxxxxxxxxxxx",
}

// probes try an ability on a card.
var probes = [abilities]func(*host) bool{
	CachedTouch: func(h *host) bool {
		return h.tries(0, insGenerateKeyPair, 0, 0x9a, generateData(eccP256, 0, touchCached))
	},
	Attestation: func(h *host) bool {
		h.generateIn(slotAuthentication, eccP256, 0, 0)
		attests := h.tries(0, insAttest, 0x9a, 0, nil)
		for what, has := range map[string]bool{
			"a key in f9":            h.tries(0, insGenerateKeyPair, 0, 0xf9, generateData(eccP256, 0, 0)),
			"a certificate of f9":    h.tries(0, insGetData, 0x3f, 0xff, getData(objectAttestation)),
			"a key that f9 can take": h.tries(0, insImportKey, byte(eccP256), 0xf9, appendTLV(nil, 0x06, []byte{1})),
		} {
			if has != attests {
				h.Errorf("%s: %v; attestation: %v", what, has, attests)
			}
		}
		return attests
	},
	SerialOverPIV: func(h *host) bool { return h.tries(0, insGetSerial, 0, 0, nil) },
	SerialInAttestation: func(h *host) bool {
		slot := h.attested()
		return slot != nil && len(slot.Extensions) == 4
	},
	ConstrainedDevice: func(h *host) bool {
		return h.attested() != nil && deviceCertificateOf(h).BasicConstraintsValid
	},
	FullDeviceInfo: func(h *host) bool {
		info := deviceInfo(h)
		_, form := info[infoFormFactor]
		_, version := info[infoVersion]
		if len(info[infoSerial]) != 4 {
			h.Errorf("device information without a serial number: %v", info)
		}
		return form && version && len(info[infoUSBSupported]) == 2
	},
	Metadata: func(h *host) bool { return h.tries(0, insGetMetadata, 0, referencePIN, nil) },
	AESManagementKey: func(h *host) bool {
		key := append([]byte{byte(aes128), 0x9b, 16}, make([]byte, 16)...)
		return h.tries(0, insSetManagementKey, 0xff, 0xff, key)
	},
	NewAlgorithms: func(h *host) bool {
		results := map[bool]int{}
		for _, a := range []algorithm{rsa3072, rsa4096, ed25519Key, x25519Key} {
			results[h.tries(0, insGenerateKeyPair, 0, 0x9a, generateData(a, 0, 0))]++
		}
		for _, a := range []algorithm{rsa1024, rsa2048, eccP256, eccP384} {
			h.ok(0, insGenerateKeyPair, 0, 0x9a, generateData(a, 0, 0))
		}
		if len(results) != 1 {
			h.Errorf("some of the newer algorithms only: %v", results)
		}
		return results[true] > 0
	},
	MoveKey: func(h *host) bool {
		h.generateIn(slotKeyManagement, eccP256, 0, 0)
		moves := h.tries(0, insMoveKey, 0x82, 0x9d, nil)
		if deletes := h.tries(0, insMoveKey, deleteInsteadOfMove, 0x82, nil); deletes != moves {
			h.Errorf("moves keys: %v, deletes keys: %v", moves, deletes)
		}
		return moves
	},
	ASCIIPUK: func(h *host) bool {
		return !h.tries(0, insChangeReference, 0, referencePUK, append(padReference(factoryPUK), "\xe4\xf6\xfc4567\xff"...))
	},
	AESFromFactory: func(h *host) bool { return h.Snapshot().ManagementKey.Algorithm == "aes192" },
	PINComplexity:  func(h *host) bool { _, told := deviceInfo(h)[infoPINComplexity]; return told },
	IntermediateCAs: func(h *host) bool {
		return h.attested() != nil && deviceCertificateOf(h).CheckSignatureFrom(testAuthority().Intermediates()[1]) == nil
	},
}

// tries sends a command and reports whether the card carried it out.
func (h *host) tries(cla, ins, p1, p2 byte, data []byte) bool {
	h.Helper()
	_, sw := h.send(cla, ins, p1, p2, data)
	return sw == swOK
}

// attested returns the attestation of a new key, nil where there is none.
func (h *host) attested() *x509.Certificate {
	h.Helper()
	h.generateIn(slotKeyManagement, eccP256, 0, 0)
	if !h.tries(0, insAttest, 0x9d, 0, nil) {
		return nil
	}
	return h.attestation(slotKeyManagement)
}

func TestProfiles(t *testing.T) {
	profiles := Profiles()
	if len(profiles) != len(expected) {
		t.Errorf("%d profiles, %d expected", len(profiles), len(expected))
	}
	for _, v := range profiles {
		t.Run(v.String(), func(t *testing.T) {
			want := expected[v.String()]
			if len(want) != len(Abilities()) {
				t.Fatalf("%d abilities expected, there are %d", len(want), len(Abilities()))
			}
			for _, a := range Abilities() {
				t.Run(a.String(), func(t *testing.T) {
					h := newHost(t, v)
					h.manage()
					can := probes[a](h)
					if does := want[a] == 'x'; can != does || a.Of(v) != does {
						t.Errorf("the card does it: %v, the table says %v, expected is %v", can, a.Of(v), does)
					}
				})
			}
		})
	}
}

// TestWhatAllFirmwareHasInCommon is what the profiles do not differ in.
func TestWhatAllFirmwareHasInCommon(t *testing.T) {
	for _, v := range Profiles() {
		t.Run(v.String(), func(t *testing.T) {
			h := newHost(t, v)
			if got := h.ok(0, insGetVersion, 0, 0, nil); !bytes.Equal(got, []byte{v.Major, v.Minor, v.Patch}) {
				t.Errorf("version %x", got)
			}
			// Only the NEO, before applet 1.0.4, answered 630x.
			h.refused(0x63c2, 0, insVerify, 0, referencePIN, padReference("000000"))
			h.refused(0x63c2, 0, insVerify, 0, referencePIN, nil)
			h.refused(0x63c1, 0, insVerify, 0, referencePIN, padReference("000000"))
			h.refused(0x63c0, 0, insVerify, 0, referencePIN, padReference("000000"))
			h.refused(swBlocked, 0, insVerify, 0, referencePIN, nil)
			h.refused(swBlocked, 0, insVerify, 0, referencePIN, padReference(factoryPIN))
			h.ok(0, insResetRetryCounter, 0, referencePIN, append(padReference(factoryPUK), padReference("271828")...))
			h.verifyPIN("271828")
			h.ok(0, insVerify, 0, referencePIN, nil)
			h.generateIn(slotSignature, rsa2048, pinOnce, touchAlways)
			held := h.Snapshot().Slots[byte(slotSignature)]
			if held.PINPolicy != "once" || held.TouchPolicy != "always" {
				t.Errorf("slot 9c holds %+v", held)
			}
			// The serial number by the way that older cards have for it, too.
			h.ok(0, insSelect, 4, 0, unhex(t, "a000000527200101"))
			if got := h.ok(0, insOTPRequest, otpSerial, 0, nil); !bytes.Equal(got, []byte{0x00, 0xae, 0x13, 0xfb}) {
				t.Errorf("serial over OTP is %x", got)
			}
		})
	}
}

func TestAnswerToReset(t *testing.T) {
	for _, v := range Profiles() {
		name := map[byte]string{4: "Yubikey4", 5: "YubiKey"}[v.Major]
		atr := newHost(t, v).ATR()
		check := byte(0)
		for _, b := range atr[1:] {
			check ^= b // ISO/IEC 7816-3, 8.2.5: TCK
		}
		if !bytes.Contains(atr, []byte(name)) || check != 0 || int(atr[1]&0x0f) != len(bytes.TrimPrefix(atr, atr[:9]))-1 {
			t.Errorf("%v: %x", v, atr)
		}
	}
}

func TestFirmwareOlderThanFour(t *testing.T) {
	_, err := New(Config{Firmware: Version{3, 5, 0}, Authority: testAuthority()})
	if err == nil || !strings.Contains(err.Error(), "older than 4.0.0") {
		t.Errorf("a NEO: %v", err)
	}
}

// TestSpans looks at the borders of the ranges of versions.
func TestSpans(t *testing.T) {
	for a, borders := range map[Ability]struct{ with, without []Version }{
		Attestation:       {[]Version{{4, 3, 0}, {6, 0, 0}}, []Version{{4, 2, 9}}},
		Metadata:          {[]Version{{5, 3, 0}}, []Version{{5, 2, 9}}},
		ConstrainedDevice: {[]Version{{5, 0, 0}, {5, 1, 9}, {5, 3, 0}}, []Version{{4, 9, 9}, {5, 2, 0}, {5, 2, 4}}},
		IntermediateCAs:   {[]Version{{5, 7, 4}}, []Version{{5, 7, 3}}},
	} {
		if i := slices.IndexFunc(borders.with, func(v Version) bool { return !a.Of(v) }); i >= 0 {
			t.Errorf("%v: not with %v", a, borders.with[i])
		}
		if i := slices.IndexFunc(borders.without, a.Of); i >= 0 {
			t.Errorf("%v: with %v", a, borders.without[i])
		}
	}
}
