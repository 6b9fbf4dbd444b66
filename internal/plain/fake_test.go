package plain

import (
	"context"
	"errors"
	"flag"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cse-piv/cse-piv/internal/desk"
	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/piv"
	"github.com/cse-piv/cse-piv/internal/prompt"
	"github.com/cse-piv/cse-piv/internal/registration"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares what was said with what is kept.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name+".txt")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if difference := cmp.Diff(string(want), got); difference != "" {
		t.Errorf("%s (-kept +said):\n%s", path, difference)
	}
}

const (
	ada       = "ada@example.com"
	adasCard  = 12345678
	gracesOne = 23456789
)

var (
	errNetwork = errors.New("the network is gone")
	firmware   = piv.Version{Major: 5, Minor: 7, Patch: 4}
)

// fakeDesk is a desk whose every answer can be set. An enrollment that begins
// fails at Gmail.
type fakeDesk struct {
	checks   [][]desk.Check // the last one stays
	found    [][]piv.Found  // looks into the readers; the last one stays
	watchErr error
	atGmail  func() (desk.AtGmail, error)
	status   func(serial uint32) (desk.CardStatus, error)
	open     func(serial uint32) (enroll.Card, error)
}

func newFakeDesk() *fakeDesk {
	return &fakeDesk{
		checks:  [][]desk.Check{{{Name: "credentials", State: desk.CheckOK, Detail: "a service account"}}},
		found:   [][]piv.Found{{{Reader: "Reader 0", Identity: identity(adasCard)}}},
		atGmail: func() (desk.AtGmail, error) { return desk.AtGmail{}, nil },
		status: func(serial uint32) (desk.CardStatus, error) {
			return newCard(serial), nil
		},
		open: func(serial uint32) (enroll.Card, error) { return fakeCard{serial: serial}, nil },
	}
}

func identity(serial uint32) piv.Identity {
	return piv.Identity{Serial: serial, Firmware: firmware, Model: "YubiKey 5C NFC", Reader: "Reader 0"}
}

// newCard is a card as it is bought.
func newCard(serial uint32) desk.CardStatus {
	card := desk.CardStatus{Identity: identity(serial)}
	card.Status.PIN = piv.Counter{Tries: 3, Max: 3, Factory: piv.Yes}
	card.Status.PUK = card.Status.PIN
	card.Status.ManagementKey = piv.ManagementKey{Algorithm: "aes192", Factory: piv.Yes}
	return card
}

// fakeCard is a card with empty slots.
type fakeCard struct {
	enroll.Card
	serial uint32
}

func (c fakeCard) Identity() piv.Identity { return identity(c.serial) }

func (c fakeCard) Slot(_ context.Context, slot piv.Slot) (piv.SlotContents, error) {
	return piv.SlotContents{Slot: slot}, nil
}

func (c fakeCard) Protection(context.Context) (piv.Protection, error) {
	return newCard(c.serial).Status.Protection, nil
}

func (fakeCard) Release(context.Context) error { return nil }

// shift returns the first of several answers, and leaves the last one.
func shift[T any](answers *[]T) T {
	first := (*answers)[0]
	if len(*answers) > 1 {
		*answers = (*answers)[1:]
	}
	return first
}

func (f *fakeDesk) desk(t *testing.T, people ...desk.Person) *desk.Desk {
	t.Helper()
	return &desk.Desk{
		Dependencies: enroll.Dependencies{
			Evidence: t.TempDir(),
			OpenCard: func(_ context.Context, serial uint32, _ func(piv.Slot)) (enroll.Card, error) { return f.open(serial) },
			Account:  func(context.Context, string) (registration.Account, error) { return nil, errNetwork },
		},
		Request: enroll.Request{Keys: enroll.LayoutSingle.Keys(enroll.KeyRequest{
			Slot: piv.SlotKeyManagement, Source: enroll.SourceGenerate, Algorithm: piv.RSA2048,
			PINPolicy: piv.PINDefault, TouchPolicy: piv.TouchDefault,
		})},
		People:  people,
		Checks:  func(context.Context) []desk.Check { return shift(&f.checks) },
		AtGmail: func(context.Context, string) (desk.AtGmail, error) { return f.atGmail() },
		Watch: func(ctx context.Context) iter.Seq2[[]piv.Found, error] {
			return func(yield func([]piv.Found, error) bool) {
				if f.watchErr != nil {
					yield(nil, f.watchErr)
					return
				}
				if ctx.Err() == nil {
					yield(shift(&f.found), nil)
				}
			}
		},
		Status: func(_ context.Context, serial uint32) (desk.CardStatus, error) { return f.status(serial) },
		Hint: func(err error) string {
			if errors.Is(err, errNetwork) {
				return "look at the cable"
			}
			return ""
		},
	}
}

// run serves the desk with typed answers, and returns what was said.
func (f *fakeDesk) run(t *testing.T, first string, people []desk.Person, answers ...string) (string, error) {
	t.Helper()
	var said strings.Builder
	input := strings.Join(append(answers, ""), "\n")
	err := Enrollments(t.Context(), prompt.NewPipe(strings.NewReader(input), &said), &said, f.desk(t, people...), first)
	return said.String(), err
}

// saysInOrder checks that every text is said, each after the one before.
func saysInOrder(t *testing.T, said string, texts ...string) {
	t.Helper()
	rest := said
	for _, text := range texts {
		_, after, ok := strings.Cut(rest, text)
		if !ok {
			t.Fatalf("%q is not said there:\n%s", text, said)
		}
		rest = after
	}
}
