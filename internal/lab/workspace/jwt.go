package workspace

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// assertion is a signed JWT (RFC 7515 compact serialization, RFC 7523 section
// 3 claims), parsed but not yet verified.
type assertion struct {
	header struct {
		Algorithm string `json:"alg"`
		Type      string `json:"typ"`
		KeyID     string `json:"kid"`
	}
	claims struct {
		Issuer   string    `json:"iss"`
		Subject  string    `json:"sub"`
		Audience string    `json:"aud"`
		Scope    string    `json:"scope"`
		IssuedAt *unixTime `json:"iat"`
		Expires  *unixTime `json:"exp"`
	}
	signed    []byte
	signature []byte
}

// unixTime is a NumericDate of RFC 7519, with fractions cut off.
type unixTime int64

// UnmarshalJSON accepts numbers only, as the token endpoint does.
func (t *unixTime) UnmarshalJSON(data []byte) error {
	var seconds float64
	if err := json.Unmarshal(data, &seconds); err != nil {
		return err
	}
	if seconds < 0 || seconds > 1<<40 {
		return fmt.Errorf("time %v is out of range", seconds)
	}
	*t = unixTime(seconds)
	return nil
}

func (t unixTime) time() time.Time { return time.Unix(int64(t), 0) }

// parseAssertion splits and decodes a compact JWS. It does not verify.
func parseAssertion(token string) (*assertion, error) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return nil, fmt.Errorf("token has %d parts, need 3", len(parts))
	}
	a := &assertion{signed: []byte(parts[0] + "." + parts[1])}
	if err := decodePart(parts[0], &a.header); err != nil {
		return nil, fmt.Errorf("decode the header: %w", err)
	}
	if err := decodePart(parts[1], &a.claims); err != nil {
		return nil, fmt.Errorf("decode the claims: %w", err)
	}
	signature, err := decodeBase64URL(parts[2])
	if err != nil {
		return nil, fmt.Errorf("decode the signature: %w", err)
	}
	a.signature = signature
	return a, nil
}

// decodePart decodes one base64url part that must hold exactly one JSON object.
func decodePart(part string, into any) error {
	text, err := decodeBase64URL(part)
	if err != nil {
		return err
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	if !bytes.HasPrefix(bytes.TrimLeft(text, " \t\r\n"), []byte("{")) {
		return errors.New("not a JSON object")
	}
	if err := decoder.Decode(into); err != nil {
		return err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return errors.New("trailing data after the JSON object")
	}
	return nil
}

// decodeBase64URL takes base64url with and without padding, as Google's endpoint
// does, where RFC 7515 section 2 has none: google-auth 1.5.1 pads.
func decodeBase64URL(text string) ([]byte, error) {
	if strings.HasSuffix(text, "=") {
		return base64.URLEncoding.Strict().DecodeString(text)
	}
	return base64.RawURLEncoding.Strict().DecodeString(text)
}

// signedBy reports whether the assertion is an RS256 signature (RFC 7518
// section 3.3) by key.
func (a *assertion) signedBy(key *rsa.PublicKey) bool {
	if a.header.Algorithm != "RS256" {
		return false
	}
	digest := sha256.Sum256(a.signed)
	return rsa.VerifyPKCS1v15(key, crypto.SHA256, digest[:], a.signature) == nil
}

// Limits on the assertion's times: it lives an hour at most, and a client's
// clock may be a little ahead.
const (
	assertionLifetime = time.Hour
	clockSkew         = time.Minute
)

// current reports whether the assertion's times are acceptable at now.
func (a *assertion) current(now time.Time) bool {
	if a.claims.IssuedAt == nil || a.claims.Expires == nil {
		return false
	}
	issued, expires := a.claims.IssuedAt.time(), a.claims.Expires.time()
	return expires.After(now) &&
		!issued.After(now.Add(clockSkew)) &&
		expires.After(issued) &&
		expires.Sub(issued) <= assertionLifetime
}
