package workspace

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"strings"
	"time"
)

// account is the service account that the domain has delegated to.
type account struct {
	email, clientID, keyID string
	key                    *rsa.PrivateKey
	keys                   map[string]*rsa.PublicKey // by id, the uploaded ones too
	certificates           map[string]string         // of the keys, in PEM, by their ids
}

func newAccount(key *rsa.PrivateKey) (account, error) {
	if bits := key.N.BitLen(); bits < 2048 {
		return account{}, fmt.Errorf("service account's key has %d bits, need 2048", bits)
	}
	id, err := keyID(&key.PublicKey)
	if err != nil {
		return account{}, err
	}
	certificate, err := ownCertificate(key)
	if err != nil {
		return account{}, err
	}
	return account{
		email:    "cse-piv@practice-lab.iam.gserviceaccount.com",
		clientID: "100000000000000000042",
		keyID:    id,
		key:      key,
		keys:     map[string]*rsa.PublicKey{id: &key.PublicKey},

		certificates: map[string]string{id: certificate},
	}, nil
}

// ownCertificate is the certificate that Google makes of a key that it generated.
func ownCertificate(key *rsa.PrivateKey) (string, error) {
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "100000000000000000042"},
		NotBefore: now.Add(-time.Hour), NotAfter: now.AddDate(10, 0, 0),
		KeyUsage: x509.KeyUsageDigitalSignature, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return "", fmt.Errorf("certify the service account's key: %w", err)
	}
	return certificatePEM(der), nil
}

func certificatePEM(der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

// certificatesPath is where the certificates of service accounts' keys are published.
const certificatesPath = "/service_accounts/v1/metadata/x509/"

// serveCertificates publishes those of the service account's keys.
func (s *Server) serveCertificates(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet || strings.TrimPrefix(r.URL.Path, certificatesPath) != s.account.email {
		notFoundPage(w)
		return
	}
	s.mu.Lock()
	published, _ := json.MarshalIndent(s.account.certificates, "", "  ") // cannot fail for strings
	s.mu.Unlock()
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	_, _ = w.Write(published)
}

// keyID names a key. Google's key ids are 40 hex digits; these follow from the key.
func keyID(key *rsa.PublicKey) (string, error) {
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		return "", fmt.Errorf("encode the service account's public key: %w", err)
	}
	sum := sha256.Sum256(der)
	return hex.EncodeToString(sum[:20]), nil
}

// UploadKey gives the service account another key, that of a certificate, as gcloud iam
// service-accounts keys upload does. Google takes RSA alone. It returns the key's id.
func (s *Server) UploadKey(certificate *x509.Certificate) (string, error) {
	key, ok := certificate.PublicKey.(*rsa.PublicKey)
	if !ok || key.N.BitLen() < 2048 {
		return "", errors.New("the certificate's key is not RSA of 2048 bits or more")
	}
	id, err := keyID(key)
	if err != nil {
		return "", err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.account.keys[id], s.account.certificates[id] = key, certificatePEM(certificate.Raw)
	return id, nil
}

// tokenPath is where the token endpoint lives below the base URL.
const tokenPath = "/token"

// ServiceAccountJSON returns the service account's key file in Google's format
// (JSON, key as PKCS#8 in PEM), its token_uri pointing at this server under
// baseURL, for example "http://127.0.0.1:8080". It holds a private key: write
// it readable by its owner only.
func (s *Server) ServiceAccountJSON(baseURL string) []byte {
	base := strings.TrimSuffix(baseURL, "/")
	// Neither call can fail for an RSA key and a struct of strings.
	der, _ := x509.MarshalPKCS8PrivateKey(s.account.key)
	file, _ := json.MarshalIndent(struct {
		Type            string `json:"type"`
		ProjectID       string `json:"project_id"`
		PrivateKeyID    string `json:"private_key_id"`
		PrivateKey      string `json:"private_key"`
		ClientEmail     string `json:"client_email"`
		ClientID        string `json:"client_id"`
		AuthURI         string `json:"auth_uri"`
		TokenURI        string `json:"token_uri"`
		ProviderCertURL string `json:"auth_provider_x509_cert_url"`
		ClientCertURL   string `json:"client_x509_cert_url"`
		UniverseDomain  string `json:"universe_domain"`
	}{
		Type:            "service_account",
		ProjectID:       "practice-lab",
		PrivateKeyID:    s.account.keyID,
		PrivateKey:      string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})),
		ClientEmail:     s.account.email,
		ClientID:        s.account.clientID,
		AuthURI:         base + authorizePath,
		TokenURI:        base + tokenPath,
		ProviderCertURL: base + "/oauth2/v1/certs",
		ClientCertURL:   base + "/robot/v1/metadata/x509/" + s.account.email,
		UniverseDomain:  "googleapis.com",
	}, "", "  ")
	return append(file, '\n')
}
