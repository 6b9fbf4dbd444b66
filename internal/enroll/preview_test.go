package enroll_test

import (
	"context"
	"crypto"
	"crypto/ecdh"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/evidence"
	"github.com/cse-piv/cse-piv/internal/gmail"
	"github.com/cse-piv/cse-piv/internal/lab/workspace"
	"github.com/cse-piv/cse-piv/internal/lab/yubikey"
	"github.com/cse-piv/cse-piv/internal/piv"
	"github.com/cse-piv/cse-piv/internal/registration"
	"github.com/cse-piv/cse-piv/internal/secret"
)

// recorder notes what the card and Gmail are asked to change, and which secrets
// are tried or asked for.
type recorder struct{ acts []string }

func (r *recorder) note(act string) { r.acts = append(r.acts, act) }

// record has the dependencies note what it is asked to change.
func (r *recorder) record(deps enroll.Dependencies) enroll.Dependencies {
	openCard, account := deps.OpenCard, deps.Account
	deps.OpenCard = func(ctx context.Context, serial uint32, touch func(piv.Slot)) (enroll.Card, error) {
		card, err := openCard(ctx, serial, touch)
		return recordingCard{card, r}, err
	}
	deps.Account = func(ctx context.Context, email string) (registration.Account, error) {
		opened, err := account(ctx, email)
		return recordingAccount{opened, r}, err
	}
	return deps
}

type recordingCard struct {
	enroll.Card
	recorder *recorder
}

func (c recordingCard) AllowLastTry() enroll.Card {
	return recordingCard{c.Card.AllowLastTry(), c.recorder}
}

func (c recordingCard) VerifyPIN(ctx context.Context, pin secret.Secret) error {
	c.recorder.note("verify the PIN")
	return c.Card.VerifyPIN(ctx, pin)
}

func (c recordingCard) ChangePIN(ctx context.Context, old, new secret.Secret) error {
	c.recorder.note("change the PIN")
	return c.Card.ChangePIN(ctx, old, new)
}

func (c recordingCard) ChangePUK(ctx context.Context, old, new secret.Secret) error {
	c.recorder.note("change the PUK")
	return c.Card.ChangePUK(ctx, old, new)
}

func (c recordingCard) ChangeManagementKey(ctx context.Context, old, new secret.Secret) error {
	c.recorder.note("change the management key")
	return c.Card.ChangeManagementKey(ctx, old, new)
}

func (c recordingCard) CheckPrinted(ctx context.Context, pin secret.Secret) error {
	c.recorder.note("verify the PIN")
	return c.Card.CheckPrinted(ctx, pin)
}

func (c recordingCard) ProtectedManagementKey(ctx context.Context, pin secret.Secret) (secret.Secret, error) {
	c.recorder.note("verify the PIN")
	return c.Card.ProtectedManagementKey(ctx, pin)
}

func (c recordingCard) ProtectManagementKey(ctx context.Context, pin, old, new secret.Secret) error {
	c.recorder.note("change the management key")
	return c.Card.ProtectManagementKey(ctx, pin, old, new)
}

func (c recordingCard) Generate(ctx context.Context, key secret.Secret, slot piv.Slot, options piv.GenerateOptions) (crypto.PublicKey, error) {
	c.recorder.note("generate")
	return c.Card.Generate(ctx, key, slot, options)
}

func (c recordingCard) PutCertificate(ctx context.Context, key secret.Secret, slot piv.Slot, certificate *x509.Certificate) error {
	c.recorder.note("put a certificate")
	return c.Card.PutCertificate(ctx, key, slot, certificate)
}

func (c recordingCard) RefreshCHUID(ctx context.Context, key secret.Secret) error {
	c.recorder.note("renew the CHUID")
	return c.Card.RefreshCHUID(ctx, key)
}

func (c recordingCard) SetRetries(ctx context.Context, key, pin secret.Secret, pinTries, pukTries int) error {
	c.recorder.note("set the tries")
	return c.Card.SetRetries(ctx, key, pin, pinTries, pukTries)
}

func (c recordingCard) EnsureCHUID(ctx context.Context, key secret.Secret) error {
	c.recorder.note("renew the CHUID")
	return c.Card.EnsureCHUID(ctx, key)
}

func (c recordingCard) Signer(ctx context.Context, slot piv.Slot, public crypto.PublicKey, pin secret.Secret) crypto.Signer {
	c.recorder.note("sign")
	return c.Card.Signer(ctx, slot, public, pin)
}

func (c recordingCard) Decrypt(ctx context.Context, slot piv.Slot, public crypto.PublicKey, pin secret.Secret, ciphertext []byte) ([]byte, error) {
	c.recorder.note("decrypt")
	return c.Card.Decrypt(ctx, slot, public, pin, ciphertext)
}

