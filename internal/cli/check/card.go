package check

import (
	"context"
	"errors"
	"runtime"
	"strings"

	"github.com/cse-piv/cse-piv/internal/cli/failure"
	"github.com/cse-piv/cse-piv/internal/cli/hint"
	"github.com/cse-piv/cse-piv/internal/cli/option"
	"github.com/cse-piv/cse-piv/internal/describe"
	"github.com/cse-piv/cse-piv/internal/desk"
	"github.com/cse-piv/cse-piv/internal/piv"
	"github.com/cse-piv/cse-piv/internal/piv/attestation"
)

// addReaders adds what stands between the program and a card: the service, who may use
// it, and the readers. They are listed once.
func (l *list) addReaders() *job {
	var (
		found   []piv.Found
		listing error
	)
	service := l.add("card service", func(ctx context.Context) desk.Check {
		found, listing = piv.List(ctx)
		if listing != nil && !errors.Is(listing, piv.ErrAccessDenied) {
			return failed(listing)
		}
		return ok("runs")
	})
	last := service
	if runtime.GOOS == "linux" {
		last = l.add("polkit", func(context.Context) desk.Check {
			if listing != nil {
				return failed(listing)
			}
			return ok("lets you use readers and cards")
		}, service)
	}
	return l.add("card readers", func(context.Context) desk.Check {
		switch {
		case listing != nil:
			return failed(listing)
		case len(found) == 0:
			return ok("none yet; a YubiKey is one itself")
		}
		var names []string
		for _, f := range found {
			if errors.Is(f.Err, piv.ErrCardInUse) {
				return desk.Check{State: desk.CheckWarning, Err: f.Err}
			}
			names = append(names, f.Reader)
		}
		return ok("%s", strings.Join(names, ", "))
	}, last)
}

// card reads the card's state, without a PIN.
func (s Setup) card(ctx context.Context) desk.Check {
	if s.Desk {
		return skipped("it is read when its turn comes")
	}
	var (
		identity   piv.Identity
		protection piv.Protection
	)
	serial, err := s.usersCard(ctx)
	if err == nil {
		err = option.UseCard(ctx, serial, func(card *piv.Card) (err error) {
			identity = card.Identity()
			protection, err = card.Protection(ctx)
			return err
		})
	}
	switch {
	case s.Serial == 0 && (errors.Is(err, piv.ErrNoCard) || errors.Is(err, piv.ErrNoReader)):
		return skipped(err.Error())
	case err != nil:
		return failed(err)
	case s.Gmail.SignsWith(identity.Serial) && s.Serial == 0:
		return skipped("the only card is that with the service account's key")
	case s.Gmail.SignsWith(identity.Serial):
		return failed(&failure.SigningCardError{Serial: identity.Serial})
	}
	check := ok("%s", describe.Card(identity))
	for _, value := range describe.Protection(piv.Status{Protection: protection}) {
		check.Detail += "; " + value.Label + ": " + value.Text
	}
	firmware := identity.Firmware
	var advisories, pages []string
	for _, advisory := range attestation.FirmwareAdvisories(byte(firmware.Major), byte(firmware.Minor), byte(firmware.Patch)) {
		advisories = append(advisories, advisory.ID+": "+advisory.Message)
		pages = append(pages, advisory.URL)
	}
	text := check.Detail
	switch {
	case protection.PIN.Tries == 0:
		check = failed(piv.ErrPINBlocked)
	case protection.PIN.Factory == piv.Yes:
		check = warned(failure.ErrFactoryPIN)
	}
	check.Detail = text
	if len(advisories) > 0 && check.State == desk.CheckOK {
		check.State, check.Fix = desk.CheckWarning, hint.ForAdvisories(pages)
	}
	if len(advisories) > 0 {
		check.Detail += "; " + strings.Join(advisories, "; ")
	}
	return check
}

// usersCard returns the serial number of the card that is looked at: the one that was named or, where
// nobody named one, the only one besides that with the service account's key; 0 for the only one.
func (s Setup) usersCard(ctx context.Context) (uint32, error) {
	if _, signs := s.Gmail.KeyCard(); s.Serial != 0 || !signs {
		return s.Serial, nil
	}
	found, err := piv.List(ctx)
	if err != nil {
		return 0, err
	}
	var others []uint32
	for _, one := range found {
		if one.Err == nil && !s.Gmail.SignsWith(one.Identity.Serial) {
			others = append(others, one.Identity.Serial)
		}
	}
	if len(others) == 1 {
		return others[0], nil
	}
	return 0, nil
}
