package gmailcmd

import "github.com/cse-piv/cse-piv/internal/gmail"

// Where the private key of a key pair is: the JSON's words.
const (
	keyHardware = "hardware"
	keyService  = "key-service"
	keyBoth     = "hardware-and-key-service"
	keyUnknown  = "unknown"
)

// keyKind says where a key pair's private key is, as far as Gmail does.
func keyKind(pair gmail.KeyPair) string {
	switch service := len(pair.KeyServices) > 0; {
	case pair.Hardware() && service:
		return keyBoth
	case pair.Hardware():
		return keyHardware
	case service:
		return keyService
	}
	return keyUnknown
}

// ListedPair is a key pair in the JSON of keypair list.
type ListedPair struct {
	gmail.KeyPair
	// Kind is hardware, key-service, hardware-and-key-service or unknown.
	Kind string `json:"kind"`
}

// NewListedPair returns a key pair with its kind.
func NewListedPair(pair gmail.KeyPair) ListedPair {
	return ListedPair{KeyPair: pair, Kind: keyKind(pair)}
}
