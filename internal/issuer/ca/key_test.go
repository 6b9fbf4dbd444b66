package ca_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/issuer/ca"
	"github.com/cse-piv/cse-piv/internal/secret"
	"github.com/cse-piv/cse-piv/internal/testenv"
)

// answers is a person who types one password after the other, and leaves then.
func answers(passwords ...string) ca.Opening {
	return ca.Opening{Password: func(_ context.Context, _ string, wrong bool) (secret.Secret, error) {
		if len(passwords) == 0 {
			return secret.Secret{}, ca.ErrKeyPassword
		}
		next := passwords[0]
		passwords = passwords[1:]
		return secret.FromString(next), nil
	}}
}

// signs makes sure that a key signs what others can verify.
func signs(t *testing.T, key *ca.Key) {
	t.Helper()
	digest := sha256.Sum256([]byte("hello"))
	signature, err := key.Sign(rand.Reader, digest[:], crypto.SHA256)
	if err != nil {
		t.Error(err)
		return
	}
	good := false
	switch public := key.Public().(type) {
	case *ecdsa.PublicKey:
		good = ecdsa.VerifyASN1(public, digest[:], signature)
	case *rsa.PublicKey:
		good = rsa.VerifyPKCS1v15(public, crypto.SHA256, digest[:], signature) == nil
	}
	if !good {
		t.Errorf("%s: the signature is wrong", key.Name)
	}
}

func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	output, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, output)
	}
	return string(output)
}

