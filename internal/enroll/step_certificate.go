package enroll

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/certpath"
	"github.com/cse-piv/cse-piv/internal/issuer"
	"github.com/cse-piv/cse-piv/internal/piv"
	"github.com/cse-piv/cse-piv/internal/smime"
)

// OtherKeyError is returned for a certificate whose key is not the one on the card.
type OtherKeyError struct {
	Slot  piv.Slot
	Where string
}

// InTheSlot is where a certificate is that was on the card already.
const InTheSlot = "in the slot"

// Error says where the certificate came from.
func (e *OtherKeyError) Error() string {
	return fmt.Sprintf("the certificate %s was issued for another key than the one in slot %s", e.Where, e.Slot)
}

// NotAsAskedError is returned for an issued certificate that cannot be used, and that
// differs from what was asked for. The key stays on the card, and the issuer is asked
// again by the next run.
type NotAsAskedError struct {
	Slot        piv.Slot
	Differences []issuer.Difference
	Err         error // why it cannot be used
}

// Error names both sides of each difference.
func (e *NotAsAskedError) Error() string {
	var differences []string
	for _, difference := range e.Differences {
		differences = append(differences, difference.String())
	}
	return fmt.Sprintf("the certificate that was issued for slot %s is not what was asked for (%s): %v", e.Slot, strings.Join(differences, "; "), e.Err)
}

// Unwrap returns why the certificate cannot be used.
func (e *NotAsAskedError) Unwrap() error { return e.Err }

// notAsAsked returns the error of checkChain with what differs from the request, where
// that may be why.
func notAsAsked(key *key, csr *x509.CertificateRequest, leaf *x509.Certificate, err error) error {
	var (
		chain *ChainError
		other *OtherAddressError
		use   *LimitedUseError
	)
	if differences := issuer.Differences(csr, leaf); len(differences) > 0 && (errors.As(err, &chain) || errors.As(err, &other) || errors.As(err, &use)) {
		return &NotAsAskedError{Slot: key.Slot, Differences: differences, Err: err}
	}
	return err
}

// ErrNoIssuer is returned where a certificate is needed and no issuer was named.
var ErrNoIssuer = errors.New("no issuer was named for the certificate")

// certificateResult is the certificate of a key, as it was read from the evidence
// folder, the slot or Gmail.
type certificateResult struct {
	leaf     *x509.Certificate
	parts    []*x509.Certificate // that came with the leaf
	chain    []*x509.Certificate // leaf to root, checked; nil before
	findings []smime.Finding     // of the check
}

// certificateStep asks the issuer for every certificate that is not there yet,
// and keeps only what Gmail can take, so that a better one can still come.
// It asks for all of them before it waits for one, so that a person who carries
// requests to an issuer carries both at once.
func certificateStep() Step {
	return Step{ID: "certificate", Title: "get the certificate", Kind: KindChange, Changes: changesFiles,
		needs: decided,
		look: func(ctx context.Context, e *enrollment) (bool, error) {
			all := true
			for _, key := range e.keys {
				if key.public != nil {
					if err := e.findCertificate(ctx, key); err != nil {
						return false, err
					}
				}
				all = all && key.leaf != nil
			}
			return all, nil
		},
		preview: func(ctx context.Context, e *enrollment) error {
			var stops []error
			for _, key := range e.keys {
				if key.leaf == nil {
					stops = append(stops, e.previewIssue(ctx, key))
				}
			}
			return errors.Join(stops...)
		},
		act: func(ctx context.Context, e *enrollment) error {
			if err := e.noteManagementKey(); err != nil {
				return err
			}
			var waiting []error
			for _, key := range e.keys {
				if key.leaf != nil {
					continue
				}
				err := e.requestCertificate(ctx, key)
				var wait *issuer.WaitingError
				if errors.As(err, &wait) {
					waiting = append(waiting, err)
					e.tellWaiting(key)
				} else if err != nil {
					return err
				}
			}
			return errors.Join(waiting...)
		}}
}

// tellWaiting says how the card stands while the certificate of a renewal has not come.
func (e *enrollment) tellWaiting(key *key) {
	switch of := e.renewal.of; {
	case of == nil:
	case Renewal(of.Kind) == RenewSameKey:
		e.note("until the new certificate has come, the old one of the same key goes on serving")
	case e.oldKey(key).MovedTo == "":
		e.note("until the new certificate has come, the card can neither sign nor read: the old key of slot %s is gone", key.Slot)
	default:
		e.note("%s", untilRenewed(key.Slot, e.oldKey(key).MovedTo))
	}
}

// previewIssue tells with what asking the issuer would end, where that can be
// told without asking.
func (e *enrollment) previewIssue(ctx context.Context, key *key) error {
	if e.deps.Issuer == nil {
		return ErrNoIssuer
	}
	if asked, name := e.evidence.journal.Asked[key.Slot.String()], e.deps.Issuer.Name(); asked != "" && asked != name && !key.toGenerate() && !e.request.ChangeIssuer {
		return &IssuerChangedError{Asked: asked, Now: name}
	}
	previewer, ok := e.deps.Issuer.(issuer.Previewer)
	if !ok {
		return nil
	}
	renews, err := e.renews(ctx, key)
	if err != nil {
		return err
	}
	return previewer.Preview(issuer.Request{Email: e.request.Email, Slot: key.Slot.String(), Renews: renews}, key.public)
}

