package yubikey

import (
	"maps"
	"slices"
	"testing"
)

func pins(old, value string) []byte {
	return append(padReference(old), padReference(value)...)
}

func TestVerify(t *testing.T) {
	h := newHost(t, v574)
	h.refused(triesLeft(3), 0, insVerify, 0, referencePIN, nil)
	h.refused(0x63c2, 0, insVerify, 0, referencePIN, padReference("654321"))
	h.refused(0x63c2, 0, insVerify, 0, referencePIN, nil)
	h.verifyPIN(factoryPIN)
	h.ok(0, insVerify, 0, referencePIN, nil) // verified: nothing is asked for
	if tries := h.Snapshot().PIN.Tries; tries != 3 {
		t.Errorf("%d tries after success, want 3", tries)
	}
	h.ok(0, insVerify, 0xff, referencePIN, nil)
	h.refused(0x63c3, 0, insVerify, 0, referencePIN, nil)
}

func TestWrongPINEndsVerified(t *testing.T) {
	h := newHost(t, v574)
	h.verifyPIN(factoryPIN)
	h.refused(0x63c2, 0, insVerify, 0, referencePIN, padReference("000000"))
	h.refused(0x63c2, 0, insVerify, 0, referencePIN, nil)
}

func TestVerifyParameters(t *testing.T) {
	h := newHost(t, v574)
	h.refused(swWrongP1P2, 0, insVerify, 1, referencePIN, nil)
	h.refused(swReferenceNotFound, 0, insVerify, 0, 0x00, nil)
	h.refused(swReferenceNotFound, 0, insVerify, 0, 0x96, nil)
	h.refused(swWrongData, 0, insVerify, 0xff, referencePIN, padReference(factoryPIN))
	h.refused(swWrongLength, 0, insVerify, 0, referencePIN, []byte(factoryPIN))
	if tries := h.Snapshot().PIN.Tries; tries != 3 {
		t.Errorf("malformed commands took tries: %d left", tries)
	}
}

func TestBlockedPINAndPUK(t *testing.T) {
	h := newHost(t, v574)
	for _, want := range []status{0x63c2, 0x63c1, 0x63c0, swBlocked, swBlocked} {
		h.refused(want, 0, insVerify, 0, referencePIN, padReference("000000"))
	}
	h.refused(swBlocked, 0, insVerify, 0, referencePIN, padReference(factoryPIN))
	h.refused(swBlocked, 0, insVerify, 0, referencePIN, nil)
	h.refused(swBlocked, 0, insChangeReference, 0, referencePIN, pins(factoryPIN, "654321"))

	h.ok(0, insResetRetryCounter, 0, referencePIN, pins(factoryPUK, "246810"))
	h.verifyPIN("246810")

	// The clients that block a card on purpose send paddings only.
	for _, want := range []status{0x63c2, 0x63c1, 0x63c0, swBlocked} {
		h.refused(want, 0, insResetRetryCounter, 0, referencePIN, pins("", ""))
	}
	h.refused(swBlocked, 0, insChangeReference, 0, referencePUK, pins(factoryPUK, "87654321"))
}

func TestChangeReference(t *testing.T) {
	h := newHost(t, v574)
	h.ok(0, insChangeReference, 0, referencePIN, pins(factoryPIN, "246810"))
	h.ok(0, insVerify, 0, referencePIN, nil)
	h.ok(0, insChangeReference, 0, referencePUK, pins(factoryPUK, "13579135"))
	h.refused(0x63c2, 0, insChangeReference, 0, referencePIN, pins(factoryPIN, "999999"))
	h.refused(0x63c2, 0, insVerify, 0, referencePIN, nil)

	s := h.Snapshot()
	if s.PIN.Value != "246810" || s.PIN.Default || s.PUK.Value != "13579135" || s.PUK.Default {
		t.Errorf("PIN %+v, PUK %+v", s.PIN, s.PUK)
	}
	h.refused(swWrongP1P2, 0, insChangeReference, 1, referencePIN, pins("246810", "999999"))
	h.refused(swReferenceNotFound, 0, insChangeReference, 0, 0x82, pins("246810", "999999"))
	h.refused(swWrongLength, 0, insChangeReference, 0, referencePIN, padReference("246810"))
	h.refused(swWrongP1P2, 0, insResetRetryCounter, 1, referencePIN, pins("13579135", "999999"))
	h.refused(swReferenceNotFound, 0, insResetRetryCounter, 0, referencePUK, pins("13579135", "999999"))
	h.refused(swWrongLength, 0, insResetRetryCounter, 0, referencePIN, padReference("13579135"))
}

