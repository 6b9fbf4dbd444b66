package gmail

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"

	"golang.org/x/oauth2/google"

	"github.com/cse-piv/cse-piv/internal/safetext"
	"github.com/cse-piv/cse-piv/internal/secret"
)

// Client is an OAuth client for desktop apps (RFC 8252). Its secret is none: every copy
// of the program has it.
type Client struct {
	id, authURL, tokenURL string
	secret                secret.Secret
}

// ReadClient reads the file that the Google Cloud console gives for a desktop app. Errors
// match ErrCredentials.
func ReadClient(path string) (*Client, error) {
	data, _, err := readCredentials(path)
	if e, found := errors.AsType[*Error](err); found {
		e.Detail = DetailClient
		return nil, e
	}
	if err != nil {
		return nil, err
	}
	client, err := parseClient(data)
	if err != nil {
		return nil, &Error{Method: "credentials", Kind: KindCredentials, Detail: DetailClient, Message: fmt.Sprintf("%s: %s", safetext.Message(path), err)}
	}
	return client, nil
}

// Name tells the client and its server apart from others: a login is good at one server for one
// client.
func (c *Client) Name() string { return c.id + " at " + c.tokenURL }

func parseClient(data []byte) (*Client, error) {
	var file struct {
		Type      string          `json:"type"`
		Web       json.RawMessage `json:"web"`
		Installed *struct {
			ID       string `json:"client_id"`
			Secret   string `json:"client_secret"`
			AuthURI  string `json:"auth_uri"`
			TokenURI string `json:"token_uri"`
		} `json:"installed"`
	}
	switch err := json.Unmarshal(withoutMark(data), &file); {
	case isUTF16(data):
		return nil, fmt.Errorf("is in UTF-16, as a redirection of PowerShell writes it: save it as UTF-8")
	case len(bytes.TrimSpace(data)) == 0:
		return nil, fmt.Errorf("is empty")
	case err != nil:
		return nil, fmt.Errorf("is not the JSON file of an OAuth client")
	case file.Web != nil:
		return nil, fmt.Errorf("is an OAuth client for the web, not for desktop apps")
	case file.Type != "":
		return nil, fmt.Errorf("is of type %q, not an OAuth client for desktop apps", safetext.Message(file.Type))
	case file.Installed == nil || file.Installed.ID == "":
		return nil, fmt.Errorf("is not an OAuth client for desktop apps: it has no \"installed\" with a \"client_id\"")
	}
	installed := file.Installed
	client := &Client{
		id: installed.ID, secret: secret.New([]byte(installed.Secret)),
		authURL: cmp.Or(installed.AuthURI, google.Endpoint.AuthURL), tokenURL: cmp.Or(installed.TokenURI, google.Endpoint.TokenURL),
	}
	for name, address := range map[string]string{"auth_uri": client.authURL, "token_uri": client.tokenURL} {
		if err := CheckURL(address); err != nil {
			return nil, fmt.Errorf("has no usable %q: %w", name, err)
		}
	}
	return client, nil
}
