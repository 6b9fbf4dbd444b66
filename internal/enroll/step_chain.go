package enroll

import (
	"bytes"
	"context"
	"crypto/x509"
	"fmt"
	"slices"
	"strings"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/certpath"
	"github.com/cse-piv/cse-piv/internal/piv"
	"github.com/cse-piv/cse-piv/internal/smime"
	"github.com/cse-piv/cse-piv/internal/smime/baseline"
)

// ChainError is returned for a chain that Gmail cannot take; nothing was imported or
// uploaded.
type ChainError struct{ Findings []smime.Finding }

// Error lists what is wrong.
func (e *ChainError) Error() string {
	var messages []string
	for _, finding := range e.Findings {
		messages = append(messages, fmt.Sprintf("%s (%s)", finding.Message, finding.ID))
	}
	return "the certificate cannot be registered: " + strings.Join(messages, "; ")
}

// OtherAddressError is returned for a certificate of somebody else.
type OtherAddressError struct {
	Email     string
	Addresses []string // that it names
	UsedFor   string   // another user for whom Gmail uses it; empty where that is not known
}

// Error says whose it is.
func (e *OtherAddressError) Error() string {
	whose := "nobody's address"
	if len(e.Addresses) > 0 {
		whose = strings.Join(e.Addresses, ", ")
	}
	text := fmt.Sprintf("the certificate names %s, not %s", whose, e.Email)
	if e.UsedFor != "" {
		text += ", and Gmail uses it for " + e.UsedFor
	}
	return text
}

// LimitedUseError is returned for a single key whose certificate does not let it do both: sign,
// and read what is encrypted to it.
type LimitedUseError struct {
	Slot          piv.Slot
	Sign, Encrypt bool // what it may do; not both
}

// Error says what the user could not do.
func (e *LimitedUseError) Error() string {
	what := "for neither signing nor encryption"
	switch {
	case e.Sign:
		what = "for signing only: nobody could encrypt to the user with it"
	case e.Encrypt:
		what = "for encryption only: the user could not sign with it"
	}
	return fmt.Sprintf("the certificate for slot %s is %s", e.Slot, what)
}

// checkUse refuses a single key that cannot do both things.
func (e *enrollment) checkUse(key *key, leaf *x509.Certificate) error {
	sign, encrypt := smime.Allows(leaf)
	if key.Use != certificate.UseBoth || sign && encrypt || e.request.AllowLimitedUse {
		return nil
	}
	return &LimitedUseError{Slot: key.Slot, Sign: sign, Encrypt: encrypt}
}

// chainStep builds the chain from leaf to root and checks it against Gmail's
// profile before the certificate gets anywhere near the card.
func chainStep(index int, request KeyRequest) Step {
	step := keyStep("check-chain", "check the certificate chain for slot %s", KindChange, changesFiles, request)
	step.needs = func(e *enrollment) bool { return e.keys[index].leaf != nil }
	step.check = func(ctx context.Context, e *enrollment) (err error) {
		key := e.keys[index]
		if key.chain == nil { // a certificate that was on the card already
			if err := e.useCertificate(ctx, key, key.leaf, key.parts); err != nil {
				return err
			}
		}
		key.pkcs7, err = certificate.EncodePKCS7(key.chain)
		return err
	}
	step.look = func(_ context.Context, e *enrollment) (bool, error) {
		key := e.keys[index]
		kept, err := e.read(chainFile(key))
		return bytes.Equal(kept, key.pkcs7), err
	}
	step.preview = func(_ context.Context, e *enrollment) error {
		e.noteFindings(e.keys[index])
		return nil
	}
	step.act = func(_ context.Context, e *enrollment) error {
		key := e.keys[index]
		e.noteFindings(key)
		return e.evidence.folder.Write(chainFile(key), key.pkcs7)
	}
	return step
}

// noteFindings tells what the check of the key's chain warns of, and how much advice there is.
func (e *enrollment) noteFindings(key *key) {
	for _, finding := range key.findings {
		if finding.Severity == smime.SeverityWarning {
			e.note("%s (%s)", finding.Message, finding.ID)
		}
	}
	if summary := baseline.Summary(key.findings); summary != "" {
		e.note("%s", summary)
	}
}

// useCertificate makes a certificate the key's, if Gmail can take its chain. Its errors
// are those of checkChain.
func (e *enrollment) useCertificate(ctx context.Context, key *key, leaf *x509.Certificate, parts []*x509.Certificate) error {
	checked, err := e.checkChain(ctx, key, leaf, parts)
	if err == nil {
		key.certificateResult = checked
	}
	return err
}

// checkChain builds the chain from leaf to root and returns it with what is to be said
// about it. A chain that Gmail cannot take is a *ChainError, a certificate for somebody
// else an *OtherAddressError, one that does not serve a single key a *LimitedUseError.
func (e *enrollment) checkChain(ctx context.Context, key *key, leaf *x509.Certificate, parts []*x509.Certificate) (certificateResult, error) {
	var verifier certpath.Verifier
	var sources smime.Sources
	if e.deps.Sources != nil {
		sources = e.deps.Sources(ctx)
	}
	chain, err := verifier.Build(leaf, certpath.NewPool(slices.Concat(parts, e.deps.Chain)), certpath.Options{Now: e.deps.Now(), Mail: true, Fetch: sources.Fetch})
	if err != nil && !smime.HasAddress(leaf, e.request.Email) {
		// No chain helps then.
		return certificateResult{}, &OtherAddressError{Email: e.request.Email, Addresses: smime.EmailAddresses(leaf)}
	}
	if err != nil {
		return certificateResult{}, err
	}
	findings := smime.Check(&verifier, chain, smime.CheckOptions{
		Email: e.request.Email, Now: e.deps.Now(), PublicKey: key.public, Use: key.Use, Sources: sources,
	})
	var errors []smime.Finding
	for _, finding := range findings {
		if finding.Severity == smime.SeverityError {
			errors = append(errors, finding)
		}
	}
	if len(errors) > 0 {
		return certificateResult{}, &ChainError{Findings: errors}
	}
	findings = append(findings, baseline.Advice(leaf)...)
	return certificateResult{leaf, parts, chain, findings}, e.checkUse(key, leaf)
}

func chainFile(key *key) string { return fmt.Sprintf("chain-%s.p7pem", key.Slot) }