// TestEncryptedKeys: what openssl encrypts is read with its password, and another password
// is asked for again, as long as somebody answers.
func TestEncryptedKeys(t *testing.T) {
	testenv.Program(t, "openssl")
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	run(t, "openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", path("ec"))
	run(t, "openssl", "genrsa", "-out", path("rsa"), "2048")
	for name, c := range map[string]struct {
		args []string
		says string // "" where it is read
	}{
		"openssl's own way":  {[]string{"pkcs8", "-topk8", "-in", path("ec")}, ""},
		"AES-128, SHA-256":   {[]string{"pkcs8", "-topk8", "-in", path("rsa"), "-v2", "aes-128-cbc", "-v2prf", "hmacWithSHA256"}, ""},
		"AES-256, SHA-1":     {[]string{"pkcs8", "-topk8", "-in", path("ec"), "-v2", "aes-256-cbc", "-v2prf", "hmacWithSHA1"}, ""},
		"triple DES":         {[]string{"pkcs8", "-topk8", "-in", path("ec"), "-v2", "des3"}, ""},
		"many rounds":        {[]string{"pkcs8", "-topk8", "-in", path("ec"), "-iter", "100000"}, ""},
		"old encryption":     {[]string{"ec", "-in", path("ec"), "-aes256"}, ""},
		"old encryption RSA": {[]string{"rsa", "-in", path("rsa"), "-aes128", "-traditional"}, ""},
		"SHA-512":            {[]string{"pkcs8", "-topk8", "-in", path("ec"), "-v2", "aes-256-cbc", "-v2prf", "hmacWithSHA512"}, "-v2prf hmacWithSHA256"},
		"scrypt":             {[]string{"pkcs8", "-topk8", "-in", path("ec"), "-scrypt"}, "-v2prf hmacWithSHA256"},
		"PBES1":              {[]string{"pkcs8", "-topk8", "-in", path("ec"), "-v1", "PBE-SHA1-3DES"}, "-v2prf hmacWithSHA256"},
		"too many rounds":    {[]string{"pkcs8", "-topk8", "-in", path("ec"), "-iter", "2000001"}, "2000001 times"},
	} {
		file := path("key")
		run(t, "openssl", append(c.args, "-out", file, "-passout", "pass:right one")...)
		if err := os.Chmod(file, 0o600); err != nil {
			t.Fatal(err)
		}
		key, err := ca.OpenKey(t.Context(), file, answers("wrong one", "right one"))
		if c.says != "" {
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%s: %v; want %q", name, err, c.says)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		signs(t, key)
		if old := strings.HasPrefix(name, "old"); old != (len(key.Warnings) == 1) {
			t.Errorf("%s: warnings %q", name, key.Warnings)
		}
		if _, err := ca.OpenKey(t.Context(), file, answers("wrong one")); !errors.Is(err, ca.ErrKeyPassword) || strings.Contains(err.Error(), "wrong one") {
			t.Errorf("%s, wrong password: %v", name, err)
		}
	}
}

// TestKeyNames: what names a file, and what is refused before anything is opened.
func TestKeyNames(t *testing.T) {
	dir, _, _ := newCA(t)
	file := filepath.ToSlash(filepath.Join(dir, ca.IssuingKey))
	for _, name := range []string{file, "softkms:" + file, "softkms:path=" + file, "file:" + file, "file:///" + strings.TrimPrefix(file, "/"), "SOFTKMS:" + file} {
		key, err := ca.OpenKey(t.Context(), name, answers())
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		signs(t, key)
	}
	pin := filepath.Join(filepath.Dir(file), "pin")
	if err := os.WriteFile(pin, []byte("271828\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, says := range map[string]string{
		"pkcs11:token=ca;object=key?pin-value=1234567":    "pin-value is not read",
		"pkcs11:token=ca;object=key;pin-value=1234567":    "pin-value is not read",
		"pkcs11:token=ca;object=key?pin-prompt=Number":    "pin-prompt is not read",
		"pkcs11:token=ca;object=key?pin-source=|cat%20/p": "is not started",
		"pkcs11:token=ca;object=key?pin-source=/missing/": "pin-source",
		"awskms:key-id=1":                               "awskms keys are not built in",
		"cloudkms:projects/p":                           "cloudkms keys are not built in",
		"yubikey:slot-id=9c?pin-source=PIN":             "names serial and slot-id",
		"yubikey:serial=1;slot-id=9c;pin-value=1234567": "pin-value is not read",
		"tpmkms:name=ca":                                "tpmkms keys are not built in",
		"softkms:":                                      "names no file",
		"file://server/share/ca":                        "on another machine",
		"s3:bucket":                                     "no such file",
		`C:\ca\missing.key`:                             "no such file",
	} {
		_, err := ca.OpenKey(t.Context(), strings.ReplaceAll(name, "PIN", pin), answers())
		if err == nil || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "1234567") {
			t.Errorf("%s: %v; want %q", name, err, says)
		}
	}
}

// token makes a token of SoftHSM2, and returns the URI's beginning.
func token(t *testing.T) string {
	t.Helper()
	const module = "/usr/lib/softhsm/libsofthsm2.so"
	if _, err := os.Stat(module); err != nil {
		testenv.Missing(t, "SoftHSM2 is not installed: %v", err)
	}
	dir := t.TempDir()
	config := filepath.Join(dir, "softhsm2.conf")
	if err := os.WriteFile(config, []byte("directories.tokendir = "+dir+"\nobjectstore.backend = file\nlog.level = ERROR\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SOFTHSM2_CONF", config)
	run(t, "softhsm2-util", "--init-token", "--free", "--label", "The CA", "--so-pin", "so-pin-7", "--pin", "271828")
	return "pkcs11:module-path=" + module + ";token=The%20CA"
}

// TestKeysInToken: keys are created in a token once, found again, and sign; a wrong PIN is
// given once.
func TestKeysInToken(t *testing.T) {
	begin := token(t)
	pin := filepath.Join(t.TempDir(), "pin")
	if err := os.WriteFile(pin, []byte("271828\r\nsecond line\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	issuing, root := begin+";id=%01;object=issuing", begin+";id=%02;object=root?pin-source="+pin
	if _, err := ca.OpenKey(t.Context(), issuing, answers("271828")); err == nil {
		t.Error("a key was opened that there is not")
	}
	options := ca.Options{Name: "Example", RootCRL: "http://ca.example.com/root.crl"}
	var opened []*ca.Key
	for range 2 { // the second finds what the first created
		issuingKey, err := ca.CreateKey(t.Context(), issuing, false, answers("271828"))
		if err != nil {
			t.Fatal(err)
		}
		rootKey, err := ca.CreateKey(t.Context(), root, true, answers())
		if err != nil {
			t.Fatal(err)
		}
		if len(rootKey.Warnings) != 1 || strings.Contains(rootKey.Name, "pin") {
			t.Errorf("%s: warnings %q", rootKey.Name, rootKey.Warnings)
		}
		if options.IssuingKey != nil && (!certificate.SameKey(issuingKey.Public(), options.IssuingKey.Public()) || !certificate.SameKey(rootKey.Public(), options.RootKey.Public())) {
			t.Error("keys were created twice")
		}
		opened = append(opened, issuingKey, rootKey)
		options.IssuingKey, options.RootKey = issuingKey, rootKey
	}
	dir := t.TempDir()
	cert, _, err := ca.New(dir, options)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{ca.RootKey, ca.IssuingKey} {
		if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
			t.Errorf("%s was written", name)
		}
	}
	key, err := ca.OpenKey(t.Context(), begin+";object=issuing", answers("271828"))
	if err != nil {
		t.Fatal(err)
	}
	if signs(t, key); !certificate.SameKey(key.Public(), cert.PublicKey) {
		t.Error("another key was opened")
	}
	for _, key := range append(opened, key) { // who has signed in needs no PIN any more
		if err := key.Close(); err != nil {
			t.Error(err)
		}
	}
	asked := 0
	wrong := ca.Opening{Password: func(context.Context, string, bool) (secret.Secret, error) {
		asked++
		return secret.FromString("314159"), nil
	}}
	if _, err := ca.OpenKey(t.Context(), issuing, wrong); !errors.Is(err, ca.ErrKeyPassword) || asked != 1 || strings.Contains(err.Error(), "314159") {
		t.Errorf("asked %d times, %v", asked, err)
	}
}

// FuzzKey feeds the files of CA keys.
func FuzzKey(f *testing.F) {
	f.Add([]byte("-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n-----BEGIN EC PRIVATE KEY-----\nMAA=\n-----END EC PRIVATE KEY-----\n"))
	f.Add([]byte("-----BEGIN RSA PRIVATE KEY-----\nDEK-Info: AES-128-CBC,00\n\nMAA=\n-----END RSA PRIVATE KEY-----\n"))
	f.Add([]byte("-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: DES-EDE3-CBC,0011223344556677\n\nMAA=\n-----END RSA PRIVATE KEY-----\n"))
	f.Add(encrypted(f))
	file := filepath.Join(f.TempDir(), "key")
	f.Fuzz(func(t *testing.T, data []byte) {
		if err := os.WriteFile(file, data, 0o600); err != nil {
			t.Fatal(err)
		}
		if bytes.Count(data, []byte("ENCRYPTED")) > 0 && len(data) > 1<<16 {
			return
		}
		key, err := ca.OpenKey(t.Context(), file, answers("", "x"))
		if (err == nil) != (key != nil) {
			t.Fatalf("%v, %v", key, err)
		}
		if err != nil && len(data) > 40 && strings.Contains(err.Error(), string(data[:40])) {
			t.Fatalf("the error quotes the file: %v", err)
		}
	})
}

// encrypted is a key that is encrypted with few rounds.
func encrypted(f *testing.F) []byte {
	der, err := x509.MarshalPKCS8PrivateKey(newKey(f))
	if err != nil {
		f.Fatal(err)
	}
	if _, err := exec.LookPath("openssl"); err != nil {
		return pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED PRIVATE KEY", Bytes: der})
	}
	command := exec.Command("openssl", "pkcs8", "-topk8", "-inform", "DER", "-iter", "1", "-passout", "pass:x")
	command.Stdin = bytes.NewReader(der)
	out, err := command.Output()
	if err != nil {
		f.Fatal(err)
	}
	return out
}
