package plain

import (
	"context"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"iter"
	"strings"
	"testing"
	"time"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/desk"
	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/evidence"
	"github.com/cse-piv/cse-piv/internal/gmail"
	"github.com/cse-piv/cse-piv/internal/piv"
	"github.com/cse-piv/cse-piv/internal/prompt"
	"github.com/cse-piv/cse-piv/internal/registration"
	"github.com/cse-piv/cse-piv/internal/secret"
	"github.com/cse-piv/cse-piv/internal/smime"
)

func TestWhatIsMissingIsPutRightInAnotherWindow(t *testing.T) {
	missing := desk.Check{Name: "credentials", State: desk.CheckFailed, Detail: "none", Fix: "add --credentials FILE"}
	f := newFakeDesk()
	f.checks = append([][]desk.Check{{missing}, {missing}}, f.checks...)
	said, err := f.run(t, "", nil, "1", "1", "stop")
	if err != nil {
		t.Error(err)
	}
	saysInOrder(t, said, "failed: credentials: none", "to do: add --credentials FILE", "1  check again", "failed: credentials", "ok: credentials: a service account", "address of the user,")
}

func TestGmailIsAskedAgain(t *testing.T) {
	f, asked := newFakeDesk(), 0
	f.atGmail = func() (desk.AtGmail, error) {
		if asked++; asked == 1 {
			return desk.AtGmail{}, errNetwork
		}
		return desk.AtGmail{}, nil
	}
	said, err := f.run(t, ada, nil, "1", "3")
	if !errors.Is(err, errNetwork) && !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	saysInOrder(t, said, "failed: asking Gmail what it has for "+ada, "why: the network is gone", "hint: look at the cable", "1  again", "2  stop", "Gmail has no key pair", "is that the plan?")
}

// What failed is told in the queue and by the error, until it is put right.
func TestWhoFailedIsParkedAndNotNext(t *testing.T) {
	f := newFakeDesk()
	people := []desk.Person{{Email: ada}, {Email: "grace@example.com"}}
	said, err := f.run(t, "", people,
		"1", "yes", "1", // begin
		"3", // park
		"list", "stop")
	if !errors.Is(err, errNetwork) {
		t.Errorf("the desk came to %v", err)
	}
	saysInOrder(t, said, "next in the queue: 1, "+ada, "failed: check the user at Gmail", "why: the network is gone", "1  again", "2  change the plan", "3  park this person, and serve the next one", "4  stop",
		"next in the queue: 2, grace@example.com", "0 done, 0 waiting, 1 failed, 1 to do", "1  "+ada+": failed: check the user at Gmail: the network is gone", "0 done, 0 waiting, 1 failed")
}

func TestAPersonWhoFailedIsTriedAgain(t *testing.T) {
	f := newFakeDesk()
	said, err := f.run(t, ada, nil, "1", "1", "2", "2", "1", "1", "1", "1", "1", "1", "1", "1", "3")
	if !errors.Is(err, errNetwork) {
		t.Errorf("it came to %v", err)
	}
	saysInOrder(t, said, "failed: check the user", "failed: check the user", "is that the plan?", "where is the key from?", "how many keys?", "is that the plan?", "failed: check the user")
}

func TestCardsThatCannotBeRead(t *testing.T) {
	f, read := newFakeDesk(), 0
	f.status = func(serial uint32) (desk.CardStatus, error) {
		if read++; read == 1 {
			return desk.CardStatus{}, piv.ErrCardInUse
		}
		return newCard(serial), nil
	}
	f.found = [][]piv.Found{
		nil,
		{{Reader: "Reader 0", Err: piv.ErrNoCard}},
		{{Reader: "Reader 0", Err: piv.ErrNotYubiKey}, {Reader: "Reader 1", Err: errNetwork}},
		{{Reader: "Reader 0", Identity: identity(adasCard)}},
	}
	said, err := f.run(t, ada, nil, "", "what?", "", "1", "3")
	if !errors.Is(err, context.Canceled) && !errors.Is(err, piv.ErrCardInUse) {
		t.Error(err)
	}
	saysInOrder(t, said, "there is no card reader; a YubiKey is one itself", "put the card in and press Enter, or type stop:",
		"no card is in Reader 0", "put the card in",
		"the card in Reader 0 cannot be used", "why: "+piv.ErrNotYubiKey.Error(), "the card in Reader 1 cannot be used", "hint: look at the cable",
		"failed: reading card 12345678", "card 12345678: YubiKey")
}

