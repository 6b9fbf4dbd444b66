package clients

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cse-piv/cse-piv/internal/lab/yubikey"
	"github.com/cse-piv/cse-piv/internal/testenv"
)

// patience bounds one command; only a hang needs it.
const patience = 10 * time.Minute

// station is a desk with a reader: a card, and programs that reach it.
type station struct {
	t         *testing.T
	dir       string   // working directory of the programs
	env       []string // what leads them to the card
	card      *yubikey.Card
	authority *yubikey.Authority
	brief     bool // ykman, slow to start, tries one slot only
}

// need makes sure that programs are installed.
func need(t *testing.T, programs ...string) {
	t.Helper()
	for _, program := range programs {
		testenv.Program(t, program)
	}
}

func (s *station) path(name string) string { return filepath.Join(s.dir, name) }

func (s *station) command(program string, args ...string) (string, error) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir = s.dir
	cmd.Env = append(os.Environ(), s.env...)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// run has a program succeed and returns what it wrote.
func (s *station) run(program string, args ...string) string {
	s.t.Helper()
	out, err := s.command(program, args...)
	if err != nil {
		s.t.Fatalf("%s %s: %v\n%s", program, strings.Join(args, " "), err, out)
	}
	return out
}

// refused has a program fail and returns what it wrote.
func (s *station) refused(program string, args ...string) string {
	s.t.Helper()
	out, err := s.command(program, args...)
	if err == nil {
		s.t.Fatalf("%s %s: succeeded\n%s", program, strings.Join(args, " "), out)
	}
	return out
}

// ykman has ykman succeed with this station's card. It is named because vpcd
// makes two readers, which ykman takes for two YubiKeys.
func (s *station) ykman(args ...string) string {
	s.t.Helper()
	return s.run("ykman", s.device(args)...)
}

// ykmanRefused has ykman fail with this station's card.
func (s *station) ykmanRefused(args ...string) string {
	s.t.Helper()
	return s.refused("ykman", s.device(args)...)
}

func (s *station) device(args []string) []string {
	return append([]string{"--device", fmt.Sprint(s.card.Serial())}, args...)
}

// says checks that a program's output contains all of these. Columns may be
// aligned in any way.
func (s *station) says(out string, wanted ...string) {
	s.t.Helper()
	for _, want := range wanted {
		if !strings.Contains(strings.Join(strings.Fields(out), " "), strings.Join(strings.Fields(want), " ")) {
			s.t.Errorf("output without %q:\n%s", want, out)
		}
	}
}

func (s *station) write(name string, data []byte) string {
	s.t.Helper()
	if err := os.WriteFile(s.path(name), data, 0o600); err != nil {
		s.t.Fatal(err)
	}
	return name
}

func (s *station) read(name string) []byte {
	s.t.Helper()
	data, err := os.ReadFile(s.path(name))
	if err != nil {
		s.t.Fatal(err)
	}
	return data
}

func (s *station) writePEM(name string, certificates []*x509.Certificate) string {
	s.t.Helper()
	var out []byte
	for _, certificate := range certificates {
		out = append(out, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Raw})...)
	}
	return s.write(name, out)
}

// sub runs a part of a session as a test of its own, on the same station.
func (s *station) sub(name string, f func(*station)) {
	s.t.Run(name, func(t *testing.T) {
		part := *s
		part.t = t
		f(&part)
	})
}

// verifyAttestation has openssl check an attestation up to the authority's
// root, and that it speaks of the public key in a file.
func (s *station) verifyAttestation(attestation, attestationCert, publicKey string) {
	s.t.Helper()
	roots := s.writePEM("roots.pem", s.authority.Roots())
	intermediates := s.writePEM("intermediates.pem", s.authority.Intermediates())
	out := s.run("openssl", "verify", "-CAfile", roots, "-untrusted", intermediates, "-untrusted", attestationCert, attestation)
	s.says(out, attestation+": OK")
	s.sameKey(attestation, publicKey)
}

// sameKey compares a certificate's key with a public key in PEM.
func (s *station) sameKey(certificate, publicKey string) {
	s.t.Helper()
	got := s.run("openssl", "x509", "-in", certificate, "-noout", "-pubkey")
	want := s.run("openssl", "pkey", "-pubin", "-in", publicKey, "-pubout")
	if got != want {
		s.t.Errorf("%s is of another key than %s:\n%s\n%s", certificate, publicKey, got, want)
	}
}

// certify makes a certificate for a public key, with a CA of openssl's.
func (s *station) certify(publicKey, certificate string) {
	s.t.Helper()
	if _, err := os.Stat(s.path("ca.crt")); err != nil {
		s.run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
			"-keyout", "ca.key", "-out", "ca.crt", "-subj", "/CN=Clients CA", "-days", "10")
	}
	s.run("openssl", "x509", "-new", "-subj", "/CN=Client", "-CA", "ca.crt", "-CAkey", "ca.key",
		"-force_pubkey", publicKey, "-out", certificate, "-days", "5")
}

// waitUntil polls; only something broken lets it run out.
func waitUntil(t *testing.T, what string, ready func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !ready(); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain until %s", what)
		}
	}
}
