package plain

import (
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/piv"
	"github.com/cse-piv/cse-piv/internal/safetext"
)

// Receipt shows a person what the enrollment came to. Every line can be understood
// by itself.
func Receipt(out io.Writer, receipt *enroll.Receipt) error {
	rows := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	row := func(name, format string, args ...any) {
		fmt.Fprintf(rows, "%s\t%s\n", safetext.Clean(name), safetext.Clean(fmt.Sprintf(format, args...)))
	}
	row(receipt.User, "is enrolled")
	row("card", "%s, serial %d, firmware %s", receipt.Card.Model, receipt.Card.Serial, receipt.Card.Firmware)
	if receipt.Card.PUKFactory != piv.No {
		row("PUK", "%s", enroll.PUKUnknown)
	}
	for _, key := range receipt.Keys {
		slot := "slot " + key.Slot
		row(slot, "%s, %s, %s", key.Algorithm, key.Origin, key.Proof())
		if said := key.NoPIN(); said != "" {
			row(slot, "%s", said)
		}
		row(slot, "certificate SHA-256 %s", key.LeafSHA256)
		row(slot, "key pair %s", key.KeyPairID)
	}
	if identity := receipt.Identity; identity.PrimaryKeyPairID != "" {
		row("identity", "%s", identity.PrimaryKeyPairID)
	} else {
		row("identity", "signs with %s, is written to with %s", identity.SigningKeyPairID, identity.EncryptionKeyPairID)
	}
	for _, sealed := range receipt.EscrowInForce.Lines() {
		row("escrow", "%s", sealed)
	}
	if receipt.GmailEndpoint != "" {
		row("note", "%s", enroll.EndpointText(receipt.GmailEndpoint))
	}
	row("evidence", "%s", receipt.Evidence)
	row("note", "it may take up to 24 hours to show in Gmail")
	return rows.Flush()
}
