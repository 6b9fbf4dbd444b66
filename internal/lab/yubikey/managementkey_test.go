package yubikey

import (
	"bytes"
	"testing"
)

func TestManagementKeyOfTheFactory(t *testing.T) {
	for v, want := range map[Version]string{v437: "3des", v543: "3des", v574: "aes192"} {
		h := newHost(t, v)
		if key := h.Snapshot().ManagementKey; key.Algorithm != want || !key.Default || key.Touch != "never" {
			t.Errorf("%v: management key %+v, want %s", v, key, want)
		}
		h.manage()
		h.ok(0, insPutData, 0x3f, 0xff, putData(0x5fc102, []byte{1}))
	}
}

// mutual proves the management key the way in which the card proves itself too.
func (h *host) mutual(key []byte) ([]byte, status) {
	h.Helper()
	a := h.managementAlgorithm()
	block := cipherOf(h.T, a, key)
	size := block.BlockSize()
	response := h.ok(0, insGeneralAuthenticate, byte(a), 0x9b, []byte{0x7c, 0x02, 0x80, 0x00})
	fields, ok := parseDynamicAuth(response)
	if !ok || len(fields[tagWitness]) != size {
		h.Fatalf("witness is %x", response)
	}
	witness := make([]byte, size)
	block.Decrypt(witness, fields[tagWitness])
	challenge := bytes.Repeat([]byte{0x11}, size)
	data := appendTLV(appendTLV(nil, tagWitness, witness), tagChallenge, challenge)
	answer, sw := h.send(0, insGeneralAuthenticate, byte(a), 0x9b, appendTLV(nil, tagDynamicAuth, data))
	if sw == swOK {
		want := make([]byte, size)
		block.Encrypt(want, challenge)
		if !bytes.Equal(h.result(answer), want) {
			h.Errorf("the card's proof is %x, want %x", answer, want)
		}
	}
	return answer, sw
}

func TestMutualAuthentication(t *testing.T) {
	for _, v := range []Version{v543, v574} {
		h := newHost(t, v)
		if _, sw := h.mutual(bytes.Repeat([]byte{9}, 24)); sw != swSecurityStatus {
			t.Errorf("%v: a wrong key answered %04x, want 6982", v, uint16(sw))
		}
		h.refused(swSecurityStatus, 0, insPutData, 0x3f, 0xff, putData(0x5fc102, []byte{1}))
		if _, sw := h.mutual(factoryManagementKey()); sw != swOK {
			t.Errorf("%v: the right key answered %04x", v, uint16(sw))
		}
		h.ok(0, insPutData, 0x3f, 0xff, putData(0x5fc102, []byte{1}))
	}
}

func TestWrongAnswerEndsManagement(t *testing.T) {
	h := newHost(t, v574)
	h.manage()
	h.ok(0, insGeneralAuthenticate, byte(aes192), 0x9b, []byte{0x7c, 0x02, 0x81, 0x00})
	answer := append([]byte{0x7c, 18, 0x82, 16}, make([]byte, 16)...)
	h.refused(swSecurityStatus, 0, insGeneralAuthenticate, byte(aes192), 0x9b, answer)
	h.refused(swSecurityStatus, 0, insPutData, 0x3f, 0xff, putData(0x5fc102, []byte{1}))
}

func TestChallengeIsForOneAnswer(t *testing.T) {
	h := newHost(t, v574)
	block := cipherOf(t, aes192, factoryManagementKey())
	response := h.ok(0, insGeneralAuthenticate, byte(aes192), 0x9b, []byte{0x7c, 0x02, 0x81, 0x00})
	right := make([]byte, 16)
	block.Encrypt(right, response[4:])
	answer := append([]byte{0x7c, 18, 0x82, 16}, right...)
	h.ok(0, insGetVersion, 0, 0, nil) // between challenge and answer
	h.refused(swSecurityStatus, 0, insGeneralAuthenticate, byte(aes192), 0x9b, answer)

	// Without a challenge given out nothing can be the right answer.
	zero := append([]byte{0x7c, 18, 0x82, 16}, make([]byte, 16)...)
	h.refused(swSecurityStatus, 0, insGeneralAuthenticate, byte(aes192), 0x9b, zero)
	mutual := append([]byte{0x7c, 36, 0x80, 16}, make([]byte, 16)...)
	mutual = append(append(mutual, 0x81, 16), make([]byte, 16)...)
	h.refused(swSecurityStatus, 0, insGeneralAuthenticate, byte(aes192), 0x9b, mutual)
}

