package enroll

import (
	"context"
	"errors"
	"fmt"

	"github.com/cse-piv/cse-piv/internal/evidence"
	"github.com/cse-piv/cse-piv/internal/piv"
	"github.com/cse-piv/cse-piv/internal/secret"
)

// CardRequest asks for a card to be made ready for somebody to be enrolled with, without anybody yet:
// PIN, PUK and management key of its own, and what Windows wants to find on it.
type CardRequest struct {
	Serial uint32 // of the card; 0 takes the only card that is there
	// PIN, PUK and ManagementKey take the factory ones' place, as in Request.
	PIN, PUK, ManagementKey secret.Secret
	ProtectManagementKey    bool
	MinPINLength            int
	NewCard                 bool
	// PINTries and PUKTries are how many tries the card is to give, 1 to 255; 0 leaves them.
	// They can be set only on a card with the factory PIN and PUK.
	PINTries, PUKTries int
	// Profile is what the card has to be like; nil for anything.
	Profile *Profile
}

// request is the enrollment's part of it.
func (r CardRequest) request() Request {
	return Request{Serial: r.Serial, PIN: r.PIN, PUK: r.PUK, ManagementKey: r.ManagementKey, ProtectManagementKey: r.ProtectManagementKey,
		MinPINLength: r.MinPINLength, NewCard: r.NewCard, cardOnly: true, PINTries: r.PINTries, PUKTries: r.PUKTries, Profile: r.Profile}
}

// Validate reports, as a *UsageError, what is wrong with the request itself.
func (r CardRequest) Validate() error {
	if err := r.request().validateTries(); err != nil {
		return err
	}
	return r.request().validateSecrets()
}

// NewCardPlan returns the plan that makes a card ready: the steps of an enrollment that concern the
// card alone. The numbers of tries come first, because they set PIN and PUK to the factory ones; the
// management key comes last, because whoever goes on with a run that was broken off needs it.
func NewCardPlan(Request) Plan {
	return Plan{readCardStep(), cardEvidenceStep(), secretsStep(), triesStep(), pinStep(), escrowStep(), pukStep(), chuidStep(), managementKeyStep(), readyStep()}
}

// ReadyCard is what a card is ready with. The JSON names are a contract.
type ReadyCard struct {
	Serial   uint32 `json:"serial"`
	Firmware string `json:"firmware"`
	Model    string `json:"model"`
	// PINTries and PUKTries are how many tries there are; 0 where the card does not tell.
	PINTries int `json:"pin_tries,omitempty"`
	PUKTries int `json:"puk_tries,omitempty"`
	// PUKFactory says whether the PUK is the factory one: yes, no or unknown.
	PUKFactory piv.Tri `json:"puk_factory"`
	// PINProtected says that the PIN leads to the management key.
	PINProtected bool           `json:"pin_protected"`
	Escrow       *ReceiptEscrow `json:"escrow,omitempty"` // where what was generated is sealed
	Evidence     string         `json:"evidence"`
	// Profile is the enrollment profile that was followed.
	Profile *evidence.Profile `json:"profile,omitempty"`
}

// InitCard makes a card ready, and may be repeated like Run. Its errors are those of Run.
func InitCard(ctx context.Context, deps Dependencies, request CardRequest) (*ReadyCard, error) {
	if err := request.Validate(); err != nil {
		return nil, err
	}
	e, err := run(ctx, deps, request.request(), NewCardPlan)
	return e.ready.readyCard, err
}

// PreviewCard tells what InitCard would come to, as NewPreview does of an enrollment.
func PreviewCard(ctx context.Context, deps Dependencies, request CardRequest) (*Preview, error) {
	if err := request.Validate(); err != nil {
		return nil, err
	}
	return newPreview(ctx, deps, request.request(), NewCardPlan)
}

// readyResult is what the card is ready with.
type readyResult struct{ readyCard *ReadyCard }

// cardEvidenceStep opens the folder where is written down how far the card is, beside those of
// enrollments.
func cardEvidenceStep() Step {
	return Step{ID: "evidence", Title: "open the evidence folder", Kind: KindChange, Changes: changesFiles,
		needs: cardRead,
		check: func(ctx context.Context, e *enrollment) error {
			e.request.Email = fmt.Sprintf("card %d", e.request.Serial) // no mail address has a blank
			var err error
			if e.evidence.earlier, err = e.evidence.find(ctx); err != nil || e.evidence.earlier == nil || e.evidence.folder != nil {
				return err
			}
			return e.evidence.readEarlier()
		},
		look: func(_ context.Context, e *enrollment) (bool, error) {
			if e.evidence.folder == nil {
				e.evidence.folder = e.evidence.earlier
			}
			return e.evidence.folder != nil, nil
		},
		act: func(_ context.Context, e *enrollment) (err error) {
			if e.evidence.folder, err = e.beginFolder(); err != nil {
				return err
			}
			e.writeDown()
			return e.writeJournal()
		},
	}
}

// TriesError is returned where the numbers of tries cannot be set: that makes PIN and PUK the factory
// ones, and the card has others. Nothing was changed.
type TriesError struct{ Serial uint32 }

