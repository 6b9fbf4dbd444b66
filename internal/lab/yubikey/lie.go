package yubikey

import (
	"encoding/binary"
	"slices"
)

// Lie is what a broken or counterfeit card answers. The command is carried out
// first, so whatever it changes is changed; only what is said about it is another
// matter. Applications can always be selected, and the version is true.
type Lie struct {
	Name, About string

	tell func(c *Card, cmd command, data []byte, sw status) ([]byte, status)
}

// Lies are all that a card can be told to tell.
func Lies() []Lie {
	return []Lie{
		{"endless", "every answer but the serial number goes on for ever: 6100 after each part", ofPIV(func([]byte) ([]byte, status) { return make([]byte, endless), swOK })},
		{"empty", "no data, with 9000", ofPIV(func([]byte) ([]byte, status) { return nil, swOK })},
		{"status", "6F00 to everything", ofPIV(func([]byte) ([]byte, status) { return nil, swNoPreciseDiagnostic })},
		{"noise", "bytes without meaning where there are data", (*Card).sayNoise},
		{"length", "data objects that end a byte before their length", sayLess},
		{"serial-0", "0 as the serial number", (*Card).sayNoSerial},
		{"serial", "another serial number from PIV than from the management application", (*Card).sayOtherSerial},
		{"metadata-algorithm", "metadata with another algorithm than the key's", ofMetadata(metadataAlgorithm, func(old []byte) []byte { return []byte{old[0] ^ byte(eccP256) ^ byte(rsa2048)} })},
		{"metadata-policy", "metadata with PIN and touch policy never", ofMetadata(metadataPolicy, func([]byte) []byte { return []byte{pinNever, touchNever} })},
		{"metadata-origin", "metadata that say imported of a generated key", ofMetadata(metadataOrigin, func([]byte) []byte { return []byte{originImported} })},
		{"metadata-key", "metadata with the public key of another", (*Card).sayOtherMetadataKey},
		{"generated-key", "another public key than that of the key that was generated", (*Card).sayOtherGeneratedKey},
		{"certificate", "the attestation certificate (F9) in the place of each certificate", (*Card).sayOtherCertificate},
		{"attestation-key", "an attestation of another key", (*Card).attestOtherKey},
		{"attestation-serial", "an attestation with another serial number", (*Card).attestOtherSerial},
		{"attestation-card", "attestation and F9 certificate of another card", (*Card).attestAsOther},
		{"signature", "bytes without meaning as signatures and shared secrets", (*Card).sayNoSignature},
	}
}

// endless is longer than anybody should collect.
const endless = 16 << 20

// FindLie returns the lie with that name.
func FindLie(name string) (Lie, bool) {
	for _, lie := range Lies() {
		if lie.Name == name {
			return lie, true
		}
	}
	return Lie{}, false
}

// SetLie has the card tell a lie from the next command on; the zero Lie is the
// truth.
func (c *Card) SetLie(lie Lie) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lie = lie
}

// lied is what the card says instead of the true answer.
func (c *Card) lied(cmd command, data []byte, sw status) ([]byte, status) {
	if c.lie.tell == nil || cmd.ins == insSelect || cmd.ins == insGetVersion {
		return data, sw
	}
	return c.lie.tell(c, cmd, data, sw)
}

// ofPIV answers in its own way whatever PIV is asked but the serial number.
func ofPIV(say func(data []byte) ([]byte, status)) func(*Card, command, []byte, status) ([]byte, status) {
	return func(c *Card, cmd command, data []byte, sw status) ([]byte, status) {
		if c.session.applet != pivApplet || cmd.ins == insGetSerial {
			return data, sw
		}
		return say(data)
	}
}

func (c *Card) sayNoise(cmd command, data []byte, sw status) ([]byte, status) {
	if c.session.applet == pivApplet && cmd.ins != insGetSerial {
		data = noise(len(data))
	}
	return data, sw
}

// noise is the same each time, so that tests can tell what came of it.
func noise(n int) []byte {
	bytes := make([]byte, n)
	for i := range bytes {
		bytes[i] = byte(0xa5 ^ i*i)
	}
	return bytes
}

func sayLess(_ *Card, cmd command, data []byte, sw status) ([]byte, status) {
	switch cmd.ins {
	case insGetData, insGenerateKeyPair, insGeneralAuthenticate, insGetMetadata:
		return data[:max(len(data)-1, 0)], sw
	}
	return data, sw
}

// sayNoSerial puts zeros into device information and the answers of PIV and OTP.
func (c *Card) sayNoSerial(cmd command, data []byte, sw status) ([]byte, status) {
	return c.saySerial(0, cmd, data, sw, managementApplet, pivApplet, otpApplet)
}

func (c *Card) sayOtherSerial(cmd command, data []byte, sw status) ([]byte, status) {
	return c.saySerial(c.state.Serial+1, cmd, data, sw, pivApplet)
}

func (c *Card) saySerial(serial uint32, cmd command, data []byte, sw status, from ...applet) ([]byte, status) {
	number := binary.BigEndian.AppendUint32(nil, serial)
	switch applet := c.session.applet; {
	case sw != swOK || !slices.Contains(from, applet):
	case applet == managementApplet && cmd.p1 == 0:
		info := replaceTLV(data[1:], infoSerial, func([]byte) []byte { return number })
		return append([]byte{byte(len(info))}, info...), sw
	case applet == pivApplet && cmd.ins == insGetSerial, applet == otpApplet && cmd.ins == insOTPRequest:
		return number, sw
	}
	return data, sw
}

