package metrics

import (
	"slices"
	"strings"
)

// Type is the type of a family of figures, in Prometheus's words.
type Type string

// The types of figures.
const (
	Counter   Type = "counter"
	Gauge     Type = "gauge"
	Histogram Type = "histogram"
)

// Family is figures of one name, which differ in the values of their labels. None of the
// values names a user, a card or a certificate, and of each label there are few.
type Family struct {
	Name   string
	Type   Type
	Labels []string
	Help   string
}

// The families. docs/reference/metrics.md is made from them.
var (
	buildInfo = Family{"cse_piv_build_info", Gauge, []string{"version", "go_version"}, "Always 1; the labels say which build this is."}

	users       = Family{"cse_piv_users_total", Counter, []string{"outcome", "reason"}, "Users who came to an end in this process; outcome is done or failed, reason why one failed."}
	userRetries = Family{"cse_piv_user_retries_total", Counter, []string{"reason"}, "Users who are to be tried again later."}
	inFlight    = Family{"cse_piv_users_in_flight", Gauge, nil, "Users whom this process works on."}
	limit       = Family{"cse_piv_users_in_flight_limit", Gauge, nil, "How many users this process works on at once at most; fewer by itself while Gmail says that it is too much."}
	paused      = Family{"cse_piv_paused", Gauge, nil, "1 while nobody gets through to Gmail and one user is tried from time to time, otherwise 0."}

	calls        = Family{"cse_piv_gmail_calls_total", Counter, []string{"method", "status", "answer"}, "Calls of the Gmail API, of the directory (users.get, users.list) and, as token, exchanges of credentials for a token; status is that of HTTP or none, answer is ok or the kind of error."}
	callSeconds  = Family{"cse_piv_gmail_call_duration_seconds", Histogram, []string{"method"}, "How long calls took, without what they waited for their turn."}
	callRetries  = Family{"cse_piv_gmail_call_retries_total", Counter, []string{"method", "answer"}, "Calls that failed and are made again; answer is the kind of error."}
	pauses       = Family{"cse_piv_rate_limit_waits_total", Counter, []string{"cause"}, "How often calls waited: cause is own where this process may make only so many a second, otherwise the kind of error after which a call is made again."}
	pauseSeconds = Family{"cse_piv_rate_limit_wait_seconds_total", Counter, []string{"cause"}, "How long calls waited."}

	ledgerUp      = Family{"cse_piv_ledger_up", Gauge, nil, "1 when the ledger answered this scrape, otherwise 0."}
	ledgerErrors  = Family{"cse_piv_ledger_errors_total", Counter, []string{"problem"}, "Errors of the ledger while users are registered; problem is changed where another worker has the user or another task was put in."}
	queueUsers    = Family{"cse_piv_queue_users", Gauge, nil, "Users in the ledger who wait; of a shared ledger, for any worker. Missing while the ledger does not answer."}
	queueDue      = Family{"cse_piv_queue_due_users", Gauge, nil, "Those of them whom a worker may begin now; the others are to be tried again later."}
	workers       = Family{"cse_piv_workers", Gauge, nil, "Workers of a shared ledger that are alive."}
	heartbeats    = Family{"cse_piv_heartbeats_total", Counter, []string{"outcome"}, "How often a shared ledger was told that this worker is alive (ok), or could not be told (failed)."}
	lastHeartbeat = Family{"cse_piv_last_heartbeat_timestamp_seconds", Gauge, nil, "When a shared ledger was told last that this worker is alive, in seconds since 1970; 0 before the first time."}
)

// Families returns all of them, by name. The Go runtime's and the process's own, which begin
// with go_ and process_, are not among them.
func Families() []Family {
	all := []Family{
		buildInfo, users, userRetries, inFlight, limit, paused, calls, callSeconds, callRetries, pauses, pauseSeconds,
		ledgerUp, ledgerErrors, queueUsers, queueDue, workers, heartbeats, lastHeartbeat,
	}
	slices.SortFunc(all, func(a, b Family) int { return strings.Compare(a.Name, b.Name) })
	return all
}
