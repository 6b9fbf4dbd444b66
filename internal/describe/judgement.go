package describe

import (
	"crypto/x509"
	"fmt"
	"slices"
	"strings"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/smime"
	"github.com/cse-piv/cse-piv/internal/smime/baseline"
)

// Judgement says what a chain can be registered for, and what there is to be said about
// it: the worst first, with where it stands, why it matters, what to ask the authority
// for, and who says so. Of an attestation there is nothing to ask.
func Judgement(certificates []*x509.Certificate, found []smime.Finding, uses []certificate.Use) []Value {
	if len(certificates) > 0 && len(uses) == 0 && certificate.IsAttestation(certificates[0]) {
		return append(chain(certificates), Value{Label: "can be registered", Tone: Bad,
			Text: "no: it is a YubiKey's attestation, which proves where a key was generated, and no certificate for mail"})
	}
	values := append(chain(certificates), Uses(uses))
	if len(uses) > 0 {
		values = append(values, ValidationProfile(smime.NeedsRelaxed(found)))
	}
	if len(found) == 0 {
		return append(values, Value{Label: "chain", Text: "no problem was found", Tone: OK})
	}
	for _, severity := range []smime.Severity{smime.SeverityError, smime.SeverityWarning, smime.SeverityNote} {
		for _, finding := range found {
			if finding.Severity == severity {
				values = append(values, judged(finding))
			}
		}
	}
	return values
}

func judged(finding smime.Finding) Value {
	value := Value{Label: string(finding.Severity), Text: fmt.Sprintf("%s (%s)", finding.Message, finding.ID)}
	value.Tone = map[smime.Severity]Tone{smime.SeverityError: Bad, smime.SeverityWarning: Warning}[finding.Severity]
	if where := strings.TrimSuffix(strings.Join([]string{finding.Certificate, finding.Where}, ", "), ", "); where != "" {
		value.Details = append(value.Details, "where: "+where)
	}
	if rule, known := baseline.Find(finding.ID); known {
		value.Details = append(value.Details, "why: "+rule.Why, "what to do: "+rule.Ask, "source: "+rule.Source)
	}
	return value
}

// Uses says what a certificate can be registered for.
func Uses(uses []certificate.Use) Value {
	value := Value{Label: "can be registered", Tone: OK}
	var halves []string
	for _, use := range uses {
		switch use {
		case certificate.UseSign:
			halves = append(halves, "for signing")
		case certificate.UseEncrypt:
			halves = append(halves, "for encryption")
		}
	}
	switch {
	case len(uses) == 0:
		value.Text, value.Tone = "no", Bad
	case slices.Contains(uses, certificate.UseBoth):
		value.Text = "as a single key pair for both uses, and as one of two " + strings.Join(halves, " or ")
	default:
		value.Text = "as one of two key pairs only, the one " + strings.Join(halves, " or ") + ": another certificate is needed for the other use"
		value.Tone = Warning
	}
	return value
}

// ValidationProfile says what the Admin console's validation profile for the root has to be.
func ValidationProfile(relaxed bool) Value {
	if relaxed {
		return Value{Label: "validation profile", Text: "relaxed, for a root that was added in the Admin console", Tone: Warning}
	}
	return Value{Label: "validation profile", Text: "strict", Tone: OK}
}

// AdminBundle says what is in the file for the Admin console, which validation profile
// its root needs and why, and what comes next.
func AdminBundle(bundle *smime.AdminBundle, next []string) []Value {
	values := []Value{{Label: "root", Text: dated(bundle.Root)}}
	for _, intermediate := range slices.Backward(bundle.Intermediates) {
		values = append(values, Value{Label: "intermediate", Text: dated(intermediate)})
	}
	sample := Value{Label: "end-user sample", Text: "none", Tone: Warning}
	if bundle.Sample != nil {
		sample = Value{Label: "end-user sample", Text: dated(bundle.Sample)}
	}
	values = append(values, sample)
	if bundle.Sample != nil {
		profile := ValidationProfile(smime.NeedsRelaxed(bundle.Findings))
		for _, finding := range bundle.Findings {
			if rule, _ := smime.Find(finding.ID); rule.Profile == smime.ProfilePublic && rule.Severity == smime.SeverityWarning {
				profile.Details = append(profile.Details, fmt.Sprintf("%s: %s (%s)", finding.Certificate, finding.Message, finding.ID))
			}
		}
		values = append(values, profile)
	}
	for _, step := range next {
		values = append(values, Value{Label: "next", Text: step})
	}
	return values
}
