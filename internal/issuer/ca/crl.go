package ca

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"time"
)

// The newest revocation lists, in DER, beside the CA's certificates.
const (
	IssuingList = "issuing.crl"
	RootList    = "root.crl"
)

// maxList bounds a list, in octets.
const maxList = 64 << 20

// SignList signs a revocation list (RFC 5280 section 5) of what the issuing authority
// revoked, keeps it as [IssuingList] and returns it. What has ended since is left out.
func (r Record) SignList(ctx context.Context, issuing *x509.Certificate, key crypto.Signer, now time.Time, validity time.Duration) (*x509.RevocationList, error) {
	all, err := r.List()
	if err != nil {
		return nil, err
	}
	var entries []x509.RevocationListEntry
	for _, issued := range all {
		if issued.Revocation != nil && now.Before(issued.Certificate.NotAfter) {
			entries = append(entries, x509.RevocationListEntry{
				SerialNumber: issued.Certificate.SerialNumber, RevocationTime: issued.Revocation.At, ReasonCode: issued.Revocation.Reason,
			})
		}
	}
	return r.sign(ctx, IssuingList, issuing, key, entries, now, validity)
}

// SignRootList signs the root's revocation list, which is empty, and keeps it as
// [RootList].
func (r Record) SignRootList(ctx context.Context, root *x509.Certificate, key crypto.Signer, now time.Time, validity time.Duration) (*x509.RevocationList, error) {
	return r.sign(ctx, RootList, root, key, nil, now, validity)
}

// sign signs a list and keeps it in a file. Its number is one more than that of the list
// which is there (section 5.2.3).
func (r Record) sign(ctx context.Context, file string, issuer *x509.Certificate, key crypto.Signer, entries []x509.RevocationListEntry, now time.Time, validity time.Duration) (*x509.RevocationList, error) {
	lock, err := r.folder.Lock(file + ".lock")
	if err != nil {
		return nil, err
	}
	defer lock.Close()
	if _, err := lock.TryLockContext(ctx, 50*time.Millisecond); err != nil {
		return nil, fmt.Errorf("waiting for whoever signs %s: %w", r.folder.Path(file), err)
	}
	number := big.NewInt(1)
	switch data, err := r.folder.ReadFile(file, maxList); {
	case err == nil:
		before, err := x509.ParseRevocationList(data)
		if err != nil || before.Number == nil || before.CheckSignatureFrom(issuer) != nil {
			return nil, fmt.Errorf("%s is no revocation list of this CA", r.folder.Path(file))
		}
		number.Add(before.Number, number)
	case !errors.Is(err, fs.ErrNotExist):
		return nil, err
	}
	der, err := x509.CreateRevocationList(rand.Reader, &x509.RevocationList{
		Number: number, ThisUpdate: now.Add(-backdate), NextUpdate: now.Add(validity), RevokedCertificateEntries: entries,
	}, issuer, key)
	if err != nil {
		return nil, fmt.Errorf("signing the revocation list: %w", err)
	}
	list, err := x509.ParseRevocationList(der)
	if err != nil {
		return nil, err
	}
	return list, r.folder.WriteFile(file, der, 0o644)
}
