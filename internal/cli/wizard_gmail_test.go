package cli_test

import (
	"fmt"
	"strings"
	"testing"
)

// While Gmail does not answer, the wizard says why it tries again and when. After
// that, nothing is asked that was answered before.
func TestWizardWhileGmailDoesNotAnswer(t *testing.T) {
	w := startWizard(t, "--algorithm", "eccp256", "--retry-base", "20ms")
	w.toUser()
	w.toPIN("ada@lab.example")
	w.newPIN()
	w.at("Review", "To be registered for ada@lab.example")
	var faults []string
	for try := range 8 { // as often as it is tried
		faults = append(faults, fmt.Sprintf("api:503@keypairs.create:%d", try+1))
	}
	w.post("faults", strings.Join(faults, "\n"))
	w.agree()
	w.see("the next try is at")
	w.see("✗ Failed: register the key pair", "503")
	w.press("a")
	w.at("Done", "✓ ada@lab.example is enrolled.")
	w.press("q")
	w.exits(0)
}
