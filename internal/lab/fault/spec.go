package fault

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cse-piv/cse-piv/internal/lab/workspace"
	"github.com/cse-piv/cse-piv/internal/lab/yubikey"
)

// SpecError reports a specification that says nothing.
type SpecError struct {
	Spec string
	Want string // what would have been understood
}

// Error names the specification, and what would have been understood.
func (e *SpecError) Error() string {
	return fmt.Sprintf("fault %q is not understood: want %s", e.Spec, e.Want)
}

const allForms = "api:…, card:…, pin:blocked, cse-off[:EMAIL], scope-missing, scope-other, api-disabled, directory-disabled, policy-refuses, impersonation-denied, consent-denied, other-state, logins-revoked, readers-refused, clock-skew:DURATION, latency:DURATION or off"

// parse turns one specification into what it does to a board.
func parse(spec string) (func(*Board), error) {
	kind, rest, _ := strings.Cut(spec, ":")
	switch {
	case kind == "api":
		return parseAPI(spec, rest)
	case kind == "card":
		return parseCard(spec, rest)
	case spec == "pin:blocked":
		return func(b *Board) { b.state.PINBlocked = true }, nil
	case spec == "cse-off":
		return func(b *Board) { b.cseOff("") }, nil
	case kind == "cse-off" && strings.Contains(rest, "@"):
		return func(b *Board) { b.cseOff(rest) }, nil
	case spec == "scope-missing":
		return func(b *Board) { b.state.ScopeMissing = true }, nil
	case spec == "scope-other":
		return func(b *Board) { b.state.ScopeOther = true }, nil
	case spec == "api-disabled":
		return func(b *Board) { b.state.APIDisabled = true }, nil
	case spec == "directory-disabled":
		return func(b *Board) { b.state.DirectoryDisabled = true }, nil
	case spec == "policy-refuses":
		return func(b *Board) { b.state.PolicyRefuses = true }, nil
	case spec == "impersonation-denied":
		return func(b *Board) { b.state.ImpersonationDenied = true }, nil
	case spec == "consent-denied":
		return func(b *Board) { b.state.ConsentDenied = true }, nil
	case spec == "other-state":
		return func(b *Board) { b.state.OtherState = true }, nil
	case spec == "logins-revoked":
		return func(b *Board) { b.state.LoginsRevoked = true }, nil
	case spec == "readers-refused":
		return func(b *Board) { b.state.ReadersRefused = true }, nil
	case kind == "clock-skew":
		skew, err := time.ParseDuration(rest)
		if err != nil {
			return nil, &SpecError{spec, "clock-skew:DURATION, for example clock-skew:10m or clock-skew:-10m"}
		}
		return func(b *Board) { b.state.ClockSkew = skew }, nil
	case kind == "latency":
		latency, err := time.ParseDuration(rest)
		if err != nil || latency < 0 {
			return nil, &SpecError{spec, "latency:DURATION, for example latency:50ms"}
		}
		return func(b *Board) { b.state.Latency = latency }, nil
	case spec == "off":
		return (*Board).clear, nil
	}
	return nil, &SpecError{spec, allForms}
}

func (b *Board) cseOff(email string) {
	if !slices.Contains(b.state.CSEOff, email) {
		b.state.CSEOff = append(b.state.CSEOff, email)
	}
}

func parseAPI(spec, rest string) (func(*Board), error) {
	bad := &SpecError{spec, "api:N%, api:FAULT@N, api:FAULT@METHOD:N or api:FAULT@METHOD with FAULT 429, 403, 500, 503, reset, lost or body=NAME, " +
		"NAME one of " + strings.Join(bodyNames(), ", ") + ", and METHOD one of " + strings.Join(workspace.Methods(), ", ")}
	if percent, ok := parsePercent(rest); ok {
		return func(b *Board) { b.api.percent = percent }, nil
	}
	name, at, found := strings.Cut(rest, "@")
	if !found {
		return nil, bad
	}
	switch fault := API(name); fault {
	case APITooManyRequests, APIRateLimited, APIInternal, APIUnavailable, APIReset, APILost:
	default:
		if _, known := workspace.FindBody(fault.Body()); !known {
			return nil, bad
		}
	}
	planned := plannedCall{fault: API(name)}
	method, number, both := strings.Cut(at, ":")
	n, isNumber := parseCount(method)
	if !both && isNumber {
		planned.left = n
		return planned.add, nil
	}
	if !slices.Contains(workspace.Methods(), method) {
		return nil, bad
	}
	planned.method, planned.every = method, !both
	if both {
		var ok bool
		if planned.left, ok = parseCount(number); !ok {
			return nil, bad
		}
	}
	return planned.add, nil
}

func (p plannedCall) add(b *Board) { b.api.planned = append(b.api.planned, p) }

func bodyNames() []string {
	var names []string
	for _, body := range workspace.Bodies() {
		names = append(names, body.Name)
	}
	return names
}

func lieNames() []string {
	var names []string
	for _, lie := range yubikey.Lies() {
		names = append(names, lie.Name)
	}
	return names
}

func parseCard(spec, rest string) (func(*Board), error) {
	bad := &SpecError{spec, "card:reset:N%, card:reset@N, card:pull@N, card:pull-after@N, card:full, card:lie=NAME or card:lie=NAME@N, NAME one of " + strings.Join(lieNames(), ", ")}
	if rest == "full" {
		return func(b *Board) { b.state.CardFull = true }, nil
	}
	if after, found := strings.CutPrefix(rest, "reset:"); found {
		percent, ok := parsePercent(after)
		if !ok {
			return nil, bad
		}
		return func(b *Board) { b.card.percent = percent }, nil
	}
	name, number, counted := strings.Cut(rest, "@")
	n, ok := parseCount(number)
	if lieName, lies := strings.CutPrefix(name, "lie="); lies {
		if _, known := yubikey.FindLie(lieName); !known || counted && !ok {
			return nil, bad
		}
		return func(b *Board) { b.card.lie, b.card.honest = lieName, max(n-1, 0) }, nil
	}
	if !ok {
		return nil, bad
	}
	planned := plannedCommand{left: n}
	switch name {
	case "reset":
		planned.kind = CardReset
	case "pull":
		planned.kind = CardPull
	case "pull-after":
		planned.kind, planned.executed = CardPull, true
	default:
		return nil, bad
	}
	return func(b *Board) { b.card.planned = append(b.card.planned, planned) }, nil
}

// parsePercent reads "5%" or "0.5%", from 0 to 100.
func parsePercent(s string) (float64, bool) {
	digits, found := strings.CutSuffix(s, "%")
	if !found {
		return 0, false
	}
	percent, err := strconv.ParseFloat(digits, 64)
	if err != nil || !(percent >= 0 && percent <= 100) {
		return 0, false
	}
	return percent, true
}

// parseCount reads a number from 1.
func parseCount(s string) (int, bool) {
	n, err := strconv.Atoi(s)
	return n, err == nil && n > 0
}
