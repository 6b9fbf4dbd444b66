package gmail

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/oauth2"
)

// serviceAccount signs an assertion with the key of a key file (RFC 7523, with
// the user as subject) and exchanges it at the file's token_uri. A batch needs one
// for each user, so the key is parsed and prepared once; golang.org/x/oauth2/jwt
// does that each time.
type serviceAccount struct {
	email    string
	clientID string // numeric; "" where the file does not tell
	keyID    string
	key      *rsa.PrivateKey
	tokenURL string
}

func (s *serviceAccount) account() string { return s.email }

// assertionTime is how long an assertion is good for, the longest that Google takes;
// clockSlack is how far this machine's clock may be ahead.
const assertionTime, clockSlack = time.Hour, 10 * time.Second

// assertion is a JWT (RFC 7519) in RS256 that asks for a token of a user.
func (s *serviceAccount) assertion(user string, now time.Time) (string, error) {
	issued := now.Add(-clockSlack)
	header := struct {
		Algorithm string `json:"alg"`
		Type      string `json:"typ"`
		KeyID     string `json:"kid,omitempty"`
	}{"RS256", "JWT", s.keyID}
	claims := struct {
		Issuer   string `json:"iss"`
		Scope    string `json:"scope"`
		Audience string `json:"aud"`
		Expires  int64  `json:"exp"`
		Issued   int64  `json:"iat"`
		Subject  string `json:"sub"`
	}{s.email, Scope, s.tokenURL, issued.Add(assertionTime).Unix(), issued.Unix(), user}
	var parts []string
	for _, part := range []any{header, claims} {
		text, err := json.Marshal(part)
		if err != nil {
			return "", fmt.Errorf("write the assertion: %w", err)
		}
		parts = append(parts, base64.RawURLEncoding.EncodeToString(text))
	}
	signed := strings.Join(parts, ".")
	digest := sha256.Sum256([]byte(signed))
	signature, err := rsa.SignPKCS1v15(rand.Reader, s.key, crypto.SHA256, digest[:])
	if err != nil {
		return "", fmt.Errorf("sign the assertion: %w", err)
	}
	return signed + "." + base64.RawURLEncoding.EncodeToString(signature), nil
}

// grant exchanges an assertion for a token. What went wrong with an answer is known
// to the probe, through which it goes.
func (s *serviceAccount) grant(p *probe, user string) (*oauth2.Token, error) {
	assertion, err := s.assertion(user, time.Now())
	if err != nil {
		return nil, err
	}
	form := url.Values{"grant_type": {"urn:ietf:params:oauth:grant-type:jwt-bearer"}, "assertion": {assertion}}
	response, err := p.client().PostForm(s.tokenURL, form)
	if err != nil {
		return nil, fmt.Errorf("exchange the assertion: %w", err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, fmt.Errorf("read the token: %w", err)
	}
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("exchange the assertion: %s", response.Status)
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
