package escrow

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"filippo.io/age"
	"golang.org/x/crypto/ssh"

	"github.com/cse-piv/cse-piv/internal/secret"
)

func TestRecipients(t *testing.T) {
	first, second := identity(t), identity(t)
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	sshPublic, err := ssh.NewPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	sshLine := strings.TrimSpace(string(ssh.MarshalAuthorizedKey(sshPublic))) + " carol@desk"
	block, err := ssh.MarshalPrivateKey(private, "")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	file := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	list := file("recipients", "# the safe\n\n"+first.Recipient().String()+"\r\n"+sshLine+"\n")
	s, err := NewAge(filepath.Join(dir, "e"), []string{list, " " + second.Recipient().String(), first.Recipient().String()})
	if err != nil || len(s.recipients) != 3 {
		t.Fatal(s, err)
	}
	path := put(t, s, record(7, time.Now()))
	for _, keys := range []string{
		file("first", "# created\n"+first.String()+"\n"), file("second", second.String()), file("ssh", string(pem.EncodeToMemory(block))),
	} {
		identities, err := ReadIdentities(keys)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := Open(path, identities...); err != nil || !got.PUK.Equal(secret.FromString(puk)) {
			t.Errorf("%s: %v", keys, err)
		}
	}

	if s, err := NewAge(dir, []string{first.Recipient().String(), first.Recipient().String()}); err != nil || len(s.Warnings()) != 1 {
		t.Error("one recipient given twice does not warn", err)
	}
	hybrid, err := age.GenerateHybridIdentity()
	if err != nil {
		t.Fatal(err)
	}
	for _, recipients := range [][]string{
		nil, {""}, {"age1nonsense"}, {"ssh-ed25519 AAAA"}, {"none.txt"}, {dir}, {file("empty", "# nothing\n")}, {file("wrong", "hello\n")},
		{first.String()}, {file("secret", first.String()+"\n")}, {first.Recipient().String(), hybrid.Recipient().String()},
	} {
		_, err := NewAge(filepath.Join(dir, "unused"), recipients)
		if err == nil || strings.Contains(err.Error(), first.String()[:30]) {
			t.Errorf("%.60q: %v", recipients, err)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "unused")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a folder was made: %v", err)
	}
	for _, name := range []string{list, "none", file("cut", first.String()[:50])} {
		if _, err := ReadIdentities(name); err == nil || strings.Contains(err.Error(), first.String()[:30]) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
