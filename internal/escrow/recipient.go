package escrow

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"filippo.io/age"
	"filippo.io/age/agessh"

	"github.com/cse-piv/cse-piv/internal/durable"
)

const maxRecipientFile = 1 << 20

type namedRecipient struct {
	text      string
	recipient age.Recipient
}

// parseRecipient takes a recipient itself or a file of recipients, one a line,
// with empty lines and # comments. A file that everyone can change is refused:
// whoever adds a recipient gets all keys.
func parseRecipient(text string) (found []namedRecipient, warning string, err error) {
	text = strings.TrimSpace(text)
	if looksLikeRecipient(text) {
		r, err := parseRecipientLine(text)
		return []namedRecipient{r}, "", err
	}
	if strings.HasPrefix(strings.ToUpper(text), "AGE-SECRET-KEY-") {
		return nil, "", errors.New("escrow: an age identity (secret key) was given as recipient; give its public key, age1…")
	}
	data, err := durable.ReadFile(text, maxRecipientFile)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, "", fmt.Errorf("escrow: %q is neither a recipient (age1…, ssh-ed25519 …) nor a file of them", text)
		}
		return nil, "", fmt.Errorf("escrow recipients: %w", err)
	}
	warning, everyone := durable.WriteWarning(text)
	if everyone {
		return nil, "", fmt.Errorf("escrow: whoever adds a recipient to %q gets the keys of all cards, but %s", text, warning)
	}
	found, err = parseRecipientFile(text, data)
	return found, warning, err
}

func parseRecipientFile(name string, data []byte) ([]namedRecipient, error) {
	var all []namedRecipient
	lines := bufio.NewScanner(bytes.NewReader(data))
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if !looksLikeRecipient(line) {
			// The line is not shown: it may be a secret key in the wrong file.
			return nil, fmt.Errorf("escrow: %q, line %d is not a recipient (age1…, ssh-ed25519 …)", name, n)
		}
		found, err := parseRecipientLine(line)
		if err != nil {
			return nil, fmt.Errorf("%q, line %d: %w", name, n, err)
		}
		all = append(all, found)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("escrow recipients in %q: %w", name, err)
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("escrow: %q holds no recipients", name)
	}
	return all, nil
}

func looksLikeRecipient(s string) bool {
	return strings.HasPrefix(s, "age1") || strings.HasPrefix(s, "ssh-ed25519 ") || strings.HasPrefix(s, "ssh-rsa ")
}

func parseRecipientLine(s string) (namedRecipient, error) {
	if !strings.HasPrefix(s, "ssh-") {
		found, err := age.ParseRecipients(strings.NewReader(s))
		if err != nil || len(found) != 1 {
			return namedRecipient{}, fmt.Errorf("escrow: %q is not a usable age recipient (plugins are not supported)", s)
		}
		return namedRecipient{s, found[0]}, nil
	}
	r, err := agessh.ParseRecipient(s)
	if err != nil {
		return namedRecipient{}, fmt.Errorf("escrow: %q is not a usable SSH recipient", s)
	}
	// The comment at the end does not make it another recipient.
	fields := strings.Fields(s)
	return namedRecipient{strings.Join(fields[:2], " "), r}, nil
}
