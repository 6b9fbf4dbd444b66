package tui

import (
	"crypto/x509"
	"fmt"
	"strings"
	"time"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/smime"
)

// reviewScreen shows what is about to be registered.
type reviewScreen struct{ asked *reviewAsked }

func (*reviewScreen) enter(*session)       {}
func (*reviewScreen) typing(*session) bool { return false }

func (r *reviewScreen) bindings(s *session) []key.Binding {
	stop := named(s.keys.Back, "stop")
	if r.asked == nil || !registrable(r.asked.review) {
		return []key.Binding{stop}
	}
	return []key.Binding{named(s.keys.Next, "register at Gmail"), stop}
}

func (r *reviewScreen) update(s *session, msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case reviewAsked:
		r.asked = &msg
	case tea.KeyPressMsg:
		if r.asked != nil && registrable(r.asked.review) && key.Matches(msg, s.keys.Next) {
			r.asked.reply <- answer[bool]{value: true}
			r.asked = nil
			return s.tell(showMsg{screenWork})
		}
	}
	return nil
}

// registrable reports whether nothing speaks against the registration. An
// enrollment does not ask before that is so; here nobody can agree to less.
func registrable(review enroll.Review) bool {
	for _, reviewed := range review.Keys {
		if !reviewed.Same() {
			return false
		}
		for _, finding := range reviewed.Findings {
			if finding.Severity == smime.SeverityError {
				return false
			}
		}
	}
	return true
}

func (r *reviewScreen) view(s *session, width, _ int) string {
	if r.asked == nil {
		return ""
	}
	review := r.asked.review
	lines := []string{s.styles.Title.Render(fmt.Sprintf("To be registered for %s", clean(review.Email))), ""}
	if !registrable(review) {
		lines = append(lines, s.styles.Bad.Render(markBad+" This cannot be registered; what is wrong is marked below."), "")
	}
	for _, reviewed := range review.Keys {
		lines = append(lines, reviewLines(s, reviewed, width)...)
		lines = append(lines, "")
	}
	if review.GmailEndpoint != "" {
		lines = append(lines, wrapped(s.styles.Warning.Render(markWarning), clean(enroll.EndpointText(review.GmailEndpoint)), width)...)
	}
	return strings.Join(lines, "\n")
}

var useNames = map[certificate.Use]string{
	certificate.UseBoth: "signs and decrypts", certificate.UseSign: "signs", certificate.UseEncrypt: "decrypts",
}

func reviewLines(s *session, reviewed enroll.ReviewKey, width int) []string {
	proof := s.styles.OK.Render(markOK + " proven to be born on this card")
	if !reviewed.Attested {
		proof = s.styles.Warning.Render(markWarning + " not proven to be born on this card")
	}
	lines := []string{fmt.Sprintf("slot %s %s, %s", strings.ToUpper(reviewed.Slot), useNames[reviewed.Use], proof)}
	if said := reviewed.NoPIN(); said != "" {
		lines = append(lines, wrapped("  "+s.styles.Warning.Render(markWarning), said, width)...)
	}
	// From the root down, as a tree is read.
	for depth := range reviewed.Chain {
		certificate := reviewed.Chain[len(reviewed.Chain)-1-depth]
		branch := ""
		if depth > 0 {
			branch = strings.Repeat("   ", depth-1) + "└─ "
		}
		lines = append(lines, wrapped("  "+branch+markNone, certificateText(certificate), width)...)
	}
	lines = append(lines, wrapped("  addresses  ", clean(strings.Join(smime.EmailAddresses(reviewed.Chain[0]), ", ")), width)...)
	lines = append(lines, wrapped("  on card    ", reviewed.OnCard, width)...)
	same := s.styles.OK.Render(markOK + " the same")
	if !reviewed.Same() {
		same = s.styles.Bad.Render(markBad + " NOT the same")
	}
	lines = append(lines, wrapped("  to upload  ", reviewed.Upload, width)...)
	lines = append(lines, "              "+same)
	if reviewed.Root != "" {
		lines = append(lines, wrapped("  proven up to", clean(enroll.RootText(reviewed.Root, reviewed.YubicoRoot)), width)...)
	}
	if reviewed.Known {
		lines = append(lines, "  "+markNone+" Gmail has this key pair already; it is used again")
	}
	for _, severity := range []smime.Severity{smime.SeverityError, smime.SeverityWarning, smime.SeverityNote} {
		for _, finding := range reviewed.Findings {
			if finding.Severity == severity {
				lines = append(lines, findingLines(s, finding, width)...)
			}
		}
	}
	if len(reviewed.Findings) == 0 {
		lines = append(lines, "  "+s.styles.OK.Render(markOK+" nothing to say against the chain"))
	}
	return lines
}

func certificateText(certificate *x509.Certificate) string {
	name := certificate.Subject.CommonName
	if name == "" {
		name = certificate.Subject.String()
	}
	return fmt.Sprintf("%s, %s to %s", clean(name), certificate.NotBefore.Format(time.DateOnly), certificate.NotAfter.Format(time.DateOnly))
}

func findingLines(s *session, finding smime.Finding, width int) []string {
	label := s.styles.Faint.Render("  " + markNone + " note   ")
	switch finding.Severity {
	case smime.SeverityError:
		label = s.styles.Bad.Render("  " + markBad + " error  ")
	case smime.SeverityWarning:
		label = s.styles.Warning.Render("  " + markWarning + " warning")
	}
	return wrapped(label, clean(fmt.Sprintf("%s (%s)", finding.Message, finding.ID)), width)
}
