package cli_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"software.sslmate.com/src/go-pkcs12"

	"github.com/cse-piv/cse-piv/internal/issuer/ca"
	"github.com/cse-piv/cse-piv/internal/terminal"
	"github.com/cse-piv/cse-piv/internal/testenv"
)

// TestPasswordOfPKCS12IsAsked: at a terminal the password is asked for until one opens
// the file, and is not shown. (That the wizard's secret is nowhere on the screen is
// checked when the program has ended.)
func TestPasswordOfPKCS12IsAsked(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().AddDate(1, 0, 0), EmailAddresses: []string{"ada@lab.example"}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	data, err := pkcs12.Modern2023.Encode(key, cert, nil, canary)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "a.p12")
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	w := startProgram(t, terminal.Options{Width: 150, Height: 50, Env: environment(dir)}, dir, "cert", "admin-bundle", file, "--out", filepath.Join(dir, "admin.pem"))
	w.see("Password of " + file + ":")
	w.enter("another")
	w.see("this password does not open the file")
	w.enter(canary)
	if code, err := w.Exit(t.Context()); err != nil || code != 1 {
		t.Errorf("exit code %d, %v", code, err)
	}
	w.see("there is no root among the certificates") // but the file was opened
}

// TestPasswordOfCAKeyIsAsked: at a terminal the password of the CA's key is asked for until
// one opens the file, and is not shown.
func TestPasswordOfCAKeyIsAsked(t *testing.T) {
	testenv.Program(t, "openssl")
	dir := filepath.Join(t.TempDir(), "ca")
	if _, _, err := ca.New(dir, ca.Options{Name: "Example", Now: time.Now()}); err != nil {
		t.Fatal(err)
	}
	key := filepath.Join(dir, ca.IssuingKey)
	encrypt := exec.Command("openssl", "pkcs8", "-topk8", "-in", key, "-passout", "stdin")
	encrypt.Stdin = strings.NewReader(canary + "\n")
	encrypted, err := encrypt.Output()
	if err == nil {
		err = os.WriteFile(key, encrypted, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	w := startProgram(t, terminal.Options{Width: 150, Height: 50, Env: environment(dir)}, dir, "ca", "crl", "--dir", dir)
	w.see("The password of " + key + ":")
	w.enter("another")
	w.see("this password does not open the key")
	w.enter(canary)
	if code, err := w.Exit(t.Context()); err != nil || code != 0 {
		t.Errorf("exit code %d, %v", code, err)
	}
	w.see("number 1, 0 certificates revoked")
}
