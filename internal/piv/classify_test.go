package piv

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cse-piv/cse-piv/internal/piv/pcsc"
)

func TestCauseOfCodes(t *testing.T) {
	for code, want := range map[pcsc.Code]error{
		pcsc.SharingViolation: ErrCardInUse, pcsc.RemovedCard: ErrRemoved, pcsc.NoSmartCard: ErrRemoved, pcsc.ResetCard: ErrReset,
		pcsc.NoService: ErrNoService, pcsc.SecurityViolation: ErrAccessDenied,
	} {
		err := classify(fmt.Errorf("doing: %w", &pcsc.Error{Call: "connect", Code: code}))
		if !errors.Is(err, want) || !errors.Is(err, code) {
			t.Errorf("%08X: %v", uint32(code), err)
		}
		if again := classify(err); again.Error() != err.Error() {
			t.Errorf("named twice: %v", again)
		}
	}
	for _, err := range []error{nil, ErrNoPCSC, errors.New("else"), pcsc.NotFound, &pcsc.Error{Call: "x", Code: pcsc.Timeout}} {
		if got := classify(err); got != err {
			t.Errorf("%v became %v", err, got)
		}
	}
	if err := classify(fmt.Errorf("put: %w", pcsc.CardFull)); !errors.Is(err, ErrCardFull) {
		t.Errorf("6A84: %v", err)
	}
	if err := classify(errors.New("transmitting request: unknown pcsc return code 0x80100068")); !errors.Is(err, ErrReset) {
		t.Errorf("a code in a text: %v", err)
	}
}

// TestTheServiceIsToldFromTheCard: the same code is a service that does not work where
// no card was asked, and a card that was reset where one was.
func TestTheServiceIsToldFromTheCard(t *testing.T) {
	const odd pcsc.Code = 1722 // RPC_S_SERVER_UNAVAILABLE, which Windows returns as it is
	for _, test := range []struct {
		code              pcsc.Code
		ofService, ofCard error
	}{
		{pcsc.InternalError, ErrServiceFailed, ErrReset},
		{pcsc.UnexpectedError, ErrServiceFailed, ErrReset},
		{pcsc.CommError, ErrServiceFailed, ErrReset},
		{pcsc.InvalidHandle, ErrServiceFailed, ErrReset},
		{pcsc.NoMemory, ErrServiceFailed, nil},
		{pcsc.ServerTooBusy, ErrServiceFailed, nil},
		{odd, ErrServiceFailed, nil},
		{pcsc.NoService, ErrNoService, ErrNoService},
		{pcsc.ServiceStopped, ErrNoService, ErrNoService},
		{pcsc.SecurityViolation, ErrAccessDenied, ErrAccessDenied},
		{pcsc.AccessDenied, ErrAccessDenied, ErrAccessDenied},
		{pcsc.UnknownReader, ErrRemoved, ErrRemoved},
		{pcsc.Timeout, nil, nil},
		{pcsc.Cancelled, nil, nil},
	} {
		for service, want := range map[bool]error{true: test.ofService, false: test.ofCard} {
			err := classify(fmt.Errorf("doing: %w", &pcsc.Error{Call: "calling", Code: test.code, Service: service}))
			if want == nil && sentinelOf(err) != nil || want != nil && !errors.Is(err, want) || errors.Is(err, ErrReset) != (want == ErrReset) {
				t.Errorf("%08X, of the service %v: %v", uint32(test.code), service, err)
			}
		}
	}
	for text, want := range map[string]error{
		pivgoConnects + "an internal consistency check failed":           ErrServiceFailed,
		"connecting to smart card: an internal consistency check failed": ErrReset,
		pivgoConnects + "the smart card resource manager is not running": ErrNoService,
		"transmitting request: unknown pcsc return code 0x80100013":      ErrReset,
		pivgoConnects + "unknown pcsc return code 0x80100031":            ErrServiceFailed,
	} {
		if err := classify(errors.New(text)); !errors.Is(err, want) {
			t.Errorf("%q became %v", text, err)
		}
	}
	opening, err := os.ReadFile(filepath.Join(pivgoSource(t), "piv.go"))
	if err != nil || !strings.Contains(string(opening), `"`+pivgoConnects+`%w"`) {
		t.Errorf("piv-go says otherwise that no connection came about: %v", err)
	}
}

