package workspace_test

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"google.golang.org/api/gmail/v1"

	"github.com/cse-piv/cse-piv/internal/lab/ca"
	"github.com/cse-piv/cse-piv/internal/lab/workspace"
)

func TestEnrollmentWithGooglesClient(t *testing.T) {
	l := newLab(t, workspace.Config{})
	cse := l.cse(t, alice)
	list, err := cse.Keypairs.List("me").Do()
	if err != nil {
		t.Fatal(err)
	}
	if len(list.CseKeyPairs) != 0 {
		t.Fatalf("%d key pairs at first", len(list.CseKeyPairs))
	}
	chain := l.issue(t, alice, ecKey(t), ca.Profile{})
	pair, err := cse.Keypairs.Create("me", hardware(armor(t, chain...))).Do()
	if err != nil {
		t.Fatal(err)
	}
	if raw, err := base64.RawURLEncoding.Strict().DecodeString(pair.KeyPairId); err != nil || len(pair.KeyPairId) != 55 || !strings.HasPrefix(pair.KeyPairId, "ANe1B") {
		t.Errorf("key pair id %q, %d bytes, %v", pair.KeyPairId, len(raw), err)
	}
	if pair.EnablementState != "enabled" || pair.DisableTime != "" || pair.Pkcs7 != "" ||
		len(pair.SubjectEmailAddresses) != 1 || pair.SubjectEmailAddresses[0] != alice ||
		strings.Count(pair.Pem, "BEGIN CERTIFICATE") != 3 {
		t.Errorf("key pair %+v", pair)
	}
	if m := pair.PrivateKeyMetadata; len(m) != 1 || m[0].PrivateKeyMetadataId == "" || m[0].KaclsKeyMetadata != nil ||
		m[0].HardwareKeyMetadata == nil || m[0].HardwareKeyMetadata.Description != "YubiKey 5C NFC, 12345678, slot 9d" {
		t.Errorf("metadata %+v", m)
	}
	got, err := cse.Keypairs.Get(alice, pair.KeyPairId).Do()
	if err != nil {
		t.Fatal(err)
	}
	if got.KeyPairId != pair.KeyPairId || got.Pem != pair.Pem {
		t.Error("get gives another key pair than create")
	}
	identity, err := cse.Identities.Create("me", &gmail.CseIdentity{EmailAddress: "Alice@LAB.example", PrimaryKeyPairId: pair.KeyPairId}).Do()
	if err != nil {
		t.Fatal(err)
	}
	if identity.EmailAddress != alice || identity.PrimaryKeyPairId != pair.KeyPairId || identity.SignAndEncryptKeyPairs != nil {
		t.Errorf("identity %+v", identity)
	}
	views := l.Identities(alice)
	if len(views) != 1 || views[0].PrimaryKeyPairID != pair.KeyPairId {
		t.Errorf("the domain holds %+v", views)
	}
	if held := l.KeyPairs(alice); len(held) != 1 || !held[0].Enabled || !held[0].Validated || held[0].Descriptions[0] == "" {
		t.Errorf("the domain holds %+v", held)
	}
}

func TestNothingIsIdempotent(t *testing.T) {
	l := newLab(t, workspace.Config{})
	cse := l.cse(t, alice)
	upload := hardware(armor(t, l.issue(t, alice, ecKey(t), ca.Profile{})...))
	for range 2 {
		if _, err := cse.Keypairs.Create("me", upload).Do(); err != nil {
			t.Fatal(err)
		}
	}
	pairs := l.KeyPairs(alice)
	if len(pairs) != 2 || pairs[0].ID == pairs[1].ID || pairs[0].LeafSHA256 != pairs[1].LeafSHA256 {
		t.Errorf("after two uploads of one chain: %+v", pairs)
	}
	if users := l.Users(); len(users) != 1 || users[0] != alice {
		t.Errorf("users %q", users)
	}
}

