package check

import (
	"strings"
	"testing"

	"github.com/cse-piv/cse-piv/internal/cli/option"
	"github.com/cse-piv/cse-piv/internal/desk"
)

// TestWhereChangesGo: Google's own address and another are never mixed up, in what a
// command says and in what the start screen does.
func TestWhereChangesGo(t *testing.T) {
	for endpoint, want := range map[string]string{
		"":                              "users of example.com are changed now at Google's Gmail API, https://gmail.googleapis.com/",
		"https://gmail.googleapis.com":  "users of example.com are changed now at Google's Gmail API, https://gmail.googleapis.com/",
		"http://127.0.0.1:8080/":        "users of example.com are changed now at the Gmail API at http://127.0.0.1:8080/, which is not Google's",
		"https://gmail.googleapis.co/x": "users of example.com are changed now at the Gmail API at https://gmail.googleapis.co/x, which is not Google's",
	} {
		flags := option.Gmail{Endpoint: endpoint}
		if got := flags.TargetText("example.com"); got != want {
			t.Errorf("%q: %s", endpoint, got)
		}
		check := Setup{Gmail: &flags}.place(t.Context())
		detail := check.Detail
		if check.Err != nil {
			detail = check.Err.Error()
		}
		if google := flags.Foreign() == ""; (check.State == desk.CheckOK) != google || google != strings.Contains(detail, "Google's Gmail API, https://gmail.googleapis.com/") {
			t.Errorf("%q: the start screen says %+v", endpoint, check)
		}
	}
}
