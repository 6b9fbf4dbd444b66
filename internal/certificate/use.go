package certificate

// Use is what a certificate, its key and its key pair at Gmail are for in S/MIME
// (RFC 8551).
type Use string

// The uses of a certificate. One for history is for reading old mail only: it
// becomes a key pair of its own without chain validation, and no identity uses it.
const (
	UseBoth    Use = "both"
	UseSign    Use = "sign"
	UseEncrypt Use = "encrypt"
	UseHistory Use = "history"
)
