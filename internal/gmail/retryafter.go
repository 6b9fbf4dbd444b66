package gmail

import (
	"errors"
	"net/http"
	"regexp"
	"strconv"
	"time"
)

// maxRetryAfter bounds what a server can ask for; beyond it the request to wait
// is taken as "a long time", not literally.
const maxRetryAfter = 24 * time.Hour

// inMessage is how Gmail gives the time in a rate-limit error:
// "User-rate limit exceeded.  Retry after 2026-09-11T20:00:00.000Z".
var inMessage = regexp.MustCompile(`(?i)retry after (\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:Z|[+-]\d{2}:\d{2}))`)

// retryAt is the latest of the times at which an answer asks to be asked again:
// Retry-After (RFC 9110 §10.2.3), google.rpc.RetryInfo, or the message. Absolute
// times are the server's, so they are moved by the difference between its clock
// (Date) and ours.
func retryAt(header http.Header, a *answer, now time.Time) time.Time {
	skew := time.Duration(0)
	if date, err := http.ParseTime(header.Get("Date")); err == nil {
		// Date has whole seconds: less than that is no difference at all.
		if d := now.Sub(date); d.Abs() > 2*time.Second {
			skew = d
		}
	}
	var latest time.Duration
	ask := func(wait time.Duration) {
		latest = max(latest, min(wait, maxRetryAfter))
	}
	if value := header.Get("Retry-After"); value != "" {
		if seconds, err := strconv.ParseUint(value, 10, 64); err == nil || errors.Is(err, strconv.ErrRange) {
			ask(time.Duration(min(seconds, uint64(maxRetryAfter/time.Second))) * time.Second)
		} else if at, err := http.ParseTime(value); err == nil {
			ask(at.Add(skew).Sub(now))
		}
	}
	for _, d := range a.Details {
		if wait, err := time.ParseDuration(d.RetryDelay); err == nil {
			ask(wait)
		}
	}
	messages := []string{a.Message}
	for _, e := range a.Errors {
		messages = append(messages, e.Message)
	}
	for _, m := range messages {
		if found := inMessage.FindStringSubmatch(m); found != nil {
			if at, err := time.Parse(time.RFC3339, found[1]); err == nil {
				ask(at.Add(skew).Sub(now))
			}
		}
	}
	if latest <= 0 {
		return time.Time{}
	}
	return now.Add(latest)
}

// nextDay is when the quota of a day that was used up is there again: at midnight
// in California, which is 07:00 or 08:00 UTC.
func nextDay(now time.Time) time.Time {
	day := now.UTC().Truncate(24 * time.Hour).Add(8 * time.Hour)
	if !day.After(now) {
		day = day.Add(24 * time.Hour)
	}
	return day
}