// requestCertificate asks the issuer for the key's certificate, and writes it into the
// folder if Gmail can take it.
func (e *enrollment) requestCertificate(ctx context.Context, key *key) error {
	if e.deps.Issuer == nil {
		return ErrNoIssuer
	}
	csr, err := e.savedRequest(key)
	if err != nil {
		return err
	}
	if csr == nil {
		return fmt.Errorf("the request for slot %s is not in %s any more", key.Slot, e.evidence.folder.Path())
	}
	request := issuer.Request{
		Email: e.request.Email, Slot: key.Slot.String(), Use: key.Use,
		CSR: csr.Raw, Attestation: key.attestation.Certificates(),
	}
	if e.events.current.Step != "" { // else nobody is there to be told
		request.Notice = func(what string) { e.note("%s", what) }
	}
	if err := e.noteIssuer(ctx, key); err != nil {
		return err
	}
	if e.card.Card != nil {
		request.Key = e.card.Signer(ctx, key.Slot, key.public, e.secrets.pin)
	}
	if request.Renews, err = e.renews(ctx, key); err != nil {
		return err
	}
	certificates, err := e.issued(ctx, key)
	if err != nil {
		return err
	}
	if certificates == nil {
		if certificates, err = e.deps.Issuer.Issue(ctx, request); err != nil {
			return err
		}
	}
	if len(certificates) == 0 || !certificate.SameKey(certificates[0].PublicKey, key.public) {
		return &OtherKeyError{Slot: key.Slot, Where: "from " + e.deps.Issuer.Name()}
	}
	leaf := certificates[0]
	if e.evidence.journal.Renewal != nil && leaf.Equal(request.Renews) {
		return ErrNotRenewed
	}
	if _, err := e.checkChain(ctx, key, leaf, certificates[1:]); err != nil {
		if isMissingIssuer(err) {
			// It is a good one, and need not be asked for again.
			return errors.Join(err, e.evidence.folder.Write(issuedFile(key), certificate.EncodePEM(certificates...)))
		}
		return notAsAsked(key, csr, leaf, err)
	}
	if e.card.Card != nil {
		if _, err := piv.PackingOf(e.card.Identity().Firmware, leaf); err != nil {
			return err
		}
	}
	return e.evidence.folder.Write(certificateFile(key), certificate.EncodePEM(certificates...))
}

// renews returns the certificate that a new one takes the place of: the one that is to be
// renewed, or the one that the slot has for the user; nil for none, or without the card.
func (e *enrollment) renews(ctx context.Context, key *key) (*x509.Certificate, error) {
	if renewed, err := e.renewedLeaf(key); err != nil || renewed != nil {
		return renewed, err
	}
	if e.card.Card == nil {
		return nil, nil
	}
	contents, err := e.card.Slot(ctx, key.Slot)
	if err != nil || contents.Certificate == nil || !smime.HasAddress(contents.Certificate, e.request.Email) {
		return nil, err
	}
	return contents.Certificate, nil
}

// issued returns a certificate of the key that was issued before and lacked a part of its
// chain, with what the issuer has of that now; nil where there is none that is still
// good, and where it is lacking still and the issuer, such as a folder, answers the same
// request with what it has by now.
func (e *enrollment) issued(ctx context.Context, key *key) ([]*x509.Certificate, error) {
	data, err := e.read(issuedFile(key))
	if err != nil || data == nil {
		return nil, err
	}
	certificates, err := certificate.Parse(data)
	if err != nil || !certificate.SameKey(certificates[0].PublicKey, key.public) {
		return nil, nil
	}
	_, err = e.checkChain(ctx, key, certificates[0], certificates[1:])
	chainer, issuesAnew := e.deps.Issuer.(issuer.Chainer)
	if issuesAnew && isMissingIssuer(err) {
		above, chainErr := chainer.Chain(ctx)
		if chainErr != nil {
			return nil, errors.Join(err, chainErr)
		}
		certificates = append(certificates, above...)
		_, err = e.checkChain(ctx, key, certificates[0], certificates[1:])
	}
	if err != nil && !(issuesAnew && isMissingIssuer(err)) {
		return nil, nil
	}
	return certificates, nil
}

func isMissingIssuer(err error) bool {
	var none *certpath.NoPathError
	return errors.As(err, &none) && (none.Fault.Cause == certpath.CauseMissing || none.Fault.Cause == certpath.CauseNoRoot)
}

func issuedFile(key *key) string { return fmt.Sprintf("issued-%s.pem", key.Slot) }

// IssuerChangedError is returned for a certificate that another issuer was asked for
// before.
type IssuerChangedError struct{ Asked, Now string }

// Error names both.
func (e *IssuerChangedError) Error() string {
	return fmt.Sprintf("the certificate was asked for of %q, and would now be asked for of %q", e.Asked, e.Now)
}

// noteIssuer writes down who is asked for the key's certificate, before they are.
// Somebody else than before is asked only if a person agrees.
func (e *enrollment) noteIssuer(ctx context.Context, key *key) error {
	name := e.deps.Issuer.Name()
	asked := e.evidence.journal.Asked[key.Slot.String()]
	if asked == name {
		return nil
	}
	if asked != "" && !e.request.ChangeIssuer {
		if err := e.agreeToIssuer(ctx, &IssuerChangedError{Asked: asked, Now: name}); err != nil {
			return err
		}
	}
	return e.noteAsked(key, name)
}

func (e *enrollment) agreeToIssuer(ctx context.Context, changed *IssuerChangedError) error {
	if e.events.current.Step == "" {
		return changed // nobody is there
	}
	return e.confirm(ctx, Question{
		ID: QuestionChangeIssuer, Text: changed.Error() + ": is that meant? The first may sign it as well.",
	}, changed)
}
