package repository_test

import (
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/repository"
	"github.com/cse-piv/cse-piv/internal/testenv"
)

// TestStatusByOCSP: of a certificate without a list, and of one whose list is gone.
func TestStatusByOCSP(t *testing.T) {
	practice, _ := lab(t)
	leaf, revoked := labLeaf(t, practice), labLeaf(t, practice)
	if err := practice.Revoke(revoked.SerialNumber); err != nil {
		t.Fatal(err)
	}
	leaf.CRLDistributionPoints = nil
	revoked.CRLDistributionPoints = []string{practice.Issuing().CRLDistributionPoints[0] + ".gone"}
	client := repository.New(repository.Options{AllowPrivate: true})
	for cert, want := range map[*x509.Certificate]certificate.RevocationState{leaf: certificate.RevocationGood, revoked: certificate.RevocationRevoked} {
		status, err := client.Status(t.Context(), cert, practice.Issuing())
		if err != nil || status.State != want || status.Source != cert.OCSPServer[0] {
			t.Errorf("status %+v, error %v, want %s", status, err, want)
		}
	}
}

// TestAnswersThatSayNothing: of the responders of other people, and of none.
func TestAnswersThatSayNothing(t *testing.T) {
	issuer, stranger := newAuthority(t, "issuer"), newAuthority(t, "issuer")
	good := func(by authority, change func(*ocsp.Response), embed *x509.Certificate) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			der, _ := io.ReadAll(r.Body)
			request, err := ocsp.ParseRequest(der)
			if err != nil {
				t.Error(err)
				return
			}
			template := ocsp.Response{
				Status: ocsp.Good, SerialNumber: request.SerialNumber, IssuerHash: crypto.SHA1, Certificate: embed,
				ThisUpdate: time.Now().Add(-time.Hour), NextUpdate: time.Now().Add(time.Hour),
			}
			if change != nil {
				change(&template)
			}
			answer, err := ocsp.CreateResponse(issuer.certificate, by.certificate, template, by.key)
			if err != nil {
				t.Error(err)
			}
			_, _ = w.Write(answer)
		}
	}
	delegate := func(change func(*x509.Certificate)) authority { return issuer.issue(t, 9, change) }
	forOCSP := func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageOCSPSigning} }
	responder, plain := delegate(forOCSP), delegate(nil)
	expired := delegate(func(c *x509.Certificate) { forOCSP(c); c.NotAfter = time.Now().Add(-time.Minute) })
	foreign := stranger.issue(t, 9, forOCSP)
	for name, test := range map[string]struct {
		handle http.HandlerFunc
		want   string // "" for good
	}{
		"the issuer":             {good(issuer, nil, nil), ""},
		"the issuer, named":      {good(issuer, nil, issuer.certificate), ""},
		"a delegate":             {good(responder, nil, responder.certificate), ""},
		"no end":                 {good(issuer, func(r *ocsp.Response) { r.NextUpdate = time.Time{} }, nil), ""},
		"no end, and old":        {good(issuer, func(r *ocsp.Response) { r.NextUpdate, r.ThisUpdate = time.Time{}, time.Now().Add(-48*time.Hour) }, nil), "out of date"},
		"not for OCSP":           {good(plain, nil, plain.certificate), "not for OCSP"},
		"an expired delegate":    {good(expired, nil, expired.certificate), "not valid now"},
		"a stranger":             {good(stranger, nil, nil), "did not sign"},
		"a stranger's delegate":  {good(foreign, nil, foreign.certificate), "neither the issuer"},
		"out of date":            {good(issuer, func(r *ocsp.Response) { r.NextUpdate = time.Now().Add(-time.Minute) }, nil), "out of date"},
		"unknown":                {good(issuer, func(r *ocsp.Response) { r.Status = ocsp.Unknown }, nil), "does not know"},
		"of another certificate": {good(issuer, func(r *ocsp.Response) { r.SerialNumber = issuer.certificate.SerialNumber }, nil), "not an OCSP answer"},
		"a refusal":              {serve(ocsp.UnauthorizedErrorResponse), "unauthorized"},
		"a page":                 {serve([]byte("<html>")), "not an OCSP answer"},
		"too large":              {serve(make([]byte, 9<<10)), "larger than"},
	} {
		t.Run(name, func(t *testing.T) {
			address, _ := server(t, test.handle)
			leaf := issuer.issue(t, 5, func(c *x509.Certificate) { c.OCSPServer = []string{address} }).certificate
			client := repository.New(repository.Options{AllowPrivate: true})
			if test.want != "" {
				wantUnknown(t, client, leaf, issuer.certificate, test.want)
				return
			}
			if status, err := client.Status(t.Context(), leaf, issuer.certificate); err != nil || status.State != certificate.RevocationGood {
				t.Errorf("status %+v, error %v", status, err)
			}
		})
	}
}

// TestOpenSSLAnswers lets openssl be the responder, with a delegate's key.
func TestOpenSSLAnswers(t *testing.T) {
	testenv.Program(t, "openssl")
	issuer := newAuthority(t, "issuer")
	responder := issuer.issue(t, 9, func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageOCSPSigning} })
	dir := t.TempDir()
	write := func(name, kind string, der []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	key, err := x509.MarshalPKCS8PrivateKey(responder.key)
	if err != nil {
		t.Fatal(err)
	}
	ca, signer, signerKey := write("ca.pem", "CERTIFICATE", issuer.certificate.Raw), write("ocsp.pem", "CERTIFICATE", responder.certificate.Raw), write("ocsp.key", "PRIVATE KEY", key)
	index := filepath.Join(dir, "index.txt")
	until := time.Now().Add(100 * time.Hour).UTC().Format("060102150405Z")
	revoked := time.Now().Add(-time.Hour).UTC().Format("060102150405Z")
	text := fmt.Sprintf("V\t%s\t\t05\tunknown\t/CN=ada\nR\t%s\t%s,keyCompromise\t06\tunknown\t/CN=bob\n", until, until, revoked)
	if err := os.WriteFile(index, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	address, _ := server(t, func(w http.ResponseWriter, r *http.Request) {
		request, answer := filepath.Join(dir, "request.der"), filepath.Join(dir, "answer.der")
		body, _ := io.ReadAll(r.Body)
		if err := os.WriteFile(request, body, 0o600); err != nil {
			t.Error(err)
		}
		out, err := exec.CommandContext(r.Context(), "openssl", "ocsp", "-index", index, "-CA", ca, "-rsigner", signer, "-rkey", signerKey,
			"-reqin", request, "-respout", answer, "-ndays", "1").CombinedOutput()
		if err != nil {
			t.Errorf("openssl: %v: %s", err, out)
		}
		der, err := os.ReadFile(answer)
		if err != nil {
			t.Error(err)
		}
		_, _ = w.Write(der)
	})
	client := repository.New(repository.Options{AllowPrivate: true})
	for serial, want := range map[int64]certificate.RevocationState{5: certificate.RevocationGood, 6: certificate.RevocationRevoked, 7: certificate.RevocationUnknown} {
		leaf := issuer.issue(t, serial, func(c *x509.Certificate) { c.OCSPServer = []string{address} }).certificate
		status, err := client.Status(t.Context(), leaf, issuer.certificate)
		if err != nil || status.State != want || want == certificate.RevocationRevoked && status.Reason != "keyCompromise" {
			t.Errorf("serial %d: %+v, error %v, want %s", serial, status, err, want)
		}
	}
}
