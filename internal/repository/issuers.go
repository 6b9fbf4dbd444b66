package repository

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"

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
		failed = append(failed, &FetchError{safetext.Clean(address), err})
	}
	return nil, errors.Join(failed...)
}

func (c *Client) issuersAt(ctx context.Context, address string) ([]*x509.Certificate, error) {
	answer, err := c.exchange(ctx, address, nil, "", maxIssuerFile)
	if err != nil {
		return nil, err
	}
	return certificate.Parse(answer)
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
