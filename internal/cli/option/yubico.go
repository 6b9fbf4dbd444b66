package option

import (
	"crypto/x509"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/cli/failure"
	"github.com/cse-piv/cse-piv/internal/durable"
	"github.com/cse-piv/cse-piv/internal/piv/attestation"
)

// authoritiesFile is where Yubico's intermediates are kept that were published after this
// program was built.
func authoritiesFile() (string, error) {
	folder, err := dataFolder("attestation")
	return filepath.Join(folder, "yubico.pem"), err
}

// YubicoTrust returns Yubico's pinned roots with all intermediates that are at hand: those
// of this program, and those that attestation update kept.
func YubicoTrust() (attestation.Trust, error) {
	trust := attestation.YubicoTrust()
	path, err := authoritiesFile()
	if err != nil {
		return trust, nil // there is no folder to keep any in
	}
	data, err := durable.ReadFile(path, certificate.MaxFile)
	if errors.Is(err, fs.ErrNotExist) {
		return trust, nil
	}
	var kept []*x509.Certificate
	if err == nil {
		kept, err = certificate.Parse(data)
	}
	if err != nil {
		return trust, &failure.AuthoritiesError{Path: path, Err: err}
	}
	return trust.With(attestation.Published(kept, time.Now()).Kept), nil
}

// KeepAuthorities keeps intermediates beside those that are kept already, and returns the
// file, which is written wholly or not at all.
func KeepAuthorities(trust attestation.Trust) (string, error) {
	path, err := authoritiesFile()
	if err != nil {
		return "", err
	}
	var text []byte
	for _, intermediate := range trust.Intermediates {
		text = append(text, certificate.EncodePEM(intermediate)...)
	}
	if err := durable.MakeFolder(filepath.Dir(path), 0o700); err != nil {
		return "", err
	}
	return path, durable.WriteFile(path, text, 0o600)
}

// AuthoritiesUpdated returns when intermediates were kept last; zero for never.
func AuthoritiesUpdated() time.Time {
	path, err := authoritiesFile()
	if err != nil {
		return time.Time{}
	}
	info, err := os.Stat(path)
	if err != nil {
		return time.Time{}
	}
	return info.ModTime()
}
