package describe

import (
	"fmt"
	"strings"

	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/evidence"
	"github.com/cse-piv/cse-piv/internal/gmail"
	"github.com/cse-piv/cse-piv/internal/piv"
)

// Receipt says what an enrollment came to; every value can be understood by itself.
func Receipt(receipt *enroll.Receipt) []Value {
	values := receiptOf(receipt, func(key enroll.ReceiptKey) []Value {
		return []Value{{Text: "certificate SHA-256 " + key.LeafSHA256}}
	})
	identity := gmail.Identity(receipt.Identity)
	values = append(values, Value{Label: "identity", Text: Identity(&identity)})
	for _, sealed := range receipt.EscrowInForce.Lines() {
		values = append(values, Value{Label: "escrow", Text: sealed, Exact: true})
	}
	return append(values, whereTo(receipt)...)
}

// ShortReceipt says of an enrollment what a desk has to know: the card, the key pairs,
// what asks for attention, and where all of it is to be found.
func ShortReceipt(receipt *enroll.Receipt) []Value {
	values := append(receiptOf(receipt, func(enroll.ReceiptKey) []Value { return nil }), whereTo(receipt)...)
	return append(values, Value{Label: "to print", Text: evidence.ForUserName + ", in that folder: what the user takes along"})
}

// receiptOf says what became of the card and of its keys, of each of them also more.
func receiptOf(receipt *enroll.Receipt, more func(enroll.ReceiptKey) []Value) []Value {
	values := []Value{
		{Label: receipt.Email, Text: "is enrolled", Tone: OK},
		{Label: "card", Text: fmt.Sprintf("%s, serial %d, firmware %s", receipt.Card.Model, receipt.Card.Serial, receipt.Card.Firmware)},
	}
	values = append(values, profileOf(receipt.Profile)...)
	if renewal := receipt.Renewal; renewal != nil {
		for _, key := range renewal.Keys {
			values = append(values, Value{Label: "renewed", Text: key.Line(renewal.Kind)})
		}
	}
	for _, entry := range receipt.Copies {
		values = append(values, Value{Label: "slot " + entry.Slot, Text: fmt.Sprintf("%s, %s and not attested: the copy of an old key, which reads old mail", entry.Algorithm, entry.Origin)})
	}
	if receipt.Card.PUKFactory != piv.No {
		values = append(values, Value{Label: "PUK", Text: enroll.PUKUnknown, Tone: Warning})
	}
	for _, key := range receipt.Keys {
		of := []Value{{Text: fmt.Sprintf("%s, %s, %s", key.Algorithm, key.Origin, key.Proof())}}
		if said := key.NoPIN(); said != "" {
			of = append(of, Value{Text: said, Tone: Warning})
		}
		of = append(append(of, more(key)...), Value{Text: "key pair " + key.KeyPairID})
		for _, value := range of {
			value.Label = "slot " + key.Slot
			values = append(values, value)
		}
	}
	return values
}

// whereTo says where the evidence is, and what to expect.
func whereTo(receipt *enroll.Receipt) (values []Value) {
	if receipt.GmailEndpoint != "" {
		values = append(values, Value{Label: "note", Text: enroll.EndpointText(receipt.GmailEndpoint), Tone: Warning})
	}
	return append(values, Value{Label: "evidence", Text: receipt.Evidence, Exact: true},
		Value{Label: "note", Text: "it may take up to 24 hours to show in Gmail"})
}

// ReviewKey says what is about to be registered of a key.
func ReviewKey(key enroll.ReviewKey) []Value {
	proof := Value{Label: "key", Text: key.Proof(), Tone: OK}
	if !key.Attested {
		proof.Tone = Warning
	}
	values := []Value{{Label: "slot " + strings.ToUpper(key.Slot), Text: Use(key.Use)}, proof}
	if said := key.NoPIN(); said != "" {
		values = append(values, Value{Label: "key", Text: said, Tone: Warning})
	}
	values = append(values, chain(key.Chain)...)
	same := Value{Text: "what is on the card and what is uploaded are the same", Tone: OK}
	if !key.Same() {
		same = Value{Text: "what is on the card and what is uploaded are NOT the same", Tone: Bad}
	}
	values = append(values, Value{Label: "on the card", Text: key.OnCard}, Value{Label: "to upload", Text: key.Upload}, same)
	if key.Known {
		values = append(values, Value{Text: "Gmail has this key pair already; it is used again"})
	}
	return append(values, findings(key.Findings)...)
}
