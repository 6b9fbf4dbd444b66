package attestation_test

import (
	"bytes"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/cse-piv/cse-piv/internal/piv/attestation"
)

func armour(ders ...[]byte) []byte {
	var b bytes.Buffer
	for _, der := range ders {
		b.Write(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	}
	return b.Bytes()
}

func write(t *testing.T, dir, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestLoadRoots(t *testing.T) {
	a, b := newAuthority(t), newAuthority(t)
	dir := t.TempDir()
	write(t, dir, "a.pem", armour(a.root.cert.Raw, a.intermediate.cert.Raw))
	write(t, dir, "again.crt", armour(a.root.cert.Raw))
	write(t, dir, "README", []byte("not read"))
	single := write(t, t.TempDir(), "b", append([]byte("Subject: text before\n"), armour(b.root.cert.Raw)...))

	trust, err := attestation.LoadRoots(dir, single)
	if err != nil {
		t.Fatal(err)
	}
	if len(trust.Roots) != 2 || !trust.Roots[0].Equal(a.root.cert) || !trust.Roots[1].Equal(b.root.cert) {
		t.Errorf("%d roots", len(trust.Roots))
	}
	if len(trust.Intermediates) != 1 || !trust.Intermediates[0].Equal(a.intermediate.cert) {
		t.Errorf("%d intermediates", len(trust.Intermediates))
	}
}

// A certificate that calls itself a root without having signed itself is none.
func TestLoadRootsWantsSelfSignature(t *testing.T) {
	a := newAuthority(t)
	pretender := issue(t, ca("Test Attestation Root", -1), p256(t), a.root)
	path := write(t, t.TempDir(), "x.pem", armour(pretender.cert.Raw))
	if _, err := attestation.LoadRoots(path); !errors.Is(err, attestation.ErrNoRoot) {
		t.Error(err)
	}
}

func TestLoadRootsRefuses(t *testing.T) {
	a := newAuthority(t)
	good := armour(a.root.cert.Raw)
	dir := t.TempDir()
	for name, data := range map[string][]byte{
		"empty":       nil,
		"no PEM":      []byte("hello"),
		"other block": pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte{1}}),
		"no DER":      armour([]byte{1, 2, 3}),
		"damaged":     append(append([]byte(nil), good[:60]...), good...),
		"cut off":     append(append([]byte(nil), good...), good[:60]...),
	} {
		if _, err := attestation.LoadRoots(write(t, dir, "x.pem", data)); err == nil {
			t.Errorf("%s: no error", name)
		} else if errors.Is(err, attestation.ErrRefused) {
			t.Errorf("%s: a bad file is no verdict: %v", name, err)
		}
	}
	if _, err := attestation.LoadRoots(filepath.Join(dir, "absent")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("absent: %v", err)
	}
	if _, err := attestation.LoadRoots(t.TempDir()); !errors.Is(err, attestation.ErrNoRoot) {
		t.Errorf("empty directory: %v", err)
	}
}

// A file of Yubico's authorities from their site, given as roots, is held to the
// same rules as the embedded ones.
func TestLoadedYubicoRootsAreRecognised(t *testing.T) {
	trust, err := attestation.LoadRoots("roots", "intermediates")
	if err != nil {
		t.Fatal(err)
	}
	facts, err := attestation.Verify(realChain(t, "5.7.4"), trust, attestation.Expect{})
	if err != nil {
		t.Fatal(err)
	}
	if !facts.Yubico {
		t.Error("not recognised as Yubico's root")
	}
}
