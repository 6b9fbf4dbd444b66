// Package ca is a small CA for those who have none: it makes a root and an issuing
// authority, keeps a record of every certificate that was issued, and revokes. Who signs
// certificate requests with it is package issuer's.
package ca

import (
	"cmp"
	"context"
	"crypto"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/durable"
)

// The names in a record's folder.
const (
	issuedFolder     = "issued"
	issuedSuffix     = ".pem"
	revocationSuffix = ".revoked"
)

// maxRevocation bounds the file of one revocation, in octets.
const maxRevocation = 4 << 10

// ErrUnknownSerial is returned for a serial number that the CA did not issue.
var ErrUnknownSerial = errors.New("this CA issued no certificate with that serial number")

// MissingError is returned for a folder in which there is no CA.
type MissingError struct{ Folder string }

// Error names the folder.
func (e *MissingError) Error() string { return "there is no CA in " + e.Folder }

// Record keeps what a CA issued, a file for each certificate, in the folder issued beside
// the CA's own. What is in it was on the disk before anybody was given the certificate.
type Record struct {
	folder durable.Folder // of the CA
}

// RecordOf returns the record of the CA whose certificate is in certFile. Nothing is
// written before a certificate is kept.
func RecordOf(certFile string) Record { return Record{durable.Folder(filepath.Dir(certFile))} }

// Issued is a certificate of the record.
type Issued struct {
	Certificate *x509.Certificate
	Revocation  *Revocation // nil for one that was not revoked
}

// Revocation is why and when a certificate was revoked.
type Revocation struct {
	At     time.Time `json:"at"`
	Reason int       `json:"reason"` // RFC 5280 section 5.3.1
}

// Keep writes a certificate down.
func (r Record) Keep(cert *x509.Certificate) error {
	name := issuedFolder + "/" + keyName(cert.PublicKey) + "-" + serialName(cert.SerialNumber) + issuedSuffix
	err := r.folder.Make(issuedFolder, 0o700)
	if err == nil {
		err = r.free(name)
	}
	if err == nil {
		err = r.folder.WriteFile(name, certificate.EncodePEM(cert), 0o600)
	}
	if err != nil {
		return fmt.Errorf("keeping the record of what the CA issued: %w", err)
	}
	return nil
}

// free returns [fs.ErrExist] where the name is taken. What is written is there wholly or
// not at all, so a process that is killed leaves no certificate that cannot be read.
func (r Record) free(name string) error {
	_, err := r.folder.Stat(name)
	switch {
	case err == nil:
		return fmt.Errorf("%s: %w", r.folder.Path(name), fs.ErrExist)
	case errors.Is(err, fs.ErrNotExist):
		return nil
	}
	return err
}

// Lock waits until nobody else looks for a certificate in the record to issue one that is
// missing there. The caller calls unlock at the end.
func (r Record) Lock(ctx context.Context) (unlock func(), err error) {
	lock, err := r.folder.Lock(issuedFolder + ".lock")
	if err == nil {
		_, err = lock.TryLockContext(ctx, 20*time.Millisecond)
	}
	if err != nil {
		return nil, fmt.Errorf("waiting for the record of what the CA issued: %w", err)
	}
	return func() { _ = lock.Close() }, nil
}

// Find returns the certificates for a key that are neither revoked nor out of date, the
// newest first.
func (r Record) Find(key crypto.PublicKey, now time.Time) ([]*x509.Certificate, error) {
	all, err := r.list(keyName(key) + "-")
	if err != nil {
		return nil, err
	}
	var found []*x509.Certificate
	for _, issued := range all {
		if issued.Revocation == nil && now.Before(issued.Certificate.NotAfter) && certificate.SameKey(issued.Certificate.PublicKey, key) {
			found = append(found, issued.Certificate)
		}
	}
	slices.SortFunc(found, func(a, b *x509.Certificate) int { return b.NotBefore.Compare(a.NotBefore) })
	return found, nil
}

// List returns everything that was issued, the oldest first. The error may be a
// *MissingError.
func (r Record) List() ([]Issued, error) {
	all, err := r.list("")
	if len(all) > 0 || err != nil {
		return all, err
	}
	for _, name := range []string{issuedFolder, IssuingChain} {
		if _, err := r.folder.Stat(name); !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	return nil, &MissingError{string(r.folder)}
}

func (r Record) list(prefix string) ([]Issued, error) {
	entries, err := r.folder.Entries(issuedFolder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("the record of what the CA issued: %w", err)
	}
	var all []Issued
	for _, entry := range entries {
		name := entry.Name()
		if !strings.HasSuffix(name, issuedSuffix) || !strings.HasPrefix(name, prefix) {
			continue
		}
		data, err := r.folder.ReadFile(issuedFolder+"/"+name, certificate.MaxFile)
		if err != nil {
			return nil, fmt.Errorf("the record of what the CA issued: %w", err)
		}
		certs, err := certificate.Parse(data)
		if err != nil {
			return nil, fmt.Errorf("the record of what the CA issued: %s: %w", name, err)
		}
		revocation, err := r.revocation(certs[0].SerialNumber)
		if err != nil {
			return nil, err
		}
		all = append(all, Issued{certs[0], revocation})
	}
	slices.SortStableFunc(all, func(a, b Issued) int { return a.Certificate.NotBefore.Compare(b.Certificate.NotBefore) })
	return all, nil
}

func (r Record) revocation(serial *big.Int) (*Revocation, error) {
	name := issuedFolder + "/" + serialName(serial) + revocationSuffix
	data, err := r.folder.ReadFile(name, maxRevocation)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var revocation Revocation
	if err == nil {
		err = json.Unmarshal(data, &revocation)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the revocation of serial number %s: %w", serialName(serial), err)
	}
	return &revocation, nil
}

// Revoke writes down that a certificate is revoked; the next revocation list says so. One
// that was revoked before stays as it was. The error may be ErrUnknownSerial.
func (r Record) Revoke(serial *big.Int, revocation Revocation) error {
	all, err := r.List()
	if err != nil {
		return err
	}
	at := slices.IndexFunc(all, func(issued Issued) bool { return issued.Certificate.SerialNumber.Cmp(serial) == 0 })
	switch {
	case at < 0:
		return fmt.Errorf("%s: %w", serialName(serial), ErrUnknownSerial)
	case all[at].Revocation != nil:
		return nil
	}
	revocation.At = revocation.At.UTC().Truncate(time.Second)
	data, err := json.Marshal(revocation)
	if err == nil {
		err = r.folder.WriteFile(issuedFolder+"/"+serialName(serial)+revocationSuffix, append(data, '\n'), 0o600)
	}
	if err != nil {
		return fmt.Errorf("noting the revocation of serial number %s: %w", serialName(serial), err)
	}
	return nil
}

// Revoked reports whether the CA issued a certificate, and whether it revoked it.
func (r Record) Revoked(leaf *x509.Certificate) (issued, revoked bool, err error) {
	all, err := r.List()
	if err != nil {
		return false, false, err
	}
	at := slices.IndexFunc(all, func(one Issued) bool { return one.Certificate.Equal(leaf) })
	return at >= 0, at >= 0 && all[at].Revocation != nil, nil
}

// serialName writes a serial number in lower-case hexadecimal, as openssl does in upper.
func serialName(serial *big.Int) string { return serial.Text(16) }

// keyName tells keys apart in the names of files.
func keyName(key crypto.PublicKey) string {
	return fmt.Sprintf("%.16s", cmp.Or(certificate.KeyFingerprint(key), "unknown"))
}
