package issuer

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/issuer/catest"
	"github.com/cse-piv/cse-piv/internal/secret"
)

// stepCA is a real step-ca.
type stepCA struct {
	base        string
	root        *x509.Certificate
	attestation testCA // whose root it takes attestations of
}

func startStepCA(t *testing.T) stepCA {
	t.Helper()
	authority, attestation := newCA(t, nil), newCA(t, func(c *x509.Certificate) { c.ExtKeyUsage = nil })
	return stepCA{catest.StartStepCA(t, authority.root, authority.rootKey, pemOf(attestation.root)), authority.root, attestation}
}

// attest makes an attestation as a card's, with its serial number.
func (ca stepCA) attest(t *testing.T, public crypto.PublicKey, serial int) []*x509.Certificate {
	t.Helper()
	value, err := asn1.Marshal(serial)
	if err != nil {
		t.Fatal(err)
	}
	slot := newCertificate(t, &x509.Certificate{Subject: pkix.Name{CommonName: "YubiKey PIV Attestation 9d"}, ExtraExtensions: []pkix.Extension{{Id: oidYubicoSerial, Value: value}}},
		ca.attestation.issuing, public, ca.attestation.key)
	return []*x509.Certificate{slot, ca.attestation.issuing}
}

func fingerprint(c *x509.Certificate) string {
	sum := sha256.Sum256(c.Raw)
	return hex.EncodeToString(sum[:])
}

// TestRealStepCA enrolls at smallstep's step-ca, in both ways.
func TestRealStepCA(t *testing.T) {
	ca := startStepCA(t)
	pinned := StepOptions{Fingerprint: fingerprint(ca.root), Provisioner: "desk", Password: secret.FromString(catest.Password)}
	cards := StepOptions{TLS: TLS{CA: []*x509.Certificate{ca.root}}, Provisioner: "cards"}
	open := func(t *testing.T, with func(string, StepOptions) (Issuer, error), options StepOptions) Issuer {
		t.Helper()
		i, err := with(ca.base, options)
		if err != nil {
			t.Fatal(err)
		}
		return i
	}
	check := func(t *testing.T, request Request, certs []*x509.Certificate, err error) {
		t.Helper()
		csr, csrErr := request.check()
		if err != nil || csrErr != nil || len(certs) != 3 || !certificate.SameKey(certs[0].PublicKey, csr.PublicKey) || !slices.Equal(certs[0].EmailAddresses, []string{carol}) ||
			!slices.Contains(certs[0].ExtKeyUsage, x509.ExtKeyUsageEmailProtection) || !slices.ContainsFunc(certs, ca.root.Equal) {
			t.Fatal(certs, err, csrErr)
		}
	}
	t.Run("JWK", func(t *testing.T) {
		for name, options := range map[string]StepOptions{"fingerprint": pinned, "file": {TLS: TLS{CA: []*x509.Certificate{ca.root}}, Provisioner: "desk", Password: pinned.Password}} {
			request := newRequest(t, newKey(t), func(r *x509.CertificateRequest) { r.Subject.CommonName = carol })
			certs, err := open(t, NewStep, options).Issue(t.Context(), request)
			t.Log(name)
			check(t, request, certs, err)
		}
	})
	t.Run("JWK refused", func(t *testing.T) {
		request := newRequest(t, newKey(t), func(r *x509.CertificateRequest) { r.Subject.CommonName = carol })
		late := open(t, NewStep, pinned)
		late.(*stepIssuer).now = func() time.Time { return time.Now().Add(-time.Hour) }
		var refused *AnswerError
		if _, err := late.Issue(t.Context(), request); !errors.As(err, &refused) || refused.Status != http.StatusUnauthorized {
			t.Errorf("an expired token: %v", err)
		}
		// The address is bound by the token: a request for another one is refused.
		other := newRequest(t, newKey(t), func(r *x509.CertificateRequest) {
			r.Subject.CommonName, r.EmailAddresses = carol, []string{"eve@example.org"}
		})
		if _, err := open(t, NewStep, pinned).Issue(t.Context(), other); !errors.As(err, &refused) || refused.Status != http.StatusForbidden {
			t.Errorf("another address: %v", err)
		}
		wrong := pinned
		wrong.Password = secret.FromString("wrong")
		if _, err := open(t, NewStep, wrong).Issue(t.Context(), request); !errors.Is(err, ErrProvisionerPassword) {
			t.Errorf("a wrong password: %v", err)
		}
		wrong = pinned
		wrong.Provisioner = "nobody"
		var missing *ProvisionerError
		if _, err := open(t, NewStep, wrong).Issue(t.Context(), request); !errors.As(err, &missing) || !slices.Equal(missing.Others, []string{"desk"}) {
			t.Errorf("no such provisioner: %v", err)
		}
		wrong = pinned
		wrong.Fingerprint = fingerprint(newCA(t, nil).root)
		var root *RootError
		if _, err := open(t, NewStep, wrong).Issue(t.Context(), request); !errors.As(err, &root) {
			t.Errorf("another root: %v", err)
		}
		var untrusted *TLSError
		if _, err := open(t, NewStep, StepOptions{Provisioner: "desk"}).Issue(t.Context(), request); !errors.As(err, &untrusted) {
			t.Errorf("nothing pinned: %v", err)
		}
	})
	t.Run("ACME", func(t *testing.T) {
		cards := cards
		cards.Accounts = filepath.Join(t.TempDir(), "accounts")
		var account []byte // the second order goes on with it
		for _, key := range []crypto.Signer{newKey(t), newRSA(t, 2048)} {
			request := newRequest(t, key, nil)
			request.Key, request.Attestation = key, ca.attest(t, key.Public(), 31415926)
			certs, err := open(t, NewStepAttest, cards).Issue(t.Context(), request)
			check(t, request, certs, err)
			files, globErr := filepath.Glob(filepath.Join(cards.Accounts, "acme-*.key"))
			if globErr != nil || len(files) != 1 {
				t.Fatalf("accounts: %v, %v", files, globErr)
			}
			kept, readErr := os.ReadFile(files[0])
			if readErr != nil || account != nil && !bytes.Equal(kept, account) {
				t.Errorf("another account was made: %v", readErr)
			}
			account = kept
		}
		files, _ := filepath.Glob(filepath.Join(cards.Accounts, "*"))
		if err := os.WriteFile(files[0], []byte("cut off"), 0o600); err != nil {
			t.Fatal(err)
		}
		key := newKey(t)
		request := newRequest(t, key, nil)
		request.Key, request.Attestation = key, ca.attest(t, key.Public(), 31415926)
		if _, err := open(t, NewStepAttest, cards).Issue(t.Context(), request); err == nil || !strings.Contains(err.Error(), "is damaged; remove it") {
			t.Errorf("a damaged account: %v", err)
		}
	})
	t.Run("ACME refused", func(t *testing.T) {
		key := newKey(t)
		request := newRequest(t, key, nil)
		request.Key = key
		var attestation *NotAttestedError
		if _, err := open(t, NewStepAttest, cards).Issue(t.Context(), request); !errors.As(err, &attestation) {
			t.Errorf("no attestation: %v", err)
		}
		stranger := ca
		stranger.attestation = newCA(t, nil)
		request.Attestation = stranger.attest(t, key.Public(), 31415926)
		var refused *AnswerError
		if _, err := open(t, NewStepAttest, cards).Issue(t.Context(), request); !errors.As(err, &refused) || refused.Text == "" {
			t.Errorf("an attestation of nobody: %v", err)
		}
		request.Attestation = ca.attest(t, newKey(t).Public(), 31415926)
		if _, err := open(t, NewStepAttest, cards).Issue(t.Context(), request); !errors.As(err, &refused) {
			t.Errorf("an attestation of another key: %v", err)
		}
		request.Key = nil
		if _, err := open(t, NewStepAttest, cards).Issue(t.Context(), request); !errors.Is(err, ErrNoKey) {
			t.Errorf("without the card: %v", err)
		}
		request.Key, request.Attestation = key, ca.attest(t, key.Public(), 31415926)
		wrong := cards
		wrong.Provisioner = "desk"
		if _, err := open(t, NewStepAttest, wrong).Issue(t.Context(), request); !errors.As(err, &refused) {
			t.Errorf("a provisioner of another type: %v", err)
		}
	})
}