func TestUnacceptableReferences(t *testing.T) {
	h := newHost(t, v574)
	h.refused(swWrongData, 0, insChangeReference, 0, referencePIN, pins(factoryPIN, "12345"))
	h.refused(swWrongData, 0, insChangeReference, 0, referencePUK, pins(factoryPUK, "\x80234567"))
	h.refused(swWrongData, 0, insResetRetryCounter, 0, referencePIN, pins(factoryPUK, ""))
	if s := h.Snapshot(); !s.PIN.Default || !s.PUK.Default || s.PIN.Tries != 3 || s.PUK.Tries != 3 {
		t.Errorf("PIN %+v, PUK %+v changed", s.PIN, s.PUK)
	}
	newHost(t, v543).ok(0, insChangeReference, 0, referencePUK, pins(factoryPUK, "\x80234567"))
}

func TestPINComplexity(t *testing.T) {
	h := newHost(t, v574, func(c *Config) { c.PINComplexity = true })
	for _, weak := range []string{"111111", "234567", "987654", "abcdef"} {
		h.refused(swConditions, 0, insChangeReference, 0, referencePIN, pins(factoryPIN, weak))
		h.refused(swConditions, 0, insResetRetryCounter, 0, referencePIN, pins(factoryPUK, weak))
	}
	h.ok(0, insChangeReference, 0, referencePIN, pins(factoryPIN, "246813"))
	newHost(t, v574).ok(0, insChangeReference, 0, referencePIN, pins(factoryPIN, "111111"))
}

func TestSetPINRetries(t *testing.T) {
	h := newHost(t, v574)
	h.ok(0, insChangeReference, 0, referencePIN, pins(factoryPIN, "246810"))
	h.refused(swSecurityStatus, 0, insSetPINRetries, 5, 8, nil)
	h.manage()
	h.ok(0, insVerify, 0xff, referencePIN, nil)
	h.refused(swSecurityStatus, 0, insSetPINRetries, 5, 8, nil)
	h.verifyPIN("246810")
	h.refused(swWrongParameters, 0, insSetPINRetries, 0, 8, nil)
	h.refused(swWrongParameters, 0, insSetPINRetries, 5, 0, nil)
	h.ok(0, insSetPINRetries, 20, 8, nil)
	s := h.Snapshot()
	if !s.PIN.Default || !s.PUK.Default || s.PIN.Max != 20 || s.PIN.Tries != 20 || s.PUK.Max != 8 {
		t.Errorf("PIN %+v, PUK %+v", s.PIN, s.PUK)
	}
	// Only four bits tell the tries: more than 15 show as 15.
	h.refused(0x63cf, 0, insVerify, 0, referencePIN, nil)
	h.refused(0x63cf, 0, insVerify, 0, referencePIN, padReference("000000"))
	if tries := h.Snapshot().PIN.Tries; tries != 19 {
		t.Errorf("%d tries left, want 19", tries)
	}
}

func TestResetWantsBothBlocked(t *testing.T) {
	h := newHost(t, v574)
	h.generateIn(slotAuthentication, eccP256, 0, 0)
	storeObject(h, 0x5fc105, 100)
	h.manage()
	h.ok(0, insSetManagementKey, 0xff, 0xff, append([]byte{byte(aes128), 0x9b, 16}, make([]byte, 16)...))

	h.refused(swConditions, 0, insReset, 0, 0, nil)
	for range 3 {
		h.send(0, insVerify, 0, referencePIN, padReference("000000"))
	}
	h.refused(swConditions, 0, insReset, 0, 0, nil)
	for range 3 {
		h.send(0, insChangeReference, 0, referencePUK, pins("00000000", "00000000"))
	}
	h.refused(swWrongParameters, 0, insReset, 1, 0, nil)
	h.ok(0, insReset, 0, 0, nil)

	s := h.Snapshot()
	if !s.PIN.Default || s.PIN.Tries != 3 || !s.PUK.Default || s.PUK.Tries != 3 {
		t.Errorf("PIN %+v, PUK %+v", s.PIN, s.PUK)
	}
	if !s.ManagementKey.Default || s.ManagementKey.Algorithm != "aes192" {
		t.Errorf("management key is %+v", s.ManagementKey)
	}
	if len(s.Slots) != 1 || len(s.Objects) != 1 || s.Objects[uint32(objectAttestation)] == nil {
		t.Errorf("slots %v, %d objects; want f9 and its certificate", slices.Sorted(maps.Keys(s.Slots)), len(s.Objects))
	}
	h.refused(swSecurityStatus, 0, insPutData, 0x3f, 0xff, putData(0x5fc105, nil))
}

func TestResetOfARetryCountedCard(t *testing.T) {
	h := newHost(t, v574)
	h.manage()
	h.verifyPIN(factoryPIN)
	h.ok(0, insSetPINRetries, 1, 1, nil)
	h.refused(0x63c0, 0, insVerify, 0, referencePIN, padReference("000000"))
	h.refused(0x63c0, 0, insChangeReference, 0, referencePUK, pins("00000000", "00000000"))
	h.ok(0, insReset, 0, 0, nil)
	if s := h.Snapshot(); s.PIN.Max != 3 || s.PUK.Max != 3 {
		t.Errorf("retries are %d and %d after a reset, want 3", s.PIN.Max, s.PUK.Max)
	}
}
