package gmail

import (
	"errors"
	"fmt"
	"io"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	api "google.golang.org/api/gmail/v1"
)

func TestKeyPairsFollowsPages(t *testing.T) {
	f, c := newFake(), newChain(t)
	f.page = 20
	for i := range 45 {
		f.pairs = append(f.pairs, c.pair(fmt.Sprintf("kp%02d", i), "enabled"))
	}
	u := openFake(t, f, nil)
	pairs, err := u.KeyPairs(t.Context())
	if err != nil || len(pairs) != 45 || pairs[44].ID != "kp44" {
		t.Fatal(len(pairs), err)
	}
	if n := f.count("keypairs.list"); n != 3 {
		t.Errorf("%d calls", n)
	}
}

func TestEndlessListIsRefused(t *testing.T) {
	f := newFake()
	f.fault = always("keypairs.list", &fault{status: 200, body: `{"nextPageToken":"again"}`})
	u := openFake(t, f, nil)
	if _, err := u.KeyPairs(t.Context()); !errors.Is(err, ErrProtocol) {
		t.Fatal(err)
	}
	if n := f.count("keypairs.list"); n != 2 {
		t.Errorf("%d calls", n)
	}
}

func TestReadKeyPair(t *testing.T) {
	c := newChain(t)
	got, err := readKeyPair(&api.CseKeyPair{
		KeyPairId: "kp", EnablementState: "disabled", DisableTime: "2026-03-01T10:00:00Z", Pem: c.pem, SubjectEmailAddresses: []string{alice},
		PrivateKeyMetadata: []*api.CsePrivateKeyMetadata{nil, {HardwareKeyMetadata: &api.HardwareKeyMetadata{Description: "card"}}, {KaclsKeyMetadata: &api.KaclsKeyMetadata{KaclsUri: "https://k"}}},
	})
	if err != nil || got.LeafSHA256 != c.sha256 || got.Enabled || got.DisableTime.Format("20060102") != "20260301" || got.NotAfter.IsZero() {
		t.Errorf("%+v", got)
	}
	if diff := cmp.Diff([]string{"card"}, got.HardwareDescriptions); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"https://k"}, got.KeyServices); diff != "" {
		t.Error(diff)
	}
	if !got.Has(c.sha256) || got.Has("") || !got.Hardware() || (KeyPair{}).Has("") || (KeyPair{}).Hardware() {
		t.Errorf("%+v", got)
	}
}

func TestSwitchingKeyPairs(t *testing.T) {
	for _, lost := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			f, c := newFake(), newChain(t)
			f.pairs = []*api.CseKeyPair{c.pair("kp1", "enabled")}
			f.identities[alice] = &api.CseIdentity{EmailAddress: alice, PrimaryKeyPairId: "kp1"}
			if lost {
				f.fault = func(m string, n int) *fault {
					switch m {
					case "keypairs.disable", "keypairs.enable", "keypairs.obliterate", "identities.delete":
						return &fault{err: io.EOF, lost: true}
					}
					return nil
				}
			}
			u := openFake(t, f, nil)
			if p, err := u.DisableKeyPair(t.Context(), "kp1"); err != nil || p.Enabled || p.DisableTime.IsZero() {
				t.Error(p, err)
			}
			if p, err := u.EnableKeyPair(t.Context(), "kp1"); err != nil || !p.Enabled {
				t.Error(p, err)
			}
			if ids, err := u.Identities(t.Context()); err != nil || len(ids) != 1 {
				t.Error(ids, err)
			}
			if err := u.DeleteIdentity(t.Context()); err != nil {
				t.Error(err)
			}
			if _, err := u.Identity(t.Context()); !errors.Is(err, ErrNotFound) {
				t.Error(err)
			}
			if err := u.ObliterateKeyPair(t.Context(), "kp1"); err != nil {
				t.Error(err)
			}
			if _, err := u.KeyPair(t.Context(), "kp1"); !errors.Is(err, ErrNotFound) {
				t.Error(err)
			}
			for _, m := range []string{"keypairs.disable", "keypairs.enable", "keypairs.obliterate", "identities.delete"} {
				if n := f.count(m); n != 1 {
					t.Errorf("%s was called %d times", m, n)
				}
			}
		})
	}
}
