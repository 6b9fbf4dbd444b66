package issuer

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/cse-piv/cse-piv/internal/certificate"
)

// tokenValidity is how long a one-time token can be used.
const tokenValidity = 5 * time.Minute

type stepIssuer struct {
	*step
	now func() time.Time
}

// NewStep asks a step-ca by a JWK provisioner: each request goes with a one-time token
// that names the address and the request itself, signed with the provisioner's key, which
// the CA has encrypted with the password of the options. base is the CA's URL.
func NewStep(base string, options StepOptions) (Issuer, error) {
	s, err := newStep("step-ca", base, options)
	if err != nil {
		return nil, err
	}
	return &stepIssuer{step: s, now: time.Now}, nil
}

// Issue asks for a certificate with the address and no other name.
func (s *stepIssuer) Issue(ctx context.Context, request Request) ([]*x509.Certificate, error) {
	csr, err := request.check()
	if err != nil {
		return nil, err
	}
	web, err := s.connection(ctx, request.Notice)
	if err != nil {
		return nil, err
	}
	found, err := s.find(ctx, web, request.Notice, "JWK")
	if err != nil {
		return nil, err
	}
	token, err := s.token(found, request, csr)
	if err != nil {
		return nil, &ProvisionerError{Name: found.Name, Type: found.Type, Err: err}
	}
	body, err := json.Marshal(map[string]string{"csr": string(certificate.EncodeRequestPEM(request.CSR)), "ott": token})
	if err != nil {
		return nil, fmt.Errorf("step-ca: %w", err)
	}
	target := s.base + "/1.0/sign"
	got, err := web.do(ctx, request.Notice, webRequest{method: http.MethodPost, target: target, body: string(body), header: map[string]string{"Content-Type": "application/json"}})
	if err != nil {
		return nil, err
	}
	var answer struct {
		Chain []string `json:"certChain"`
	}
	if err := decodeJSON(web, target, got, &answer); err != nil {
		return nil, err
	}
	issued, err := s.parse(target, answer.Chain)
	if err != nil {
		return nil, err
	}
	return s.complete(ctx, request, csr, issued)
}

// tokenClaims are those of a one-time token beside the registered ones (RFC 7519).
type tokenClaims struct {
	jwt.Claims
	SANs         []string          `json:"sans"`
	Confirmation map[string]string `json:"cnf"` // the request's SHA-256
}

// token makes a one-time token for that address and request.
func (s *stepIssuer) token(p *provisioner, request Request, csr *x509.CertificateRequest) (string, error) {
	key, err := s.key(p)
	if err != nil {
		return "", err
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.SignatureAlgorithm(key.Algorithm), Key: key}, (&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		return "", fmt.Errorf("its key: %w", err)
	}
	now, sum := s.now(), sha256.Sum256(csr.Raw)
	return jwt.Signed(signer).Claims(tokenClaims{
		Claims: jwt.Claims{
			ID: rand.Text(), Issuer: p.Name, Subject: request.Email, Audience: jwt.Audience{s.base + "/1.0/sign"},
			IssuedAt: jwt.NewNumericDate(now), NotBefore: jwt.NewNumericDate(now), Expiry: jwt.NewNumericDate(now.Add(tokenValidity)),
		},
		SANs:         []string{request.Email},
		Confirmation: map[string]string{"x5rt#S256": base64.RawURLEncoding.EncodeToString(sum[:])},
	}).Serialize()
}

// key decrypts the provisioner's key (RFC 7516, RFC 7518 §4.8).
func (s *stepIssuer) key(p *provisioner) (*jose.JSONWebKey, error) {
	if p.EncryptedKey == "" {
		return nil, errors.New("the CA does not give out its key")
	}
	box, err := jose.ParseEncryptedCompact(p.EncryptedKey,
		[]jose.KeyAlgorithm{jose.PBES2_HS256_A128KW, jose.PBES2_HS384_A192KW, jose.PBES2_HS512_A256KW},
		[]jose.ContentEncryption{jose.A128GCM, jose.A192GCM, jose.A256GCM, jose.A128CBC_HS256, jose.A192CBC_HS384, jose.A256CBC_HS512})
	if err != nil {
		return nil, fmt.Errorf("its key cannot be read: %w", err)
	}
	password := s.options.Password.Reveal()
	defer clear(password)
	plain, err := box.Decrypt(password)
	if err != nil {
		return nil, ErrProvisionerPassword
	}
	defer clear(plain)
	var key jose.JSONWebKey
	if err := json.Unmarshal(plain, &key); err != nil || key.IsPublic() || !key.Valid() {
		return nil, errors.New("what its password opens is no private key")
	}
	if key.Algorithm == "" {
		key.Algorithm = string(jose.ES256)
	}
	return &key, nil
}
