package workspace

import (
	"context"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"net/url"
)

// checkRevocation asks the revocation lists of every certificate below the
// root, within CRLTimeout altogether. The check is soft: a list that cannot be
// had, is not signed by the issuer or is stale says nothing. Only a list that
// names the certificate refuses it.
func (s *Server) checkRevocation(ctx context.Context, chain []*x509.Certificate) error {
	ctx, cancel := context.WithTimeout(ctx, s.config.CRLTimeout)
	defer cancel()
	for i, c := range chain[:len(chain)-1] {
		for _, point := range c.CRLDistributionPoints {
			list, err := s.fetchCRL(ctx, point)
			if err != nil || list.CheckSignatureFrom(chain[i+1]) != nil {
				continue
			}
			for _, entry := range list.RevokedCertificateEntries {
				if entry.SerialNumber.Cmp(c.SerialNumber) == 0 {
					return fmt.Errorf("certificate %d was revoked at %s", i+1, timestamp(entry.RevocationTime))
				}
			}
			break
		}
	}
	return nil
}

// crlClient fetches revocation lists, from this machine alone unless the domain
// is to fetch them all.
func crlClient(config Config) *http.Client {
	var client http.Client
	if config.HTTPClient != nil {
		client = *config.HTTPClient
	}
	if client.Transport == nil {
		// A proxy from the environment would see the lab's loopback URLs.
		client.Transport = &http.Transport{DisableKeepAlives: true}
	}
	if !config.FetchCRLs {
		client.Transport = loopbackOnly{client.Transport}
	}
	return &client
}

// loopbackOnly refuses requests to other machines before anything is looked up or
// dialled; redirects come through it as well.
type loopbackOnly struct{ next http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (l loopbackOnly) RoundTrip(request *http.Request) (*http.Response, error) {
	if host := request.URL.Hostname(); !isLoopback(host) {
		return nil, fmt.Errorf("%s is another machine", host)
	}
	return l.next.RoundTrip(request)
}

// maxCRL bounds a revocation list in bytes.
const maxCRL = 4 << 20

// fetchCRL gets one list over http. Distribution points with other schemes
// (LDAP) are not followed.
func (s *Server) fetchCRL(ctx context.Context, point string) (*x509.RevocationList, error) {
	if u, err := url.Parse(point); err != nil || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("distribution point %q is not http", point)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, point, nil)
	if err != nil {
		return nil, fmt.Errorf("ask for the revocation list: %w", err)
	}
	response, err := s.client.Do(request)
	if err != nil {
		return nil, fmt.Errorf("fetch the revocation list: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("fetch the revocation list: %s", response.Status)
	}
	der, err := io.ReadAll(io.LimitReader(response.Body, maxCRL))
	if err != nil {
		return nil, fmt.Errorf("read the revocation list: %w", err)
	}
	list, err := x509.ParseRevocationList(der)
	if err != nil {
		return nil, fmt.Errorf("parse the revocation list: %w", err)
	}
	return list, nil
}
