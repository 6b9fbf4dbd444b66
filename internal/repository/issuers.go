package repository

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"sync"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/safetext"
)

const (
	// maxIssuerFile bounds an answer with certificates, in octets.
	maxIssuerFile = 256 << 10
	// maxAddresses bounds how many addresses of one certificate are asked.
	maxAddresses = 4
)

// FetchError is an address that did not answer with what it was asked for.
type FetchError struct {
	Address string // safe to show
	Err     error
}

// Error names the address and the cause.
func (e *FetchError) Error() string { return fmt.Sprintf("%s: %v", e.Address, e.Err) }

// Unwrap returns the cause.
func (e *FetchError) Unwrap() error { return e.Err }

// Issuers fetches the certificates of those who may have issued a certificate, from
// its authority information access: one certificate in DER, or several in PKCS#7
// (RFC 5280 section 4.2.2.1); what else can be read is taken too. None was judged:
// whether one issued it, its signature has to tell. The error joins a [*FetchError] for
// each address that failed before one answered; it is nil where one answered, and where
// the certificate names no address at all.
func (c *Client) Issuers(ctx context.Context, cert *x509.Certificate) ([]*x509.Certificate, error) {
	var failed []error
	for _, address := range first(cert.IssuingCertificateURL) {
		found, err := c.issuersAt(ctx, address)
		if err == nil {
			return found, nil
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		failed = append(failed, err)
	}
	return nil, errors.Join(failed...)
}

// Certificates fetches a file of certificates that a person named. None was judged. The
// error is a [*FetchError].
func (c *Client) Certificates(ctx context.Context, address string) ([]*x509.Certificate, error) {
	return c.issuersAt(ctx, address)
}

// Fetch returns [Client.Issuers] as building a path asks for them; whatever fails is
// told to [Options.Failed].
func (c *Client) Fetch(ctx context.Context) func(*x509.Certificate) []*x509.Certificate {
	return func(cert *x509.Certificate) []*x509.Certificate {
		found, _ := c.Issuers(ctx, cert)
		return found
	}
}

// answers is what one address has, fetched once by whoever needs it first.
type answers struct {
	mutex sync.Mutex
	asked bool
	certs []*x509.Certificate
	err   error
}

func (c *Client) issuersAt(ctx context.Context, address string) ([]*x509.Certificate, error) {
	c.mutex.Lock()
	if c.issuers[address] == nil {
		c.issuers[address] = &answers{}
	}
	known := c.issuers[address]
	c.mutex.Unlock()
	known.mutex.Lock()
	defer known.mutex.Unlock()
	if known.asked {
		return known.certs, known.err
	}
	answer, err := c.exchange(ctx, address, nil, "", maxIssuerFile)
	if ctx.Err() != nil {
		return nil, ctx.Err() // the next one may try
	}
	if err == nil {
		known.certs, err = certificate.Parse(answer)
	}
	if known.asked = true; err != nil {
		known.err = c.failed(address, err)
	}
	return known.certs, known.err
}

// failed tells why an address did not answer.
func (c *Client) failed(address string, err error) error {
	failure := &FetchError{safetext.Clean(address), err}
	if c.options.Failed != nil {
		c.options.Failed(failure)
	}
	return failure
}

// first returns the addresses that are asked, those of the web before others, which
// fail with their reason.
func first(addresses []string) []string {
	var web, other []string
	for _, address := range addresses {
		if isWeb(address) {
			web = append(web, address)
		} else {
			other = append(other, address)
		}
	}
	all := append(web, other...)
	return all[:min(len(all), maxAddresses)]
}
