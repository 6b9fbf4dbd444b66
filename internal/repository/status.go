package repository

import (
	"context"
	"crypto/x509"
	"errors"
	"time"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/safetext"
)

var (
	// errNoAddress is a certificate that does not say where its revocation would stand.
	errNoAddress = errors.New("it names neither a revocation list nor an OCSP responder with an http address")
	// errStale is a list or an answer whose nextUpdate has passed.
	errStale = errors.New("it is out of date")
)

// Status tells whether issuer revoked cert: by the revocation lists that it names, or,
// where none can be had, by its OCSP responders. Lists come first because one serves
// many certificates. What cannot be found out is [certificate.RevocationUnknown] and
// why; the error is the context's alone.
func (c *Client) Status(ctx context.Context, cert, issuer *x509.Certificate) (certificate.Revocation, error) {
	failed := errNoAddress
	for _, source := range []struct {
		addresses []string
		ask       func(context.Context, string, *x509.Certificate, *x509.Certificate) (certificate.Revocation, error)
	}{
		{cert.CRLDistributionPoints, c.statusInList},
		{cert.OCSPServer, c.statusByOCSP},
	} {
		for _, address := range first(source.addresses) {
			if !isWeb(address) {
				continue
			}
			status, err := source.ask(ctx, address, cert, issuer)
			if ctx.Err() != nil {
				return certificate.Revocation{}, ctx.Err()
			}
			if err == nil {
				status.Source = safetext.Clean(address)
				return status, nil
			}
			if failed == errNoAddress {
				failed = nil
			}
			failed = errors.Join(failed, &FetchError{safetext.Clean(address), err})
		}
	}
	return certificate.Revocation{State: certificate.RevocationUnknown, Err: failed}, nil
}

// Revocation returns [Client.Status] as a check of a chain asks for it.
func (c *Client) Revocation(ctx context.Context) func(cert, issuer *x509.Certificate) certificate.Revocation {
	return func(cert, issuer *x509.Certificate) certificate.Revocation {
		status, err := c.Status(ctx, cert, issuer)
		if err != nil {
			return certificate.Revocation{State: certificate.RevocationUnknown, Err: err}
		}
		return status
	}
}

// inForce tells whether now lies between thisUpdate and nextUpdate. A clock may be a
// little behind.
func inForce(thisUpdate, nextUpdate, now time.Time) error {
	const skew = 10 * time.Minute
	switch {
	case now.Add(skew).Before(thisUpdate):
		return errors.New("it is from the future; is this computer's clock right?")
	case nextUpdate.IsZero():
		return errors.New("it does not say until when it is good")
	case now.After(nextUpdate):
		return errStale
	}
	return nil
}
