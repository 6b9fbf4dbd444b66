package hint

import (
	"fmt"
	"strings"

	"github.com/cse-piv/cse-piv/internal/piv"
	"github.com/cse-piv/cse-piv/internal/status"
)

// commandLines has what is typed for each command of package status, behind the program's
// name.
var commandLines = map[status.Command]string{
	status.CommandEnroll:         "enroll EMAIL",
	status.CommandEnrollExisting: "enroll EMAIL --source existing",
	status.CommandEnrollOver:     "enroll EMAIL --overwrite",
	status.CommandBatch:          "batch SOURCE",
	status.CommandInit:           "card init",
	status.CommandReset:          "card reset",
	status.CommandChangePIN:      "card pin change",
	status.CommandUnblock:        "card pin unblock",
	status.CommandRenew:          "renew EMAIL",
	status.CommandRenewSame:      "renew EMAIL --same-key",
	status.CommandReplace:        "replace EMAIL --reason REASON",
	status.CommandReplaceBegun:   "replace EMAIL",
	status.CommandLost:           "lost EMAIL",
	status.CommandLeave:          "leave EMAIL",
	status.CommandUndo:           "undo EMAIL",
	status.CommandHistory:        "keypair history EMAIL",
	status.CommandSetIdentity:    "identity set EMAIL --keypair KEYPAIR-ID",
	status.CommandEnableKeyPair:  "keypair enable EMAIL KEYPAIR-ID",
	status.CommandDisableKeyPair: "keypair disable EMAIL KEYPAIR-ID",
	status.CommandShowKeyPair:    "keypair show EMAIL KEYPAIR-ID",
	status.CommandShowCard:       "status --card",
}

// Command returns what to type for a command: about a user, a key pair, and a card that is
// named by its serial number where there are several. What is empty or 0 stays a
// placeholder, or is left out.
func Command(command status.Command, email, keyPairID string, serial uint32) string {
	line := commandLines[command]
	if email != "" {
		line = strings.Replace(line, "EMAIL", email, 1)
	}
	if keyPairID != "" {
		line = strings.Replace(line, "KEYPAIR-ID", keyPairID, 1)
	}
	if serial != 0 && (strings.HasPrefix(line, "card ") || strings.HasPrefix(line, "enroll ") || strings.HasPrefix(line, "renew ") || command == status.CommandShowCard) {
		line += fmt.Sprintf(" --serial %d", serial)
	}
	return "cse-piv " + line
}

// InSlot returns the command line for the key in a slot, which is named where it is not the usual one.
func InSlot(line string, slot piv.Slot) string {
	if slot == piv.SlotKeyManagement {
		return line
	}
	return line + " --slot " + slot.String()
}

// ForNobodyKnown says what to do where the ledger has nobody.
func ForNobodyKnown() string {
	return "the ledger gets everybody whom cse-piv enroll EMAIL or cse-piv batch SOURCE registers; of others Gmail is asked by their addresses, with cse-piv status EMAIL, or with cse-piv reconcile SOURCE"
}
