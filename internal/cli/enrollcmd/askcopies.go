package enrollcmd

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/describe"
	"github.com/cse-piv/cse-piv/internal/desk"
	"github.com/cse-piv/cse-piv/internal/durable"
	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/gmail"
	"github.com/cse-piv/cse-piv/internal/piv"
	"github.com/cse-piv/cse-piv/internal/secret"
)

// copies asks for the PKCS#12 files with copies of a person's old keys until they can be used, or
// there are none, see desk.Desk.
func (t tasks) copies(ctx context.Context, email string, prompter desk.Prompter, tell func(string)) ([]enroll.KeyCopy, error) {
	found, err := t.desk.AtGmail(ctx, email)
	if err != nil {
		return nil, err
	}
	question := enroll.Question{Text: fmt.Sprintf("PKCS#12 file with a copy of an old key of %s, or a folder of such files; nothing where there is none", email)}
	for {
		path, err := prompter.Input(ctx, question)
		if err != nil || path == "" {
			return nil, err
		}
		reading := copyReading{email: email, pairs: found.KeyPairs, prompter: prompter, tell: tell, passwords: []secret.Secret{{}}}
		if err := reading.path(ctx, path); err != nil {
			return nil, err
		}
		if len(reading.entries) > 0 {
			return reading.entries, nil
		}
		tell(fmt.Sprintf("%s: no key of %s that a card could get", path, email))
	}
}

// copyReading reads the copies of one person's old keys.
type copyReading struct {
	email     string
	pairs     []gmail.KeyPair // at Gmail
	prompter  desk.Prompter
	tell      func(string)
	passwords []secret.Secret // that opened a file
	entries   []enroll.KeyCopy
}

// path reads a file, or the PKCS#12 files of a folder. What cannot be used it tells; its errors are those
// of the prompter.
func (r *copyReading) path(ctx context.Context, path string) error {
	files := []string{path}
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		all, err := os.ReadDir(path)
		if err != nil {
			r.tell(err.Error())
			return nil
		}
		files = nil
		for _, entry := range all {
			if extension := strings.ToLower(filepath.Ext(entry.Name())); extension == ".p12" || extension == ".pfx" {
				files = append(files, filepath.Join(path, entry.Name()))
			}
		}
	}
	for _, file := range files {
		if err := r.file(ctx, file); err != nil {
			return err
		}
	}
	return nil
}

func (r *copyReading) file(ctx context.Context, file string) error {
	data, err := durable.ReadFile(file, certificate.MaxFile)
	if err != nil {
		r.tell(err.Error())
		return nil
	}
	defer clear(data)
	keys, unusable, err := r.open(ctx, file, data)
	if err != nil {
		return err
	}
	if unusable != nil {
		r.tell(fmt.Sprintf("%s: %v", file, unusable))
		return nil
	}
	for _, key := range keys {
		entry := enroll.KeyCopy{PrivateKey: key}
		switch {
		case key.Certificate == nil:
			r.tell(file + ": a key without a certificate is passed over")
		case entry.IsOf(r.email, r.pairs):
			r.entries = append(r.entries, entry)
			r.tell(copyText(entry))
		default:
			r.tell(fmt.Sprintf("%s: a key is passed over that is not of %s, but of %s", file, r.email, describe.Owner(key.Certificate)))
		}
	}
	return nil
}

// open reads the keys of a file with the passwords of those before, or one that is typed: nothing passes
// the file over. It returns why the file cannot be used, or the error of the prompter.
func (r *copyReading) open(ctx context.Context, file string, data []byte) (keys []certificate.PrivateKey, unusable, err error) {
	for _, password := range r.passwords {
		if keys, unusable = certificate.ParsePrivateKeys(data, password); !errors.Is(unusable, certificate.ErrPassword) {
			return keys, unusable, nil
		}
	}
	question := enroll.SecretQuestion{Question: enroll.Question{Text: "the password of " + file + "; nothing passes it over"}, Tries: piv.UnknownTries}
	for {
		password, err := r.prompter.Secret(ctx, question)
		if err != nil || password.Len() == 0 {
			return nil, unusable, err
		}
		if keys, unusable = certificate.ParsePrivateKeys(data, password); !errors.Is(unusable, certificate.ErrPassword) {
			r.passwords = append(r.passwords, password)
			return keys, unusable, nil
		}
		question.Problem = "that password does not open it"
	}
}