// ofMetadata changes one data object of a key's metadata.
func ofMetadata(tag uint32, change func([]byte) []byte) func(*Card, command, []byte, status) ([]byte, status) {
	return func(_ *Card, cmd command, data []byte, sw status) ([]byte, status) {
		if cmd.ins == insGetMetadata && slotID(cmd.p2).forUser() && sw == swOK {
			data = replaceTLV(data, tag, change)
		}
		return data, sw
	}
}

// replaceTLV changes the values of the data objects with a tag.
func replaceTLV(data []byte, tag uint32, change func([]byte) []byte) []byte {
	objects, _ := parseTLVs(data)
	var changed []byte
	for _, object := range objects {
		if object.tag == tag {
			object.value = change(object.value)
		}
		changed = appendTLV(changed, object.tag, object.value)
	}
	return changed
}

// other is a key like the one in a slot; nil where there is none.
func (c *Card) other(slot slotID) *slotState {
	key, ok := c.state.Slots[slot]
	if !ok || !slot.forUser() {
		return nil
	}
	private, err := c.generate(key.Algorithm)
	if err != nil {
		return nil
	}
	other, err := newSlotState(private, originGenerated, policies{pin: key.PINPolicy, touch: key.TouchPolicy})
	if err != nil {
		return nil
	}
	return other
}

func (c *Card) sayOtherMetadataKey(cmd command, data []byte, sw status) ([]byte, status) {
	if cmd.ins != insGetMetadata || sw != swOK {
		return data, sw
	}
	if other := c.other(slotID(cmd.p2)); other != nil {
		data = replaceTLV(data, metadataPublicKey, func([]byte) []byte { return encodePublic(publicOf(other.private)) })
	}
	return data, sw
}

func (c *Card) sayOtherGeneratedKey(cmd command, data []byte, sw status) ([]byte, status) {
	if cmd.ins != insGenerateKeyPair || sw != swOK {
		return data, sw
	}
	if other := c.other(slotID(cmd.p2)); other != nil {
		data = appendTLV(nil, 0x7f49, encodePublic(publicOf(other.private)))
	}
	return data, sw
}

func (c *Card) sayOtherCertificate(cmd command, data []byte, sw status) ([]byte, status) {
	if object, ok := parseTLVs(data); cmd.ins == insGetData && sw == swOK && ok && len(object) == 1 {
		if parts, ok := parseTLVs(object[0].value); ok && len(parts) > 0 && parts[0].tag == tagCertificate {
			data = appendTLV(nil, tagData, c.state.Objects[objectAttestation])
		}
	}
	return data, sw
}

func (c *Card) attestOtherKey(cmd command, data []byte, sw status) ([]byte, status) {
	if cmd.ins != insAttest || sw != swOK {
		return data, sw
	}
	return c.attestFor(slotID(cmd.p1), c.other(slotID(cmd.p1)))
}

func (c *Card) attestOtherSerial(cmd command, data []byte, sw status) ([]byte, status) {
	if cmd.ins != insAttest || sw != swOK {
		return data, sw
	}
	other := &Card{rand: c.rand, state: c.state, profile: c.profile}
	other.state.Serial++
	return other.attestFor(slotID(cmd.p1), c.state.Slots[slotID(cmd.p1)])
}

// attestAsOther has another card of the same authority answer, with a key of its
// own.
func (c *Card) attestAsOther(cmd command, data []byte, sw status) ([]byte, status) {
	attests, reads := cmd.ins == insAttest && sw == swOK, cmd.ins == insGetData && sw == swOK && objectAttestation.isIn(cmd.data)
	if !attests && !reads {
		return data, sw
	}
	if c.otherCard == nil {
		other, err := New(Config{Serial: c.state.Serial + 1, Firmware: c.state.Firmware, FormFactor: c.state.FormFactor, Authority: c.authority, GenerateRSA: c.generateRSA})
		if err != nil {
			return nil, swNoPreciseDiagnostic
		}
		c.otherCard = other
	}
	if attests {
		return c.otherCard.attestFor(slotID(cmd.p1), c.other(slotID(cmd.p1)))
	}
	return appendTLV(nil, tagData, c.otherCard.state.Objects[objectAttestation]), swOK
}

func (c *Card) attestFor(slot slotID, key *slotState) ([]byte, status) {
	if key == nil {
		return nil, swWrongData
	}
	der, err := c.statement(slot, key)
	if err != nil {
		return nil, swWrongData
	}
	return der, swOK
}

// isIn reports whether a GET DATA asks for the object.
func (id objectID) isIn(tagList []byte) bool {
	list, _, ok := nextTLV(tagList)
	if !ok {
		return false
	}
	asked, known := parseObjectID(list.value)
	return known && asked == id
}

func (c *Card) sayNoSignature(cmd command, data []byte, sw status) ([]byte, status) {
	if cmd.ins != insGeneralAuthenticate || !slotID(cmd.p2).forUser() || sw != swOK {
		return data, sw
	}
	return dynamicAuth(tagResponse, noise(64)), sw
}
