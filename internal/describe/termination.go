package describe

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/gmail"
	"github.com/cse-piv/cse-piv/internal/registered"
	"github.com/cse-piv/cse-piv/internal/safetext"
	"github.com/cse-piv/cse-piv/internal/termination"
)

// Termination says in sentences what the end of a card's use changes, what mail can be read
// afterwards and by whom, and what stays to be done by others.
func Termination(plan termination.Plan) []string {
	if plan.Nothing() {
		return []string{fmt.Sprintf("Gmail has neither an identity nor a key pair of %s: check the address", plan.Email)}
	}
	if plan.GivesUp() {
		return givenUp(plan)
	}
	var lines []string
	if plan.MovesTo != 0 && plan.InUse {
		lines = append(lines, fmt.Sprintf("%s no longer signs with card %d, and others no longer encrypt to it: Gmail moves to card %d", plan.Email, plan.Serial, plan.MovesTo))
	}
	for _, effect := range plan.Effects {
		if effect.Done {
			continue
		}
		if effect.Verb == registered.VerbDisable {
			lines = append(lines, fmt.Sprintf("key pair %s, %s, is disabled", effect.KeyPairID, onCard(*effect.KeyPair)))
			continue
		}
		lines = append(lines, Effect(plan.Email, effect)[0])
	}
	for _, pair := range plan.Ended {
		lines = append(lines, endedReading(plan, pair))
	}
	for _, pair := range plan.Others {
		if pair.Enabled {
			lines = append(lines, fmt.Sprintf("mail encrypted to key pair %s stays readable: it is %s", pair.ID, onCard(pair)))
		}
	}
	for _, leaf := range plan.Revoke {
		lines = append(lines, fmt.Sprintf("the CA revokes certificate %s for ever, %s: others are warned of what was signed with it", leaf.SerialNumber.Text(16), certificate.RevocationReason(plan.Rule.Revocation)))
	}
	for _, leaf := range plan.AskToRevoke {
		lines = append(lines, fmt.Sprintf("ask %s to revoke certificate %s, %s", safetext.Clean(leaf.Issuer.String()), leaf.SerialNumber.Text(16), certificate.RevocationReason(plan.Rule.Revocation)))
	}
	if len(plan.Ended) > 0 {
		lines = append(lines, "nothing is obliterated: a disabled key pair can be enabled again")
	}
	return append(lines, nextForCard(plan)...)
}

// givenUp says what becomes of an enrollment that Gmail has nothing of.
func givenUp(plan termination.Plan) []string {
	lines := []string{fmt.Sprintf("the enrollment of %s with card %d is given up: Gmail has nothing of it, and stays as it is", plan.Email, plan.Serial)}
	for _, pair := range plan.Others {
		if pair.Enabled {
			lines = append(lines, fmt.Sprintf("key pair %s stays enabled: it is %s", pair.ID, onCard(pair)))
		}
	}
	return append(lines, fmt.Sprintf("card %d keeps its key and PIN, and what is sealed of it stays: %s can be enrolled with it another time, and somebody else after a reset", plan.Serial, plan.Email))
}

// endedReading says who can read mail that is encrypted to a key pair whose use ends.
func endedReading(plan termination.Plan, pair gmail.KeyPair) string {
	text := "mail encrypted to key pair " + pair.ID + " until now"
	disabled := plan.Rule.Disable || !pair.Enabled
	switch {
	case slices.Contains(plan.Copied, pair.ID):
		return text + " stays readable: the new card gets a copy of its key"
	case disabled:
		return fmt.Sprintf("%s: nobody can read it at Gmail, with the card or a copy of its key, until the key pair is enabled again", text)
	case len(pair.KeyServices) > 0:
		return fmt.Sprintf("%s stays readable: the key is in the key service %s as well", text, strings.Join(pair.KeyServices, " "))
	case plan.Rule.Reason == termination.ReasonBroken:
		return fmt.Sprintf("%s: nobody can read it, unless there is a copy of its key (PKCS#12) that can be imported into another card", text)
	}
	return fmt.Sprintf("%s: whoever has the card, its PIN and the account of %s can read it, nobody else", text, plan.Email)
}

// nextForCard says what becomes of the card itself, and what else is left.
func nextForCard(plan termination.Plan) []string {
	switch plan.Rule.Reason {
	case termination.ReasonLeft:
		return []string{"the card: keep it as long as its mail may have to be read; reset it before somebody else gets it"}
	case termination.ReasonBroken:
		return []string{"the card: keep it out of others' hands, or destroy it"}
	case termination.ReasonNameChange:
		return []string{"the identity of the former address, where Gmail still has one, is not touched"}
	case termination.ReasonWrongPerson:
		if plan.Clear {
			return nil
		}
		return []string{"the card keeps key and certificate until it is enrolled for another person"}
	}
	return nil
}

// onCard says where a key pair's private key is.
func onCard(pair gmail.KeyPair) string {
	if serial := registered.SerialOf(pair); serial != 0 {
		return fmt.Sprintf("on card %d", serial)
	}
	if pair.Hardware() {
		return "on a card whose serial number is not known"
	}
	return "in " + PrivateKey(pair)
}
