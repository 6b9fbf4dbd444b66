package hint

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cse-piv/cse-piv/internal/cli/failure"
	"github.com/cse-piv/cse-piv/internal/piv"
)

// TestHintsOfTheService: what helps is of the system that the program runs on.
func TestHintsOfTheService(t *testing.T) {
	for _, test := range []struct {
		system string
		err    error
		want   string
	}{
		{"linux", piv.ErrNoService, "systemctl start pcscd"},
		{"linux", piv.ErrServiceFailed, "systemctl restart pcscd"},
		{"linux", piv.ErrAccessDenied, "polkit"},
		{"linux", piv.ErrNoPCSC, "libpcsclite-dev"},
		{"windows", piv.ErrNoService, "sc start SCardSvr"},
		{"windows", piv.ErrServiceFailed, "sc stop SCardSvr"},
		{"windows", piv.ErrAccessDenied, "at the machine itself"},
		{"windows", failure.ErrNoReaders, "cse-piv lab --dir practice --people 60"},
		{"darwin", failure.ErrNoReaders, "cse-piv lab --dir practice --people 60"},
		{"darwin", piv.ErrNoService, "restart the machine"},
		{"darwin", piv.ErrServiceFailed, "restart the machine"},
		{"darwin", piv.ErrAccessDenied, "at the machine itself"},
	} {
		hint := serviceHint(test.system, fmt.Errorf("listing readers: %w", test.err))
		if !strings.Contains(hint, test.want) || test.system != "linux" && strings.Contains(hint, "pcscd") {
			t.Errorf("%s, %v: %q", test.system, test.err, hint)
		}
	}
}