func TestReadersThatCannotBeUsed(t *testing.T) {
	f := newFakeDesk()
	f.watchErr = piv.ErrNoService
	said, err := f.run(t, ada, nil, "park", "stop")
	if !errors.Is(err, piv.ErrNoService) {
		t.Errorf("it came to %v", err)
	}
	// A person alone is not parked: what is typed is not that word then.
	if saysInOrder(t, said, "the card readers cannot be used", "why: "+piv.ErrNoService.Error()); strings.Count(said, "or type stop:") != 2 {
		t.Errorf("it was said:\n%s", said)
	}
}

func TestAPlanThatCannotBeLookedAt(t *testing.T) {
	f := newFakeDesk()
	f.open = func(uint32) (enroll.Card, error) { return nil, piv.ErrRemoved }
	said, err := f.run(t, ada, nil, "3")
	if !errors.Is(err, piv.ErrRemoved) {
		t.Errorf("it came to %v", err)
	}
	saysInOrder(t, said, "failed: looking what the plan would do to the card", "1  again", "2  take another card", "3  stop")
}

func TestThePlanIsChanged(t *testing.T) {
	f := newFakeDesk()
	said, err := f.run(t, ada, nil, "2", "1", "2", "4", "3", "2", "2", "1", "1", "1", "1", "1", "3")
	if !errors.Is(err, context.Canceled) {
		t.Errorf("it came to %v", err)
	}
	saysInOrder(t, said, "slot 9D key management: signs and decrypts, a new rsa2048 key, PIN policy default, touch policy default",
		"where is the key from? the first answer is as planned now", "how many keys?", "which algorithm?", "when does the key ask for the PIN?", "when does the key ask for a touch?",
		"slot 9C digital signature: signs, a new eccp256 key, PIN policy always, touch policy always",
		"slot 9D key management: decrypts, a new eccp256 key, PIN policy always, touch policy always",
		// Now these stand first.
		"1  split: 9C signs, 9D decrypts", "1  EC P-256", "1  every time", "1  every time",
		"slot 9C digital signature: signs, a new eccp256 key")
	if strings.Contains(said, "which slot?") {
		t.Error("the slot of two keys was asked for")
	}
}

// fullCard is a card whose every slot holds a key.
type fullCard struct{ fakeCard }

func (c fullCard) Slot(_ context.Context, slot piv.Slot) (piv.SlotContents, error) {
	return piv.SlotContents{Slot: slot, Key: &piv.KeyInfo{Algorithm: piv.RSA2048, Origin: piv.Generated}}, nil
}

func TestEveryLossIsAgreedToOnce(t *testing.T) {
	f := newFakeDesk()
	f.open = func(serial uint32) (enroll.Card, error) { return fullCard{fakeCard{serial: serial}}, nil }
	said, err := f.run(t, ada, nil,
		"1", "12345678", // the loss of 9D
		"2", "1", "12345678", // the same plan again, once more
		"2", "2", "1", "1", "3", "1", "1", "1", "1", // 9C instead
		"not that", "2")
	if !errors.Is(err, enroll.ErrDeclined) {
		t.Errorf("it came to %v", err)
	}
	saysInOrder(t, said, "lost: slot 9d", "type 12345678 to go on", "failed: check the user", "is that the plan?", "failed: check the user",
		"lost: slot 9c", "is that the plan?", "lost: slot 9c", "type 12345678 to go on", "declined: agreeing to the loss")
	if n := strings.Count(said, "type 12345678 to go on"); n != 3 {
		t.Errorf("it was asked %d times for three plans that lose something", n)
	}
}

func TestWhoDeclinedIsToldApartFromWhatFailed(t *testing.T) {
	f := newFakeDesk()
	f.open = func(serial uint32) (enroll.Card, error) { return fullCard{fakeCard{serial: serial}}, nil }
	said, err := f.run(t, "", []desk.Person{{Email: ada}}, "1", "yes", "1", "no", "2", "list", "stop")
	if !errors.Is(err, enroll.ErrDeclined) {
		t.Errorf("the desk came to %v", err)
	}
	saysInOrder(t, said, "declined: agreeing to the loss", "1  "+ada+": declined, not finished")
}

