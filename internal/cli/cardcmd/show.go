package cardcmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/cli/failure"
	"github.com/cse-piv/cse-piv/internal/cli/option"
	"github.com/cse-piv/cse-piv/internal/cli/stdio"
	"github.com/cse-piv/cse-piv/internal/describe"
	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/format"
	"github.com/cse-piv/cse-piv/internal/ledger"
	"github.com/cse-piv/cse-piv/internal/piv"
	"github.com/cse-piv/cse-piv/internal/smime"
)

func newCardShow(streams *stdio.Streams) *cobra.Command {
	var options cardFlags
	var store option.Store
	command := &cobra.Command{
		Use: "show", Short: "Show what is on a card",
		Long: "show lists what is in the card's slots, and how PIN, PUK and management key stand. It also\n" +
			"says which other cards the ledger saw with the same CHUID, by which Windows tells cards apart.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			var identity piv.Identity
			var status piv.Status
			var same []uint32
			err := options.use(cmd.Context(), func(card *piv.Card) (err error) {
				identity = card.Identity()
				if status, err = card.Status(cmd.Context()); err == nil {
					same = sameCHUID(cmd.Context(), streams.Err, store, card)
				}
				return err
			})
			if err != nil {
				return err
			}
			if options.json {
				shown := showCard(identity, status)
				shown.SameCHUID = same
				return stdio.JSON(streams.Out, shown)
			}
			return printCard(streams.Out, identity, status, same)
		},
	}
	options.add(command, false)
	store.Add(command.Flags())
	return command
}

// sameCHUID returns the other cards that the ledger saw with the card's CHUID. A ledger that cannot
// be read keeps nobody from seeing the card: it is told.
func sameCHUID(ctx context.Context, messages io.Writer, store option.Store, card *piv.Card) []uint32 {
	others, err := readSameCHUID(ctx, store, card)
	if err != nil {
		stdio.Warning(messages, "other cards with the same CHUID are not known: "+err.Error())
	}
	return others
}

func readSameCHUID(ctx context.Context, store option.Store, card *piv.Card) (others []uint32, err error) {
	book, err := store.OpenReadOnly(ctx)
	if failure.Is[*ledger.MissingError](err) {
		return nil, nil // no card was ever seen
	}
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, book.Close()) }()
	chuid, err := card.CHUIDHash(ctx)
	if err != nil {
		return nil, err
	}
	return book.SameCHUID(ctx, card.Identity().Serial, chuid)
}

// ShownCard is the JSON of card show.
type ShownCard struct {
	Serial        uint32      `json:"serial"`
	Model         string      `json:"model"`
	Firmware      string      `json:"firmware"`
	Reader        string      `json:"reader"`
	PIN           shownTries  `json:"pin"`
	PUK           shownTries  `json:"puk"`
	ManagementKey shownKey    `json:"management_key"`
	Slots         []shownSlot `json:"slots"`
	// SameCHUID are the serial numbers of other cards that had the same CHUID when last seen.
	SameCHUID []uint32 `json:"same_chuid,omitempty"`
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

func showCard(identity piv.Identity, status piv.Status) ShownCard {
	shown := ShownCard{
		Serial: identity.Serial, Model: identity.Model, Firmware: identity.Firmware.String(), Reader: identity.Reader,
		PIN:           shownTries{triesLeft(status.PIN), status.PIN.Factory.String()},
		PUK:           shownTries{triesLeft(status.PUK), status.PUK.Factory.String()},
		ManagementKey: shownKey{status.ManagementKey.Algorithm, status.ManagementKey.Factory.String()},
		Slots:         []shownSlot{},
	}
	for _, contents := range status.Slots {
		shown.Slots = append(shown.Slots, showSlot(contents))
	}
	return shown
}

func showSlot(contents piv.SlotContents) shownSlot {
	slot := shownSlot{Slot: contents.Slot, KeyUnknown: contents.KeyUnknown}
	if key := contents.Key; key != nil {
		slot.Algorithm, slot.Origin = string(key.Algorithm), string(key.Origin)
		slot.PINPolicy, slot.TouchPolicy = string(key.PINPolicy), string(key.TouchPolicy)
	}
	if err := contents.CertificateProblem(); err != nil {
		slot.Problem = err.Error()
	}
	if cert := contents.Certificate; cert != nil {
		slot.Certificate = &shownCertificate{
			Subject: cert.Subject.String(), Addresses: append([]string{}, smime.EmailAddresses(cert)...),
			NotBefore: cert.NotBefore.UTC(), NotAfter: cert.NotAfter.UTC(), SHA256: certificate.Fingerprint(cert),
		}
	}
	return slot
}

// triesLeft returns nil where the card does not tell.
func triesLeft(counter piv.Counter) *int {
	if counter.Tries == piv.UnknownTries {
		return nil
	}
	return &counter.Tries
}

func printCard(out io.Writer, identity piv.Identity, status piv.Status, sameCHUID []uint32) error {
	rows := stdio.NewTable(out, fmt.Sprint(identity.Serial), fmt.Sprintf("%s, firmware %s", identity.Model, identity.Firmware))
	rows.Row("reader", identity.Reader)
	for _, value := range describe.Protection(status) {
		rows.Row(value.Label, value.Text)
	}
	unknown := 0
	for _, contents := range status.Slots {
		if contents.Slot.Retired() && contents.Unknown() {
			unknown++
			continue
		}
		printSlot(rows, contents)
	}
	if unknown > 0 {
		value := describe.UnknownSlots(unknown)
		rows.Row(value.Label, value.Text)
	}
	if len(status.Slots) == 0 {
		rows.Row("slots", "all empty")
	}
	if len(sameCHUID) > 0 {
		rows.Row("CHUID", enroll.SameCHUID(sameCHUID))
	}
	return rows.Flush()
}

func printSlot(rows *stdio.Table, contents piv.SlotContents) {
	rows.Row("slot "+contents.Slot.String(), describe.Key(contents))
	if problem := contents.CertificateProblem(); problem != nil {
		rows.Row("", "certificate: "+problem.Error())
	}
	cert := contents.Certificate
	if cert == nil {
		return
	}
	parts := []string{cert.Subject.String(), "valid until " + format.Day(cert.NotAfter)}
	if addresses := smime.EmailAddresses(cert); len(addresses) > 0 {
		parts = slices.Insert(parts, 1, strings.Join(addresses, " "))
	}
	if parts[0] == "" {
		parts = parts[1:] // a certificate may name nobody there
	}
	rows.Row("", strings.Join(parts, ", "))
	rows.Row("", "SHA-256 "+certificate.Fingerprint(cert))
}
