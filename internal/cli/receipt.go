package cli

import (
	"fmt"
	"io"

	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/plain"
)

// printReceipt shows a person what the enrollment came to.
func printReceipt(out io.Writer, receipt *enroll.Receipt) error {
	rows := newTable(out, plain.Clean(receipt.User), "is enrolled")
	rows.row("card", fmt.Sprintf("%s, serial %d, firmware %s", receipt.Card.Model, receipt.Card.Serial, receipt.Card.Firmware))
	for _, key := range receipt.Keys {
		proof := "attested"
		if !key.Attested {
			proof = "not attested"
		}
		rows.row("slot "+key.Slot, fmt.Sprintf("%s, %s, %s", key.Algorithm, key.Origin, proof))
		rows.row("", "certificate SHA-256 "+key.LeafSHA256)
		rows.row("", "key pair "+key.KeyPairID)
	}
	identity := receipt.Identity.PrimaryKeyPairID
	if identity == "" {
		identity = fmt.Sprintf("signs with %s, is written to with %s", receipt.Identity.SigningKeyPairID, receipt.Identity.EncryptionKeyPairID)
	}
	rows.row("identity", identity)
	rows.row("evidence", receipt.Evidence)
	rows.row("", "it may take up to 24 hours to show in Gmail")
	return rows.flush()
}
