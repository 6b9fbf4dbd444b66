package enroll

import (
	"context"
	"fmt"
	"strings"
)

// noteCHUID enters into the ledger which CHUID the card has, and says which other cards have it, too.
// Failing to does not fail the enrollment.
func (e *enrollment) noteCHUID(ctx context.Context) {
	if e.deps.NoteCHUID == nil {
		return
	}
	chuid, err := e.card.CHUIDHash(ctx)
	if err != nil || chuid == "" {
		return
	}
	others, err := e.deps.NoteCHUID(ctx, e.request.Serial, chuid)
	if err != nil {
		e.note("%v", err)
		return
	}
	if len(others) > 0 {
		e.note("%s", SameCHUID(others))
	}
}

// SameCHUID says that other cards have the CHUID of this one.
func SameCHUID(others []uint32) string {
	cards := make([]string, len(others))
	for i, serial := range others {
		cards[i] = fmt.Sprintf("card %d", serial)
	}
	return strings.Join(cards, " and ") + " had the same CHUID when last seen: Windows takes such cards for one, and may show the certificates of the other"
}
