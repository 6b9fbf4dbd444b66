package ca

import (
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
)

// serveEST is enrollment over secure transport (RFC 7030 section 4, as
// clarified by RFC 8951). The lab serves it by plain http on loopback and asks
// for no authentication.
func (ca *CA) serveEST(w http.ResponseWriter, r *http.Request, operation string) {
	wanted := http.MethodPost
	if operation == "cacerts" || operation == "csrattrs" {
		wanted = http.MethodGet
	}
	switch {
	case operation != "cacerts" && operation != "csrattrs" && operation != "simpleenroll" && operation != "simplereenroll":
		http.NotFound(w, r)
	case r.Method != wanted:
		w.Header().Set("Allow", wanted)
		http.Error(w, operation+" needs "+wanted, http.StatusMethodNotAllowed)
	case operation == "csrattrs":
		// Nothing particular is wanted (section 4.5.2).
		w.WriteHeader(http.StatusNoContent)
	case operation == "cacerts":
		certificates := []*x509.Certificate{ca.issuing.certificate, ca.root.certificate}
		if ca.currentProfile().NoIntermediate {
			certificates = certificates[1:]
		}
		ca.writeCertificates(w, "application/pkcs7-mime", certificates)
	default:
		ca.enroll(w, r)
	}
}

// maxRequest bounds an enrollment request in bytes.
const maxRequest = 64 << 10

// enroll is simpleenroll (section 4.2.1) and simplereenroll.
func (ca *CA) enroll(w http.ResponseWriter, r *http.Request) {
	if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || media != "application/pkcs10" {
		http.Error(w, "the content type must be application/pkcs10", http.StatusUnsupportedMediaType)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequest))
	if err != nil {
		http.Error(w, "cannot read the request: "+err.Error(), http.StatusBadRequest)
		return
	}
	csr, err := parseRequest(body)
	if err != nil {
		http.Error(w, "cannot read the certificate request: "+err.Error(), http.StatusBadRequest)
		return
	}
	chain, err := ca.Sign(csr, ca.currentProfile())
	if err != nil {
		status := http.StatusInternalServerError
		for _, refusal := range []error{ErrRequestSignature, ErrKeyType, ErrNoAddress, ErrKeyUsage} {
			if errors.Is(err, refusal) {
				status = http.StatusBadRequest
			}
		}
		http.Error(w, "request refused: "+err.Error(), status)
		return
	}
	// Only the issued certificate (section 4.2.3); the rest is in cacerts.
	ca.writeCertificates(w, "application/pkcs7-mime; smime-type=certs-only", chain[:1])
}

// parseRequest reads an enrollment body: PKCS#10 in DER, in base64, where line
// breaks are allowed and Content-Transfer-Encoding says nothing (RFC 8951
// section 3.1).
func parseRequest(body []byte) (*x509.CertificateRequest, error) {
	compact := strings.NewReplacer("\r", "", "\n", "", " ", "", "\t", "").Replace(string(body))
	if compact == "" {
		return nil, errors.New("the body is empty")
	}
	der, err := base64.StdEncoding.DecodeString(compact)
	if err != nil {
		return nil, fmt.Errorf("the body is not base64: %w", err)
	}
	csr, err := x509.ParseCertificateRequest(der)
	if err != nil {
		return nil, fmt.Errorf("parse PKCS#10: %w", err)
	}
	return csr, nil
}

func (ca *CA) writeCertificates(w http.ResponseWriter, contentType string, certificates []*x509.Certificate) {
	der, err := certsOnly(certificates...)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	writeBase64(w, contentType, der)
}
