package ca

import (
	"bytes"
	"context"
	"fmt"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"

	"go.step.sm/crypto/kms"
	"go.step.sm/crypto/kms/apiv1"
	_ "go.step.sm/crypto/kms/pkcs11" // registers itself
	"go.step.sm/crypto/kms/uri"

	"github.com/cse-piv/cse-piv/internal/durable"
	"github.com/cse-piv/cse-piv/internal/secret"
)

// The schemes of a key's URI that can be opened.
const (
	schemeFile   = "file"
	schemeSoft   = "softkms"
	schemePKCS11 = "pkcs11"
	schemeCard   = "yubikey"
)

// maxPIN bounds the file that pin-source names, in octets.
const maxPIN = 4096

// schemeOf returns the scheme of a key's URI in small letters, "" for a path. The letter of a
// drive is none.
func schemeOf(name string) string {
	scheme, _, found := strings.Cut(name, ":")
	scheme = strings.ToLower(scheme)
	if known := apiv1.Type(scheme); !found || len(scheme) < 2 || scheme != schemeFile && known.Validate() != nil {
		return ""
	}
	return scheme
}

// pathOf returns the path in the URI of a file: softkms:PATH, softkms:path=PATH or file:PATH.
func pathOf(name string) (string, error) {
	parsed, err := uri.Parse(name)
	if err != nil {
		return "", fmt.Errorf("%w: it cannot be parsed", ErrKeyURI)
	}
	if parsed.Host != "" {
		return "", fmt.Errorf("%w: its file is on another machine", ErrKeyURI)
	}
	for _, path := range []string{parsed.Get("path"), parsed.Path, parsed.Opaque} {
		if path, err := url.PathUnescape(path); err == nil && path != "" {
			return localPath(path), nil
		}
	}
	return "", fmt.Errorf("%w: it names no file", ErrKeyURI)
}

// localPath leaves out the slash that a URI has before the letter of a drive.
func localPath(path string) string {
	if rest, found := strings.CutPrefix(path, "/"); found && filepath.VolumeName(rest) != "" {
		return rest
	}
	return path
}

// parseURI returns the attributes of a key's URI and the key's PIN, which its file or a person
// says. The key's name is the URI without what says where the PIN is.
func parseURI(ctx context.Context, name string, with Opening) (key *Key, values url.Values, pin secret.Secret, err error) {
	parsed, err := uri.Parse(name)
	if err != nil { // the error of the library quotes it
		return nil, nil, pin, fmt.Errorf("%w: it cannot be parsed", ErrKeyURI)
	}
	values = uri.Values(parsed)
	for _, secret := range []string{"pin-value", "pin-prompt"} {
		if values.Has(secret) {
			return nil, nil, pin, fmt.Errorf("%w: %s is not read, because others can read the command; give a file as pin-source, or leave it out and be asked", ErrKeyURI, secret)
		}
	}
	source := values.Get("pin-source")
	values.Del("pin-source")
	key = &Key{Name: uri.New(schemeOf(name), values).String()}
	if source != "" {
		pin, err = key.readPIN(source)
	} else {
		pin, err = with.Password(ctx, "PIN for "+key.Name, false)
	}
	return key, values, pin, err
}

// openToken signs in to the token that a URI (RFC 7512) names.
func openToken(ctx context.Context, name string, with Opening) (*Key, kms.KeyManager, error) {
	if !hasPKCS11 {
		return nil, nil, fmt.Errorf("%w: PKCS#11 is not built into this program", ErrKeyURI)
	}
	key, values, pin, err := parseURI(ctx, name, with)
	if err == nil {
		err = checkTries(values)
	}
	if err != nil {
		return nil, nil, err
	}
	revealed := pin.Reveal()
	defer clear(revealed)
	token, err := kms.New(ctx, apiv1.Options{Type: apiv1.PKCS11, URI: key.Name, Pin: string(revealed)})
	if err != nil {
		// The library has no exported error for a wrong PIN that is there in every build.
		if strings.Contains(err.Error(), "CKR_PIN") {
			err = fmt.Errorf("%w (%w)", ErrKeyPassword, err)
		}
		return nil, nil, fmt.Errorf("%s: %w", key.Name, err)
	}
	key.close = token.Close
	return key, token, nil
}

// openCard opens a key on a YubiKey. Not with the library: it tries the factory PIN unasked,
// and keeps each card that it passes by.
func openCard(ctx context.Context, name string, with Opening) (*Key, error) {
	key, values, pin, err := parseURI(ctx, name, with)
	if err != nil {
		return nil, err
	}
	serial, err := strconv.ParseUint(values.Get("serial"), 10, 32)
	if err != nil || values.Get("slot-id") == "" {
		return nil, fmt.Errorf("%w: of a YubiKey it names serial and slot-id: yubikey:serial=31415926;slot-id=9c", ErrKeyURI)
	}
	if key.Signer, key.close, err = with.Card(ctx, uint32(serial), values.Get("slot-id"), pin); err != nil {
		return nil, fmt.Errorf("%s: %w", key.Name, err)
	}
	return key, nil
}

// readPIN reads the PIN from a file: its first line.
func (k *Key) readPIN(source string) (secret.Secret, error) {
	path := localPath(strings.TrimPrefix(strings.TrimPrefix(source, "file:"), "//"))
	if strings.HasPrefix(source, "|") {
		return secret.Secret{}, fmt.Errorf("%w: a program as pin-source is not started", ErrKeyURI)
	}
	file, err := durable.Open(path)
	if err != nil {
		return secret.Secret{}, fmt.Errorf("pin-source: %w", err)
	}
	defer file.Close()
	if info, err := file.Stat(); err == nil {
		if warning := durable.ReadWarning(path, info); warning != "" {
			k.Warnings = append(k.Warnings, warning)
		}
	}
	data, err := durable.ReadAll(file, maxPIN)
	if err != nil {
		return secret.Secret{}, fmt.Errorf("pin-source: %w", err)
	}
	defer clear(data)
	line, _, _ := bytes.Cut(data, []byte("\n"))
	if line = bytes.TrimSuffix(line, []byte("\r")); len(line) == 0 {
		return secret.Secret{}, fmt.Errorf("pin-source: the first line of %s is empty", path)
	}
	return secret.New(line), nil
}
