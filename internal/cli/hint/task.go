package hint

import "strings"

// ForUsedPUK says how the PUK of a card is replaced that was used and stays the card's; desk is for
// somebody at a desk.
func ForUsedPUK(desk bool) string {
	h := hints{desk: desk}
	return "whoever opened the escrow may know the PUK; to have it replaced after it was used " + h.with("--escrow-to RECIPIENT or --escrow-plain")
}

// ForFactoryPUK says how a factory PUK is replaced that was used and stays the card's; desk is for
// somebody at a desk.
func ForFactoryPUK(desk bool) string {
	h := hints{desk: desk}
	return "whoever finds the card can set a new PIN with the factory PUK; to give it another one: cse-piv card puk change; to have it replaced when it is used " + h.with("--escrow-to RECIPIENT or --escrow-plain")
}

// ForKeyHistory says how a Key History object is put right; desk is for somebody at a desk.
func ForKeyHistory(desk bool) string {
	h := hints{desk: desk}
	return h.either("to put it right: ", "to put it right, on the command line: ") + "cse-piv card history --repair"
}

// ForAdvisories says what to do about published weaknesses of a card, which stand on those pages.
func ForAdvisories(pages []string) string {
	return "read what Yubico advises: " + strings.Join(pages, " ")
}
