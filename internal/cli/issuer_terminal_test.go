package cli_test

import (
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/cse-piv/cse-piv/internal/issuer/catest"
	"github.com/cse-piv/cse-piv/internal/lab"
	"github.com/cse-piv/cse-piv/internal/terminal"
)

// passwordDesk is a lab and a folder with a PIN, for those who type an issuer's password.
type passwordDesk struct{ *labDesk }

func newPasswordDesk(t *testing.T) *passwordDesk {
	t.Helper()
	return &passwordDesk{newLabDesk(t, lab.Options{Readers: 1, Seed: 7})}
}

func (d *passwordDesk) write(name string, data []byte) string {
	d.t.Helper()
	path := filepath.Join(d.dir, name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		d.t.Fatal(err)
	}
	return path
}

func (d *passwordDesk) enroll(args ...string) *wizard {
	d.t.Helper()
	args = append([]string{"enroll", "ada@lab.example", "--escrow-plain", "--json", "--pin-file", filepath.Join(d.dir, "pin")}, args...)
	return startProgram(d.t, terminal.Options{Width: 150, Height: 50, Env: d.env}, d.dir, args...)
}

// TestPasswordOfESTIsAsked: the password of --issuer-user is typed at a terminal, is not
// shown, and is what the server gets.
func TestPasswordOfESTIsAsked(t *testing.T) {
	d := newPasswordDesk(t)
	behind, err := url.Parse(d.lab.Env()["CSE_PIV_ISSUER"])
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	got := map[string]bool{}
	forward := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: behind.Scheme, Host: behind.Host})
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if name, password, given := r.BasicAuth(); given {
			mu.Lock()
			got[name+" "+password] = true
			mu.Unlock()
		}
		forward.ServeHTTP(w, r)
	}))
	defer server.Close()
	trusted := d.write("server.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
	w := d.enroll("--issuer", server.URL+behind.Path, "--issuer-ca", trusted, "--issuer-user", "desk")
	w.see("The password of desk at " + server.URL)
	w.enter(canary)
	w.see(`"email": "ada@lab.example"`)
	w.exits(0)
	mu.Lock()
	defer mu.Unlock()
	if len(got) != 1 || !got["desk "+canary] {
		t.Errorf("the server got %d names and passwords, and not the one that was typed", len(got))
	}
}

// TestPasswordOfProvisionerIsAsked: the same for the provisioner of a step-ca. A wrong one is
// told of, and the same command goes on.
func TestPasswordOfProvisionerIsAsked(t *testing.T) {
	d := newPasswordDesk(t)
	read := func(path string) []byte {
		data, err := os.ReadFile(path)
		block, _ := pem.Decode(data)
		if block == nil {
			t.Fatalf("%s: %v", path, err)
		}
		return block.Bytes
	}
	root, err := x509.ParseCertificate(read(filepath.Join(d.dir, "lab", "ca", "root.pem")))
	if err != nil {
		t.Fatal(err)
	}
	key, err := x509.ParsePKCS8PrivateKey(read(filepath.Join(d.dir, "lab", "ca", "root.key")))
	if err != nil {
		t.Fatal(err)
	}
	roots, err := os.ReadFile(d.lab.Env()["CSE_PIV_ATTESTATION_ROOTS"])
	if err != nil {
		t.Fatal(err)
	}
	server := catest.StartStepCA(t, root, key.(crypto.Signer), roots)
	trusted := d.write("step-root.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: root.Raw}))
	args := []string{"--issuer", "step-ca", "--issuer-url", server, "--issuer-ca", trusted, "--issuer-provisioner", catest.JWK}
	for _, try := range []struct {
		typed, want string
		code        int
	}{{canary, "hint: give the password that the provisioner was made with", 1}, {catest.Password, `"email": "ada@lab.example"`, 0}} {
		w := d.enroll(args...)
		w.see("The password of the provisioner " + catest.JWK + " at " + server)
		w.enter(try.typed)
		w.see(try.want)
		w.exits(try.code)
	}
}
