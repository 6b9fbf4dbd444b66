package cli

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/cse-piv/cse-piv/internal/desk"
	"github.com/cse-piv/cse-piv/internal/piv"
	"github.com/cse-piv/cse-piv/internal/smime"
)

func newCardShow(streams *Streams) *cobra.Command {
	var options cardFlags
	command := &cobra.Command{
		Use: "show", Short: "Show what is on a card", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var shown shownCard
			err := options.use(cmd.Context(), func(card *piv.Card) error {
				status, err := card.Status(cmd.Context())
				shown = showCard(card.Identity(), status)
				return err
			})
			if err != nil {
				return err
			}
			if options.json {
				return printJSON(streams.Out, shown)
			}
			return shown.print(streams)
		},
	}
	options.add(command, false)
	return command
}

// shownCard is the JSON of card show.
type shownCard struct {
	Serial        uint32      `json:"serial"`
	Model         string      `json:"model"`
	Firmware      string      `json:"firmware"`
	Reader        string      `json:"reader"`
	PIN           shownTries  `json:"pin"`
	PUK           shownTries  `json:"puk"`
	ManagementKey shownKey    `json:"management_key"`
	Slots         []shownSlot `json:"slots"`
}

// shownTries is a PIN or PUK; Factory is "yes", "no" or "unknown".
type shownTries struct {
	TriesLeft *int   `json:"tries_left,omitempty"` // absent where the card does not tell
	Factory   string `json:"factory"`              // whether it is the factory one: yes, no or unknown
}

type shownKey struct {
	Algorithm string `json:"algorithm,omitempty"`
	Factory   string `json:"factory"` // whether it is the factory one: yes, no or unknown
}

type shownSlot struct {
	Slot        piv.Slot          `json:"slot"`
	KeyUnknown  bool              `json:"key_unknown,omitempty"` // the card cannot tell whether there is a key
	Algorithm   string            `json:"algorithm,omitempty"`
	Origin      string            `json:"origin,omitempty"` // generated, imported or unknown
	PINPolicy   string            `json:"pin_policy,omitempty"`
	TouchPolicy string            `json:"touch_policy,omitempty"`
	Certificate *shownCertificate `json:"certificate,omitempty"`
	Problem     string            `json:"problem,omitempty"` // why the certificate cannot be used
}

type shownCertificate struct {
	Subject   string    `json:"subject"`
	Addresses []string  `json:"addresses"` // of mail
	NotBefore time.Time `json:"not_before"`
	NotAfter  time.Time `json:"not_after"`
	SHA256    string    `json:"sha256"`
}

func showCard(identity piv.Identity, status piv.Status) shownCard {
	shown := shownCard{
		Serial: identity.Serial, Model: identity.Model, Firmware: identity.Firmware.String(), Reader: identity.Reader,
		PIN:           shownTries{triesLeft(status.PIN), status.PIN.Factory.String()},
		PUK:           shownTries{triesLeft(status.PUK), status.PUK.Factory.String()},
		ManagementKey: shownKey{status.ManagementKey.Algorithm, status.ManagementKey.Factory.String()},
		Slots:         []shownSlot{},
	}
	for _, contents := range status.Slots {
		slot := shownSlot{Slot: contents.Slot, KeyUnknown: contents.KeyUnknown}
		if key := contents.Key; key != nil {
			slot.Algorithm, slot.Origin = string(key.Algorithm), string(key.Origin)
			slot.PINPolicy, slot.TouchPolicy = string(key.PINPolicy), string(key.TouchPolicy)
		}
		if err := contents.CertificateProblem(); err != nil {
			slot.Problem = err.Error()
		}
		if certificate := contents.Certificate; certificate != nil {
			slot.Certificate = &shownCertificate{
				Subject: certificate.Subject.String(), Addresses: append([]string{}, smime.EmailAddresses(certificate)...),
				NotBefore: certificate.NotBefore.UTC(), NotAfter: certificate.NotAfter.UTC(), SHA256: smime.Fingerprint(certificate),
			}
		}
		shown.Slots = append(shown.Slots, slot)
	}
	return shown
}

// triesLeft returns nil where the card does not tell.
func triesLeft(counter piv.Counter) *int {
	if counter.Tries == piv.UnknownTries {
		return nil
	}
	return &counter.Tries
}

func (c shownCard) print(streams *Streams) error {
	rows := newTable(streams.Out, fmt.Sprint(c.Serial), c.Model+", firmware "+c.Firmware)
	rows.row("reader", c.Reader)
	rows.row("PIN", c.PIN.text())
	rows.row("PUK", c.PUK.text())
	rows.row("management key", strings.TrimSpace(c.ManagementKey.Algorithm+factoryText(c.ManagementKey.Factory)))
	unknown := 0
	for _, slot := range c.Slots {
		if slot.Slot.Retired() && slot.KeyUnknown && slot.Problem == "" {
			unknown++
			continue
		}
		key := desk.NoKey(slot.KeyUnknown)
		if slot.Algorithm != "" {
			key = fmt.Sprintf("%s, %s, PIN %s, touch %s", slot.Algorithm, slot.Origin, slot.PINPolicy, slot.TouchPolicy)
		}
		rows.row("slot "+slot.Slot.String(), key)
		if slot.Problem != "" {
			rows.row("", "certificate: "+slot.Problem)
		}
		if certificate := slot.Certificate; certificate != nil {
			parts := []string{certificate.Subject, "valid to " + certificate.NotAfter.Format(time.DateOnly)}
			if len(certificate.Addresses) > 0 {
				parts = slices.Insert(parts, 1, strings.Join(certificate.Addresses, " "))
			}
			rows.row("", strings.Join(parts, ", "))
			rows.row("", "SHA-256 "+certificate.SHA256)
		}
	}
	if unknown > 0 {
		rows.row("82 to 95", fmt.Sprintf("cannot tell of %d slots whether they hold a key", unknown))
	}
	if len(c.Slots) == 0 {
		rows.row("slots", "all empty")
	}
	return rows.flush()
}

func (t shownTries) text() string {
	tries := "tries unknown"
	if t.TriesLeft != nil {
		tries = fmt.Sprintf("%d tries left", *t.TriesLeft)
		if *t.TriesLeft == 0 {
			tries = "blocked"
		}
	}
	return tries + factoryText(t.Factory)
}

func factoryText(factory string) string {
	switch factory {
	case "yes":
		return ", still the factory one"
	case "unknown":
		return ", the card does not tell whether it is the factory one"
	}
	return ""
}
