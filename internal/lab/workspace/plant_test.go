package workspace_test

import (
	"strings"
	"testing"

	"google.golang.org/api/gmail/v1"

	"github.com/cse-piv/cse-piv/internal/lab/ca"
	"github.com/cse-piv/cse-piv/internal/lab/workspace"
)

// TestPlantedKeyPairs has the domain hold what others left there, and asks for it
// with Google's client.
func TestPlantedKeyPairs(t *testing.T) {
	l := newLab(t, workspace.Config{})
	cse := l.cse(t, alice)
	chain := l.issue(t, alice, ecKey(t), ca.Profile{})
	plant := func(pair workspace.NewKeyPair) string {
		t.Helper()
		pair.Chain = chain
		id, err := l.AddKeyPair("Alice@lab.example", pair)
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	wrapped := plant(workspace.NewKeyPair{KACLSURI: "https://kacls.example/v1"})
	history := plant(workspace.NewKeyPair{Description: "card of 2019", Unvalidated: true})
	off := plant(workspace.NewKeyPair{Disabled: true})
	usable := plant(workspace.NewKeyPair{Description: "card"})

	list, err := cse.Keypairs.List("me").Do()
	if err != nil {
		t.Fatal(err)
	}
	if len(list.CseKeyPairs) != 4 {
		t.Fatalf("%d key pairs, want 4 with the same leaf", len(list.CseKeyPairs))
	}
	for i, want := range []struct {
		id, state, service, description string
	}{{wrapped, "enabled", "https://kacls.example/v1", ""}, {history, "enabled", "", "card of 2019"}, {off, "disabled", "", ""}, {usable, "enabled", "", "card"}} {
		got := list.CseKeyPairs[i]
		if got.KeyPairId != want.id || got.EnablementState != want.state || len(got.PrivateKeyMetadata) != 1 || strings.Count(got.Pem, "BEGIN CERTIFICATE") != 3 {
			t.Errorf("key pair %d is %+v, want %+v", i, got, want)
			continue
		}
		metadata := got.PrivateKeyMetadata[0]
		if want.service != "" {
			if metadata.HardwareKeyMetadata != nil || metadata.KaclsKeyMetadata == nil || metadata.KaclsKeyMetadata.KaclsUri != want.service || metadata.KaclsKeyMetadata.KaclsData == "" {
				t.Errorf("metadata of the wrapped key is %+v", metadata)
			}
		} else if metadata.KaclsKeyMetadata != nil || metadata.HardwareKeyMetadata == nil || metadata.HardwareKeyMetadata.Description != want.description {
			t.Errorf("metadata %+v, want %q", metadata, want.description)
		}
	}

	// History can be read with, not used; the error is a precondition's.
	for _, id := range []string{history, off} {
		_, err = cse.Identities.Create("me", &gmail.CseIdentity{EmailAddress: alice, PrimaryKeyPairId: id}).Do()
		wantError(t, err, 400, "failedPrecondition")
	}
	if _, err := cse.Identities.Create("me", &gmail.CseIdentity{EmailAddress: alice, PrimaryKeyPairId: wrapped}).Do(); err != nil {
		t.Errorf("an identity with a wrapped key: %v", err)
	}
	_, err = cse.Identities.Patch("me", alice, &gmail.CseIdentity{PrimaryKeyPairId: history}).Do()
	wantError(t, err, 400, "failedPrecondition")
	if _, err := cse.Identities.Patch("me", alice, &gmail.CseIdentity{PrimaryKeyPairId: usable}).Do(); err != nil {
		t.Errorf("patching the identity: %v", err)
	}

	if _, err := l.AddKeyPair("alice@elsewhere.example", workspace.NewKeyPair{Chain: chain}); err == nil {
		t.Error("somebody of another domain has a key pair")
	}
	if _, err := l.AddKeyPair(alice, workspace.NewKeyPair{}); err == nil {
		t.Error("a key pair without a certificate")
	}
}
