package describe

import (
	"strings"
	"testing"

	"github.com/cse-piv/cse-piv/internal/smime"
)

// TestAdviceIsCounted: warnings stand each in a line, the baseline's notes all in one.
func TestAdviceIsCounted(t *testing.T) {
	note := func(id string) smime.Finding {
		return smime.Finding{ID: id, Severity: smime.SeverityNote, Message: "a note"}
	}
	values := findings([]smime.Finding{
		{ID: "leaf-crl", Severity: smime.SeverityWarning, Message: "a warning"}, note("leaf-expires-soon"), note("smbr-aki"), note("smbr-ski"), note("smbr-aki"),
	})
	if len(values) != 3 || values[2].Label != "advice" || !strings.HasPrefix(values[2].Text, "3 notes of") || !strings.HasSuffix(values[2].Text, ": smbr-aki, smbr-ski") {
		t.Errorf("%+v", values)
	}
	if values := findings([]smime.Finding{note("smbr-aki")}); len(values) != 1 || !strings.HasPrefix(values[0].Text, "1 note of") {
		t.Errorf("%+v", values)
	}
}
