package cli_test

import (
	"crypto/rand"
	"crypto/rsa"
	"os"
	"path/filepath"
	"testing"
	"time"

	"software.sslmate.com/src/go-pkcs12"

	"github.com/cse-piv/cse-piv/internal/lab"
	"github.com/cse-piv/cse-piv/internal/lab/ca"
	"github.com/cse-piv/cse-piv/internal/terminal"
)

// TestWizardAsksForAKeyThatIsNotAttested: what is lost is shown, anything but the card's
// serial number stops and changes nothing, and the serial number goes on.
func TestWizardAsksForAKeyThatIsNotAttested(t *testing.T) {
	dir := demoDir(t)
	running, err := lab.Start(t.Context(), lab.Options{Dir: filepath.Join(dir, "lab"), Readers: 1, Seed: 7, NoCard: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = running.Close() })
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	profile, err := ca.Named("standard", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	chain, err := running.CA().Issue("ada@lab.example", key, profile)
	if err != nil {
		t.Fatal(err)
	}
	file, err := pkcs12.Modern2023.Encode(key, chain[0], nil, "")
	if err != nil {
		t.Fatal(err)
	}
	issued, pin, roster := filepath.Join(dir, "card"), filepath.Join(dir, "pin"), filepath.Join(dir, "roster.csv")
	if err := os.Mkdir(issued, 0o700); err != nil {
		t.Fatal(err)
	}
	for path, data := range map[string][]byte{filepath.Join(issued, "9d.p12"): file, pin: []byte(lab.IssuedPIN + "\n"), roster: []byte("ada@lab.example\n")} {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	card, err := running.NewCard(lab.CardSpec{Serial: 31415926, From: issued})
	if err != nil {
		t.Fatal(err)
	}
	if err := running.Insert(0, card); err != nil {
		t.Fatal(err)
	}
	env := environment(dir)
	for name, value := range running.Env() {
		env = append(env, name+"="+value)
	}
	authorities := filepath.Join(running.Dir(), "ca", "issuing.pem") + "," + filepath.Join(running.Dir(), "ca", "root.pem")
	w := startProgram(t, terminal.Options{Width: 100, Height: 45, Env: env}, dir, "enroll", "--roster", roster, "--source", "existing", "--escrow-plain", "--pin-file", pin, "--chain", authorities)
	w.toUser()
	w.toCard("ada@lab.example", "serial 31415926", "enter go on")
	w.press("Enter")
	w.begin()
	asked := []string{"the card does not attest the key in slot 9d", "lost:", "a copy of it may exist elsewhere", "Type 31415926 to go on, anything else to stop."}
	w.at("Work", asked...)
	w.enter("yes")
	w.at("Plan", "enter begin")
	if pairs := running.Gmail().KeyPairs("ada@lab.example"); len(pairs) != 0 {
		t.Errorf("%d key pairs after a no", len(pairs))
	}
	w.begin()
	w.at("Work", asked...)
	w.enter("31415926")
	w.at("Review", "To be registered for ada@lab.example", "✓ what is on the card and what is uploaded are the same")
	w.press("PageDown", "PageDown")
	w.at("Review", "enter register at Gmail")
	w.press("Enter")
	w.at("Done", "✓ ada@lab.example is enrolled.")
	if pairs := running.Gmail().KeyPairs("ada@lab.example"); len(pairs) != 1 {
		t.Errorf("%d key pairs", len(pairs))
	}
	w.press("q")
	w.exits(0)
}
