package hint

import (
	"errors"
	"runtime"

	"github.com/cse-piv/cse-piv/internal/cli/failure"
	"github.com/cse-piv/cse-piv/internal/piv"
)

// ofService is about the smart card service, which each system has its own of.
func (hints) ofService(err error) string { return serviceHint(runtime.GOOS, err) }

// serviceHint is the hint on a system, which is named as in runtime.GOOS.
func serviceHint(system string, err error) string {
	if errors.Is(err, failure.ErrNoReaders) {
		return "rehearse a batch, which needs no card: cse-piv lab --dir practice --people 60; the whole demo runs on Linux, on Windows in WSL as well"
	}
	switch system {
	case "windows":
		return hintOf(err, []sentinel{
			{piv.ErrNoService, "start the smart card service, as an administrator: sc start SCardSvr; where it does not start: sc config SCardSvr start= auto"},
			{piv.ErrServiceFailed, "restart the smart card service, as an administrator: sc stop SCardSvr, then sc start SCardSvr; in a remote session the readers are those of the machine you sit at"},
			{piv.ErrAccessDenied, "work in a session at the machine itself: Windows refuses its readers to services and to sessions without a desktop"},
		})
	case "darwin":
		return hintOf(err, []sentinel{
			{piv.ErrNoPCSC, "build it on a Mac with CGO_ENABLED=1"},
			{piv.ErrNoService, "plug the reader in again, or restart the machine: macOS starts its smart card service by itself"},
			{piv.ErrServiceFailed, "plug the reader in again, or restart the machine: macOS starts its smart card service by itself"},
			{piv.ErrAccessDenied, "work in a session at the machine itself"},
		})
	}
	return hintOf(err, []sentinel{
		{piv.ErrNoPCSC, "build it with CGO_ENABLED=1 and libpcsclite-dev, or use the Windows binary"},
		{piv.ErrNoService, "start the smart card service: systemctl start pcscd"},
		{piv.ErrServiceFailed, "restart the smart card service: systemctl restart pcscd; what it complains of: journalctl -u pcscd"},
		{piv.ErrAccessDenied, "allow this user the polkit actions org.debian.pcsc-lite.access_pcsc and org.debian.pcsc-lite.access_card, or work in a session at the machine itself"},
	})
}
