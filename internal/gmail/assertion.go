package gmail

import (
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"golang.org/x/oauth2"
)

// serviceAccount exchanges assertions (RFC 7523, with the user as subject) for the
// tokens of users. What the kinds of credentials differ in is who signs them.
type serviceAccount struct {
	Credentials
	clientID string // numeric; "" where nothing tells it
	tokenURL string
	signer   assertionSigner
}

// assertionSigner makes a JWT (RFC 7519) in RS256 of claims.
type assertionSigner interface {
	signJWT(p *probe, claims []byte) (string, error)
}

func (s *serviceAccount) credentials() Credentials { return s.Credentials }
func (s *serviceAccount) endpoint() string         { return s.tokenURL }

// assertionTime is how long an assertion is good for, the longest that Google takes;
// clockSlack is how far this machine's clock may be ahead.
const assertionTime, clockSlack = time.Hour, 10 * time.Second

// claims are those of an assertion that asks for a token of a user, for a scope.
func (s *serviceAccount) claims(user, scope string, now time.Time) ([]byte, error) {
	issued := now.Add(-clockSlack)
	claims, err := json.Marshal(struct {
		Issuer   string `json:"iss"`
		Scope    string `json:"scope"`
		Audience string `json:"aud"`
		Expires  int64  `json:"exp"`
		Issued   int64  `json:"iat"`
		Subject  string `json:"sub"`
	}{s.Account, scope, s.tokenURL, issued.Add(assertionTime).Unix(), issued.Unix(), user})
	if err != nil {
		return nil, fmt.Errorf("write the assertion: %w", err)
	}
	return claims, nil
}

// grant exchanges an assertion for a token. What went wrong with an answer is known
// to the probe, through which it goes.
func (s *serviceAccount) grant(p *probe, user, scope string) (*oauth2.Token, error) {
	claims, err := s.claims(user, scope, time.Now())
	if err != nil {
		return nil, err
	}
	assertion, err := s.signer.signJWT(p, claims)
	if err != nil {
		return nil, err
	}
	return requestToken(p, s.tokenURL, url.Values{"grant_type": {"urn:ietf:params:oauth:grant-type:jwt-bearer"}, "assertion": {assertion}})
}

// requestToken sends a form to a token endpoint (RFC 6749 section 3.2).
func requestToken(p *probe, endpoint string, form url.Values) (*oauth2.Token, error) {
	response, err := p.client().PostForm(endpoint, form)
	if err != nil {
		return nil, fmt.Errorf("ask for a token: %w", err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, fmt.Errorf("read the token: %w", err)
	}
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("ask for a token: %s", response.Status)
	}
	var token oauth2.Token
	if err := json.Unmarshal(body, &token); err != nil {
		return nil, fmt.Errorf("read the token: %w", err)
	}
	if token.ExpiresIn > 0 {
		token.Expiry = time.Now().Add(time.Duration(token.ExpiresIn) * time.Second)
	}
	return &token, nil
}

// keySigner signs with an RSA key. A batch needs an assertion for each user, so the
// key is parsed and prepared once; golang.org/x/oauth2/jwt does that each time.
type keySigner struct {
	id  string // of the key, where it is known
	key crypto.Signer
}

func (s *keySigner) signJWT(_ *probe, claims []byte) (string, error) {
	header, err := json.Marshal(struct {
		Algorithm string `json:"alg"`
		Type      string `json:"typ"`
		KeyID     string `json:"kid,omitempty"`
	}{"RS256", "JWT", s.id})
	if err != nil {
		return "", fmt.Errorf("write the assertion: %w", err)
	}
	signed := base64.RawURLEncoding.EncodeToString(header) + "." + base64.RawURLEncoding.EncodeToString(claims)
	digest := sha256.Sum256([]byte(signed))
	signature, err := s.key.Sign(rand.Reader, digest[:], crypto.SHA256)
	if err != nil {
		err = fmt.Errorf("sign the assertion: %w", err)
		return "", &Error{Method: "token", Kind: KindCredentials, Message: err.Error(), Detail: DetailSigner, Err: err}
	}
	return signed + "." + base64.RawURLEncoding.EncodeToString(signature), nil
}
