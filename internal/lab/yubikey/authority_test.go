package yubikey

import (
	"crypto/x509"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestAuthorityIsLabelled(t *testing.T) {
	device := deviceCertificateOf(newHost(t, v574))
	all := append(testAuthority().Roots(), testAuthority().Intermediates()...)
	for _, certificate := range append(all, device) {
		cn := certificate.Subject.CommonName
		if !strings.HasPrefix(cn, "cse-piv Practice Lab ") || !strings.HasSuffix(cn, "(not Yubico)") || len(cn) > 64 {
			t.Errorf("%q does not say that it is for practice", cn)
		}
	}
}

func TestAuthorityOnDisk(t *testing.T) {
	dir := t.TempDir()
	if _, err := LoadAuthority(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("loading from an empty directory: %v, want fs.ErrNotExist", err)
	}
	if err := testAuthority().Save(dir); err != nil {
		t.Fatal(err)
	}
	loaded, err := LoadAuthority(dir)
	if err != nil {
		t.Fatal(err)
	}
	if !loaded.Roots()[0].Equal(testAuthority().Roots()[0]) || !loaded.Intermediates()[0].Equal(testAuthority().Intermediates()[0]) {
		t.Error("other certificates were loaded")
	}
	device, err := loaded.issueDevice(1, mustRSA(t, 2048).Public())
	if err != nil {
		t.Fatal(err)
	}
	if err := device.CheckSignatureFrom(testAuthority().Intermediates()[0]); err != nil {
		t.Errorf("the loaded key signs otherwise: %v", err)
	}
	for _, file := range []string{rootKeyFile, intermediateKeyFile} {
		info, err := os.Stat(filepath.Join(dir, file))
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v (%v), want mode 0600", file, info.Mode(), err)
		}
	}
}

func TestAuthorityOnDiskRefused(t *testing.T) {
	other, err := NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	read := func(a *Authority, file string) []byte {
		dir := t.TempDir()
		if err := a.Save(dir); err != nil {
			t.Fatal(err)
		}
		raw, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	for name, replace := range map[string]map[string][]byte{
		"no PEM":             {rootFile: []byte("x")},
		"two blocks":         {rootFile: append(read(other, rootFile), read(other, rootFile)...)},
		"key for a cert":     {rootFile: read(other, rootKeyFile)},
		"another's key":      {rootKeyFile: read(other, rootKeyFile)},
		"another's root":     {rootFile: read(other, rootFile), rootKeyFile: read(other, rootKeyFile)},
		"no certificate":     {intermediateFile: []byte("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")},
		"no key":             {intermediateKeyFile: []byte("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")},
		"intermediate alone": {intermediateFile: nil},
	} {
		dir := t.TempDir()
		if err := testAuthority().Save(dir); err != nil {
			t.Fatal(err)
		}
		for file, content := range replace {
			if err := os.WriteFile(filepath.Join(dir, file), content, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := LoadAuthority(dir); err == nil {
			t.Errorf("%s: loaded", name)
		}
	}
}

func TestAuthorityPathLengths(t *testing.T) {
	for certificate, want := range map[*x509.Certificate]int{
		testAuthority().Roots()[0]: 2, testAuthority().Intermediates()[0]: 1,
		deviceCertificateOf(newHost(t, v574)): 0,
	} {
		if !certificate.IsCA || certificate.MaxPathLen != want {
			t.Errorf("%v: CA %v with path length %d, want %d", certificate.Subject, certificate.IsCA, certificate.MaxPathLen, want)
		}
	}
}