func TestIdentityLifecycle(t *testing.T) {
	l := newLab(t, workspace.Config{})
	cse := l.cse(t, alice)
	first, second := l.enrolled(t, alice, ca.Profile{}), l.enrolled(t, alice, ca.Profile{})

	_, err := cse.Identities.Get("me", alice).Do()
	wantError(t, err, 404, "notFound")
	_, err = cse.Identities.Patch("me", alice, &gmail.CseIdentity{PrimaryKeyPairId: first.KeyPairId}).Do()
	wantError(t, err, 404, "notFound")
	wantError(t, cse.Identities.Delete("me", alice).Do(), 404, "notFound")

	wanted := &gmail.CseIdentity{EmailAddress: alice, PrimaryKeyPairId: first.KeyPairId}
	if _, err := cse.Identities.Create("me", wanted).Do(); err != nil {
		t.Fatal(err)
	}
	_, err = cse.Identities.Create("me", wanted).Do()
	wantError(t, err, 409, "alreadyExists")

	split := &gmail.SignAndEncryptKeyPairs{SigningKeyPairId: first.KeyPairId, EncryptionKeyPairId: second.KeyPairId}
	patched, err := cse.Identities.Patch("me", alice, &gmail.CseIdentity{EmailAddress: alice, SignAndEncryptKeyPairs: split}).Do()
	if err != nil {
		t.Fatal(err)
	}
	if patched.PrimaryKeyPairId != "" || patched.SignAndEncryptKeyPairs == nil ||
		patched.SignAndEncryptKeyPairs.SigningKeyPairId != first.KeyPairId ||
		patched.SignAndEncryptKeyPairs.EncryptionKeyPairId != second.KeyPairId {
		t.Errorf("after the patch: %+v", patched)
	}
	list, err := cse.Identities.List("me").Do()
	if err != nil {
		t.Fatal(err)
	}
	if len(list.CseIdentities) != 1 || list.NextPageToken != "" {
		t.Errorf("list: %+v", list)
	}
	if err := cse.Identities.Delete("me", alice).Do(); err != nil {
		t.Fatal(err)
	}
	if left := l.Identities(alice); len(left) != 0 {
		t.Errorf("after the deletion: %+v", left)
	}
}

func TestIdentityRefusals(t *testing.T) {
	l := newLab(t, workspace.Config{})
	cse := l.cse(t, alice)
	good := l.enrolled(t, alice, ca.Profile{}).KeyPairId
	disabled := l.enrolled(t, alice, ca.Profile{}).KeyPairId
	if _, err := cse.Keypairs.Disable("me", disabled, &gmail.DisableCseKeyPairRequest{}).Do(); err != nil {
		t.Fatal(err)
	}
	unchecked, err := cse.Keypairs.Create("me", hardware(armor(t, l.issue(t, alice, ecKey(t), ca.Profile{})...))).ChainValidation("none").Do()
	if err != nil {
		t.Fatal(err)
	}
	signing := l.enrolled(t, alice, ca.Profile{KeyUsage: 1}).KeyPairId // digitalSignature
	for name, test := range map[string]struct {
		identity gmail.CseIdentity
		reason   string
	}{
		"disabled":       {gmail.CseIdentity{EmailAddress: alice, PrimaryKeyPairId: disabled}, "failedPrecondition"},
		"not validated":  {gmail.CseIdentity{EmailAddress: alice, PrimaryKeyPairId: unchecked.KeyPairId}, "failedPrecondition"},
		"no such pair":   {gmail.CseIdentity{EmailAddress: alice, PrimaryKeyPairId: "ANe1BmNone"}, "invalidArgument"},
		"other address":  {gmail.CseIdentity{EmailAddress: "bob@lab.example", PrimaryKeyPairId: good}, "invalidArgument"},
		"no address":     {gmail.CseIdentity{PrimaryKeyPairId: good}, "invalidArgument"},
		"no pair":        {gmail.CseIdentity{EmailAddress: alice}, "invalidArgument"},
		"half a split":   {gmail.CseIdentity{EmailAddress: alice, SignAndEncryptKeyPairs: &gmail.SignAndEncryptKeyPairs{SigningKeyPairId: good}}, "invalidArgument"},
		"both":           {gmail.CseIdentity{EmailAddress: alice, PrimaryKeyPairId: good, SignAndEncryptKeyPairs: &gmail.SignAndEncryptKeyPairs{SigningKeyPairId: good, EncryptionKeyPairId: good}}, "invalidArgument"},
		"cannot encrypt": {gmail.CseIdentity{EmailAddress: alice, SignAndEncryptKeyPairs: &gmail.SignAndEncryptKeyPairs{SigningKeyPairId: good, EncryptionKeyPairId: signing}}, "invalidArgument"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := cse.Identities.Create("me", &test.identity).Do()
			wantError(t, err, 400, test.reason)
		})
	}
	if left := l.Identities(alice); len(left) != 0 {
		t.Errorf("refused and yet created: %+v", left)
	}
	// A pair whose certificate lapses later is no longer good for an identity.
	l.Advance(3 * 365 * 24 * time.Hour)
	_, err = l.cse(t, alice).Identities.Create("me", &gmail.CseIdentity{EmailAddress: alice, PrimaryKeyPairId: good}).Do()
	wantError(t, err, 400, "invalidArgument")
}

