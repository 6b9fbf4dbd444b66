package lab

import (
	"bytes"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"

	"github.com/google/renameio/v2/maybe"

	"github.com/cse-piv/cse-piv/internal/lab/ca"
)

// writePeople writes a file for each of the people, with a certificate and its chain,
// in the layout of Google's script. Those that are there from an earlier start stay.
func (l *Lab) writePeople() error {
	if l.options.People == 0 {
		return nil
	}
	dir := filepath.Join(l.dir, peopleDir)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make a folder for the people's certificates: %w", err)
	}
	for i := range l.options.People {
		email := l.personsAddress(i)
		path := filepath.Join(dir, email+".p7pem")
		if _, err := os.Stat(path); err == nil {
			continue
		}
		chain, err := l.personsChain(email)
		if err != nil {
			return fmt.Errorf("make a certificate for %s: %w", email, err)
		}
		if err := maybe.WriteFile(path, chain, 0o600); err != nil {
			return fmt.Errorf("write the certificate of %s: %w", email, err)
		}
	}
	return nil
}

func (l *Lab) personsAddress(i int) string { return fmt.Sprintf("user%d@%s", i+1, l.options.Domain) }

// personsChain returns a certificate for a new key, and its chain, in PEM.
func (l *Lab) personsChain(email string) ([]byte, error) {
	chain, err := l.ca.Issue(email, nil, ca.Profile{})
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	for _, certificate := range chain {
		// A bytes.Buffer takes everything.
		_ = pem.Encode(&out, &pem.Block{Type: "CERTIFICATE", Bytes: certificate.Raw})
	}
	return out.Bytes(), nil
}
