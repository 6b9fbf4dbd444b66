package check

import (
	"context"
	"errors"
	"fmt"

	"github.com/cse-piv/cse-piv/internal/cli/failure"
	"github.com/cse-piv/cse-piv/internal/desk"
	"github.com/cse-piv/cse-piv/internal/gmail"
	"github.com/cse-piv/cse-piv/internal/piv"
)

// accountKey looks at the key of the service account on its card, and whether Google knows it. The
// card is given no PIN.
func (s Setup) accountKey(ctx context.Context) desk.Check {
	domain, err := s.Domain()
	if err != nil {
		return failed(err)
	}
	at, _ := s.Gmail.KeyCard()
	key, err := at.Read(ctx)
	if err != nil {
		return failed(err)
	}
	text := fmt.Sprintf("%s: RSA with %d bits; PIN: %s", key.KeyCard, key.Public.N.BitLen(), piv.TriesLeft(key.PIN.Tries))
	err = domain.CheckKey(ctx, key.Public)
	switch refused, _ := errors.AsType[*gmail.Error](err); {
	case refused != nil && refused.Kind == gmail.KindCredentials && refused.Detail != gmail.DetailKeyUnknown:
		return failed(err)
	case err != nil:
		check := warned(err) // what is published may be older than what counts
		check.Detail = text + "; " + failure.OneLine(err)
		return check
	}
	text += "; Google knows it"
	if key.PIN.Factory == piv.Yes {
		check := warned(failure.ErrFactoryKeyPIN)
		check.Detail = text + "; " + failure.OneLine(check.Err)
		return check
	}
	return ok("%s", text)
}
