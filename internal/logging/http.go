package logging

import (
	"log/slog"
	"net/http"
	"time"
)

// Transport returns a RoundTripper that writes each exchange of base into the log of its
// request's context, at level debug: method, address without its query, status, duration.
// Of headers and bodies nothing is written: there are tokens in them, and wrapped keys.
func Transport(base http.RoundTripper) http.RoundTripper { return &transport{base} }

type transport struct{ base http.RoundTripper }

// RoundTrip makes one exchange, as [http.RoundTripper] asks.
func (t *transport) RoundTrip(request *http.Request) (*http.Response, error) {
	if !From(request.Context()).Enabled(request.Context(), slog.LevelDebug) {
		return t.base.RoundTrip(request)
	}
	began := time.Now()
	response, err := t.base.RoundTrip(request)
	attributes := []slog.Attr{
		slog.String("method", request.Method),
		slog.String("host", request.URL.Host),
		slog.String("path", request.URL.EscapedPath()),
		slog.Float64("seconds", time.Since(began).Seconds()),
	}
	if err != nil {
		attributes = append(attributes, slog.String("error", err.Error()))
	} else {
		attributes = append(attributes, slog.Int("status", response.StatusCode))
	}
	Write(request.Context(), slog.LevelDebug, "http", attributes...)
	return response, err
}
