package plain

import (
	"context"
	"path/filepath"

	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/issuer"
)

// await says where the request lies, and has a person look again for the
// certificate until it is there (goOn), park or stop.
func (f *flow) await(ctx context.Context, s *serving) (turn, error) {
	for {
		entry := f.entries[s.entry]
		f.say("%s waits for a certificate", entry.Email)
		for _, wait := range entry.Waits {
			f.sayWait(wait)
		}
		if entry.Problem != nil {
			f.explain(entry.Problem)
		}
		text := "parked people come back when their certificate is there, and need not leave their card here until then"
		if f.single {
			text = "the certificate can come on another day: the same command goes on then"
		}
		next, err := f.turn(ctx, text, look, park, stop)
		if err != nil || next != look {
			return next, err
		}
		f.entries[s.entry] = f.desk.Collect(ctx, entry.Person)
		if err := ctx.Err(); err != nil {
			return stop, err
		}
		if f.entries[s.entry].Stage != enroll.StageWaiting {
			return goOn, nil
		}
	}
}

// sayWait says where a request lies and what is looked for.
func (f *flow) sayWait(wait *issuer.WaitingError) {
	if wait.Dir == "" {
		f.say("  the request was sent to %s and is not approved yet", wait.Request)
		return
	}
	f.say("  the request lies in %s", filepath.Join(wait.Dir, wait.Request))
	f.say("  the certificate is looked for in %s", filepath.Join(wait.Dir, wait.Expected))
}