func TestATouchedYubiKeyAnswersNothing(t *testing.T) {
	const burst = "cccccclnefjrtbuvhgkdrbnvlbkueecnlfbrtvnfitgu"
	f := newFakeDesk()
	f.found = [][]piv.Found{{{Reader: "Reader 0", Err: piv.ErrNoCard}}}
	said, err := f.run(t, "", []desk.Person{{Email: ada}}, burst, "1", burst, "no", "1", "yes", burst, "park", "stop")
	if !errors.Is(err, piv.ErrNoCard) {
		t.Errorf("it came to %v", err)
	}
	saysInOrder(t, said, "no match for", "enroll "+ada+"? yes or no:", "enroll "+ada+"? yes or no:", "who is to be enrolled?", "put the card in", "put the card in", "who is to be enrolled?", "0 done, 0 waiting, 1 failed, 0 to do")
}

// The last person's card may lie in the reader still.
func TestSomebodyElsesCardIsTakenOnlyWhenThatIsSaid(t *testing.T) {
	f := newFakeDesk()
	d := f.desk(t, desk.Person{Email: ada}, desk.Person{Email: "grace@example.com"})
	folder, err := evidence.Begin(d.Dependencies.Evidence, ada, adasCard, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	journal := evidence.NewJournal()
	journal.Secrets[evidence.SecretPIN] = evidence.SecretJournal{State: evidence.SecretSet}
	if err := folder.WriteJournal(journal); err != nil {
		t.Fatal(err)
	}
	var said strings.Builder
	answers := "2\nyes\nno\npark\n2\nyes\nno\n\nyes\n4\n"
	err = Enrollments(t.Context(), prompt.NewPipe(strings.NewReader(answers), &said), &said, d, "")
	if !errors.Is(err, piv.ErrNoCard) {
		t.Errorf("it came to %v", err)
	}
	saysInOrder(t, said.String(), "warning: card 12345678 is the card of "+ada, "use card 12345678 for grace@example.com all the same? yes or no:", "put the card in and press Enter, or type park or stop:",
		"grace@example.com: failed: no card in the reader", "all the same? yes or no:", "put the card in", "all the same? yes or no:", "the plan for grace@example.com and card 12345678")
}

// A card that was taken by mistake does not become the one that is assigned.
func TestTheCardThatWasSetAsideStaysSo(t *testing.T) {
	f := newFakeDesk()
	said, err := f.run(t, "", []desk.Person{{Email: ada, Serial: 999}},
		"1", "yes", "2", // the other card
		"1", "3", // begin, which fails at once, and park
		"1", "yes", "1", "stop") // wait for the right one
	if !errors.Is(err, errNetwork) {
		t.Errorf("it came to %v", err)
	}
	saysInOrder(t, said, "card 999 is meant for this person, and is not there", "the plan for "+ada+" and card 12345678", "failed: check the user",
		"card 999 is meant for this person, and is not there", "put card 999 in")
}

func TestTheNextPersonIsAskedForWithoutARoster(t *testing.T) {
	f := newFakeDesk()
	said, err := f.run(t, "", nil, ada, "3", "yes", "", "grace@example.com", "3", "no")
	if err != nil {
		t.Error(err)
	}
	saysInOrder(t, said, "address of the user,", ada+": to do", "next person? yes or no:", "who is to be enrolled?", "grace@example.com: to do", "next person? yes or no:", "0 done")
}

func TestEvidenceThatCannotBeReadIsTold(t *testing.T) {
	f := newFakeDesk()
	d := f.desk(t, desk.Person{Email: ada})
	d.Registered = func(context.Context, string) (*desk.Registered, error) { return nil, errNetwork }
	var said strings.Builder
	err := Enrollments(t.Context(), prompt.NewPipe(strings.NewReader("stop\n"), &said), &said, d, "")
	if !errors.Is(err, errNetwork) {
		t.Errorf("it came to %v", err)
	}
	saysInOrder(t, said.String(), "0 done, 0 waiting, 1 failed, 0 to do", "1  "+ada+": failed: the network is gone")
}

// The end of the context ends whatever is waited for.
func TestTheFlowEndsWithItsContext(t *testing.T) {
	for name, hang := range map[string]func(d *desk.Desk, end func()){
		"the checks": func(d *desk.Desk, end func()) {
			d.Checks = func(context.Context) []desk.Check { end(); return nil }
		},
		"Gmail": func(d *desk.Desk, end func()) {
			d.AtGmail = func(ctx context.Context, _ string) (desk.AtGmail, error) { end(); return desk.AtGmail{}, ctx.Err() }
		},
		"the readers": func(d *desk.Desk, end func()) {
			d.Watch = func(ctx context.Context) iter.Seq2[[]piv.Found, error] {
				return func(func([]piv.Found, error) bool) { end(); <-ctx.Done() }
			}
		},
		"the card": func(d *desk.Desk, end func()) {
			d.Status = func(ctx context.Context, _ uint32) (desk.CardStatus, error) {
				end()
				return desk.CardStatus{}, ctx.Err()
			}
		},
		"the enrollment": func(d *desk.Desk, end func()) {
			d.Dependencies.Account = func(ctx context.Context, _ string) (registration.Account, error) { end(); return nil, ctx.Err() }
		},
	} {
		ctx, cancel := context.WithCancel(t.Context())
		d := newFakeDesk().desk(t)
		hang(d, cancel)
		var said strings.Builder
		err := Enrollments(ctx, prompt.NewPipe(strings.NewReader("1\n1\n1\n1\n"), &said), &said, d, ada)
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v after:\n%s", name, err, said.String())
		}
		if strings.Contains(said.String(), "failed:") {
			t.Errorf("%s: an interrupt is told as a failure:\n%s", name, said.String())
		}
	}
}