func (c recordingCard) ECDH(ctx context.Context, slot piv.Slot, public crypto.PublicKey, pin secret.Secret, peer *ecdh.PublicKey) ([]byte, error) {
	c.recorder.note("agree on a key")
	return c.Card.ECDH(ctx, slot, public, pin, peer)
}

type recordingAccount struct {
	registration.Account
	recorder *recorder
}

func (a recordingAccount) CreateKeyPair(ctx context.Context, known []gmail.KeyPair, want gmail.KeyPairRequest) (gmail.KeyPair, bool, error) {
	a.recorder.note("create a key pair")
	return a.Account.CreateKeyPair(ctx, known, want)
}

func (a recordingAccount) CreateIdentity(ctx context.Context, want gmail.Identity) (gmail.Identity, error) {
	a.recorder.note("create the identity")
	return a.Account.CreateIdentity(ctx, want)
}

func (a recordingAccount) PatchIdentity(ctx context.Context, want gmail.Identity) (gmail.Identity, error) {
	a.recorder.note("patch the identity")
	return a.Account.PatchIdentity(ctx, want)
}

// everything is all that an enrollment can change.
type everything struct {
	card       yubikey.Snapshot
	keyPairs   []workspace.KeyPair
	identities []workspace.Identity
	files      map[string]string // evidence and escrow
}

func (d *desk) everything() everything {
	d.t.Helper()
	all := everything{d.card.Snapshot(), practice.Gmail().KeyPairs(d.email), practice.Gmail().Identities(d.email), map[string]string{}}
	err := filepath.WalkDir(d.escrow, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			all.files[path] = ""
			return err
		}
		data, err := os.ReadFile(path)
		all.files[path] = string(data)
		return err
	})
	if err != nil {
		d.t.Fatal(err)
	}
	return all
}

// mustPreview previews the desk's request, with somebody to be asked and with
// nobody, and sees that nothing was changed, tried or asked.
func (d *desk) mustPreview() *enroll.Preview {
	d.t.Helper()
	before := d.everything()
	var recorder recorder
	deps := recorder.record(d.deps)
	var last *enroll.Preview
	for _, prompter := range []enroll.Prompter{noQuestions{d}, nil, enroll.Unattended{}} {
		deps.Prompter = prompter
		preview, err := enroll.NewPreview(d.t.Context(), deps, d.request)
		if err != nil {
			d.t.Fatal(err)
		}
		last = preview
	}
	if len(recorder.acts) > 0 {
		d.t.Errorf("a preview had the card or Gmail %v", recorder.acts)
	}
	after := d.everything()
	if !reflect.DeepEqual(after.card, before.card) {
		d.t.Errorf("a preview changed the card from %+v to %+v", before.card, after.card)
	}
	if !reflect.DeepEqual(after.keyPairs, before.keyPairs) || !reflect.DeepEqual(after.identities, before.identities) {
		d.t.Error("a preview changed what Gmail has")
	}
	if !maps.Equal(after.files, before.files) {
		d.t.Errorf("a preview changed files: %v became %v", slices.Sorted(maps.Keys(before.files)), slices.Sorted(maps.Keys(after.files)))
	}
	return last
}

// noQuestions is a person who must not be asked.
type noQuestions struct{ d *desk }

func (n noQuestions) fail(question enroll.Question) {
	n.d.t.Helper()
	n.d.t.Errorf("a preview asked %q", question.Text)
}

func (n noQuestions) Choose(_ context.Context, q enroll.Question, _ []enroll.Choice) (string, error) {
	n.fail(q)
	return "", enroll.ErrDeclined
}

func (n noQuestions) Secret(_ context.Context, q enroll.SecretQuestion) (secret.Secret, error) {
	n.fail(q.Question)
	return secret.Secret{}, enroll.ErrDeclined
}

func (n noQuestions) Confirm(_ context.Context, q enroll.Question) (bool, error) {
	n.fail(q)
	return false, enroll.ErrDeclined
}

func (n noQuestions) TypedConfirm(_ context.Context, q enroll.Question, _ string) error {
	n.fail(q)
	return enroll.ErrDeclined
}

