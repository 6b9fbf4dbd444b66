package enrollcmd

import (
	"context"
	"io"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/cse-piv/cse-piv/internal/cli/option"
	"github.com/cse-piv/cse-piv/internal/cli/setting"
	"github.com/cse-piv/cse-piv/internal/cli/stdio"
	"github.com/cse-piv/cse-piv/internal/cli/usage"
	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/piv"
)

// enrollFlags say what is to be enrolled.
type enrollFlags struct {
	serial                                            uint32
	layout, slot, algorithm, source, pinPolicy, touch string
	overwrite, allowUnattested, allowLimitedUse       bool
	newCard, replaceCard, changeIssuer                bool
	allowPINNever, attestRequest                      bool
	protectManagementKey, keepCHUID                   bool
	sameKey                                           bool
	before                                            option.Span
	minPINLength, pinTries, pukTries                  int
	profile                                           setting.Profile
	endsFormer                                        bool                // see enroll.Request
	copies                                            []enroll.KeyCopy    // see enroll.Request
	renewal                                           enroll.Renewal      // empty for an enrollment
	replaces                                          *enroll.Replacement // nil for none
	confirm                                           string
	replace                                           []string
	// typed are the flags of the command line; what was not typed is as it was begun.
	typed                   *pflag.FlagSet
	PIN, puk, managementKey *option.Secret
}

// Add adds the flags.
func (f *enrollFlags) Add(flags *pflag.FlagSet) {
	f.addKey(flags)
	f.addConsent(flags)
	flags.StringVar(&f.layout, "layout", "single", "`layout`: single, one key for signing and encryption, or split, signing in 9c, encryption in 9d")
	flags.StringVar(&f.slot, "slot", "9d", "PIV `slot` of a single key: 9a, 9c, 9d, 9e or 82 to 95")
	flags.StringVar(&f.source, "source", string(enroll.SourceGenerate), "`source` of the key: generate, a new key on the card, or existing, the key that is in the slot")
	flags.BoolVar(&f.overwrite, "overwrite", false, "replace a key that is in the slot, for ever, except one that this user is enrolled with; needs --confirm or the serial typed out")
	flags.StringSliceVar(&f.replace, "replace", nil, "have new keys take the place of those that an enrollment was begun or finished with: `fingerprints` of the keys or their certificates (SHA-256, 16 digits or more); needs --confirm or the serial typed out where a key is lost")
	flags.BoolVar(&f.newCard, "new-card", false, "the card is as it left the factory, where its firmware (before 5.3) does not tell: its factory PIN and PUK are replaced; if that is wrong, it costs one try of the PIN, or of the PUK (default: the PIN is taken for set, and the PUK stays)")
	flags.BoolVar(&f.protectManagementKey, "protect-management-key", false, "have the management key that replaces the factory one stand on the card as well, where the PIN leads to it, as ykman --protect does; it is sealed all the same")
	option.AddMinPINLength(flags, &f.minPINLength)
	option.AddNumber(flags, &f.pinTries, "pin-tries", 1, 255, "`number` of tries of the PIN of a card with the factory PIN and PUK, 1 to 255 (default: as the card has it)")
	option.AddNumber(flags, &f.pukTries, "puk-tries", 1, 255, "`number` of tries of the PUK of such a card, 1 to 255 (default: as the card has it)")
	setting.InProfile(flags, "layout", "slot", "protect-management-key", "min-pin-length", "pin-tries", "puk-tries")
	f.puk = option.AddSecret(flags, "puk", "the PUK that a card with the factory PUK gets")
}

// renewWithin is how soon a certificate ends that is renewed, unless --before says otherwise: a
// renewal that is finished is not made once more by the same command.
const renewWithin = 60 * 24 * time.Hour

// addRenewal adds the flags of a renewal.
func (f *enrollFlags) addRenewal(flags *pflag.FlagSet) {
	f.layout, f.slot, f.source = string(enroll.LayoutSingle), "9d", string(enroll.SourceGenerate) // what is there decides
	f.addKey(flags)
	f.addConsent(flags)
	for _, name := range []string{"algorithm", "pin-policy", "touch-policy"} {
		flag := flags.Lookup(name)
		flag.DefValue, flag.Usage = "", flag.Usage+" (default: as the old key has it)"
	}
	flags.BoolVar(&f.sameKey, "same-key", false, "keep the keys, and get new certificates for them (default: new keys, because one that was used for years may have been broken or copied)")
	f.before = option.Span(renewWithin)
	option.AddSpan(flags, &f.before, "before", "renew only what ends within that many `days`, such as 60d or 8w; what is valid for longer stays, and the exit code is 0")
}

// addKey adds the flags that say what a generated key is like, and how its certificate is asked for.
func (f *enrollFlags) addKey(flags *pflag.FlagSet) {
	f.typed = flags
	option.AddSerial(flags, &f.serial, "`serial` number of the card; needed when there are several")
	flags.StringVar(&f.algorithm, "algorithm", string(piv.RSA2048), "`algorithm` of a generated key: rsa2048, rsa3072, rsa4096, eccp256 or eccp384")
	flags.StringVar(&f.pinPolicy, "pin-policy", "default", "PIN `policy` of a generated key: default, never, once or always")
	flags.StringVar(&f.touch, "touch-policy", "default", "touch `policy` of a generated key: default, never, cached or always")
	flags.BoolVar(&f.attestRequest, "attest-request", false, "have the request for a certificate carry the attestation of its key (draft-ietf-lamps-csr-attestation), for an issuer that looks for it there")
	flags.BoolVar(&f.keepCHUID, "keep-chuid", false, "leave the CHUID that the card has (default: a new one, because Windows shows certificates that it cached by the old one)")
	setting.Mark(flags, "attest-request")
	setting.InProfile(flags, "algorithm", "pin-policy", "touch-policy", "attest-request", "keep-chuid")
	f.PIN = option.AddSecret(flags, "pin", "the PIN; a card with the factory PIN gets it")
	f.managementKey = option.AddSecret(flags, "management-key", "the management key in hexadecimal; a card with the factory one gets it")
}

