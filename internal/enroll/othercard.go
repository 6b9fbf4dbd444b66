package enroll

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/evidence"
	"github.com/cse-piv/cse-piv/internal/gmail"
)

// OtherCardError is returned for a user whose identity at Gmail uses another card.
type OtherCardError struct {
	Email  string
	Cards  []string // in use at Gmail, such as "card 12345678"
	Serial uint32   // of the card that was to take their place
}

// Error names both.
func (e *OtherCardError) Error() string {
	return fmt.Sprintf("%s is enrolled with %s, and Gmail would move to card %d", e.Email, strings.Join(e.Cards, " and "), e.Serial)
}

// checkOtherCards has a person agree where Gmail is to move from another card to this
// one.
func (e *enrollment) checkOtherCards(ctx context.Context) error {
	pairs, err := e.user.registration.InUse(ctx)
	if err != nil {
		return err
	}
	e.user.identityBefore = journalOf(e.user.registration.LastIdentity()) // for the journal
	if !cardRead(e) {
		return nil // in a preview, where the step before says why
	}
	cards, err := e.otherCards(ctx, pairs)
	if err != nil || len(cards) == 0 {
		return err
	}
	agreed, err := e.agreedBefore(cards)
	switch {
	case err != nil || agreed:
	case e.request.Renew != "" && !e.request.ReplaceCard:
		err = &NotEnrolledError{Email: e.request.Email, Serial: e.request.Serial, With: cards}
	default:
		err = e.agreeToMove(ctx, &OtherCardError{Email: e.request.Email, Cards: cards, Serial: e.request.Serial})
	}
	e.user.movesFrom = cards // for the journal
	return err
}

// agreedBefore reports whether somebody agreed in a run that was broken off.
func (e *enrollment) agreedBefore(cards []string) (bool, error) {
	folder, err := evidence.Latest(e.deps.Evidence, e.request.Email, e.request.Serial)
	if err != nil || folder == nil || folder.Finished() {
		return false, err
	}
	journal, err := folder.Journal()
	return slices.Equal(journal.MovesFrom, cards), err
}

func (e *enrollment) agreeToMove(ctx context.Context, from *OtherCardError) error {
	cards := strings.Join(from.Cards, " and ")
	if e.request.ReplaceCard {
		e.note("Gmail moves from %s to card %d", cards, e.request.Serial)
		return nil
	}
	return e.confirm(ctx, Question{
		ID: QuestionReplaceCard,
		Text: fmt.Sprintf("Gmail moves from %s to card %d: from then on %s signs and decrypts with card %d. The key pairs of %s stay enabled, so that old mail stays readable with it. Is that meant?",
			cards, e.request.Serial, e.request.Email, e.request.Serial, cards),
	}, from)
}

// otherCards names the cards of those key pairs that are on another than this one.
func (e *enrollment) otherCards(ctx context.Context, pairs []gmail.KeyPair) ([]string, error) {
	var cards []string
	for _, pair := range pairs {
		here, err := e.isOnCard(ctx, pair)
		if err != nil {
			return nil, err
		}
		if !pair.Hardware() || here {
			continue
		}
		for _, card := range cardsOf(pair) {
			if !slices.Contains(cards, card) {
				cards = append(cards, card)
			}
		}
	}
	slices.Sort(cards)
	return cards, nil
}

// isOnCard reports whether a key pair is of this card: it says so, or its certificate
// is in one of the slots.
func (e *enrollment) isOnCard(ctx context.Context, pair gmail.KeyPair) (bool, error) {
	for _, description := range pair.HardwareDescriptions {
		if Describes(description, e.request.Serial) {
			return true, nil
		}
	}
	for _, key := range e.keys {
		contents, err := e.card.Slot(ctx, key.Slot)
		if err != nil {
			return false, err
		}
		if contents.Certificate != nil && pair.Has(certificate.Fingerprint(contents.Certificate)) {
			return true, nil
		}
	}
	return false, nil
}
