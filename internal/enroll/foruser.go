package enroll

import (
	"bytes"
	"fmt"
	"text/template"
	"time"

	"github.com/cse-piv/cse-piv/internal/evidence"
	"github.com/cse-piv/cse-piv/internal/format"
	"github.com/cse-piv/cse-piv/internal/safetext"
)

// forUser is what the user takes along: what was done, and what they do next. It holds
// no secret.
var forUser = template.Must(template.New(evidence.ForUserName).Funcs(template.FuncMap{"clean": safetext.Clean}).Parse(`Your card for signed and encrypted mail in Gmail

Address:  {{clean .Receipt.Email}}
Card:     {{clean .Receipt.Card.Model}}, serial number {{.Receipt.Card.Serial}}
Date:     {{.Date}}
{{- with .Warning}}

PLEASE NOTE: {{clean .}}.
{{- end}}

What was done
{{range .Receipt.Keys}}
- {{if eq .Origin "generated"}}The card made a key of its own{{else}}A key that was on the card already is used{{end}} (slot {{.Slot}}), with a certificate
  for your address.
{{- end}}
- Gmail knows the certificate, so that others can send you encrypted mail.
{{- if .NoPIN}}
- The card does not always ask for the PIN: whoever has it can sign and read
  with it. Never lend it.
{{- else}}
- The card asks for your PIN before it signs or reads.
{{- end}}

What you do next

1. Use a computer with Windows that has Google's "Workspace Hardware Key" app.
   If the app is not there, ask your administrator.
2. Put the card in, open Gmail, and read or write an encrypted mail. You are
   asked for the PIN. The light of the card may blink: then touch the card.
3. If Gmail does not offer encryption yet, try again later: it can take up to
   24 hours.

What you should know

- Never give the PIN to anybody, not even to the desk or your administrator,
  and do not write it on the card. Nobody needs it but you.
- After too many wrong tries the card blocks the PIN. If it is blocked, or you
  forgot it, tell the desk, which can set a new one as a rule.
- If the card is lost or stolen, tell the desk at once. The certificate can be
  revoked, and you get another card.
- Mail that is encrypted to you is read with this card. Keep it, also when you
  get another one.
`))

// writeForUser writes what the user takes along.
func (e *enrollment) writeForUser(receipt Receipt, finished time.Time) error {
	data := struct {
		Receipt       Receipt
		Date, Warning string
		NoPIN         bool
	}{Receipt: receipt, Date: format.Day(finished)}
	if receipt.GmailEndpoint != "" {
		data.Warning = EndpointText(receipt.GmailEndpoint)
	}
	for _, key := range receipt.Keys {
		data.NoPIN = data.NoPIN || key.NoPIN() != ""
	}
	var text bytes.Buffer
	if err := forUser.Execute(&text, data); err != nil {
		return fmt.Errorf("writing %s: %w", evidence.ForUserName, err)
	}
	return e.evidence.folder.Write(evidence.ForUserName, text.Bytes())
}
