package termination

import (
	"context"
	"crypto/x509"
	"errors"

	"github.com/cse-piv/cse-piv/internal/ledger"
	"github.com/cse-piv/cse-piv/internal/registered"
)

// Ledger is where it is written down what is about to be changed, and what came of it;
// *ledger.Ledger in production.
type Ledger interface {
	Cards(ctx context.Context, email string) ([]ledger.CardCertificate, error)
	RecordCards(ctx context.Context, certificates []ledger.CardCertificate) error
	BeginAction(ctx context.Context, action ledger.Action) (int64, error)
	EndAction(ctx context.Context, id int64, outcome ledger.Outcome, message string) error
}

// CA revokes what it issued.
type CA interface {
	// Revoked reports whether the CA issued a certificate, and whether it revoked it.
	Revoked(leaf *x509.Certificate) (issued, revoked bool, err error)
	// Revoke revokes certificates with a reason code of RFC 5280 section 5.3.1, and signs a
	// new revocation list.
	Revoke(ctx context.Context, leaves []*x509.Certificate, reason int) error
}

// Dependencies is what a termination works on.
type Dependencies struct {
	Settings registered.Settings
	Ledger   Ledger
	CA       CA     // nil where another revokes
	Operator string // for the ledger
	Verb     string // the command, for the ledger
	Text     string // why, as a person gave it
}

// Look makes the plan for a user as things are now.
func (d Dependencies) Look(ctx context.Context, request Request) (Plan, error) {
	state, err := registered.ReadState(ctx, d.Settings)
	if err != nil {
		return Plan{}, err
	}
	var known []ledger.CardCertificate
	if d.Ledger != nil {
		if known, err = d.Ledger.Cards(ctx, request.Email); err != nil {
			return Plan{}, err
		}
	}
	plan, err := NewPlan(state, known, request)
	if err != nil {
		return plan, err
	}
	return plan, d.askCA(&plan)
}

// askCA parts the certificates that are to be revoked into those of the CA at hand, and the
// others. What that CA revoked already is left out.
func (d Dependencies) askCA(plan *Plan) error {
	for _, leaf := range plan.revocations() {
		issued, revoked := false, false
		if d.CA != nil {
			var err error
			if issued, revoked, err = d.CA.Revoked(leaf); err != nil {
				return err
			}
		}
		switch {
		case !issued:
			plan.AskToRevoke = append(plan.AskToRevoke, leaf)
		case !revoked:
			plan.Revoke = append(plan.Revoke, leaf)
		}
	}
	return nil
}

// Run carries a plan out, and looks again: every change is in the ledger before it is asked
// of Gmail. What was done already is passed over, so the same plan can be made and run again
// after whatever failed. The error is a *registered.ChangedError where somebody else
// changed the user's identity after the plan was made.
func (d Dependencies) Run(ctx context.Context, plan Plan) error {
	for i := range plan.Cards {
		plan.Cards[i].Reason = d.Text
	}
	if err := d.Ledger.RecordCards(ctx, plan.Cards); err != nil {
		return err
	}
	for _, effect := range plan.Effects {
		if effect.Done {
			continue
		}
		if err := d.change(ctx, plan, effect); err != nil {
			return err
		}
	}
	if len(plan.Revoke) > 0 {
		if err := d.CA.Revoke(ctx, plan.Revoke, plan.Rule.Revocation); err != nil {
			return err
		}
	}
	return d.verify(ctx, plan)
}

// verify looks whether everything is as it was changed.
func (d Dependencies) verify(ctx context.Context, plan Plan) error {
	state, err := registered.ReadState(ctx, d.Settings)
	if err != nil {
		return err
	}
	for _, effect := range plan.Effects {
		now, err := registered.Forecast(state, effect.Change)
		if err == nil && !now.Done {
			err = &registered.ChangedError{Carried: true}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// change makes one change at Gmail.
func (d Dependencies) change(ctx context.Context, plan Plan, effect registered.Effect) error {
	reason := string(plan.Reason)
	if d.Text != "" {
		reason += ": " + d.Text
	}
	id, err := d.Ledger.BeginAction(ctx, ledger.Action{Email: plan.Email, Verb: d.Verb, Object: effect.KeyPairID, Operator: d.Operator, Reason: reason})
	if err != nil {
		return err
	}
	failure := registered.Carry(ctx, d.Settings, effect)
	outcome, message := ledger.OutcomeDone, ""
	if failure != nil {
		outcome, message = ledger.OutcomeFailed, failure.Error()
	}
	return errors.Join(failure, d.Ledger.EndAction(ctx, id, outcome, message))
}

var _ Ledger = (*ledger.Ledger)(nil)