func TestWhatIsSaidOfACard(t *testing.T) {
	var said strings.Builder
	f := &flow{Terminal: prompt.NewPipe(strings.NewReader(""), &said), desk: newFakeDesk().desk(t)}
	until := time.Date(2028, 2, 29, 12, 0, 0, 0, time.UTC)
	card := desk.CardStatus{Identity: identity(adasCard), FormFactor: "USB-C keychain", Advisories: []string{"YSA-2024-03: the key can be copied"}}
	card.Status.PIN = piv.Counter{Tries: 1, Factory: piv.No}
	card.Status.PUK = piv.Counter{Tries: 0, Factory: piv.No}
	card.Status.ManagementKey = piv.ManagementKey{Algorithm: "aes192", Factory: piv.Unknown}
	card.Status.Slots = []piv.SlotContents{
		{Slot: piv.SlotAuthentication, Key: &piv.KeyInfo{Algorithm: piv.ECCP256, Origin: piv.Imported, PINPolicy: piv.PINOnce, TouchPolicy: piv.TouchNever}},
		{Slot: piv.SlotSignature, Key: &piv.KeyInfo{Algorithm: piv.RSA2048, Origin: piv.Generated, PINPolicy: piv.PINAlways, TouchPolicy: piv.TouchCached}, Certificate: &x509.Certificate{Subject: pkix.Name{CommonName: "Ada\x1b[2J"}, EmailAddresses: []string{ada}, NotAfter: until}},
		{Slot: piv.SlotKeyManagement, CertificateErr: errors.New("it is cut off")},
		{Slot: piv.SlotRetiredFirst, Certificate: &x509.Certificate{Subject: pkix.Name{CommonName: "An old\x1b[2J key"}, NotAfter: until}},
	}
	f.sayCard(card)
	unknown := desk.CardStatus{Identity: identity(gracesOne)}
	unknown.Status.PIN = piv.Counter{Tries: piv.UnknownTries, Factory: piv.Unknown}
	unknown.Status.PUK = piv.Counter{Tries: 3, Factory: piv.Yes}
	unknown.Status.ManagementKey = piv.ManagementKey{Algorithm: "3des", Factory: piv.Yes}
	f.sayCard(unknown)
	blocked := newCard(34567890)
	blocked.Status.PIN.Tries = 0
	f.sayCard(blocked)
	golden(t, "card", said.String())
}

