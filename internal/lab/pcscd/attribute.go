package pcscd

// Attributes of a reader (reader.h): class in the upper half, tag in the lower.
const (
	attrVendorName    uint32 = 0x00010100
	attrPresence      uint32 = 0x00090300
	attrInterface     uint32 = 0x00090301
	attrATR           uint32 = 0x00090303
	attrFriendlyNameA uint32 = 0x7FFF0003
	attrSystemNameA   uint32 = 0x7FFF0004
	attrFriendlyNameW uint32 = 0x7FFF0005
	attrSystemNameW   uint32 = 0x7FFF0006
)

func (c *client) attribute(body *attribBody) {
	c.server.mu.Lock()
	defer c.server.mu.Unlock()
	h, code := c.findLive(body.Card)
	if body.RV = code; code != codeSuccess {
		return
	}
	value, known := h.reader.attribute(body.ID)
	switch {
	case !known:
		body.RV = codeUnsupportedFeature
	case len(value) > len(body.Value) || len(value) > int(body.Size):
		body.RV = codeInsufficientBuffer
	default:
		copy(body.Value[:], value)
	}
	body.Size = uint32(len(value))
}

func (r *reader) attribute(id uint32) (value []byte, known bool) {
	present := byte(0)
	if r.session != nil {
		present = 1
	}
	switch id {
	case attrVendorName:
		return []byte("Yubico\x00"), true
	case attrPresence:
		return []byte{present * 2}, true // 2: present, not swallowed
	case attrInterface:
		return []byte{present}, true
	case attrATR:
		if r.session == nil {
			return nil, true
		}
		return r.session.card.ATR(), true
	case attrFriendlyNameA, attrSystemNameA, attrFriendlyNameW, attrSystemNameW:
		return append([]byte(r.name), 0), true
	}
	return nil, false
}

func (c *client) setAttribute(body *attribBody) {
	c.server.mu.Lock()
	defer c.server.mu.Unlock()
	if _, body.RV = c.findLive(body.Card); body.RV == codeSuccess {
		body.RV = codeUnsupportedFeature
	}
}
