package repository_test

import (
	"fmt"
	"net/http"
	"testing"

	"golang.org/x/crypto/ocsp"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/repository"
)

// FuzzAnswers: whatever a server answers, nothing breaks, and nobody but the issuer
// says that a certificate is good or revoked.
func FuzzAnswers(f *testing.F) {
	issuer, stranger := newAuthority(f, "issuer"), newAuthority(f, "issuer")
	answer, err := ocsp.CreateResponse(stranger.certificate, stranger.certificate, ocsp.Response{SerialNumber: issuer.certificate.SerialNumber}, stranger.key)
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range [][]byte{nil, []byte("<html>"), newList(f, stranger, pointAt("http://ca.example/")), answer, ocsp.UnauthorizedErrorResponse, stranger.certificate.Raw} {
		f.Add(seed)
	}
	var body []byte
	address, _ := server(f, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(body) })
	leaf := issuer.issue(f, 5, nil).certificate
	client := repository.New(repository.Options{AllowPrivate: true})
	asked := 0
	f.Fuzz(func(t *testing.T, data []byte) {
		body = data
		asked++ // no address is asked twice
		addresses := []string{fmt.Sprintf("%s/%d", address, asked)}
		leaf.CRLDistributionPoints, leaf.OCSPServer, leaf.IssuingCertificateURL = addresses, addresses, addresses
		status, err := client.Status(t.Context(), leaf, issuer.certificate)
		if err != nil || status.State != certificate.RevocationUnknown || status.Err == nil {
			t.Errorf("status %+v, error %v", status, err)
		}
		if found, err := client.Issuers(t.Context(), leaf); err == nil && len(found) == 0 {
			t.Error("neither certificates nor an error")
		}
	})
}