func TestManagementAuthenticationMalformed(t *testing.T) {
	h := newHost(t, v574)
	// A client that takes the key for 3DES is told that the data is wrong.
	h.refused(swWrongData, 0, insGeneralAuthenticate, byte(tripleDES), 0x9b, []byte{0x7c, 0x02, 0x81, 0x00})
	for _, data := range []string{"", "7c", "7c00", "7c028200", "7c0481021122", "7c04820211ff", "7d028100", "7c02810000"} {
		h.refused(swWrongData, 0, insGeneralAuthenticate, byte(aes192), 0x9b, unhex(t, data))
	}
	h.ok(0, insGeneralAuthenticate, byte(aes192), 0x9b, []byte{0x7c, 0x02, 0x80, 0x00})
	h.refused(swWrongData, 0, insGeneralAuthenticate, byte(aes192), 0x9b, unhex(t, "7c08800211228102aabb"))
	newHost(t, v543).ok(0, insGeneralAuthenticate, 0x00, 0x9b, []byte{0x7c, 0x02, 0x81, 0x00})
}

func setManagementData(a managementAlgorithm, key []byte) []byte {
	return append([]byte{byte(a), 0x9b, byte(len(key))}, key...)
}

func TestSetManagementKey(t *testing.T) {
	h := newHost(t, v574)
	h.refused(swSecurityStatus, 0, insSetManagementKey, 0xff, 0xff, setManagementData(aes256, make([]byte, 32)))
	for _, a := range []managementAlgorithm{aes128, aes192, aes256, tripleDES} {
		key := bytes.Repeat([]byte{byte(a), 0x5c}, a.keyLength()/2)
		h.manage()
		h.ok(0, insSetManagementKey, 0xff, 0xff, setManagementData(a, key))
		got := h.Snapshot().ManagementKey
		if got.Algorithm != a.String() || !bytes.Equal(got.Value, key) || got.Default {
			t.Errorf("management key is %+v, want %v %x", got, a, key)
		}
		h.Reset()
		h.selectPIV()
		h.manage()
	}
	h.refused(swWrongParameters, 0, insSetManagementKey, 0x00, 0xff, setManagementData(aes128, make([]byte, 16)))
	h.refused(swWrongParameters, 0, insSetManagementKey, 0xff, 0x00, setManagementData(aes128, make([]byte, 16)))
	h.refused(swWrongLength, 0, insSetManagementKey, 0xff, 0xff, setManagementData(aes128, make([]byte, 24)))
	h.refused(swWrongLength, 0, insSetManagementKey, 0xff, 0xff, []byte{0x08})
	h.refused(swWrongData, 0, insSetManagementKey, 0xff, 0xff, setManagementData(0x07, make([]byte, 16)))
	h.refused(swWrongData, 0, insSetManagementKey, 0xff, 0xff, append([]byte{0x08, 0x9a, 16}, make([]byte, 16)...))
}

func TestSetManagementKeyBeforeAES(t *testing.T) {
	h := newHost(t, Version{5, 2, 7})
	h.manage()
	h.refused(swWrongData, 0, insSetManagementKey, 0xff, 0xff, setManagementData(aes192, make([]byte, 24)))
	h.ok(0, insSetManagementKey, 0xff, 0xff, setManagementData(tripleDES, bytes.Repeat([]byte{7, 1, 3}, 8)))
}

func TestManagementKeyWithTouch(t *testing.T) {
	var asked []byte
	touched := true
	h := newHost(t, v574, func(c *Config) {
		c.Touch = func(slot byte) bool {
			asked = append(asked, slot)
			return touched
		}
	})
	h.manage()
	h.ok(0, insSetManagementKey, 0xff, 0xfe, setManagementData(aes192, factoryManagementKey()))
	if len(asked) > 0 {
		t.Fatal("touch asked for before the policy was set")
	}
	h.manage()
	touched = false
	if _, sw := h.mutual(factoryManagementKey()); sw != swSecurityStatus {
		t.Errorf("without a touch: %04x, want 6982", uint16(sw))
	}
	if !bytes.Equal(asked, []byte{0x9b, 0x9b}) {
		t.Errorf("touch asked for %x, want 9b twice", asked)
	}
	if key := h.Snapshot().ManagementKey; key.Touch != "always" || !key.Default {
		t.Errorf("management key is %+v", key)
	}
}