// TestStepBadAnswers: whatever answers in place of a step-ca is named in a typed error.
func TestStepBadAnswers(t *testing.T) {
	key := newKey(t)
	var provisioners = `{"provisioners":[{"type":"JWK","name":"desk","key":{},"encryptedKey":"a.b.c.d.e"}]}`
	for name, test := range map[string]struct {
		list  string
		check func(error) bool
	}{
		"a page":          {"<html>Sign in</html>", is[*AnswerError]},
		"nonsense":        {"[[[", is[*AnswerError]},
		"other JSON":      {`{"provisioners": 7}`, is[*AnswerError]},
		"too much":        {strings.Repeat(" ", maxAnswer+1), is[*AnswerError]},
		"none":            {`{}`, is[*ProvisionerError]},
		"a damaged key":   {provisioners, is[*ProvisionerError]},
		"no key":          {strings.Replace(provisioners, "a.b.c.d.e", "", 1), is[*ProvisionerError]},
		"without an end":  {`{"nextCursor":"again"}`, is[*ProvisionerError]},
		"control in name": {`{"provisioners":[{"type":"JWK","name":"\u001b[31m"}]}`, func(err error) bool { return is[*ProvisionerError](err) && !strings.ContainsRune(err.Error(), 0x1b) }},
	} {
		server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, test.list) }))
		for _, with := range []func(string, StepOptions) (Issuer, error){NewStep, NewStepAttest} {
			i, err := with(server.URL, StepOptions{TLS: TLS{CA: []*x509.Certificate{server.Certificate()}}, Provisioner: "desk", Password: secret.FromString("x")})
			if err != nil {
				t.Fatal(err)
			}
			request := newRequest(t, key, nil)
			if _, attests := i.(attestIssuer); attests {
				request.Key, request.Attestation = key, stepCA{attestation: newCA(t, nil)}.attest(t, key.Public(), 1)
				if _, err := i.Issue(t.Context(), request); err == nil {
					t.Errorf("%s: nothing is wrong with it by ACME", name)
				}
			} else if _, err := i.Issue(t.Context(), request); !test.check(err) {
				t.Errorf("%s: %T %v", name, err, err)
			}
		}
		server.Close()
	}
	for options, ok := range map[*StepOptions]bool{{}: false, {Provisioner: "x", Fingerprint: "abc"}: false, {Provisioner: "x", Fingerprint: strings.Repeat("AB:", 31) + "AB"}: true} {
		if _, err := NewStep("https://ca.example.org", *options); (err == nil) != ok {
			t.Errorf("%+v: %v", options, err)
		}
	}
}

func is[T error](err error) bool {
	var target T
	return errors.As(err, &target)
}
