package cli_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"

	"software.sslmate.com/src/go-pkcs12"

	"github.com/cse-piv/cse-piv/internal/terminal"
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
	w := startProgram(t, terminal.Options{Width: 150, Height: 50, Env: []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "LANG=C.UTF-8"}}, dir, "cert", "admin-bundle", file, "--out", filepath.Join(dir, "admin.pem"))
	w.see("Password of " + file + ":")
	w.enter("another")
	w.see("this password does not open the file")
	w.enter(canary)
	if code, err := w.Exit(t.Context()); err != nil || code != 1 {
		t.Errorf("exit code %d, %v", code, err)
	}
	w.see("there is no root among the certificates") // but the file was opened
}
