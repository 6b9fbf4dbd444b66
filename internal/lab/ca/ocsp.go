package ca

import (
	"bytes"
	"crypto"
	"encoding/base64"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/crypto/ocsp"
)

// serveOCSP answers OCSP requests (RFC 6960 appendix A.1), by POST or by GET
// with the request in the path. The authority that issued signs the answer.
func (ca *CA) serveOCSP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/ocsp-response")
	der, ok := readOCSP(w, r)
	if !ok {
		_, _ = w.Write(ocsp.MalformedRequestErrorResponse)
		return
	}
	request, err := ocsp.ParseRequest(der)
	if err != nil {
		_, _ = w.Write(ocsp.MalformedRequestErrorResponse)
		return
	}
	response, err := ca.ocspResponse(request)
	if err != nil {
		_, _ = w.Write(ocsp.InternalErrorErrorResponse)
		return
	}
	_, _ = w.Write(response)
}

func readOCSP(w http.ResponseWriter, r *http.Request) ([]byte, bool) {
	if r.Method == http.MethodPost {
		der, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequest))
		return der, err == nil
	}
	text, err := url.PathUnescape(strings.TrimPrefix(r.URL.EscapedPath(), ocspPath+"/"))
	if err != nil {
		return nil, false
	}
	der, err := base64.StdEncoding.DecodeString(text)
	return der, err == nil
}

// ocspResponse looks a certificate up. A serial number that this process did
// not issue is unknown, unless it is revoked.
func (ca *CA) ocspResponse(request *ocsp.Request) ([]byte, error) {
	var issuer *authority
	for _, a := range []*authority{&ca.issuing, &ca.root} {
		if issuedBy(request, a) {
			issuer = a
		}
	}
	if issuer == nil {
		return ocsp.UnauthorizedErrorResponse, nil
	}
	ca.mu.Lock()
	now := ca.config.Clock()
	_, known := ca.issued[request.SerialNumber.String()]
	entry, revoked := issuer.revocation(request.SerialNumber)
	ca.mu.Unlock()
	template := ocsp.Response{
		Status:       ocsp.Unknown,
		SerialNumber: request.SerialNumber,
		ThisUpdate:   now.Add(-backdate),
		NextUpdate:   now.Add(24 * time.Hour),
		IssuerHash:   request.HashAlgorithm,
	}
	if known || request.SerialNumber.Cmp(ca.issuing.certificate.SerialNumber) == 0 {
		template.Status = ocsp.Good
	}
	if revoked {
		template.Status = ocsp.Revoked
		template.RevokedAt = entry.RevocationTime
		template.RevocationReason = ocsp.Unspecified
	}
	return ocsp.CreateResponse(issuer.certificate, issuer.certificate, template, issuer.key)
}

// issuedBy compares the request's issuer hashes with an authority's.
func issuedBy(request *ocsp.Request, a *authority) bool {
	if !request.HashAlgorithm.Available() {
		return false
	}
	// A request for any serial number by this issuer carries the same hashes.
	own, err := ocsp.CreateRequest(a.certificate, a.certificate, &ocsp.RequestOptions{Hash: request.HashAlgorithm})
	if err != nil {
		return false
	}
	parsed, err := ocsp.ParseRequest(own)
	return err == nil && request.HashAlgorithm != crypto.Hash(0) &&
		bytes.Equal(parsed.IssuerNameHash, request.IssuerNameHash) &&
		bytes.Equal(parsed.IssuerKeyHash, request.IssuerKeyHash)
}
