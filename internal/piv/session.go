package piv

import (
	"errors"
	"fmt"

	"github.com/cse-piv/cse-piv/internal/piv/pcsc"
)

// session is an exclusive connection of our own to the card in a reader, with
// the PIV application selected.
type session struct {
	context *pcsc.Context
	card    *pcsc.Card
	pcsc.Applet
	reader pcsc.ReaderState // as it was before connecting
	leave  pcsc.Disposition
}

// openSession connects to the card in the reader and selects PIV. A card
// without PIV is ErrNotYubiKey.
func openSession(reader string) (*session, error) {
	service, err := pcsc.Establish()
	if err != nil {
		return nil, cause(err)
	}
	s := &session{context: service}
	if err := s.connect(reader); err != nil {
		service.Release()
		return nil, cause(err)
	}
	if _, err := s.Select(pcsc.PIV); err != nil {
		s.close()
		if _, refused := statusOf(err); refused {
			return nil, fmt.Errorf("%w: %w", ErrNotYubiKey, err)
		}
		return nil, cause(err)
	}
	return s, nil
}

func (s *session) connect(reader string) error {
	states := []pcsc.ReaderState{{Reader: reader}}
	if err := s.context.StatusChange(states, 0); err != nil && !errors.Is(err, pcsc.Timeout) {
		return err
	}
	s.reader = states[0]
	card, err := s.context.Connect(reader, pcsc.Exclusive)
	if err != nil {
		return err
	}
	s.card, s.Applet = card, pcsc.Applet{Card: card}
	return nil
}

// authenticated makes close reset the card, so that it forgets the management
// key or PIN that it accepted before another program comes to it.
func (s *session) authenticated() { s.leave = pcsc.ResetIt }

// close lets go of the card. There is nothing to do about its errors: the card
// or the service is gone then, and the connection with it.
func (s *session) close() {
	s.card.Disconnect(s.leave)
	s.context.Release()
}

// readers returns the current state of every reader.
func readers() ([]pcsc.ReaderState, error) {
	service, err := pcsc.Establish()
	if err != nil {
		return nil, cause(err)
	}
	defer service.Release()
	states, err := readerStates(service)
	return states, cause(err)
}

func readerStates(service *pcsc.Context) ([]pcsc.ReaderState, error) {
	names, err := service.Readers()
	if err != nil || len(names) == 0 {
		return nil, err
	}
	states := make([]pcsc.ReaderState, len(names))
	for i, name := range names {
		states[i].Reader = name
	}
	err = service.StatusChange(states, 0)
	switch {
	case errors.Is(err, pcsc.Timeout):
		return states, nil
	case errors.Is(err, pcsc.UnknownReader), errors.Is(err, pcsc.NoReaders):
		return nil, nil // unplugged in between; the next look sees what is left
	}
	return states, err
}
