package yubikey

import "bytes"

// Tags of GET METADATA's answer (Yubico's PIV extensions).
const (
	metadataAlgorithm = 0x01
	metadataPolicy    = 0x02
	metadataOrigin    = 0x03
	metadataPublicKey = 0x04
	metadataDefault   = 0x05
	metadataTries     = 0x06

	algorithmOfPIN = 0xff
)

// getMetadata tells about a key, the PIN, the PUK or the management key
// (Yubico's PIV extensions, from 5.3).
func (c *Card) getMetadata(cmd command) ([]byte, status) {
	if cmd.p1 != 0 {
		return nil, swWrongParameters
	}
	switch cmd.p2 {
	case referencePIN:
		return referenceMetadata(c.state.PIN, factoryPIN), swOK
	case referencePUK:
		return referenceMetadata(c.state.PUK, factoryPUK), swOK
	case byte(slotManagement):
		key := c.state.ManagementKey
		data := appendTLV(nil, metadataAlgorithm, []byte{byte(key.Algorithm)})
		data = appendTLV(data, metadataPolicy, []byte{policyDefault, key.TouchPolicy})
		return appendTLV(data, metadataDefault, flag(key.isFactory())), swOK
	}
	key, ok := c.state.Slots[slotID(cmd.p2)]
	if !ok {
		return nil, swReferenceNotFound
	}
	data := appendTLV(nil, metadataAlgorithm, []byte{byte(key.Algorithm)})
	data = appendTLV(data, metadataPolicy, []byte{key.PINPolicy, key.TouchPolicy})
	data = appendTLV(data, metadataOrigin, []byte{key.Origin})
	return appendTLV(data, metadataPublicKey, encodePublic(publicOf(key.private))), swOK
}

func referenceMetadata(ref reference, factory string) []byte {
	data := appendTLV(nil, metadataAlgorithm, []byte{algorithmOfPIN})
	data = appendTLV(data, metadataDefault, flag(ref.is(factory)))
	return appendTLV(data, metadataTries, []byte{byte(ref.Max), byte(ref.Tries)})
}

// is reports whether the reference has the value.
func (r reference) is(value string) bool { return bytes.Equal(r.Value, padReference(value)) }

// isFactory reports whether the management key is the well-known one.
func (k managementKey) isFactory() bool { return bytes.Equal(k.Value, factoryManagementKey()) }

func flag(set bool) []byte {
	if set {
		return []byte{1}
	}
	return []byte{0}
}
