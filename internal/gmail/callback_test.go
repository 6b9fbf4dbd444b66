package gmail

import (
	"context"
	"errors"
	"testing"
)

// TestNobodyLogsIn: the wait for the browser ends with its time.
func TestNobodyLogsIn(t *testing.T) {
	c, err := newCallback("state")
	if err != nil {
		t.Fatal(err)
	}
	defer c.close()
	ctx, cancel := context.WithTimeout(t.Context(), 0)
	defer cancel()
	_, err = c.wait(ctx)
	if e := loginError(err); e.Detail != DetailLoginTimeout || !errors.Is(e, ErrCredentials) {
		t.Error(e)
	}
}

// FuzzClient: a file of an OAuth client is one that can be used, or is refused.
func FuzzClient(f *testing.F) {
	for _, s := range []string{"", "{}", `{"web":{}}`, `{"installed":{"client_id":"x"}}`, `{"installed":{"client_id":"x","auth_uri":"http://example.org"}}`, `{"type":"service_account"}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		client, err := parseClient(data)
		if err == nil && (client.id == "" || CheckURL(client.authURL) != nil || CheckURL(client.tokenURL) != nil) {
			t.Errorf("accepted %q", data)
		}
	})
}
