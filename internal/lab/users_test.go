package lab

import (
	"bytes"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"strings"
	"testing"
)

// TestControlPlantsKeyPairs puts a wrapped key and one of history into a user's
// settings, as a script would.
func TestControlPlantsKeyPairs(t *testing.T) {
	l := start(t, Options{Readers: -1})
	var chain bytes.Buffer
	if err := pem.Encode(&chain, &pem.Block{Type: "CERTIFICATE", Bytes: l.CA().Root().Raw}); err != nil {
		t.Fatal(err)
	}
	keypairs := l.ControlURL() + "users/a@lab.example/keypairs"
	plant := func(fields map[string]any) (int, string) {
		t.Helper()
		fields["chain"] = chain.String()
		body, err := json.Marshal(fields)
		if err != nil {
			t.Fatal(err)
		}
		return post(t, keypairs, string(body))
	}
	if code, answer := plant(map[string]any{"kacls_uri": "https://kacls.example/v1"}); code != http.StatusOK {
		t.Fatalf("%d %s", code, answer)
	}
	code, answer := plant(map[string]any{"description": "card of 2019", "unvalidated": true, "disabled": true})
	var view userView
	if err := json.Unmarshal([]byte(answer), &view); err != nil || code != http.StatusOK || len(view.KeyPairs) != 2 {
		t.Fatalf("%d %s", code, answer)
	}
	wrapped, history := view.KeyPairs[0], view.KeyPairs[1]
	if len(wrapped.KeyServices) != 1 || !wrapped.Enabled || !wrapped.Validated {
		t.Errorf("the wrapped key pair is %+v", wrapped)
	}
	if len(history.KeyServices) != 0 || history.Enabled || history.Validated || history.Descriptions[0] != "card of 2019" {
		t.Errorf("the key pair of history is %+v", history)
	}
	for _, body := range []string{`{}`, `{"chain": "x"}`, `{"chain": 1}`, `{"chains": ""}`} {
		if code, answer := post(t, keypairs, body); code != http.StatusBadRequest || !strings.Contains(answer, "error") {
			t.Errorf("%s: %d %s", body, code, answer)
		}
	}
}
