package gmail

import (
	"errors"
	"io"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
)

func TestSetIdentityOnce(t *testing.T) {
	single := Identity{Email: alice, PrimaryKeyPairID: "kp1"}
	split := Identity{Email: alice, SigningKeyPairID: "kp1", EncryptionKeyPairID: "kp2"}
	old := Identity{Email: alice, PrimaryKeyPairID: "old"}
	lost := &fault{err: io.EOF, lost: true}
	terse := &fault{status: 200, body: "{}", lost: true}
	null := &fault{status: 200, body: "null", lost: true}
	tests := []struct {
		name   string
		there  *Identity
		want   Identity
		fault  func(string, int) *fault
		refuse error // what the create says, or the patch
		calls  []string
	}{
		{"create", nil, single, nil, nil, []string{"identities.create"}},
		{"create, split", nil, split, nil, nil, []string{"identities.create"}},
		{"create the same", &single, single, nil, nil, []string{"identities.create", "identities.get"}},
		{"create, and another is there", &old, single, nil, ErrConflict, []string{"identities.create", "identities.get"}},
		{"create lost", nil, single, onCall("identities.create", 1, lost), nil, []string{"identities.create", "identities.get"}},
		{"create never arrived", nil, single, onCall("identities.create", 1, &fault{err: io.EOF}), nil,
			[]string{"identities.create", "identities.get", "identities.create"}},
		{"create, terse", nil, single, onCall("identities.create", 1, terse), nil, []string{"identities.create", "identities.get"}},
		{"create, null", nil, single, onCall("identities.create", 1, null), nil, []string{"identities.create", "identities.get"}},
		{"patch", &old, single, nil, nil, []string{"identities.patch"}},
		{"patch one to two", &old, split, nil, nil, []string{"identities.patch"}},
		{"patch, and none is there", nil, single, nil, ErrNotFound, []string{"identities.patch"}},
		{"patch lost", &old, single, onCall("identities.patch", 1, lost), nil, []string{"identities.patch", "identities.get"}},
		{"patch never arrived", &old, single, onCall("identities.patch", 1, &fault{err: io.EOF}), nil,
			[]string{"identities.patch", "identities.get", "identities.patch"}},
		{"patch, null", &old, single, onCall("identities.patch", 1, null), nil, []string{"identities.patch", "identities.get"}},
		{"patch, said and not done", &old, single, always("identities.patch", &fault{status: 200, body: `{"emailAddress":"alice@example.org","primaryKeyPairId":"old"}`}), ErrMismatch,
			[]string{"identities.patch", "identities.get"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFake()
				f.fault = test.fault
				if test.there != nil {
					f.identities[alice] = test.there.toAPI()
				}
				u := openFake(t, f, nil)
				set := u.CreateIdentity
				if test.calls[0] == "identities.patch" {
					set = u.PatchIdentity
				}
				got, err := set(t.Context(), test.want)
				switch {
				case test.refuse != nil:
					if !errors.Is(err, test.refuse) {
						t.Errorf("%+v, %v", got, err)
					}
				case err != nil || got != test.want:
					t.Errorf("%+v, %v", got, err)
				default:
					if now, err := readIdentity(f.identities[alice]); err != nil || now != test.want {
						t.Errorf("the server has %+v, %v", now, err)
					}
				}
				if diff := cmp.Diff(append([]string{"token"}, test.calls...), f.calls); diff != "" {
					t.Error(diff)
				}
			})
		})
	}
}

func TestSetIdentityRefusesNonsense(t *testing.T) {
	u := openFake(t, newFake(), nil)
	for _, i := range []Identity{
		{},
		{SigningKeyPairID: "a"},
		{PrimaryKeyPairID: "a", SigningKeyPairID: "b", EncryptionKeyPairID: "c"},
		{Email: "nobody", PrimaryKeyPairID: "a"},
	} {
		if _, err := u.CreateIdentity(t.Context(), i); !errors.Is(err, ErrInvalid) {
			t.Errorf("%+v: %v", i, err)
		}
		if _, err := u.PatchIdentity(t.Context(), i); !errors.Is(err, ErrInvalid) {
			t.Errorf("%+v: %v", i, err)
		}
	}
}
