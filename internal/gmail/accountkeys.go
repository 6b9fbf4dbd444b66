package gmail

import (
	"cmp"
	"context"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// Where Google publishes the certificates of a service account's keys: one JSON object, the
// certificates in PEM by the identifiers of their keys.
const (
	keysEndpoint = "https://www.googleapis.com/"
	keysPath     = "service_accounts/v1/metadata/x509/"
)

// CheckKey asks Google, without credentials, whether a key is one of the service account's. It is
// an ErrCredentials with [DetailKeyUnknown] where it is not published as one, and with
// [DetailServiceAccountGone] where nothing is published of the account; other errors match
// ErrUnavailable or ErrProtocol.
func (d *Domain) CheckKey(ctx context.Context, key *rsa.PublicKey) error {
	ctx, cancel := context.WithTimeout(ctx, d.config.CallTimeout)
	defer cancel()
	account := d.tokens.credentials().Account
	address := strings.TrimSuffix(cmp.Or(d.config.AuthEndpoint, keysEndpoint), "/") + "/" + keysPath + url.PathEscape(account)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return &Error{Method: "keys", Kind: KindInvalid, Message: "the address is not a URL"}
	}
	client := &http.Client{Transport: &bounded{base: d.base}, CheckRedirect: noRedirect}
	response, err := client.Do(request)
	if err != nil {
		return classifyTransport(ctx, "keys", "", err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return classifyTransport(ctx, "keys", "", err)
	}
	switch {
	case response.StatusCode == http.StatusNotFound:
		return &Error{Method: "keys", Status: response.StatusCode, Kind: KindCredentials, Detail: DetailServiceAccountGone, Message: "there is no service account " + account}
	case response.StatusCode != http.StatusOK:
		e := classifyAnswer(response.StatusCode, response.Header, body)
		e.Method = "keys"
		return e
	}
	var published map[string]string
	if err := json.Unmarshal(body, &published); err != nil {
		return &Error{Method: "keys", Status: response.StatusCode, Kind: KindProtocol, Message: "the answer is no list of certificates"}
	}
	for _, text := range published {
		block, _ := pem.Decode([]byte(text))
		if block == nil {
			continue
		}
		if certificate, err := x509.ParseCertificate(block.Bytes); err == nil && key.Equal(certificate.PublicKey) {
			return nil
		}
	}
	return &Error{Method: "keys", Kind: KindCredentials, Detail: DetailKeyUnknown, Message: "Google does not publish this key as one of " + account}
}