// addConsent adds the flags that agree to something beforehand.
func (f *enrollFlags) addConsent(flags *pflag.FlagSet) {
	flags.StringVar(&f.confirm, "confirm", "", "the card's `serial`, to confirm a loss")
	flags.BoolVar(&f.allowUnattested, "allow-unattested", false, "take an existing key that the card does not attest, because it was imported or the firmware cannot tell")
	flags.BoolVar(&f.allowPINNever, "allow-pin-never", false, "take a key that asks for no PIN, as slot 9e gives it by default, or as it is on the card")
	flags.BoolVar(&f.replaceCard, "replace-card", false, "have Gmail move to this card from another one that the user is enrolled with; its key pairs stay enabled")
	flags.BoolVar(&f.changeIssuer, "change-issuer", false, "have another issuer asked for a certificate than the one that was asked before and has not answered")
	flags.BoolVar(&f.allowLimitedUse, "allow-limited-use", false, "take a single key whose certificate is for signing only, or for encryption only")
}

// request returns the request for a user, "" where nobody was named. Its errors are usage
// errors.
func (f *enrollFlags) request(ctx context.Context, email string) (enroll.Request, error) {
	request, err := f.defaults(ctx)
	if err != nil {
		return request, err
	}
	if request.Email = email; email == "" {
		return request, nil
	}
	return request, request.Validate()
}

// withoutSecrets returns the request without a user and secrets. Its errors are usage errors.
func (f *enrollFlags) withoutSecrets() (enroll.Request, error) {
	request := enroll.Request{
		Serial: f.serial, Overwrite: f.overwrite, Confirm: f.confirm, AllowUnattested: f.allowUnattested, NewCard: f.newCard, ReplaceCard: f.replaceCard, EndsFormer: f.endsFormer, AllowPINNever: f.allowPINNever,
		AllowLimitedUse: f.allowLimitedUse, Replace: f.replace, ChangeIssuer: f.changeIssuer, AttestRequest: f.attestRequest,
		ProtectManagementKey: f.protectManagementKey, KeepCHUID: f.keepCHUID, MinPINLength: f.minPINLength,
		Copies: f.copies, Replaces: f.replaces, PINTries: f.pinTries, PUKTries: f.pukTries, Profile: f.profile.Request(), Defaulted: f.defaulted(),
	}
	keys, err := f.keys()
	if err != nil {
		return request, usage.Errorf("%w", err)
	}
	request.Keys = keys
	return request, nil
}

// defaults returns the request without a user. Its errors are usage errors.
func (f *enrollFlags) defaults(ctx context.Context) (enroll.Request, error) {
	request, err := f.withoutSecrets()
	if err != nil {
		return request, err
	}
	if request.PIN, err = f.PIN.Read(ctx); err != nil {
		return request, err
	}
	if f.puk != nil {
		if request.PUK, err = f.puk.Read(ctx); err != nil {
			return request, err
		}
	}
	typed, err := f.managementKey.Read(ctx)
	if err != nil {
		return request, err
	}
	if !typed.IsZero() {
		if request.ManagementKey, err = piv.ParseManagementKey(typed); err != nil {
			return request, usage.Errorf("%w", err)
		}
	}
	return request, nil
}

// warnOfSecrets tells of files with secrets that others can read.
func (o *Options) warnOfSecrets(out io.Writer) {
	for _, of := range []stdio.Warner{o.PIN, o.managementKey, &o.Escrow} {
		stdio.Warnings(out, of)
	}
	if o.puk != nil {
		stdio.Warnings(out, o.puk)
	}
}

// defaulted lists what nobody typed.
func (f *enrollFlags) defaulted() (all []enroll.Option) {
	for _, option := range enroll.Options() {
		if !f.typed.Changed(string(option)) {
			all = append(all, option)
		}
	}
	return all
}

func (f *enrollFlags) keys() ([]enroll.KeyRequest, error) {
	algorithm, err := piv.ParseAlgorithm(f.algorithm)
	if err != nil {
		return nil, usage.Errorf("--algorithm %q is none of rsa2048, rsa3072, rsa4096, eccp256 and eccp384", f.algorithm)
	}
	pinPolicy, err := piv.ParsePINPolicy(f.pinPolicy)
	if err != nil {
		return nil, err
	}
	touchPolicy, err := piv.ParseTouchPolicy(f.touch)
	if err != nil {
		return nil, err
	}
	slot, err := piv.ParseSlot(f.slot)
	if err != nil {
		return nil, err
	}
	source := enroll.Source(strings.ToLower(f.source))
	if source != enroll.SourceGenerate && source != enroll.SourceExisting {
		return nil, usage.Errorf("source %q is neither generate nor existing", f.source)
	}
	key := enroll.KeyRequest{Slot: slot, Source: source, Algorithm: algorithm, PINPolicy: pinPolicy, TouchPolicy: touchPolicy}
	switch layout := enroll.Layout(f.layout); layout {
	case enroll.LayoutSplit:
		if slot != piv.SlotKeyManagement {
			return nil, usage.Errorf("--slot is for one key: a split layout signs with 9c and decrypts with 9d")
		}
		return layout.Keys(key), nil
	case enroll.LayoutSingle:
		return layout.Keys(key), nil
	}
	return nil, usage.Errorf("layout %q is neither single nor split", f.layout)
}