// pivgoSource returns the folder of piv-go's own source.
func pivgoSource(t *testing.T) string {
	t.Helper()
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/go-piv/piv-go/v2").Output()
	if err != nil {
		t.Fatalf("the module cannot be looked at: %v", err)
	}
	return filepath.Join(strings.TrimSpace(string(dir)), "piv")
}

// TestForeignTextsAreThere compares the texts that tell piv-go's errors apart
// with those in the module that is built in.
func TestForeignTextsAreThere(t *testing.T) {
	source := pivgoSource(t)
	table, err := os.ReadFile(filepath.Join(source, "pcsc_errors.go"))
	if err != nil {
		t.Fatal(err)
	}
	binding, err := os.ReadFile(filepath.Join(source, "pcsc_unix.go"))
	if err != nil {
		t.Fatal(err)
	}
	errors, err := os.ReadFile(filepath.Join(source, "pcsc.go"))
	if err != nil || !strings.Contains(string(errors), `"unknown pcsc return code 0x%08x"`) {
		t.Errorf("a code without a text is told otherwise: %v", err)
	}
	for _, known := range foreignTexts() {
		if strings.Contains(string(binding), known.text) {
			continue
		}
		found := false
		for line := range strings.Lines(string(table)) {
			if strings.Contains(line, known.text) {
				found = true
				if !strings.Contains(line, fmt.Sprintf("0x%08X", uint32(known.code))) {
					t.Errorf("%q stands for another code: %s", known.text, line)
				}
			}
		}
		if !found {
			t.Errorf("%q is not among the texts", known.text)
		}
	}
}

func TestReferenceErrors(t *testing.T) {
	for status, want := range map[pcsc.Status]error{0x6983: ErrPUKBlocked, 0x63C0: ErrPUKBlocked, 0x6985: ErrWeakPIN} {
		if err := referenceError(referencePUK, status); !errors.Is(err, want) {
			t.Errorf("%04X: %v", uint16(status), err)
		}
	}
	var wrong *WrongPINError
	for status, tries := range map[pcsc.Status]int{0x63C2: 2, 0x6301: 1} {
		if err := referenceError(referencePIN, status); !errors.As(err, &wrong) || wrong.Tries != tries {
			t.Errorf("%04X: %v", uint16(status), err)
		}
	}
}

func TestChooseRefusesToGuess(t *testing.T) {
	card := func(serial uint32) Found { return Found{Identity: Identity{Serial: serial}} }
	failed := func(err error) Found { return Found{Reader: "reader", Err: err} }
	held := failed(&InUseError{Reader: "reader"})
	if _, err := choose([]Found{card(1), held}, 0); !errors.Is(err, ErrCardInUse) {
		t.Errorf("the held card may be a second one: %v", err)
	}
	if got, err := choose([]Found{held, card(1)}, 1); err != nil || got.Identity.Serial != 1 {
		t.Errorf("the card asked for is there: %v, %v", got, err)
	}
	if _, err := choose([]Found{card(1), held}, 2); !errors.Is(err, ErrCardInUse) {
		t.Errorf("the held card may be it: %v", err)
	}
	if got, err := choose([]Found{failed(ErrNotYubiKey), card(1), failed(ErrNoCard)}, 0); err != nil || got.Identity.Serial != 1 {
		t.Errorf("one YubiKey among others: %v, %v", got, err)
	}
}

// TestClassifiedSaysOnce: what the cause says already is not said before it again.
func TestClassifiedSaysOnce(t *testing.T) {
	for _, test := range []struct {
		err  error
		want string
	}{
		{&pcsc.Error{Call: "connecting to the smart card service", Code: pcsc.NoService, Service: true}, "connecting to the smart card service: the smart card service is not running"},
		{&pcsc.Error{Call: "transmit", Code: pcsc.CommError}, ErrReset.Error() + ": transmit: " + pcsc.CommError.Error()},
	} {
		err := classify(test.err)
		if err.Error() != test.want || !errors.Is(err, sentinelOf(test.err)) || !errors.Is(err, test.err) {
			t.Errorf("%v, want %s", err, test.want)
		}
	}
}
