package check

import (
	"context"
	"errors"
	"runtime"
	"strings"

	"github.com/cse-piv/cse-piv/internal/cli/failure"
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
	err := option.UseCard(ctx, s.Serial, func(card *piv.Card) (err error) {
		identity = card.Identity()
		protection, err = card.Protection(ctx)
		return err
	})
	switch {
	case s.Serial == 0 && (errors.Is(err, piv.ErrNoCard) || errors.Is(err, piv.ErrNoReader)):
		return skipped(err.Error())
	case err != nil:
		return failed(err)
	}
	check := ok("%s", describe.Card(identity))
	for _, value := range describe.Protection(piv.Status{Protection: protection}) {
		check.Detail += "; " + value.Label + ": " + value.Text
	}
	firmware := identity.Firmware
	var advisories []string
	for _, advisory := range attestation.FirmwareAdvisories(byte(firmware.Major), byte(firmware.Minor), byte(firmware.Patch)) {
		advisories = append(advisories, advisory.ID+": "+advisory.Message)
	}
	text := check.Detail
	switch {
	case protection.PIN.Tries == 0:
		check = failed(piv.ErrPINBlocked)
	case protection.PIN.Factory == piv.Yes:
		check = warned(failure.ErrFactoryPIN)
	}
	check.Detail = text
	if len(advisories) > 0 && check.State != desk.CheckFailed {
		check.State = desk.CheckWarning
	}
	if len(advisories) > 0 {
		check.Detail += "; " + strings.Join(advisories, "; ")
	}
	return check
}
