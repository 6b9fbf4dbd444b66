package clients

import (
	"strings"
	"testing"
	"time"

	"github.com/cse-piv/cse-piv/internal/lab"
)

// verifyThenAsk has one program verify the PIN and end, and the next one ask
// whether it is verified: VERIFY without data (SP 800-73-4 Part 2, 3.2.1).
// Neither has the card reset on leaving.
func verifyThenAsk(s *station) string {
	s.t.Helper()
	selectPIV := []string{"-c", "default", "-s", "00:A4:04:00:05:A0:00:00:03:08"}
	s.says(s.run("opensc-tool", append(selectPIV, "-s", "00:20:00:80:08:31:32:33:34:35:36:FF:FF")...), "SW1=0x90, SW2=0x00")
	out := s.run("opensc-tool", append(selectPIV, "-s", "00:20:00:80")...)
	_, answer, _ := strings.Cut(out, "Sending: 00 20 00 80")
	return answer
}

const (
	pinVerified = "SW1=0x90, SW2=0x00"
	pinNeeded   = "SW1=0x63, SW2=0xC3"
)

// TestPowerBetweenPrograms has a card keep what was verified from one program to
// the next, as long as it keeps its power.
func TestPowerBetweenPrograms(t *testing.T) {
	need(t, "opensc-tool")
	t.Parallel()
	for want, grace := range map[string]time.Duration{pinVerified: time.Hour, pinNeeded: -1} {
		l := startLab(t, lab.Options{Firmware: "5.4.3", PowerGrace: grace})
		s := &station{t: t, dir: t.TempDir(), env: []string{"PCSCLITE_CSOCK_NAME=" + l.Env()["PCSCLITE_CSOCK_NAME"]}}
		s.says(verifyThenAsk(s), want)
		if unlocked, err := l.Unlocked(0); err != nil || unlocked != (grace > 0) {
			t.Errorf("grace %v: unlocked is %v, %v", grace, unlocked, err)
		}
		if err := l.Pull(0); err != nil {
			t.Fatal(err)
		}
		if err := l.Insert(0, nil); err != nil {
			t.Fatal(err)
		}
		if unlocked, err := l.Unlocked(0); err != nil || unlocked {
			t.Errorf("pulled and put back: unlocked is %v, %v", unlocked, err)
		}
	}
}

// realPower sees the same with the real pcscd. Between the two programs the
// machine may take longer than pcscd waits, so it tries until it does not.
func realPower(s *station) {
	waitUntil(s.t, "the next program finds the PIN verified", func() bool {
		return strings.Contains(verifyThenAsk(s), pinVerified)
	})
}
