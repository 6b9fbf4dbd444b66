package registered

import (
	"fmt"
	"regexp"
	"strconv"

	"github.com/cse-piv/cse-piv/internal/gmail"
)

// Description returns what is kept at Gmail about the key of a card, for the person who
// reads it in a list years later.
func Description(model string, serial uint32, slot string) string {
	return fmt.Sprintf("%s, serial %d, slot %s", model, serial, slot)
}

// described finds the serial number and the slot in a [Description].
var described = regexp.MustCompile(`, serial (\d+), slot (\w*)`)

// ReadDescription returns which slot of which card a [Description] is of. It reports false
// for a text that is another's.
func ReadDescription(text string) (serial uint32, slot string, ok bool) {
	found := described.FindStringSubmatch(text)
	if found == nil {
		return 0, "", false
	}
	number, err := strconv.ParseUint(found[1], 10, 32)
	return uint32(number), found[2], err == nil
}

// SerialOf returns the serial number of the card that a key pair's private key is on, as
// its descriptions tell; 0 where they do not.
func SerialOf(pair gmail.KeyPair) uint32 {
	for _, text := range pair.HardwareDescriptions {
		if serial, _, ok := ReadDescription(text); ok {
			return serial
		}
	}
	return 0
}
