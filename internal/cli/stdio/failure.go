package stdio

import (
	"context"
	"errors"
	"path/filepath"
	"time"

	"github.com/cse-piv/cse-piv/internal/cli/failure"
	"github.com/cse-piv/cse-piv/internal/issuer"
	"github.com/cse-piv/cse-piv/internal/safetext"
)

// Failure is an error with which a command ends. The names are a contract.
type Failure struct {
	Code    int           `json:"code"`              // the exit code
	Reason  string        `json:"reason"`            // a stable name: see exit codes and failure reasons
	Message string        `json:"message"`           // what failed and why, for people
	Hint    string        `json:"hint,omitempty"`    // what to type next
	Waiting []waitingJSON `json:"waiting,omitempty"` // with code 8: what is waited for
}

// waitingJSON is a certificate that is waited for.
type waitingJSON struct {
	Request     string  `json:"request"`                       // path of the request, or the URL that it was sent to
	Certificate string  `json:"certificate,omitempty"`         // path of the file that the certificate is expected in
	RetryAfter  float64 `json:"retry_after_seconds,omitempty"` // when the CA wants to be asked again, where it said so
}

// FailureOf returns an error as JSON; nil for none.
func (s *Streams) FailureOf(err error) *Failure {
	if err == nil {
		return nil
	}
	end := &Failure{Code: failure.ExitCode(err), Reason: failure.Reason(err), Message: failure.OneLine(err), Hint: s.Hint(err)}
	if errors.Is(err, context.Canceled) {
		end.Message = "interrupted"
		if others := failure.BesidesInterrupt(err); others != nil {
			end.Message += "; " + failure.OneLine(others)
		}
		end.Hint = "run the same command again to go on"
	}
	for _, wait := range issuer.Waits(err) {
		waiting := waitingJSON{Request: wait.Request, RetryAfter: wait.RetryAfter.Seconds()}
		if wait.Dir != "" {
			waiting.Request, waiting.Certificate = filepath.Join(wait.Dir, wait.Request), filepath.Join(wait.Dir, wait.Expected)
		}
		end.Waiting = append(end.Waiting, waiting)
	}
	return end
}

// ToldError is an error that the JSON of a command holds already.
type ToldError struct{ error }

// Unwrap returns the error that was told.
func (e *ToldError) Unwrap() error { return e.error }

// Told marks an error as part of what was printed; nil stays nil.
func Told(err error) error {
	if err == nil {
		return nil
	}
	return &ToldError{err}
}

// endOfLines is the last line of JSON of a command that ended without a summary.
type endOfLines struct {
	Time  time.Time `json:"time"`
	Event string    `json:"event"` // "error"
	Error *Failure  `json:"error"`
}

// TellLines writes the error as a last line, where no other line tells of it.
func (s *Streams) TellLines(err error) error {
	if err == nil || errors.As(err, new(*ToldError)) {
		return err
	}
	return errors.Join(Told(err), safetext.EncodeJSON(s.Out, endOfLines{Time: time.Now().UTC(), Event: "error", Error: s.FailureOf(err)}, ""))
}
