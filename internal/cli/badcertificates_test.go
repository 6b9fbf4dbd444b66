package cli_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// authority is a name and a key, of which there may be any number of certificates.
type authority struct {
	name string
	key  *ecdsa.PrivateKey
}

// badAuthorities makes certificates that no authority would.
type badAuthorities struct{ serial int64 }

func (b *badAuthorities) key() *ecdsa.PrivateKey {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err) // the random source never fails
	}
	return key
}

func (b *badAuthorities) new(name string) authority { return authority{name, b.key()} }

// sign returns a certificate in PEM; emails make it a user's, none an authority's.
func (b *badAuthorities) sign(subject, issuer authority, emails ...string) string {
	b.serial++
	template := &x509.Certificate{
		SerialNumber: big.NewInt(b.serial), Subject: pkix.Name{CommonName: subject.name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(1, 0, 0),
		IsCA: len(emails) == 0, BasicConstraintsValid: true, EmailAddresses: emails, KeyUsage: x509.KeyUsageCertSign,
	}
	if len(emails) > 0 {
		template.KeyUsage, template.ExtKeyUsage = x509.KeyUsageDigitalSignature|x509.KeyUsageKeyAgreement, []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, &x509.Certificate{Subject: pkix.Name{CommonName: issuer.name}}, subject.key.Public(), issuer.key)
	if err != nil {
		panic(err) // a mistake of this test
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

// user returns the certificate of a new key.
func (b *badAuthorities) user(issuer authority, emails ...string) string {
	return b.sign(b.new("User"), issuer, emails...)
}

// badCertificates are files of user1, user2 and so on, each of which no user can be
// registered with.
func badCertificates() (files map[string]string) {
	b := &badAuthorities{}
	files = map[string]string{}
	n := 0
	add := func(name string, file func(email string) string) {
		n++
		email := fmt.Sprintf("user%d@lab.example", n)
		files[email+".pem"] = "# " + name + "\n" + file(email)
	}
	root, one, two := b.new("Root"), b.new("One"), b.new("Two")
	add("two authorities that certify each other", func(email string) string {
		return b.user(one, email) + b.sign(one, two) + b.sign(two, one)
	})
	add("a ring of fifty", func(email string) string {
		file := b.user(authority{"Ring 0", one.key}, email)
		for i := range 50 {
			file += b.sign(authority{fmt.Sprint("Ring ", i), one.key}, authority{fmt.Sprint("Ring ", (i+1)%50), one.key})
		}
		return file
	})
	add("roots that certify each other", func(email string) string {
		other := b.new("Other Root")
		return b.user(root, email) + b.sign(root, root) + b.sign(other, other) + b.sign(root, other) + b.sign(other, root)
	})
	add("999 authorities of one name and as many keys", func(email string) string {
		return b.user(one, email) + many(999, func() string { return b.sign(b.new("One"), b.new("One")) })
	})
	add("999 authorities in one row", func(email string) string {
		file := b.user(authority{"Row 0", one.key}, email)
		for i := range 999 {
			file += b.sign(authority{fmt.Sprint("Row ", i), one.key}, authority{fmt.Sprint("Row ", i+1), one.key})
		}
		return file
	})
	add("1,000 users", func(email string) string { return many(1000, func() string { return b.user(one, email) }) })
	add("two leaves", func(email string) string {
		return b.user(one, email) + b.user(one, email) + b.sign(one, root) + b.sign(root, root)
	})
	add("no leaf", func(string) string { return b.sign(one, root) + b.sign(root, root) })
	add("NUL in the address", func(email string) string {
		return b.user(one, email+"\x00.evil.example") + b.sign(one, root) + b.sign(root, root)
	})
	add("control characters in names", func(email string) string {
		evil := b.new("Evil\x00\x1b[2J\u202e\u200bCA")
		return b.user(evil, "\x1b]0;"+email) + b.sign(evil, root) + b.sign(root, root)
	})
	add("another address by a plus", func(email string) string {
		return b.user(one, strings.Replace(email, "@", "+tag@", 1)) + b.sign(one, root) + b.sign(root, root)
	})
	add("another domain in punycode", func(email string) string {
		return b.user(one, strings.Replace(email, "lab.example", "xn--lb-via.example", 1)) + b.sign(one, root) + b.sign(root, root)
	})
	add("capital letters, and a root that nobody knows", func(email string) string {
		return b.user(one, strings.ToUpper(email)) + b.sign(one, root)
	})
	return files
}

func many(n int, make func() string) string {
	var all strings.Builder
	for range n {
		all.WriteString(make())
	}
	return all.String()
}

// writeBadCertificates writes them into a folder: badcertificates FOLDER.
func writeBadCertificates(ts *testscript.TestScript, neg bool, args []string) {
	folder := ts.MkAbs(args[0])
	ts.Check(os.MkdirAll(folder, 0o755))
	for name, data := range badCertificates() {
		ts.Check(os.WriteFile(filepath.Join(folder, name), []byte(data), 0o600))
	}
}

// measured runs the program with its arguments and writes into the file of the first one how
// much memory it had at most, in units of 1,024 octets. It stands between because a process
// is told to have been as large as the one that began it.
func measured() {
	command := exec.Command("cse-piv", os.Args[2:]...)
	command.Stdout, command.Stderr = os.Stdout, os.Stderr
	_ = command.Run() // its exit code says it
	if err := os.WriteFile(os.Args[1], []byte(strconv.FormatInt(largest(command.ProcessState), 10)), 0o600); err != nil {
		os.Exit(99)
	}
	os.Exit(command.ProcessState.ExitCode())
}

// TestBadCertificates: cert check comes to an end with each of them, says what is wrong in
// words that can be shown, and needs little more memory than for one certificate: less than
// 64 MiB all in all, most of which is the program's own code, as far as it is read into memory.
func TestBadCertificates(t *testing.T) {
	dir := t.TempDir()
	check := func(data string, flags ...string) (out []byte, code int, kilobytes int64) {
		t.Helper()
		file, most := filepath.Join(dir, "file.pem"), filepath.Join(dir, "most")
		if err := os.WriteFile(file, []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
		command := exec.CommandContext(t.Context(), "measured", append([]string{most, "cert", "check", "--offline", file}, flags...)...)
		command.Env = environment(dir)
		out, err := command.CombinedOutput()
		if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
			t.Fatal(err)
		}
		if bytes.Contains(out, []byte("panic")) || bytes.Contains(out, []byte("goroutine")) {
			t.Fatalf("%s", out)
		}
		text, err := os.ReadFile(most)
		if err == nil {
			kilobytes, err = strconv.ParseInt(string(text), 10, 64)
		}
		if err != nil {
			t.Fatal(err)
		}
		return out, command.ProcessState.ExitCode(), kilobytes
	}
	b := &badAuthorities{}
	_, _, least := check(b.user(b.new("One"), "ada@lab.example"))
	for name, data := range badCertificates() {
		what, _, _ := strings.Cut(data, "\n")
		out, code, most := check(data)
		if code > 1 || code < 0 {
			t.Errorf("%s: exit code %d\n%.2000s", what, code, out)
		}
		if bytes.ContainsFunc(out, func(r rune) bool { return r < ' ' && r != '\n' || r == '\u202e' || r == '\u200b' }) {
			t.Errorf("%s: control characters are shown: %q", what, out)
		}
		out, _, mostJSON := check(data, "--json")
		if end := bytes.LastIndexByte(out, '}'); end < 0 || !json.Valid(out[:end+1]) {
			t.Errorf("%s: no JSON: %.300s", what, out)
		}
		t.Logf("%s (%s): exit code %d, %d MiB more than one certificate, %d as JSON", name, what, code, (most-least)>>10, (mostJSON-least)>>10)
		const allowed = 18 // MiB, beside the 46 that the released program has with one certificate
		if more := (max(most, mostJSON) - least) >> 10; !underRace && more > allowed {
			t.Errorf("%s: %d MiB more than for one certificate", what, more)
		}
	}
}