func TestWhatIsSaidOfGmail(t *testing.T) {
	until := time.Date(2028, 2, 29, 12, 0, 0, 0, time.UTC)
	f := newFakeDesk()
	f.atGmail = func() (desk.AtGmail, error) {
		return desk.AtGmail{
			KeyPairs: []gmail.KeyPair{
				{ID: "sign", Enabled: true, NotAfter: until, HardwareDescriptions: []string{"YubiKey 5C NFC, serial 12345678, slot 9c"}},
				{ID: "encrypt", Enabled: true, NotAfter: until, HardwareDescriptions: []string{"YubiKey 5C NFC, serial 12345678, slot 9d"}},
				{ID: "service", Enabled: true, KeyServices: []string{"https://kacls.example.com"}},
				{ID: "old", NotAfter: until},
			},
			Identity: &gmail.Identity{SigningKeyPairID: "sign", EncryptionKeyPairID: "encrypt"},
		}, nil
	}
	said, err := f.run(t, ada, nil, "3")
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	golden(t, "gmail", said)
}

func TestWhatIsSaidInAReview(t *testing.T) {
	from, until := time.Date(2026, 2, 28, 12, 0, 0, 0, time.UTC), time.Date(2028, 2, 29, 12, 0, 0, 0, time.UTC)
	chain := []*x509.Certificate{
		{Subject: pkix.Name{CommonName: "Ada Lovelace"}, EmailAddresses: []string{ada}, NotBefore: from, NotAfter: until},
		{Subject: pkix.Name{Organization: []string{"Example Issuing CA"}}, RawSubject: []byte("issuing"), RawIssuer: []byte("root"), NotBefore: from, NotAfter: until},
		{Subject: pkix.Name{CommonName: "Example Root CA"}, NotBefore: from, NotAfter: until},
	}
	review := enroll.Review{Email: ada, Serial: adasCard, Keys: []enroll.ReviewKey{
		{Slot: "9c", Use: certificate.UseSign, Chain: chain, OnCard: "aa", Upload: "aa", Attested: true},
		{Slot: "9d", Use: certificate.UseEncrypt, Chain: chain[:1], OnCard: "aa", Upload: "bb", Known: true, Findings: []smime.Finding{
			{ID: "a-note", Severity: smime.SeverityNote, Message: "it is so"},
			{ID: "a-warning", Severity: smime.SeverityWarning, Message: "it may not be so"},
		}},
	}}
	var said strings.Builder
	f := &flow{Terminal: prompt.NewPipe(strings.NewReader("perhaps\nno\n"), &said), desk: &desk.Desk{}}
	if err := f.review(t.Context(), review); !errors.Is(err, enroll.ErrDeclined) {
		t.Errorf("a no is %v", err)
	}
	golden(t, "review", said.String())
	f = &flow{Terminal: prompt.NewPipe(strings.NewReader("yes\n"), &said), desk: &desk.Desk{}}
	if err := f.review(t.Context(), review); err != nil {
		t.Errorf("a yes is %v", err)
	}
	f = &flow{Terminal: prompt.NewPipe(strings.NewReader(""), &said), desk: &desk.Desk{}}
	if err := f.review(t.Context(), review); !errors.Is(err, prompt.ErrEndOfInput) {
		t.Errorf("the end of the input is %v", err)
	}

	// In practice such warnings are expected.
	said.Reset()
	f = &flow{Terminal: prompt.NewPipe(strings.NewReader("no\n"), &said), desk: &desk.Desk{Practice: practice{}}}
	if err := f.review(t.Context(), review); !errors.Is(err, enroll.ErrDeclined) {
		t.Errorf("a no is %v", err)
	}
	saysInOrder(t, said.String(), "warning: it may not be so", "practice: warnings about addresses that the internet cannot reach (CRL, AIA), and the relaxed validation profile that follows from them, are expected", "register that at Gmail?")
}

// practice is the practice lab's side of a desk.
type practice struct{ desk.Practice }

func TestAPINThatWasTypedLongAgoIsAskedForAgain(t *testing.T) {
	question := enroll.SecretQuestion{Question: enroll.Question{ID: enroll.QuestionPIN}}
	for _, test := range []struct {
		ago  time.Duration
		want string
	}{{desk.PINKept - time.Minute, "271828"}, {desk.PINKept + time.Second, "314159"}} {
		typed := &typedPIN{secret.FromString("271828"), time.Now().Add(-test.ago)}
		asked := &user{Terminal: prompt.NewPipe(strings.NewReader("314159\n"), io.Discard), typed: typed}
		pin, err := asked.Secret(t.Context(), question)
		if err != nil || string(pin.Reveal()) != test.want || string(typed.pin.Reveal()) != test.want {
			t.Errorf("typed %v ago: another PIN than wanted, %v", test.ago, err)
		}
	}
}
