package hint

import (
	"errors"
	"fmt"

	"github.com/cse-piv/cse-piv/internal/cli/failure"
	"github.com/cse-piv/cse-piv/internal/gmail"
	"github.com/cse-piv/cse-piv/internal/keyring"
)

// ofChecks is about what checks alone find.
func (h hints) ofChecks(err error) string {
	if foreign, found := errors.AsType[*failure.ForeignError](err); found {
		what := map[string]string{"gmail-endpoint": "for the real Gmail ", "attestation-roots": "for real YubiKeys "}[foreign.Flag]
		return what + h.either("leave out --"+foreign.Flag+" and ", atStart+"neither --"+foreign.Flag+" nor ") + foreign.Variable
	}
	if wrong, found := errors.AsType[*failure.EndpointError](err); found {
		return h.either("correct ", atStart+"another address in ") + fmt.Sprintf("--%s or %s; for Google's own leave out both", wrong.Flag, wrong.Variable)
	}
	switch {
	case failure.Is[*gmail.ClockError](err):
		return "set this machine's clock, best by a time server: timedatectl set-ntp true; on Windows: w32tm /resync"
	case failure.Is[*failure.NoAnswerError](err):
		return "look what it waits for: a network folder, a driver or a server that does not answer; then " + h.again
	case failure.Is[*keyring.UnavailableError](err):
		return h.either("log in without --keep-login each time", atStart+"no --keep-login") + "; or unlock or install the keyring of this system: on Linux one that is a Secret Service, such as gnome-keyring"
	case errors.Is(err, failure.ErrFactoryPIN):
		return "enroll the card, which has its user choose a PIN: cse-piv enroll EMAIL"
	case errors.Is(err, failure.ErrFactoryKeyPIN):
		return "have its owner choose another: cse-piv card pin change"
	case failure.Is[*failure.NoAuthoritiesError](err):
		return "give the file that Yubico publishes: " + YubicoPublication
	case failure.Is[*failure.AuthoritiesError](err):
		return "keep them anew: cse-piv attestation update " + YubicoPublication
	}
	return ""
}

// YubicoPublication is where Yubico publishes its intermediates.
const YubicoPublication = "https://developers.yubico.com/PKI/yubico-intermediate.pem"
