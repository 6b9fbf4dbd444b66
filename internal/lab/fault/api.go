package fault

import (
	"slices"
	"strings"
)

// API is what happens to one API call.
type API string

// The faults of an API call.
const (
	APINone            API = ""
	APITooManyRequests API = "429"   // 429 rateLimitExceeded
	APIRateLimited     API = "403"   // 403 rateLimitExceeded
	APIInternal        API = "500"   // 500 backendError
	APIUnavailable     API = "503"   // 503 backendError
	APIReset           API = "reset" // the connection breaks before anything is done
	APILost            API = "lost"  // everything is done, the connection breaks before the answer
)

// bodyPrefix begins the faults in which everything is done, and something else is
// answered: "body=null". See workspace.Bodies for the names.
const bodyPrefix = "body="

// Body is the name of what is answered instead of the truth, or "".
func (a API) Body() string {
	name, found := strings.CutPrefix(string(a), bodyPrefix)
	if !found {
		return ""
	}
	return name
}

// background are the faults that api:N% draws from.
var background = [...]API{APITooManyRequests, APIRateLimited, APIUnavailable, APIReset, APILost}

type api struct {
	percent float64
	planned []plannedCall
}

type plannedCall struct {
	fault  API
	method string // "": any
	left   int
	every  bool // call of the method
}

// Call counts one API call and tells what happens to it. The method is named as
// in "keypairs.create"; the token endpoint is "token".
func (b *Board) Call(method string) API {
	b.mu.Lock()
	defer b.mu.Unlock()
	fault := APINone
	b.api.planned = slices.DeleteFunc(b.api.planned, func(p plannedCall) bool {
		return p.left <= 0 && !p.every
	})
	for i := range b.api.planned {
		p := &b.api.planned[i]
		if (p.method == "" || p.method == method) && (p.every || due(&p.left)) {
			fault = p.fault
		}
	}
	if fault == APINone && b.chance(b.api.percent) {
		fault = background[b.rand.IntN(len(background))]
	}
	if fault != APINone {
		b.counted.API++
		b.kinds[fault]++
	}
	return fault
}

// chance draws whether something with that percentage happens now.
func (b *Board) chance(percent float64) bool {
	return percent > 0 && b.rand.Float64()*100 < percent
}
