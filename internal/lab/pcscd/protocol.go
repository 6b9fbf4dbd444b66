package pcscd

// Return codes of the PC/SC API (pcsclite.h), as they travel in the last word
// of a reply.
const (
	codeSuccess            uint32 = 0
	codeCancelled          uint32 = 0x80100002
	codeInvalidHandle      uint32 = 0x80100003
	codeInsufficientBuffer uint32 = 0x80100008
	codeUnknownReader      uint32 = 0x80100009
	codeSharingViolation   uint32 = 0x8010000B
	codeNoSmartcard        uint32 = 0x8010000C
	codeProtoMismatch      uint32 = 0x8010000F
	codeInvalidValue       uint32 = 0x80100011
	codeNotTransacted      uint32 = 0x80100016
	codeReaderUnavailable  uint32 = 0x80100017
	codeServiceStopped     uint32 = 0x8010001E
	codeUnsupportedFeature uint32 = 0x8010001F
	codeResetCard          uint32 = 0x80100068
	codeRemovedCard        uint32 = 0x80100069
	codeSecurityViolation  uint32 = 0x8010006A
)

// Commands of the protocol.
const (
	cmdEstablishContext uint32 = 0x01
	cmdReleaseContext   uint32 = 0x02
	cmdConnect          uint32 = 0x04
	cmdReconnect        uint32 = 0x05
	cmdDisconnect       uint32 = 0x06
	cmdBeginTransaction uint32 = 0x07
	cmdEndTransaction   uint32 = 0x08
	cmdTransmit         uint32 = 0x09
	cmdControl          uint32 = 0x0A
	cmdStatus           uint32 = 0x0B
	cmdCancel           uint32 = 0x0D
	cmdGetAttrib        uint32 = 0x0F
	cmdSetAttrib        uint32 = 0x10
	cmdVersion          uint32 = 0x11
	cmdGetReadersState  uint32 = 0x12
	cmdWaitStateChange  uint32 = 0x13
	cmdStopWaiting      uint32 = 0x14
	cmdGetReaderEvents  uint32 = 0x15
)

// The versions of the protocol that are spoken. A newer client is told
// versionMinorMax and codeServiceStopped, and asks again with that.
const (
	versionMajor    int32 = 4
	versionMinorMin int32 = 4
	versionMinorMax int32 = 5
)

// Share modes and dispositions.
const (
	shareExclusive uint32 = 1
	shareShared    uint32 = 2
	shareDirect    uint32 = 3

	leaveCard   uint32 = 0
	resetCard   uint32 = 1
	unpowerCard uint32 = 2
	ejectCard   uint32 = 3
)

// Protocols, as bits.
const (
	protoUndefined uint32 = 0
	protoT1        uint32 = 2
	protoRaw       uint32 = 4
	// protoAnyOld is what some callers pass in a send PCI for "whatever is
	// active", and in a connect for "any".
	protoAnyOld uint32 = 0x1000
	protoKnown  uint32 = 1 | protoT1 | protoRaw | protoAnyOld
)

// Card states in a reader's state structure.
const (
	stateAbsent  = 0x02
	statePresent = 0x04
	// stateReady is present, powered and negotiable.
	stateReady = statePresent | 0x10 | 0x20
)

// Sizes that are part of the protocol.
const (
	maxReaders       = 16
	maxReaderName    = 128
	maxATR           = 33
	maxAttribute     = 264
	maxExtended      = 4 + 3 + 1<<16 + 3 + 2
	maxSocketPath    = 107
	readerStateSize  = 184
	largestBody      = 8 + maxAttribute + 8
	sharingExclusive = int32(-1)
)
