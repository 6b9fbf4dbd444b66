package yubikey

// Instruction bytes: SP 800-73-4 Part 2, section 3, and Yubico's PIV extensions.
const (
	insVerify                   = 0x20
	insChangeReference          = 0x24
	insResetRetryCounter        = 0x2c
	insGenerateKeyPair          = 0x47
	insGeneralAuthenticate      = 0x87
	insSelect                   = 0xa4
	insGetResponse              = 0xc0
	insGetData                  = 0xcb
	insPutData                  = 0xdb
	insMoveKey                  = 0xf6
	insGetMetadata              = 0xf7
	insGetSerial                = 0xf8
	insAttest                   = 0xf9
	insSetPINRetries            = 0xfa
	insReset                    = 0xfb
	insGetVersion               = 0xfd
	insImportKey                = 0xfe
	insSetManagementKey         = 0xff
	claChaining            byte = 0x10
	claSecureMessaging     byte = 0x0c
	claLogicalChannel      byte = 0x03
)

const (
	shortResponse    = 256
	extendedResponse = 65536
)

// command is one command APDU, or a chain of them put together.
type command struct {
	cla, ins, p1, p2 byte
	data             []byte
	le               int // the longest response data wanted, in bytes
}

// parseCommand reads a short or extended command APDU of any of the four cases
// of ISO/IEC 7816-3, 12.1. Where Le is absent the longest response of the form
// is assumed, as YubiKeys do. It reports false when the lengths do not agree.
func parseCommand(raw []byte) (command, bool) {
	if len(raw) < 4 {
		return command{}, false
	}
	cmd := command{cla: raw[0], ins: raw[1], p1: raw[2], p2: raw[3], le: shortResponse}
	body := raw[4:]
	switch {
	case len(body) == 0:
		return cmd, true
	case len(body) == 1:
		cmd.le = lengthOrMax(int(body[0]), shortResponse)
		return cmd, true
	case body[0] != 0:
		ok := cmd.take(body[1:], int(body[0]), 1, shortResponse)
		return cmd, ok
	case len(body) < 3:
		return command{}, false
	case len(body) == 3:
		cmd.le = lengthOrMax(int(body[1])<<8|int(body[2]), extendedResponse)
		return cmd, true
	}
	lc := int(body[1])<<8 | int(body[2])
	if lc == 0 {
		return command{}, false
	}
	ok := cmd.take(body[3:], lc, 2, extendedResponse)
	return cmd, ok
}

// take splits rest into lc bytes of data and an optional Le of leSize bytes.
func (cmd *command) take(rest []byte, lc, leSize, longest int) bool {
	cmd.le = longest
	switch len(rest) {
	case lc:
	case lc + leSize:
		le := 0
		for _, b := range rest[lc:] {
			le = le<<8 | int(b)
		}
		cmd.le = lengthOrMax(le, longest)
	default:
		return false
	}
	cmd.data = rest[:lc]
	return true
}

// lengthOrMax gives Le its meaning: zero stands for the longest of the form.
func lengthOrMax(le, longest int) int {
	if le == 0 {
		return longest
	}
	return le
}
