package yubikey

// status is a status word, SW1 in the high byte (ISO/IEC 7816-4, 5.1.3).
type status uint16

const (
	swOK                  status = 0x9000
	swMoreData            status = 0x6100 // | number of bytes left, 0 for 256 and more
	swWrongReference      status = 0x63c0 // | tries left, at most 15
	swMemoryFailure       status = 0x6581
	swWrongLength         status = 0x6700
	swNoLogicalChannel    status = 0x6881
	swNoSecureMessaging   status = 0x6882
	swSecurityStatus      status = 0x6982
	swBlocked             status = 0x6983
	swConditions          status = 0x6985
	swWrongData           status = 0x6a80
	swNotFound            status = 0x6a82
	swFull                status = 0x6a84
	swWrongP1P2           status = 0x6a86 // commands of SP 800-73-4
	swReferenceNotFound   status = 0x6a88
	swWrongParameters     status = 0x6b00 // commands of Yubico's extensions
	swUnknownInstruction  status = 0x6d00
	swUnknownClass        status = 0x6e00
	swNoPreciseDiagnostic status = 0x6f00
)

// triesLeft is the answer to a wrong PIN or PUK. The word has four bits for the
// number of tries left, so 15 stands for 15 and more.
func triesLeft(n int) status {
	return swWrongReference | status(min(n, 15))
}
