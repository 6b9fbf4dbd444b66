package yubikey

import (
	"crypto/x509"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestAuthorityIsLabelled(t *testing.T) {
	device := deviceCertificateOf(newHost(t, v574))
	all := append(testAuthority().Roots(), testAuthority().Intermediates()...)
	for _, certificate := range append(all, device) {
		cn := certificate.Subject.CommonName
		if !strings.HasPrefix(cn, "cse-piv Practice Lab ") || strings.Contains(cn, "Yubi") || len(cn) > 64 {
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
	before, after := append(testAuthority().Roots(), testAuthority().Intermediates()...), append(loaded.Roots(), loaded.Intermediates()...)
	if len(after) != 4 || !slices.EqualFunc(before, after, (*x509.Certificate).Equal) {
		t.Error("other certificates were loaded")
	}
	for v, issuer := range map[Version]*x509.Certificate{v574: testAuthority().Intermediates()[1], v543: testAuthority().Roots()[1]} {
		device, err := loaded.issueDevice(profileOf(v, 0), mustRSA(t, 2048).Public())
		if err != nil {
			t.Fatal(err)
		}
		if err := device.CheckSignatureFrom(issuer); err != nil {
			t.Errorf("the loaded key signs otherwise: %v", err)
		}
	}
	for _, plan := range authorityPlan {
		info, err := os.Stat(filepath.Join(dir, plan.file+keySuffix))
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v (%v), want mode 0600", plan.file, info.Mode(), err)
		}
	}
}

func TestAuthorityOnDiskRefused(t *testing.T) {
	const (
		rootFile, rootKeyFile                 = "attestation-root.pem", "attestation-root.key"
		intermediateFile, intermediateKeyFile = "attestation-intermediate.pem", "attestation-intermediate.key"
	)
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
		"no PEM":           {rootFile: []byte("x")},
		"two blocks":       {rootFile: append(read(other, rootFile), read(other, rootFile)...)},
		"key for a cert":   {rootFile: read(other, rootKeyFile)},
		"another's key":    {rootKeyFile: read(other, rootKeyFile)},
		"another's root":   {rootFile: read(other, rootFile), rootKeyFile: read(other, rootKeyFile)},
		"no certificate":   {intermediateFile: []byte("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")},
		"no key":           {intermediateKeyFile: []byte("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")},
		"empty":            {intermediateFile: {}},
		"a CA is missing":  {intermediateFile: nil, intermediateKeyFile: nil},
		"a key is missing": {rootKeyFile: nil},
	} {
		dir := t.TempDir()
		if err := testAuthority().Save(dir); err != nil {
			t.Fatal(err)
		}
		for file, content := range replace {
			path := filepath.Join(dir, file)
			if content == nil {
				err = os.Remove(path)
			} else {
				err = os.WriteFile(path, content, 0o600)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if _, err := LoadAuthority(dir); err == nil || errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAuthorityPathLengths(t *testing.T) {
	for certificate, want := range map[*x509.Certificate]int{
		testAuthority().Roots()[0]: 3, testAuthority().Intermediates()[0]: 2, testAuthority().Intermediates()[1]: 1,
		testAuthority().Roots()[1]:            1,
		deviceCertificateOf(newHost(t, v574)): 0, deviceCertificateOf(newHost(t, v543)): 0,
	} {
		if !certificate.IsCA || certificate.MaxPathLen != want {
			t.Errorf("%v: CA %v with path length %d, want %d", certificate.Subject, certificate.IsCA, certificate.MaxPathLen, want)
		}
	}
}
