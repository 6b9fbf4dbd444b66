package registration_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/lab/workspace"
)

// TestEveryCallGoesWrongOnce breaks each call of a registration in each way, of a
// new user and of one who has another certificate's key pair: one more key pair and
// one identity must be there at the end.
func TestEveryCallGoesWrongOnce(t *testing.T) {
	p := newPractice(t)
	users := 0
	for _, method := range []string{"token", "keypairs.list", "keypairs.create", "identities.create", "identities.get", "identities.patch"} {
		for name, fault := range map[string]workspace.Fault{
			"429":            {Status: 429, RetryAfter: 10 * time.Millisecond},
			"rate limit":     {Status: 403, Reason: "userRateLimitExceeded"},
			"500":            {Status: 500},
			"503":            {Status: 503},
			"503, committed": {Status: 503, LoseAnswer: true},
			"reset":          {ResetBefore: true},
			"lost":           {LoseAnswer: true},
		} {
			for _, renewal := range []bool{false, true} {
				users++
				p.email = fmt.Sprintf("user%d@lab.example", users)
				before := 0
				p.set(nil)
				if renewal {
					p.mustRegister(p.key(certificate.UseBoth))
					before = 1
				}
				p.took()
				p.set(func(m string, n int) workspace.Fault {
					if m == method && n == 1 {
						return fault
					}
					return workspace.Fault{}
				})
				outcome, err := p.register(p.key(certificate.UseBoth))
				if err != nil || !outcome.Keys[0].Created {
					t.Fatalf("%s of %s, renewal %v: %+v %v", name, method, renewal, outcome, err)
				}
				if pairs := p.server.KeyPairs(p.email); len(pairs) != before+1 || p.identity().PrimaryKeyPairID != outcome.Keys[0].Pair.ID || len(outcome.Findings()) != 0 {
					t.Errorf("%s of %s, renewal %v: %d key pairs, %+v", name, method, renewal, len(pairs), outcome)
				}
			}
		}
	}
}
