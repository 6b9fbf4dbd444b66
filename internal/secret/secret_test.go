package secret_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/cse-piv/cse-piv/internal/secret"
)

func TestSecretIsNeverShown(t *testing.T) {
	const canary = "canary-271828"
	s := secret.FromString(canary)
	holder := struct {
		Name string
		PIN  secret.Secret
	}{"x", s}
	hidden := struct{ pin secret.Secret }{s} // fmt does not call methods of unexported fields
	var shown strings.Builder
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
		fmt.Fprintf(&shown, verb+" "+verb+" "+verb+" "+verb+"\n", s, &s, holder, hidden)
	}
	asJSON, err := json.Marshal(holder)
	if err != nil {
		t.Fatal(err)
	}
	shown.Write(asJSON)
	slog.New(slog.NewTextHandler(&shown, nil)).Info("x", "pin", s, "holder", holder)
	out := shown.String()
	for _, leak := range []string{canary, "63616e617279", "63616E617279", "99 97 110"} {
		if strings.Contains(out, leak) {
			t.Errorf("a secret was shown as %q in:\n%s", leak, out)
		}
	}
	if !strings.Contains(out, "[secret]") {
		t.Error("no placeholder was shown")
	}
}

func TestSecretKeepsItsOwnCopy(t *testing.T) {
	raw := []byte("123456")
	s := secret.New(raw)
	raw[0] = 'x'
	s.Reveal()[1] = 'y'
	if !s.Equal(secret.FromString("123456")) {
		t.Error("a secret changed with the bytes it was made from or with what it revealed")
	}
	if s.Equal(secret.FromString("1234567")) || !secret.New(nil).IsZero() || s.IsZero() {
		t.Error("Equal or IsZero is wrong")
	}
}