func TestObliterateOnlyAfterThirtyDays(t *testing.T) {
	l := newLab(t, workspace.Config{})
	pair := l.enrolled(t, alice, ca.Profile{})
	cse := l.cse(t, alice)
	if _, err := cse.Identities.Create("me", &gmail.CseIdentity{EmailAddress: alice, PrimaryKeyPairId: pair.KeyPairId}).Do(); err != nil {
		t.Fatal(err)
	}
	obliterate := func() error {
		return l.cse(t, alice).Keypairs.Obliterate("me", pair.KeyPairId, &gmail.ObliterateCseKeyPairRequest{}).Do()
	}
	wantError(t, obliterate(), 400, "failedPrecondition")
	disabled, err := cse.Keypairs.Disable("me", pair.KeyPairId, &gmail.DisableCseKeyPairRequest{}).Do()
	if err != nil {
		t.Fatal(err)
	}
	if disabled.EnablementState != "disabled" {
		t.Errorf("state %q", disabled.EnablementState)
	}
	if _, err := time.Parse(time.RFC3339, disabled.DisableTime); err != nil {
		t.Errorf("disableTime: %v", err)
	}
	l.Advance(30*24*time.Hour - time.Hour)
	wantError(t, obliterate(), 400, "failedPrecondition")

	// Off and on again begins anew.
	enabled, err := l.cse(t, alice).Keypairs.Enable("me", pair.KeyPairId, &gmail.EnableCseKeyPairRequest{}).Do()
	if err != nil {
		t.Fatal(err)
	}
	if enabled.EnablementState != "enabled" || enabled.DisableTime != "" {
		t.Errorf("after enabling: %+v", enabled)
	}
	for range 2 { // the second one must not move the time
		if _, err := l.cse(t, alice).Keypairs.Disable("me", pair.KeyPairId, &gmail.DisableCseKeyPairRequest{}).Do(); err != nil {
			t.Fatal(err)
		}
		l.Advance(16 * 24 * time.Hour)
	}
	if err := obliterate(); err != nil {
		t.Fatal(err)
	}
	wantError(t, obliterate(), 404, "notFound")
	if left := l.KeyPairs(alice); len(left) != 0 {
		t.Errorf("left: %+v", left)
	}
	if left := l.Identities(alice); len(left) != 1 || left[0].PrimaryKeyPairID != "" {
		t.Errorf("the identity without its key pair: %+v", left)
	}
}

func TestPaging(t *testing.T) {
	l := newLab(t, workspace.Config{})
	cse := l.cse(t, alice)
	upload := hardware(armor(t, l.issue(t, alice, ecKey(t), ca.Profile{})...))
	for range 45 {
		if _, err := cse.Keypairs.Create("me", upload).Do(); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct {
		size  int64
		pages []int
	}{{0, []int{20, 20, 5}}, {45, []int{45}}, {44, []int{44, 1}}, {500, []int{45}}} {
		var sizes []int
		seen := map[string]bool{}
		ask := cse.Keypairs.List("me")
		if test.size != 0 {
			ask.PageSize(test.size)
		}
		err := ask.Pages(t.Context(), func(page *gmail.ListCseKeyPairsResponse) error {
			sizes = append(sizes, len(page.CseKeyPairs))
			for _, pair := range page.CseKeyPairs {
				seen[pair.KeyPairId] = true
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if len(sizes) != len(test.pages) || len(seen) != 45 || sizes[0] != test.pages[0] {
			t.Errorf("pageSize %d: pages %v with %d pairs, want %v", test.size, sizes, len(seen), test.pages)
		}
	}
	first, err := cse.Keypairs.List("me").Do()
	if err != nil {
		t.Fatal(err)
	}
	_, err = l.cse(t, "bob@lab.example").Keypairs.List("me").PageToken(first.NextPageToken).Do()
	wantError(t, err, 400, "invalidArgument")
	_, err = cse.Identities.List("me").PageToken(first.NextPageToken).Do()
	wantError(t, err, 400, "invalidArgument")
	_, err = cse.Keypairs.List("me").PageSize(-1).Do()
	wantError(t, err, 400, "invalidArgument")
	// Pairs that come meanwhile do not disturb the pages.
	if _, err := cse.Keypairs.Create("me", upload).Do(); err != nil {
		t.Fatal(err)
	}
	second, err := cse.Keypairs.List("me").PageToken(first.NextPageToken).Do()
	if err != nil {
		t.Fatal(err)
	}
	if len(second.CseKeyPairs) != 20 || second.CseKeyPairs[0].KeyPairId == first.CseKeyPairs[19].KeyPairId {
		t.Error("the second page overlaps the first")
	}
}
