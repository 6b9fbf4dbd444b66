package smime_test

import (
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/certpath"
	"github.com/cse-piv/cse-piv/internal/gmail"
	"github.com/cse-piv/cse-piv/internal/lab/workspace"
	"github.com/cse-piv/cse-piv/internal/smime"
)

// inProcess brings requests to a practice Gmail without a network.
type inProcess struct{ server *workspace.Server }

func (p inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body == nil { // as servers have it
		r = r.Clone(r.Context())
		r.Body = http.NoBody
	}
	answer := httptest.NewRecorder()
	p.server.ServeHTTP(answer, r)
	return answer.Result(), nil
}

// practiceUser is a user of a practice Gmail that trusts the root and may enforce
// Google's whole profile.
func practiceUser(t *testing.T, key *rsa.PrivateKey, root *x509.Certificate, strict bool) *gmail.User {
	t.Helper()
	server, err := workspace.New(workspace.Config{Domain: "example.com", TrustRoots: []*x509.Certificate{root}, StrictProfile: strict, Key: key})
	if err != nil {
		t.Fatal(err)
	}
	credentials := filepath.Join(t.TempDir(), "account.json")
	if err := os.WriteFile(credentials, server.ServiceAccountJSON("http://127.0.0.1"), 0o600); err != nil {
		t.Fatal(err)
	}
	domain, err := gmail.Open(gmail.Config{CredentialsFile: credentials, Endpoint: "http://127.0.0.1", Transport: inProcess{server}})
	if err != nil {
		t.Fatal(err)
	}
	user, err := domain.User(t.Context(), email)
	if err != nil {
		t.Fatal(err)
	}
	return user
}

// notGmails are rules about what Gmail cannot see or does not ask for: the key on the
// card, what a key is registered for, and where it can reach.
var notGmails = []string{"leaf-key-mismatch", "leaf-cannot-encrypt", "intermediate-crl-public", "leaf-crl-public", "leaf-aia-public"}

// TestOneOpinion: the lab's Gmail, which shares no code with this package, refuses
// what is an error here, and where it enforces the profile that Google publishes
// what is a warning, and nothing else.
func TestOneOpinion(t *testing.T) {
	key := newRSA(t, 2048).(*rsa.PrivateKey)
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(now())) // virtual time; the certificates are of then
		testOneOpinion(t, key)
	})
}

func testOneOpinion(t *testing.T, key *rsa.PrivateKey) {
	cases := append(violations(), violation{"", "", nil, "nothing", func(*testing.T, *variant) {}})
	for _, c := range cases {
		if c.rule == "chain-empty" || slices.Contains(notGmails, c.rule) {
			continue
		}
		v := newVariant(t)
		c.change(t, v)
		chain := v.chain(t)
		findings := smime.Check(new(certpath.Verifier), chain, v.options)
		warned := slices.ContainsFunc(findings, func(f smime.Finding) bool {
			return f.Severity == smime.SeverityWarning && !slices.Contains(notGmails, f.ID)
		})
		root := chain[len(chain)-1]
		if i := slices.IndexFunc(chain, func(cert *x509.Certificate) bool { return cert.Subject.CommonName == "Root" }); i >= 0 {
			root = chain[i]
		}
		for _, strict := range []bool{false, true} {
			bundle, err := certificate.EncodePKCS7(chain)
			if err != nil {
				t.Fatal(err)
			}
			_, _, err = practiceUser(t, key, root, strict).CreateKeyPair(t.Context(), nil,
				gmail.KeyPairRequest{PKCS7: bundle, LeafSHA256: certificate.Fingerprint(chain[0])})
			if err != nil && !errors.Is(err, gmail.ErrInvalid) {
				t.Fatalf("%s %s: %v", c.rule, c.name, err)
			}
			if refuses := smime.HasErrors(findings) || strict && warned; refuses != (err != nil) {
				t.Errorf("%s %s, strict %v: found %q, and Gmail says: %v", c.rule, c.name, strict, ruleIDs(findings), err)
			}
		}
	}
}
