package ca

import (
	"encoding/base64"
	"net/http"
	"strings"
)

// Where things are served. The EST paths are RFC 7030 section 3.2.2's.
const (
	estPath         = "/.well-known/est/"
	rootCRLPath     = "/crl/root.crl"
	issuingCRLPath  = "/crl/issuing.crl"
	rootCertPath    = "/certs/root.cer"
	issuingCertPath = "/certs/issuing.cer"
	ocspPath        = "/ocsp"
)

// ServeHTTP serves EST (cacerts, simpleenroll, csrattrs), the revocation lists
// (/crl/root.crl, /crl/issuing.crl), the CA certificates in DER
// (/certs/root.cer, /certs/issuing.cer) and OCSP (/ocsp).
func (ca *CA) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := r.URL.Path
	switch {
	case strings.HasPrefix(path, estPath):
		ca.serveEST(w, r, strings.TrimPrefix(path, estPath))
	case path == ocspPath || strings.HasPrefix(path, ocspPath+"/"):
		ca.serveOCSP(w, r)
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		http.Error(w, "only GET is allowed here", http.StatusMethodNotAllowed)
	case path == rootCRLPath:
		ca.serveCRL(w, &ca.root)
	case path == issuingCRLPath:
		ca.serveCRL(w, &ca.issuing)
	case path == rootCertPath:
		write(w, "application/pkix-cert", ca.root.certificate.Raw)
	case path == issuingCertPath:
		write(w, "application/pkix-cert", ca.issuing.certificate.Raw)
	default:
		http.NotFound(w, r)
	}
}

func (ca *CA) serveCRL(w http.ResponseWriter, a *authority) {
	der, err := ca.crl(a)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	write(w, "application/pkix-crl", der)
}

func write(w http.ResponseWriter, contentType string, body []byte) {
	w.Header().Set("Content-Type", contentType)
	_, _ = w.Write(body) // a client that went away is no error
}

// writeBase64 writes DER as EST does (RFC 8951): base64, here in lines of 64
// characters as openssl expects them.
func writeBase64(w http.ResponseWriter, contentType string, der []byte) {
	text := base64.StdEncoding.EncodeToString(der)
	var lines strings.Builder
	for len(text) > 64 {
		lines.WriteString(text[:64] + "\n")
		text = text[64:]
	}
	lines.WriteString(text + "\n")
	w.Header().Set("Content-Transfer-Encoding", "base64")
	write(w, contentType, []byte(lines.String()))
}
