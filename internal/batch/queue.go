package batch

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivertype"

	"github.com/cse-piv/cse-piv/internal/ledger"
)

// job says that it is a user's turn. Everything else is in the user's entry.
type job struct {
	Email string `json:"email"`
}

// Kind is the job's name in River.
func (job) Kind() string { return "register" }

// unfinished are the states in which a user's job is not doubled.
var unfinished = []rivertype.JobState{
	rivertype.JobStateAvailable, rivertype.JobStatePending, rivertype.JobStateRetryable, rivertype.JobStateRunning, rivertype.JobStateScheduled,
}

// queue is River on either kind of ledger.
type queue interface {
	Start(context.Context) error
	// Stop waits for the jobs under way; StopAndCancel cancels them first.
	Stop(context.Context) error
	StopAndCancel(context.Context) error
	insert(ctx context.Context, turns []ledger.Turn) error
}

// newQueue makes a queue whose jobs are worked by work, most at once; with work
// nil it only takes jobs in. work returns when the job is to come again, or a
// negative time for never.
func newQueue(l *ledger.Ledger, worker string, most int, work func(ctx context.Context, email string) time.Duration) (queue, error) {
	config := &river.Config{
		ID:       worker,
		Logger:   slog.New(slog.DiscardHandler),
		PollOnly: true,
		// A user takes some 200 ms. Jobs are fetched ahead of their turn (see most),
		// so it does no harm to fetch them in small crowds.
		FetchCooldown:     50 * time.Millisecond,
		FetchPollInterval: 200 * time.Millisecond,
		// The registration has its own limits, and the ledger knows dead workers.
		JobTimeout:                  -1,
		RescueStuckJobsAfter:        24 * time.Hour,
		CompletedJobRetentionPeriod: time.Hour,
		// Turns go by the ledger's clock, whatever that of a machine says.
		Test: river.TestConfig{Time: ledgerTime{l}},
	}
	if work != nil {
		workers := river.NewWorkers()
		if err := river.AddWorkerSafely(workers, &registrar{work: work}); err != nil {
			return nil, fmt.Errorf("set up the queue: %w", err)
		}
		config.Workers = workers
		config.Queues = map[string]river.QueueConfig{ledger.Queue: {MaxWorkers: min(most, river.QueueNumWorkersMax)}}
	}
	if l.Shared() {
		return newClient(riverpgxv5.New(l.Pool()), config)
	}
	return newClient(riversqlite.New(l.Writer()), config)
}

func newClient[TTx any](driver riverdriver.Driver[TTx], config *river.Config) (queue, error) {
	client, err := river.NewClient(driver, config)
	if err != nil {
		return nil, fmt.Errorf("set up the queue: %w", err)
	}
	return riverQueue[TTx]{client}, nil
}

// ledgerTime has River ask the ledger what time it is.
type ledgerTime struct{ *ledger.Ledger }

// NowOrNil is Now, so that River does not take SQLite's word, or its own.
func (t ledgerTime) NowOrNil() *time.Time {
	now := t.Now()
	return &now
}

type riverQueue[TTx any] struct{ *river.Client[TTx] }

// The priorities of jobs, the smaller the sooner: who is new comes first.
const (
	priorityNew  = 1
	priorityLook = 2
)

// insert adds a job for each user that has none.
func (q riverQueue[TTx]) insert(ctx context.Context, turns []ledger.Turn) error {
	jobs := make([]river.InsertManyParams, len(turns))
	for i, turn := range turns {
		priority := priorityNew
		if turn.Earlier {
			priority = priorityLook
		}
		jobs[i] = river.InsertManyParams{Args: job{Email: turn.Email}, InsertOpts: &river.InsertOpts{
			Queue: ledger.Queue, Priority: priority, UniqueOpts: river.UniqueOpts{ByArgs: true, ByState: unfinished},
		}}
	}
	// Not InsertManyFast: on PostgreSQL it refuses all for one that is there.
	_, err := q.InsertMany(ctx, jobs)
	return err
}

// registrar is River's worker.
type registrar struct {
	river.WorkerDefaults[job]
	work func(ctx context.Context, email string) time.Duration
}

// Work works one job.
func (r *registrar) Work(ctx context.Context, j *river.Job[job]) error {
	if again := r.work(ctx, j.Args.Email); again >= 0 {
		return river.JobSnooze(again)
	}
	return nil
}
