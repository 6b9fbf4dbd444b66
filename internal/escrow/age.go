package escrow

import (
	"bytes"
	"context"
	"fmt"
	"io"

	"filippo.io/age"
	"filippo.io/age/armor"
)

const ageExtension = ".age"

// AgeStore seals records to age recipients: only who holds the identity of one
// of them can open a record, this program cannot.
type AgeStore struct {
	dir        string
	recipients []age.Recipient
	names      []string
	warnings   []string
}

// NewAge keeps records in dir, sealed to all recipients. Each is a native age
// recipient (age1…), an SSH public key (ssh-ed25519 or ssh-rsa), or the name of
// a file with such lines. dir is created with mode 0700 if it is missing.
func NewAge(dir string, recipients []string) (*AgeStore, error) {
	s, err := newAge(dir, recipients)
	if err != nil {
		return nil, err
	}
	warnings, err := prepare(dir)
	if err != nil {
		return nil, err
	}
	s.warnings = append(s.warnings, warnings...)
	return s, nil
}

// CheckRecipients returns the error with which NewAge would refuse those
// recipients.
func CheckRecipients(recipients []string) error {
	_, err := newAge("", recipients)
	return err
}

// newAge returns a store whose folder is not looked at yet.
func newAge(dir string, recipients []string) (*AgeStore, error) {
	s := &AgeStore{dir: dir}
	seen := map[string]bool{}
	for _, text := range recipients {
		found, warning, err := parseRecipient(text)
		if err != nil {
			return nil, err
		}
		if warning != "" {
			s.warnings = append(s.warnings, "the file of escrow recipients "+warning)
		}
		for _, r := range found {
			if !seen[r.text] {
				seen[r.text] = true
				s.recipients, s.names = append(s.recipients, r.recipient), append(s.names, r.text)
			}
		}
	}
	switch len(s.recipients) {
	case 0:
		return nil, fmt.Errorf("escrow: no recipients given")
	case 1:
		s.warnings = append(s.warnings, "escrow records are sealed to one recipient only: if that identity is lost, so are the cards' PUKs and management keys; give a second recipient that is kept offline")
	}
	// Some kinds of recipients do not go together (post-quantum with classic):
	// better known now than when a card's secrets are to be sealed.
	if _, err := s.seal([]byte("{}")); err != nil {
		return nil, fmt.Errorf("escrow: these recipients cannot be used together: %w", err)
	}
	return s, nil
}

// Warnings lists what is unwise about the recipients, one sentence each.
func (s *AgeStore) Warnings() []string { return append([]string(nil), s.warnings...) }

// Recipients returns the public keys that records are sealed to.
func (s *AgeStore) Recipients() []string { return append([]string(nil), s.names...) }

// Put seals the record and keeps it as DIR/<serial>-<UTC time>.age.
func (s *AgeStore) Put(ctx context.Context, r Record) (string, error) {
	return keep(ctx, s.dir, ageExtension, r, s.seal)
}

// Check reports why a record could not be kept now. It leaves nothing behind.
func (s *AgeStore) Check(ctx context.Context) error { return check(ctx, s.dir) }

// seal armours, so that a record survives being pasted into a ticket or a vault.
func (s *AgeStore) seal(plain []byte) ([]byte, error) {
	var out bytes.Buffer
	armoured := armor.NewWriter(&out)
	w, err := age.Encrypt(armoured, s.recipients...)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(plain); err != nil {
		return nil, err
	}
	for _, c := range []io.Closer{w, armoured} {
		if err := c.Close(); err != nil {
			return nil, err
		}
	}
	return out.Bytes(), nil
}
