package lab

import (
	"time"

	"github.com/cse-piv/cse-piv/internal/lab/fault"
	"github.com/cse-piv/cse-piv/internal/lab/pcscd"
	"github.com/cse-piv/cse-piv/internal/lab/yubikey"
)

// exchange stands between a reader and its card: it counts, takes the time that
// a real card takes, and carries out the faults.
func (l *Lab) exchange(reader int, command []byte, next func([]byte) []byte) ([]byte, pcscd.Verdict) {
	f := l.faults.Command()
	l.counters.apdu()
	if card := l.Card(reader); card != nil {
		lie, _ := yubikey.FindLie(f.Lie)
		card.SetLie(lie)
	}
	var answer []byte
	if f.Kind == fault.CardNone || f.Executed {
		started, gone := time.Now(), l.presence(reader)
		if !l.pace.work(command, gone) {
			return nil, pcscd.Pulled // in the middle of the command, which comes to nothing
		}
		answer = next(command)
		if !l.pace.send(command, answer, gone) {
			return nil, pcscd.Pulled
		}
		l.counters.inCard(time.Since(started), l.pace.mean(command, answer))
	}
	switch f.Kind {
	case fault.CardPull:
		l.pulled(reader)
		l.log.line("reader %d: fault: card pulled, command executed: %v", reader, f.Executed)
		return nil, pcscd.Pulled
	case fault.CardReset:
		l.log.line("reader %d: fault: card lost contact, command executed: %v", reader, f.Executed)
		if f.Removed {
			return nil, pcscd.GlitchRemoved
		}
		return nil, pcscd.GlitchReset
	}
	return answer, pcscd.Delivered
}

// presence is closed once the card in a reader is pulled, nil for a card that is
// no YubiKey.
func (l *Lab) presence(reader int) <-chan struct{} {
	inserted, err := l.pcsc.Card(reader)
	if err != nil {
		gone := make(chan struct{}) // pulled already
		close(gone)
		return gone
	}
	card, ours := inserted.(*yubikey.Card)
	if !ours {
		return nil
	}
	l.mu.Lock()
	s := l.made[card]
	l.mu.Unlock()
	return s.presence()
}
