package lab

import (
	"strings"
	"time"

	"github.com/cse-piv/cse-piv/internal/lab/fault"
	"github.com/cse-piv/cse-piv/internal/lab/workspace"
	"github.com/cse-piv/cse-piv/internal/lab/yubikey"
)

// retryAfter is what the lab's rate limits and outages tell clients to wait:
// short, so that practice does not drag.
const retryAfter = 20 * time.Millisecond

// SetFaults switches on what the specifications of package fault say, on top of
// what is on already; "off" clears everything before it. A *fault.SpecError
// changes nothing.
func (l *Lab) SetFaults(specs ...string) error {
	before := l.faults.Switches()
	if err := l.faults.Set(specs...); err != nil {
		return err
	}
	now := l.faults.Switches()
	l.pcsc.Refuse(now.ReadersRefused)
	for _, spec := range specs {
		l.log.line("fault switched: %s", spec)
	}
	l.applyToDomain(before, now)
	for reader := range l.seats {
		if card := l.Card(reader); card != nil {
			l.applyToCard(card, now)
		}
	}
	return nil
}

// applyToDomain brings the domain's settings in line with the switches. It
// leaves alone what no switch was concerned with.
func (l *Lab) applyToDomain(before, now fault.Switches) {
	if len(before.CSEOff) > 0 {
		l.gmail.SetCSE("", true)
	}
	for _, email := range everyoneFirst(now.CSEOff) {
		l.gmail.SetCSE(email, false)
	}
	l.gmail.SetImpersonation(!now.ImpersonationDenied)
	l.gmail.SetConsent(now.ConsentDenied, now.OtherState)
	if now.LoginsRevoked && !before.LoginsRevoked {
		l.gmail.RevokeLogins()
	}
	l.gmail.SetClockSkew(now.ClockSkew)
	switch {
	case now.ScopeMissing:
		l.gmail.SetScopes()
	case now.ScopeOther:
		l.gmail.SetScopes(workspace.ScopeReadonly)
	case before.ScopeMissing, before.ScopeOther:
		l.gmail.SetScopes(l.delegated()...)
	}
}

// delegated are the scopes that the service account has in fair weather.
func (l *Lab) delegated() []string {
	scopes := []string{workspace.ScopeBasic, workspace.ScopeSharing}
	if l.options.Directory {
		scopes = append(scopes, workspace.ScopeDirectoryReadonly)
	}
	return scopes
}

// everyoneFirst puts the entry for everyone, which forgets exceptions, before
// the others.
func everyoneFirst(emails []string) []string {
	var sorted []string
	for _, email := range emails {
		if email == "" {
			sorted = append([]string{""}, sorted...)
		} else {
			sorted = append(sorted, email)
		}
	}
	return sorted
}

func (l *Lab) applyToCard(card *yubikey.Card, now fault.Switches) {
	card.SetCardFull(now.CardFull)
	if now.PINBlocked {
		blockPIN(card)
	}
}

// blockPIN uses up the tries of a card's PIN, as somebody would who does not
// know it: SELECT of the PIV application, then VERIFY (SP 800-73-4 Part 2,
// 3.1.1 and 3.2.1) until the card says that it is blocked.
func blockPIN(card *yubikey.Card) {
	if card.Snapshot().PIN.Tries == 0 {
		return
	}
	card.Reset()
	defer card.Reset()
	card.Transmit([]byte{0x00, 0xa4, 0x04, 0x00, 0x05, 0xa0, 0x00, 0x00, 0x03, 0x08})
	wrong := []byte{0x00, 0x20, 0x00, 0x80, 0x08, '0', '9', '0', '7', '0', '5', 0xff, 0xff}
	if card.Snapshot().PIN.Value == "090705" {
		wrong[5] = '1'
	}
	for card.Snapshot().PIN.Tries > 0 {
		status := card.Transmit(wrong)
		if n := len(status); n < 2 || status[n-2] != 0x63 {
			return
		}
	}
}

// apiFault turns what the board decides into what the domain does.
func (l *Lab) apiFault(method, user string) workspace.Fault {
	decided := l.faults.Call(method)
	switches := l.faults.Switches()
	f := workspace.Fault{Delay: switches.Latency}
	switch {
	case method == "token":
	case strings.HasPrefix(method, "users."):
		if switches.DirectoryDisabled {
			f.Status, f.Reason = 403, "accessNotConfigured"
			f.Message = "Admin SDK API has not been used in this project before or it is disabled."
			return f
		}
	case switches.APIDisabled:
		f.Status, f.Reason = 403, "accessNotConfigured"
		f.Message = "Gmail API has not been used in this project before or it is disabled."
		return f
	case switches.PolicyRefuses:
		f.Status, f.Reason = 403, "domainPolicy"
		f.Message = "The domain administrators have disabled Gmail apps."
		return f
	}
	switch decided {
	case fault.APITooManyRequests:
		f.Status, f.Reason, f.RetryAfter = 429, "rateLimitExceeded", retryAfter
	case fault.APIRateLimited:
		f.Status, f.Reason, f.RetryAfter = 403, "rateLimitExceeded", retryAfter
	case fault.APIInternal:
		f.Status = 500
	case fault.APIUnavailable:
		f.Status = 503
	case fault.APIReset:
		f.ResetBefore = true
	case fault.APILost:
		f.LoseAnswer = true
	default:
		body, found := workspace.FindBody(decided.Body())
		if !found {
			return f
		}
		f.Body = body
	}
	l.log.line("fault: %s of %s: %s", method, user, decided)
	return f
}