// TestPreviewChangesNothing previews enrollments that were broken off anywhere,
// and compares what it says with what the run then does.
func TestPreviewChangesNothing(t *testing.T) {
	for _, firmware := range []string{"5.7.4", "5.2.7"} {
		for n := 1; ; n += 7 {
			whole := false
			t.Run(fmt.Sprintf("%s@%d", firmware, n), func(t *testing.T) {
				d := sweptCard{firmware: firmware, algorithm: piv.ECCP256}.desk(t)
				setFaults(t, "off")
				d.mustPreview()
				setFaults(t, fmt.Sprintf("card:pull@%d", n))
				_, err := d.run()
				whole = err == nil
				setFaults(t, "off")
				d.insert()
				d.deps = d.newFixture()
				preview := d.mustPreview()
				if err := preview.Err(); err != nil {
					t.Errorf("it would end with %v", err)
				}
				states := map[string]enroll.State{}
				d.deps.Notify = func(event enroll.Event) { states[event.Step+event.Slot] = event.State }
				d.mustRun()
				for _, step := range preview.Steps {
					state := states[step.ID+step.Slot]
					// The PIN is not tried, and of a lost answer the run only writes down that
					// it was.
					only := slices.Contains([]string{"set-pin", "set-puk", "set-management-key"}, step.ID) && step.Outcome == enroll.OutcomeWould
					if step.Kind == enroll.KindChange && !only && (step.Outcome == enroll.OutcomeAlready) != (state == enroll.StateAlready) {
						t.Errorf("%s was to be %q, and was %q", step.Title, step.Outcome, state)
					}
				}
			})
			if whole || t.Failed() {
				break
			}
		}
	}
}

// TestPreviewTellsHowTheRunEnds: the same error, and nothing changed by finding
// out.
func TestPreviewTellsHowTheRunEnds(t *testing.T) {
	for name, prepare := range map[string]func(d *desk){
		"no card": func(*desk) { _ = practice.Pull(0) },
		"no card, for somebody with another": func(d *desk) {
			d.mustRun()
			d.request.Serial++
			_ = practice.Pull(0)
		},
		"firmware":       func(d *desk) { d.request.Keys[0].Algorithm = piv.RSA2048; d.swapCard("4.3.4") },
		"no issuer":      func(d *desk) { d.deps.Issuer = nil },
		"no escrow":      func(d *desk) { d.deps.Escrow = nil },
		"no PIN":         func(d *desk) { d.request.PIN = secret.Secret{} },
		"empty slot":     func(d *desk) { d.request.Keys[0].Source = enroll.SourceExisting },
		"foreign domain": func(d *desk) { d.request.Email, d.email = "ada@elsewhere.example", "ada@elsewhere.example" },
		"imported key": func(d *desk) {
			d.swapCard("5.4.3")
			d.giveImportedKey()
			d.request.Keys[0].Source = enroll.SourceExisting
		},
		"perhaps occupied": func(d *desk) { d.swapCard("5.2.7") },
		"blocked PIN":      func(d *desk) { d.wrongPINs(3) },
		"finished, another algorithm": func(d *desk) {
			d.mustRun()
			d.request.Keys[0].Algorithm = piv.RSA2048
		},
		"somebody else's": func(d *desk) {
			d.mustRun()
			d.request.Email, d.email = "bob-"+d.email, "bob-"+d.email
		},
		"last try": func(d *desk) { d.mustRun(); d.wrongPINs(2) },
		"journal":  func(d *desk) { d.mustWait(); d.spoilJournal() },
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, "5.7.4")
			setFaults(t, "off")
			prepare(d)
			preview := d.mustPreview()
			_, err := d.run()
			if err == nil || preview.Err() == nil || preview.Err().Error() != err.Error() {
				t.Errorf("it was to end with %v, and ended with %v", preview.Err(), err)
			}
		})
	}
}

// swapCard gives the desk another new card.
func (d *desk) swapCard(firmware string) {
	d.t.Helper()
	other := newDesk(d.t, firmware)
	setFaults(d.t, "off")
	d.card, d.serial, d.request.Serial = other.card, other.serial, other.serial
}

// wrongPINs tries wrong ones.
func (d *desk) wrongPINs(n int) {
	d.t.Helper()
	for range n {
		if err := d.open().AllowLastTry().VerifyPIN(d.t.Context(), secret.FromString("999999")); err == nil {
			d.t.Fatal("a wrong PIN was taken")
		}
	}
}

func (d *desk) spoilJournal() {
	d.t.Helper()
	folder, err := evidence.Latest(d.deps.Evidence, d.email, d.serial)
	if err == nil {
		err = folder.Write("journal.json", []byte("{"))
	}
	if err != nil {
		d.t.Fatal(err)
	}
}

func TestPreviewOfAKeyThatIsRead(t *testing.T) {
	d := newDesk(t, "5.7.4")
	setFaults(t, "off")
	d.request.Keys[0].Source = enroll.SourceExisting
	preview := d.mustPreview()
	var empty *enroll.EmptyError
	if err := preview.Refused(); !errors.As(err, &empty) || empty.Slot != piv.SlotKeyManagement {
		t.Errorf("of an empty slot: %v", err)
	}
	d.request.Keys[0].Algorithm, d.request.Keys[0].Source = piv.Ed25519, enroll.SourceGenerate
	if _, err := enroll.NewPreview(t.Context(), d.deps, d.request); !enroll.IsUsage(err) {
		t.Errorf("an algorithm that Gmail does not take: %v", err)
	}
}
