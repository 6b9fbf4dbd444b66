package gmail

import "testing"

// TestForeignTokens: where tokens are asked for is told, unless it is Google's.
func TestForeignTokens(t *testing.T) {
	for address, want := range map[string]string{
		"":                                       "",
		"https://oauth2.googleapis.com/token":    "",
		"https://accounts.google.com/o/oauth2/t": "",
		"https://oauth2.googleapis.com.example.org/token": "https://oauth2.googleapis.com.example.org/token",
		"https://evilgoogleapis.com/token":                "https://evilgoogleapis.com/token",
		"http://127.0.0.1:8080/token":                     "http://127.0.0.1:8080/token",
	} {
		domain, err := Open(Config{CredentialsFile: writeAccount(t, accountJSON(func(m map[string]any) { m["token_uri"] = address }))})
		if err != nil {
			t.Fatal(err)
		}
		defer domain.Close()
		if got := domain.ForeignTokens(); got != want {
			t.Errorf("%s: %q", address, got)
		}
	}
}
