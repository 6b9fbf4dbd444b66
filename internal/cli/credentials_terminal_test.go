package cli_test

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cse-piv/cse-piv/internal/lab"
	"github.com/cse-piv/cse-piv/internal/terminal"
	"github.com/cse-piv/cse-piv/internal/testenv"
)

// wizard opens the program on a terminal of its own, with the desk's environment and more of it.
func (d *labDesk) wizard(env []string, args ...string) *wizard {
	d.t.Helper()
	return startProgram(d.t, terminal.Options{Dir: d.dir, Env: append(d.env, env...)}, d.dir, args...)
}

// operatorsCard puts a service account's key on a card and uploads its certificate, as the
// documentation has it.
func (d *labDesk) operatorsCard(serial string) {
	d.t.Helper()
	testenv.Program(d.t, "ykman")
	certificate := filepath.Join(d.dir, "operator.pem")
	for _, args := range [][]string{
		{"keys", "generate", "--algorithm", "RSA2048", "--management-key", "010203040506070801020304050607080102030405060708", "9a", "public.pem"},
		{"certificates", "generate", "--management-key", "010203040506070801020304050607080102030405060708", "--pin", "123456", "--subject", "CN=operator", "9a", "public.pem"},
		{"certificates", "export", "9a", certificate},
	} {
		command := exec.CommandContext(d.t.Context(), "ykman", append([]string{"--device", serial, "piv"}, args...)...)
		command.Env, command.Dir = d.env, d.dir
		if out, err := command.CombinedOutput(); err != nil {
			d.t.Fatalf("ykman %v: %v\n%s", args, err, out)
		}
	}
	data, err := os.ReadFile(certificate)
	if err != nil {
		d.t.Fatal(err)
	}
	block, _ := pem.Decode(data)
	parsed, err := x509.ParseCertificate(block.Bytes)
	if err == nil {
		_, err = d.lab.Gmail().UploadKey(parsed)
	}
	if err != nil {
		d.t.Fatal(err)
	}
}

// TestWizardOwnLogin: a user enrolls their own card in the wizard; nobody hands anything to anybody.
func TestWizardOwnLogin(t *testing.T) {
	d := newLabDesk(t, lab.Options{Readers: 1, Seed: 7})
	w := d.wizard([]string{"CSE_PIV_CREDENTIALS=", "BROWSER=browser"}, "enroll", "--self", "--escrow-plain")
	w.checked("enter begin")
	w.press("Enter")
	w.at("User", "ada@lab.example")
	w.press("Enter")
	w.at("User", "Gmail    has", "enter go on")
	w.press("Enter")
	w.at("Card", "PIN   ", "enter go on")
	w.press("Enter")
	w.begin()
	w.at("PIN", "This is for you alone.")
	w.newPIN()
	w.at("Review", "To be registered for ada@lab.example")
	w.press("PageDown", "PageDown")
	w.at("Review", "enter register at Gmail")
	w.press("Enter")
	if screen := w.at("Done", "✓ ada@lab.example is enrolled."); strings.Contains(screen, "given to its user") {
		t.Errorf("the user is told to give the card to themself:\n%s", screen)
	}
	w.press("Enter")
	w.exits(0)
}

// TestWizardOneReader: the card that signs for the service account and the user's card take
// turns in the only reader, and the screen says when.
func TestWizardOneReader(t *testing.T) {
	d := newLabDesk(t, lab.Options{Readers: 1, Seed: 7, Serial: 31415926})
	d.operatorsCard("31415926")
	w := d.wizard([]string{"CSE_PIV_CREDENTIALS=", "CSE_PIV_SERVICE_ACCOUNT=" + d.lab.Gmail().ServiceAccount()}, "enroll", "--escrow-plain")
	w.see("The PIN of the card with the service account's key", "3 tries left")
	w.enter("123456")
	w.see("enter begin")
	w.press("Enter")
	w.at("User", "Who is to be enrolled?")
	w.enter("ada@lab.example")
	w.at("User", "Gmail    has", "enter go on")
	w.press("Enter")
	w.at("Card", "Put the card in.", "card 31415926 signs for the service", "in its place")
	operators := d.lab.Card(0)
	d.exchange(31415999)
	w.at("Card", "serial 31415999", "enter go on")
	w.press("Enter")
	w.begin()
	w.newPIN()
	w.at("Review", "To be registered for ada@lab.example")
	w.press("PageDown", "PageDown")
	w.at("Review", "enter register at Gmail")
	w.press("Enter")
	w.at("Done", "✓ ada@lab.example is enrolled.")
	w.press("Enter")

	// The next person: the card that signs is missed, and back in its reader it is noticed.
	w.at("User", "Who is to be enrolled?")
	w.enter("grace@lab.example")
	w.at("User", "card 31415926 is not in a", "this is about the card with the service account's key", "a again")
	if err := errors.Join(d.lab.Pull(0), d.lab.Insert(0, operators)); err != nil {
		t.Fatal(err)
	}
	w.press("a")
	w.at("User", "Gmail    has", "enter go on")
	w.press("Enter")
	w.at("Card", "Put the card in.", "card 31415926 signs for the service")
	w.press("C-c")
}

// TestAccountCardCountsTries: who is asked for the PIN of the card that signs sees how many tries are left, a wrong one
// costs one, and nobody is asked where one is left, or none.
func TestAccountCardCountsTries(t *testing.T) {
	d := newLabDesk(t, lab.Options{Readers: 1, Seed: 7, Serial: 31415926})
	d.operatorsCard("31415926")
	list := func() *wizard {
		return d.wizard([]string{"CSE_PIV_CREDENTIALS=", "CSE_PIV_SERVICE_ACCOUNT=" + d.lab.Gmail().ServiceAccount()}, "keypair", "list", "ada@lab.example")
	}
	for _, tries := range []string{"3 tries left", "2 tries left"} {
		w := list()
		w.see("The PIN of the card with the service account's key", tries)
		w.enter("314159")
		w.exits(6)
	}
	w := list()
	w.see("PIN", "this is about the card with the service account's key")
	w.exits(6)
	if screen := w.see("error"); strings.Contains(screen, "The PIN of the card with") {
		t.Errorf("the last try is asked for:\n%s", screen)
	}
}

// exchange takes the card out of the reader, and puts another one in.
func (d *labDesk) exchange(serial uint32) {
	d.t.Helper()
	if err := d.lab.Pull(0); err != nil {
		d.t.Fatal(err)
	}
	card, err := d.lab.NewCard(lab.CardSpec{Serial: serial})
	if err == nil {
		err = d.lab.Insert(0, card)
	}
	if err != nil {
		d.t.Fatal(err)
	}
}
