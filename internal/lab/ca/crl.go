package ca

import (
	"crypto/rand"
	"crypto/x509"
	"errors"
	"fmt"
	"math/big"
	"time"
)

// crl is a signed revocation list with the time from which a new one is made.
type crl struct {
	der   []byte
	until time.Time
}

// How long a list is valid, and how long it is handed out again.
const (
	crlValidity = 7 * 24 * time.Hour
	crlRefresh  = 24 * time.Hour
)

// Revoke puts a serial number on the revocation list of its issuer: the root's
// for the issuing intermediate, else the intermediate's (and the root's, which
// may have issued it by a deviation). The next fetch sees it.
func (ca *CA) Revoke(serial *big.Int) error {
	if serial == nil || serial.Sign() <= 0 {
		return errors.New("revoke: not a serial number")
	}
	ca.mu.Lock()
	defer ca.mu.Unlock()
	entry := x509.RevocationListEntry{
		SerialNumber:   new(big.Int).Set(serial),
		RevocationTime: ca.config.Clock().UTC(),
	}
	ca.root.revoke(entry)
	if serial.Cmp(ca.issuing.certificate.SerialNumber) != 0 {
		ca.issuing.revoke(entry)
	}
	return nil
}

func (a *authority) revoke(entry x509.RevocationListEntry) {
	if _, ok := a.revocation(entry.SerialNumber); !ok {
		a.revoked = append(a.revoked, entry)
		a.list = nil
	}
}

// revocation finds a revoked serial number.
func (a *authority) revocation(serial *big.Int) (x509.RevocationListEntry, bool) {
	for _, entry := range a.revoked {
		if entry.SerialNumber.Cmp(serial) == 0 {
			return entry, true
		}
	}
	return x509.RevocationListEntry{}, false
}

// crl returns the authority's list in DER, signing a new one where the last is
// old or something was revoked since.
func (ca *CA) crl(a *authority) ([]byte, error) {
	ca.mu.Lock()
	defer ca.mu.Unlock()
	now := ca.config.Clock()
	if a.list != nil && now.Before(a.list.until) {
		return a.list.der, nil
	}
	// CRL numbers grow for ever (RFC 5280 section 5.2.3), also after a Load.
	number := big.NewInt(now.Unix())
	if a.number != nil && number.Cmp(a.number) <= 0 {
		number = new(big.Int).Add(a.number, big.NewInt(1))
	}
	der, err := x509.CreateRevocationList(rand.Reader, &x509.RevocationList{
		Number:                    number,
		ThisUpdate:                now.Add(-backdate),
		NextUpdate:                now.Add(crlValidity),
		RevokedCertificateEntries: a.revoked,
	}, a.certificate, a.key)
	if err != nil {
		return nil, fmt.Errorf("sign the revocation list: %w", err)
	}
	a.number = number
	a.list = &crl{der: der, until: now.Add(crlRefresh)}
	return der, nil
}
