package ledger

import (
	"context"
	"database/sql"
	"time"
)

// Outcome says what came of an [Action].
type Outcome string

// The outcomes of an action. One that was begun and has none was interrupted: whether
// Gmail carried it out is not known.
const (
	OutcomeDone    Outcome = "done"
	OutcomeRefused Outcome = "refused" // the person declined, or what was asked for is not allowed
	OutcomeFailed  Outcome = "failed"  // Gmail or the way there did not do it
)

// Action is something that a person changed, or wanted to change, of what Gmail has of
// a user, outside of enrollments and batches. The JSON names are a contract.
type Action struct {
	ID       int64     `json:"id"`
	Email    string    `json:"email"`
	Verb     string    `json:"verb"`             // the command, such as "keypair disable"
	Object   string    `json:"object,omitempty"` // the key pair
	Operator string    `json:"operator"`
	Reason   string    `json:"reason,omitempty"` // as the person gave it
	Started  time.Time `json:"started"`
	Ended    time.Time `json:"ended,omitzero"`
	Outcome  Outcome   `json:"outcome,omitempty"`
	Message  string    `json:"message,omitempty"` // why it was refused or failed
}

// BeginAction notes what is about to be asked of Gmail, and returns its number.
func (l *Ledger) BeginAction(ctx context.Context, action Action) (id int64, err error) {
	err = l.change(ctx, "note an action", func(tx *sql.Tx) error {
		return tx.QueryRowContext(ctx, l.rebind(`INSERT INTO action (email, address, verb, object, operator, reason, started) VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING id`),
			Key(action.Email), plainText(action.Email), action.Verb, plainText(action.Object), plainText(action.Operator), plainText(action.Reason),
			milliseconds(l.Now())).Scan(&id)
	})
	return id, err
}

// EndAction notes what came of an action. It is noted also when ctx has ended.
func (l *Ledger) EndAction(ctx context.Context, id int64, outcome Outcome, message string) error {
	ctx, cancel := l.recording(ctx)
	defer cancel()
	return l.change(ctx, "note an action's outcome", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, l.rebind(`UPDATE action SET ended = ?, outcome = ?, message = ? WHERE id = ?`),
			milliseconds(l.Now()), string(outcome), plainText(message), id)
		return err
	})
}

// Actions lists what was done by hand for a user, the oldest first; for everybody where
// email is empty.
func (l *Ledger) Actions(ctx context.Context, email string) ([]Action, error) {
	const doing = "list the actions"
	rows, err := l.read.QueryContext(ctx, l.rebind(`SELECT id, address, verb, object, operator, reason, started, ended, outcome, message FROM action WHERE ? = '' OR email = ? ORDER BY id`),
		Key(email), Key(email))
	if err != nil {
		return nil, l.failed(doing, err)
	}
	defer rows.Close()
	actions := []Action{}
	for rows.Next() {
		action, err := scanAction(rows)
		if err != nil {
			return nil, l.failed(doing, err)
		}
		actions = append(actions, action)
	}
	return actions, l.failed(doing, rows.Err())
}

// ChangedByHand returns, by [Key], the last action that changed, or may have changed, the
// identity or a key pair of users' entries after they were brought to their end, and after
// the run that had them last began to look; of some hundred users at most.
func (l *Ledger) ChangedByHand(ctx context.Context, entries []Entry) (map[string]Action, error) {
	keys := make([]any, len(entries))
	for i, entry := range entries {
		keys[i] = keyOf(storable(entry))
	}
	changed, err := l.changedByHand(ctx, l.read, keys)
	return changed, l.failed("read the actions", err)
}

func (l *Ledger) changedByHand(ctx context.Context, q queryer, keys []any) (map[string]Action, error) {
	changed := map[string]Action{}
	if len(keys) == 0 {
		return changed, nil
	}
	rows, err := q.QueryContext(ctx, l.rebind(`SELECT a.email, a.id, a.address, a.verb, a.object, a.operator, a.reason, a.started, a.ended, a.outcome, a.message
		FROM action a JOIN entry e ON e.email = a.email LEFT JOIN run r ON r.id = e.run
		WHERE a.outcome <> ? AND (a.started >= e.updated OR a.ended >= e.updated)
		AND (r.started IS NULL OR a.started >= r.started OR a.ended >= r.started)
		AND (a.object = '' OR EXISTS (SELECT 1 FROM pair p WHERE p.email = a.email AND p.key_pair_id = a.object))
		AND a.email IN `+places(1, len(keys))+` ORDER BY a.id`), append([]any{string(OutcomeRefused)}, keys...)...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var key string
		action, err := scanAction(rows, &key)
		if err != nil {
			return nil, err
		}
		changed[key] = action
	}
	return changed, rows.Err()
}

// scanAction reads the columns of an action, behind those that come first.
func scanAction(row scanner, first ...any) (a Action, err error) {
	var started, ended int64
	err = row.Scan(append(first, &a.ID, &a.Email, &a.Verb, &a.Object, &a.Operator, &a.Reason, &started, &ended, &a.Outcome, &a.Message)...)
	a.Started, a.Ended = fromMilliseconds(started), fromMilliseconds(ended)
	return a, err
}
