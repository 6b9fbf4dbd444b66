package fault

import "slices"

// Card is what happens to a card during one command.
type Card struct {
	Kind CardKind
	// Executed tells whether the card works on the command before the fault.
	Executed bool
	// Removed: after a loss of contact the program is told that the card was
	// removed, not that it was reset.
	Removed bool
	// Lie names what the card says, of yubikey.Lies; empty for the truth.
	Lie string
}

// CardKind is what happens to the contact between card and reader.
type CardKind int

// The faults of a card command.
const (
	CardNone  CardKind = iota
	CardPull           // the card is taken out and stays out
	CardReset          // the card loses contact and power, and is back at once
)

type card struct {
	percent float64
	planned []plannedCommand
	lie     string
	honest  int // commands before the lie begins
}

type plannedCommand struct {
	kind     CardKind
	executed bool
	left     int
}

// Command counts one card command and tells what happens to it.
func (b *Board) Command() Card {
	b.mu.Lock()
	defer b.mu.Unlock()
	fault := Card{}
	b.card.planned = slices.DeleteFunc(b.card.planned, func(p plannedCommand) bool {
		return p.left <= 0
	})
	for i := range b.card.planned {
		p := &b.card.planned[i]
		if due(&p.left) {
			fault = Card{Kind: p.kind, Executed: p.executed}
		}
	}
	if fault.Kind == CardNone && b.chance(b.card.percent) {
		fault.Kind = CardReset
	}
	if fault.Kind == CardReset {
		fault.Executed = b.rand.IntN(2) == 0
		fault.Removed = b.rand.IntN(2) == 0
	}
	if b.card.honest > 0 {
		b.card.honest--
	} else {
		fault.Lie = b.card.lie
	}
	if fault.Kind != CardNone {
		b.counted.Card++
	}
	return fault
}
