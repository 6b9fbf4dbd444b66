package plain

import (
	"context"

	"github.com/cse-piv/cse-piv/internal/describe"
	"github.com/cse-piv/cse-piv/internal/enroll"
)

// review says what is about to be registered and asks for agreement; a no is
// enroll.ErrDeclined.
func (f *flow) review(ctx context.Context, review enroll.Review) error {
	f.say("to be registered at Gmail for %s, with card %d:", review.Email, review.Serial)
	if review.GmailEndpoint != "" {
		f.say("warning: %s", enroll.EndpointText(review.GmailEndpoint))
	}
	for _, key := range review.Keys {
		values := describe.ReviewKey(key)
		f.say("%s", line(values[0]))
		f.sayAll("  ", values[1:])
	}
	if f.desk.Practice != nil {
		f.sayAll("", describe.PracticeWarnings(review))
	}
	agreed, err := f.Confirm(ctx, enroll.Question{Text: "register that at Gmail?"})
	if err == nil && !agreed {
		return enroll.ErrDeclined
	}
	if err == nil {
		f.agreed = &review
	}
	return err
}
