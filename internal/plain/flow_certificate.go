package plain

import (
	"context"
	"path/filepath"

	"github.com/cse-piv/cse-piv/internal/describe"
	"github.com/cse-piv/cse-piv/internal/desk"
	"github.com/cse-piv/cse-piv/internal/issuer"
)

// await says where the request lies, and has a person look again for the
// certificate, park or stop.
func (f *flow) await(ctx context.Context) (desk.Event, error) {
	entry, _ := f.talk.Entry(f.talk.Person.Email)
	f.say("%s waits for a certificate", entry.Email)
	for _, wait := range entry.Waits {
		f.sayWait(wait)
	}
	if entry.Problem != nil {
		f.explain(entry.Problem)
	}
	factory := describe.FactoryManagementKey(entry.Progress)
	f.sayAll("", append(describe.Meanwhile(entry.Progress), factory...))
	text := "parked people come back when their certificate is there"
	if len(factory) == 0 {
		text += ", and need not leave their card here until then"
	}
	if f.talk.Single {
		text = "the certificate can come on another day: the same command goes on then"
	}
	return f.choose(ctx, text, look, park, stop)
}

// sayWait says where a request lies and what is looked for.
func (f *flow) sayWait(wait *issuer.WaitingError) {
	if wait.Dir == "" {
		f.say("  the request was sent to %s and is not approved yet", wait.Request)
		return
	}
	f.say("  the request lies in %s", filepath.Join(wait.Dir, wait.Request))
	f.say("  the certificate is looked for in %s", filepath.Join(wait.Dir, wait.Expected))
	if wait.Found != nil {
		f.say("  %v", wait.Found)
	}
}
