package tui

import (
	"fmt"
	"strings"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/piv"
)

// doneScreen is the receipt.
type doneScreen struct{}

func (*doneScreen) enter(*session)       {}
func (*doneScreen) typing(*session) bool { return false }

func (*doneScreen) bindings(s *session) []key.Binding {
	if s.Single {
		return []key.Binding{named(s.keys.Next, "end")}
	}
	return []key.Binding{named(s.keys.Next, "next person"), s.keys.End}
}

func (d *doneScreen) update(s *session, msg tea.Msg) tea.Cmd { return s.act(msg, d.bindings(s)) }

func (*doneScreen) view(s *session, width, _ int) string {
	if s.Run == nil || s.Run.Receipt == nil {
		return ""
	}
	receipt := s.Run.Receipt
	lines := []string{"", s.styles.OK.Render(fmt.Sprintf("%s %s is enrolled.", markOK, clean(receipt.User))), ""}
	lines = append(lines, fmt.Sprintf("card       %s, serial %d, firmware %s", clean(receipt.Card.Model), receipt.Card.Serial, clean(receipt.Card.Firmware)))
	if receipt.Card.PUKFactory != piv.No {
		lines = append(lines, s.styles.Warning.Render("PUK        "+enroll.PUKUnknown))
	}
	for _, k := range receipt.Keys {
		lines = append(lines, "")
		lines = append(lines, wrapped(fmt.Sprintf("slot %s   ", strings.ToUpper(k.Slot)), fmt.Sprintf("%s, %s, %s", k.Algorithm, k.Origin, clean(k.Proof())), width)...)
		if said := k.NoPIN(); said != "" {
			lines = append(lines, wrapped(s.styles.Warning.Render(markWarning)+"         ", said, width)...)
		}
		lines = append(lines, wrapped("SHA-256   ", k.LeafSHA256, width)...)
		lines = append(lines, wrapped("key pair  ", clean(k.KeyPairID), width)...)
	}
	lines = append(lines, "")
	if identity := receipt.Identity; identity.PrimaryKeyPairID == "" {
		lines = append(lines, wrapped("signs with", clean(identity.SigningKeyPairID), width)...)
		lines = append(lines, wrapped("reads with", clean(identity.EncryptionKeyPairID), width)...)
	} else {
		lines = append(lines, wrapped("identity  ", clean(identity.PrimaryKeyPairID), width)...)
	}
	for _, sealed := range receipt.EscrowInForce.Lines() {
		lines = append(lines, pathLines("escrow    ", sealed, width)...)
	}
	if receipt.GmailEndpoint != "" {
		lines = append(lines, wrapped(s.styles.Warning.Render(markWarning)+"         ", clean(enroll.EndpointText(receipt.GmailEndpoint)), width)...)
	}
	lines = append(lines, pathLines("evidence  ", receipt.Evidence, width)...)
	lines = append(lines, "", "It may take up to 24 hours to show in Gmail. The card can be given to its user.")
	return strings.Join(lines, "\n")
}