// Error says why not.
func (e *TriesError) Error() string {
	return fmt.Sprintf("setting the numbers of tries makes PIN and PUK the factory ones, and card %d has its own", e.Serial)
}

// triesStep sets how many tries PIN and PUK have.
func triesStep() Step {
	return Step{ID: "set-tries", Title: "set how many tries PIN and PUK have", Kind: KindChange, Changes: changesCard,
		needs: gathered,
		check: func(ctx context.Context, e *enrollment) error {
			set, err := e.hasTries(ctx)
			if err != nil || set {
				return err
			}
			protection, err := e.card.Protection(ctx)
			if err == nil && (!e.factoryPIN(protection) || e.factoryPUK(protection) != piv.Yes) {
				err = &TriesError{Serial: e.request.Serial}
			}
			return err
		},
		look: func(ctx context.Context, e *enrollment) (bool, error) { return e.hasTries(ctx) },
		act:  func(ctx context.Context, e *enrollment) error { return e.setTries(ctx) },
	}
}

// hasTries reports whether the card has the numbers of tries, or none are asked for. Firmware that
// does not tell has them where the journal says so.
func (e *enrollment) hasTries(ctx context.Context) (bool, error) {
	pin, puk := e.request.PINTries, e.request.PUKTries
	if pin == 0 && puk == 0 {
		return true, nil
	}
	protection, err := e.card.Protection(ctx)
	if err != nil {
		return false, err
	}
	if protection.PUK.Max == piv.UnknownTries {
		return e.noted(evidence.SecretTries).State == evidence.SecretSet, nil
	}
	return (pin == 0 || protection.PIN.Max == pin) && (puk == 0 || protection.PUK.Max == puk), nil
}

// setTries sets them. The number that nobody asked for stays, or is the factory's three.
func (e *enrollment) setTries(ctx context.Context) error {
	protection, err := e.card.Protection(ctx)
	if err != nil {
		return err
	}
	number := func(asked, there int) int {
		switch {
		case asked > 0:
			return asked
		case there > 0:
			return there
		}
		return 3
	}
	key := e.secrets.managementKey
	if key.IsZero() {
		if key, err = e.card.ProtectedManagementKey(ctx, piv.FactoryPIN()); err != nil {
			return err
		}
	}
	if err := e.noteSecret(evidence.SecretTries, evidence.SecretSetting, ""); err != nil {
		return err
	}
	err = e.card.SetRetries(ctx, key, piv.FactoryPIN(), number(e.request.PINTries, protection.PIN.Max), number(e.request.PUKTries, protection.PUK.Max))
	var wrong *piv.WrongPINError
	if errors.As(err, &wrong) && protection.PIN.Factory == piv.Unknown {
		return &NotNewError{Serial: e.request.Serial, Err: wrong}
	}
	if err != nil {
		return err
	}
	return e.noteSecret(evidence.SecretTries, evidence.SecretSet, "")
}

// chuidStep gives the card a CHUID and a CCC where it has none, by which Windows knows it.
func chuidStep() Step {
	return Step{ID: "set-chuid", Title: "write CHUID and CCC", Kind: KindChange, Changes: changesCard,
		needs: gathered,
		look:  func(ctx context.Context, e *enrollment) (bool, error) { return e.card.HasCHUID(ctx) },
		act: func(ctx context.Context, e *enrollment) error {
			return e.card.EnsureCHUID(ctx, e.secrets.managementKey)
		},
	}
}

// cardIsIncomplete reports whether a card that is made ready is still to be written with the
// management key.
func (e *enrollment) cardIsIncomplete(ctx context.Context) (bool, error) {
	has, err := e.card.HasCHUID(ctx)
	if err != nil || !has {
		return true, err
	}
	has, err = e.hasTries(ctx)
	return !has, err
}

// readyStep sees that the card has no factory secret any more.
func readyStep() Step {
	return Step{ID: "check-ready", Title: "see that no factory PIN, PUK or management key is left", Kind: KindCheck, Changes: changesNothing,
		needs: func(e *enrollment) bool { return gathered(e) && e.evidence.folder != nil },
		check: func(ctx context.Context, e *enrollment) error {
			puk, err := e.checkNoFactorySecret(ctx)
			if _, previewed := e.card.Card.(readOnlyCard); previewed && errors.Is(err, ErrFactorySecret) {
				return errReadOnly // the steps before would have replaced it
			}
			if err != nil {
				return err
			}
			protection, err := e.card.Protection(ctx)
			if err != nil {
				return err
			}
			admin, err := e.card.AdminData(ctx)
			if err != nil {
				return err
			}
			e.markInForce()
			e.noteCHUID(ctx)
			id := e.card.Identity()
			e.ready.readyCard = &ReadyCard{
				Serial: id.Serial, Firmware: id.Firmware.String(), Model: id.Model, PINTries: max(0, protection.PIN.Max), PUKTries: max(0, protection.PUK.Max),
				PUKFactory: puk, PINProtected: admin.PINProtected(), Escrow: e.escrowInForce(), Evidence: e.evidence.folder.Path(), Profile: e.request.Profile.named(),
			}
			return nil
		}}
}
