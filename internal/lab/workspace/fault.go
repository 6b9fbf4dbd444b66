package workspace

import (
	"errors"
	"math"
	"net"
	"net/http"
	"strconv"
	"time"
)

// Fault says what goes wrong with one call. The zero value is fair weather.
type Fault struct {
	// Status, when not 0, is answered instead of handling the call (429, 403,
	// 500, 503, ...). Together with LoseAnswer the call is handled first.
	Status int
	// Reason is the entry's reason in the error body, for example
	// "userRateLimitExceeded"; "" picks the usual one for Status. 403 without
	// a reason is a rate limit; "ACCESS_TOKEN_SCOPE_INSUFFICIENT" gives the
	// whole answer for a missing scope.
	Reason string
	// Message replaces the usual message.
	Message string
	// RetryAfter is put into the message of rate limits as a point in time,
	// and into a Retry-After header for 5xx.
	RetryAfter time.Duration
	// ResetBefore resets the connection before the call has any effect.
	ResetBefore bool
	// LoseAnswer lets the call have its effect, then resets the connection.
	LoseAnswer bool
	// Delay passes before the call is handled.
	Delay time.Duration
	// Body, one with a name, is told instead of the answer; see Bodies.
	Body Body
}

// outcome asks for the call's fault, handles the call as far as the fault lets
// it, and returns what the client is to see of it.
func (s *Server) outcome(r *http.Request, endpoint *endpoint, vars map[string]string, body []byte) func(http.ResponseWriter) {
	fault := s.config.Fault(endpoint.name, s.caller(r, endpoint, vars, body))
	if fault.Delay > 0 {
		timer := time.NewTimer(fault.Delay)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-r.Context().Done():
			return reset
		}
	}
	if fault.ResetBefore {
		return reset
	}
	if fault.Status != 0 && !fault.LoseAnswer {
		return s.faultReply(endpoint, fault).send
	}
	answer := s.answer(r, endpoint, vars, body)
	switch {
	case fault.LoseAnswer && fault.Status != 0:
		return s.faultReply(endpoint, fault).send
	case fault.LoseAnswer:
		return reset
	case fault.Body.Name != "":
		return s.lie(fault.Body, r, answer)
	}
	return answer.send
}

// caller names the user of a call for the fault hook, as well as that can be
// told before anything was checked; "" when it cannot.
func (s *Server) caller(r *http.Request, endpoint *endpoint, vars map[string]string, body []byte) string {
	if endpoint.name == "token" {
		return subjectOf(body)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if grant, ok := s.tokens[bearer(r)]; ok {
		return grant.subject
	}
	if user := vars["userId"]; user != "me" {
		return canonical(user)
	}
	return ""
}

// faultReply is the error body for a fault with a status.
func (s *Server) faultReply(endpoint *endpoint, fault Fault) reply {
	header := http.Header{}
	if fault.RetryAfter > 0 && fault.Status >= 500 {
		header.Set("Retry-After", strconv.Itoa(int(math.Ceil(fault.RetryAfter.Seconds()))))
	}
	if endpoint.name == "token" {
		return tokenFault(fault, header)
	}
	e := s.faultError(endpoint, fault)
	if fault.Message != "" {
		e.Message = fault.Message
		for i := range e.Errors {
			e.Errors[i].Message = fault.Message
		}
	}
	for name, values := range e.header {
		header[name] = values
	}
	e.header = header
	return e.reply(true)
}

func (s *Server) faultError(endpoint *endpoint, fault Fault) *apiError {
	var until time.Time
	if fault.RetryAfter > 0 {
		until = s.Now().Add(fault.RetryAfter)
	}
	pick := func(usual string) string {
		if fault.Reason != "" {
			return fault.Reason
		}
		return usual
	}
	switch {
	case fault.Status == http.StatusUnauthorized:
		return unauthenticated(pick("ACCESS_TOKEN_EXPIRED"))
	case fault.Reason == "ACCESS_TOKEN_SCOPE_INSUFFICIENT":
		return insufficientScope(endpoint.rpc)
	case fault.Status == http.StatusTooManyRequests:
		return rateLimited(fault.Status, fault.Reason, until)
	case fault.Status == http.StatusForbidden:
		switch fault.Reason {
		case "", "rateLimitExceeded", "userRateLimitExceeded", "quotaExceeded", "dailyLimitExceeded":
			return rateLimited(fault.Status, fault.Reason, until)
		case "domainPolicy":
			e := permissionDenied(fault.Reason, "The domain administrators have disabled Gmail apps.")
			e.Errors[0].Domain = "global"
			return e
		}
		return permissionDenied(fault.Reason, "The caller does not have permission")
	case fault.Status == http.StatusServiceUnavailable:
		return newError(fault.Status, "UNAVAILABLE", pick("backendError"), "The service is currently unavailable.")
	case fault.Status == http.StatusGatewayTimeout:
		return newError(fault.Status, "DEADLINE_EXCEEDED", pick("backendError"), "Deadline expired before operation could complete.")
	case fault.Status >= 500:
		return newError(fault.Status, "INTERNAL", pick("backendError"), "Internal error encountered.")
	}
	return newError(fault.Status, "FAILED_PRECONDITION", pick("failedPrecondition"), "Precondition check failed.")
}

// tokenFault is the token endpoint's answer to a fault with a status: RFC 6749
// section 5.2 in shape, with Google's own codes.
func tokenFault(fault Fault, header http.Header) reply {
	e := oauthError{status: fault.Status, Code: fault.Reason, Description: fault.Message}
	if e.Code == "" {
		switch fault.Status {
		case http.StatusTooManyRequests, http.StatusForbidden:
			e.Code = "rate_limit_exceeded"
		case http.StatusUnauthorized:
			e.Code = "unauthorized_client"
		default:
			e.Code = "internal_failure"
		}
	}
	p := e.reply()
	for name, values := range header {
		p.header[name] = values
	}
	return p
}

// reset drops the connection without an answer: with a TCP reset where the
// connection can be taken over, else by aborting the handler.
func reset(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if errors.Is(err, http.ErrNotSupported) {
		// net/http's own way to drop a connection, for HTTP/2.
		panic(http.ErrAbortHandler)
	}
	if err != nil {
		return
	}
	if secure, ok := conn.(interface{ NetConn() net.Conn }); ok {
		conn = secure.NetConn()
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		// Linger 0 makes Close send RST rather than FIN. Best effort.
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}
