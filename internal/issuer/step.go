package issuer

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/secret"
)

// StepOptions is how this program trusts a step-ca and makes itself known to it.
type StepOptions struct {
	TLS
	// Fingerprint is the SHA-256 of the CA's root in hexadecimal, by which it is fetched
	// and trusted where CA names no authority; empty for none.
	Fingerprint string
	// Provisioner is the name of the provisioner that is asked.
	Provisioner string
	// Accounts is the folder with the keys of ACME accounts, one for each provisioner; where
	// it is empty, each order has a new account.
	Accounts string
	// Password opens the key of a JWK provisioner.
	Password secret.Secret
}

// step speaks the API of smallstep's step-ca.
type step struct {
	protocol string
	base     string
	options  StepOptions
	mu       sync.Mutex
	trusted  *web // nil before the root was fetched
}

func newStep(protocol, base string, options StepOptions) (*step, error) {
	base, err := parseBase(protocol, base)
	if err != nil {
		return nil, err
	}
	if options.Provisioner == "" {
		return nil, fmt.Errorf("%s: no provisioner is named", protocol)
	}
	options.Fingerprint = strings.ToLower(strings.ReplaceAll(options.Fingerprint, ":", ""))
	if digits, err := hex.DecodeString(options.Fingerprint); options.Fingerprint != "" && (err != nil || len(digits) != sha256.Size) {
		return nil, fmt.Errorf("%s: the fingerprint of the root is no SHA-256 in hexadecimal", protocol)
	}
	s := &step{protocol: protocol, base: base, options: options}
	if options.Fingerprint == "" || len(options.CA) > 0 {
		s.trusted = newWeb(protocol, options.TLS)
	}
	return s, nil
}

// Name is the protocol, the URL and the provisioner.
func (s *step) Name() string {
	return s.protocol + " " + s.base + " " + s.options.Provisioner
}

// RootError is returned where a CA does not have the root whose fingerprint was given.
type RootError struct {
	URL         string
	Fingerprint string
	Err         error // why the root cannot be had, nil where another came
}

// Error names the fingerprint.
func (e *RootError) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("the CA's root %s cannot be fetched from %s: %v", e.Fingerprint, e.URL, e.Err)
	}
	return fmt.Sprintf("%s gave another root than %s", e.URL, e.Fingerprint)
}

// Unwrap returns why the root cannot be had.
func (e *RootError) Unwrap() error { return e.Err }

// connection returns what speaks with the CA, after its root was fetched and its
// fingerprint compared, where that is how it is trusted.
func (s *step) connection(ctx context.Context, notice func(string)) (*web, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.trusted != nil {
		return s.trusted, nil
	}
	// Nothing but the root's own fingerprint is relied on here.
	unverified := webOver(s.protocol, &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: true})
	target := s.base + "/root/" + s.options.Fingerprint
	var answer struct {
		CA string `json:"ca"`
	}
	if err := getJSON(ctx, unverified, notice, target, &answer); err != nil {
		return nil, &RootError{URL: target, Fingerprint: s.options.Fingerprint, Err: err}
	}
	certs, err := certificate.Parse([]byte(answer.CA))
	if err != nil {
		return nil, &RootError{URL: target, Fingerprint: s.options.Fingerprint, Err: err}
	}
	if certificate.Fingerprint(certs[0]) != s.options.Fingerprint {
		return nil, &RootError{URL: target, Fingerprint: s.options.Fingerprint}
	}
	options := s.options.TLS
	options.CA = certs[:1]
	s.trusted = newWeb(s.protocol, options)
	return s.trusted, nil
}

func getJSON(ctx context.Context, web *web, notice func(string), target string, into any) error {
	got, err := web.do(ctx, notice, webRequest{method: http.MethodGet, target: target, header: map[string]string{"Accept": "application/json"}})
	if err != nil {
		return err
	}
	return decodeJSON(web, target, got, into)
}

func decodeJSON(web *web, target string, got *answer, into any) error {
	if err := json.Unmarshal(got.body, into); err != nil {
		return web.bad(target, got, fmt.Errorf("not the JSON of a step-ca: %w", err))
	}
	return nil
}

// Chain fetches the CA's roots.
func (s *step) Chain(ctx context.Context) ([]*x509.Certificate, error) { return s.roots(ctx, nil) }

func (s *step) roots(ctx context.Context, notice func(string)) ([]*x509.Certificate, error) {
	web, err := s.connection(ctx, notice)
	if err != nil {
		return nil, err
	}
	var answer struct {
		Certificates []string `json:"crts"`
	}
	target := s.base + "/roots"
	if err := getJSON(ctx, web, notice, target, &answer); err != nil {
		return nil, err
	}
	return s.parse(target, answer.Certificates)
}

// parse reads certificates in PEM, one each.
func (s *step) parse(target string, texts []string) ([]*x509.Certificate, error) {
	certs, err := certificate.Parse([]byte(strings.Join(texts, "\n")))
	if err != nil {
		return nil, &AnswerError{Protocol: s.protocol, URL: target, Status: http.StatusOK, Err: err}
	}
	return certs, nil
}

// complete adds the roots to what was issued; what was issued is returned in any case.
func (s *step) complete(ctx context.Context, request Request, csr *x509.CertificateRequest, issued []*x509.Certificate) ([]*x509.Certificate, error) {
	certs, err := leafFirst(issued, csr.PublicKey)
	if err != nil {
		return nil, fmt.Errorf("%s: the answer of %s: %w", s.protocol, s.base, err)
	}
	roots, err := s.roots(ctx, request.Notice)
	if err != nil {
		request.notice(fmt.Sprintf("the certificate was issued, but the CA's roots could not be fetched: %v", err))
		return certs, nil
	}
	return leafFirst(append(certs, roots...), csr.PublicKey)
}

// provisioner is what the CA says of one (GET /provisioners).
type provisioner struct {
	Type         string          `json:"type"`
	Name         string          `json:"name"`
	Key          json.RawMessage `json:"key"`
	EncryptedKey string          `json:"encryptedKey"`
}

// ProvisionerError is returned where a CA has no provisioner of that name and type, or its
// key cannot be used.
type ProvisionerError struct {
	Name, Type string
	Others     []string // that the CA has of that type
	Err        error    // why it cannot be used, nil where there is none
}

// Error names those that there are.
func (e *ProvisionerError) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("provisioner %q: %v", e.Name, e.Err)
	}
	return fmt.Sprintf("the CA has no provisioner %q of the type %s; it has %s", e.Name, e.Type, list(e.Others))
}

// Unwrap returns why it cannot be used.
func (e *ProvisionerError) Unwrap() error { return e.Err }

// ErrProvisionerPassword is a password that does not open a provisioner's key.
var ErrProvisionerPassword = errors.New("the password does not open its key")

// find looks for the provisioner that was named.
func (s *step) find(ctx context.Context, web *web, notice func(string), kind string) (*provisioner, error) {
	const pages = 50 // of up to 100 each
	missing := &ProvisionerError{Name: s.options.Provisioner, Type: kind}
	cursor := ""
	for range pages {
		var page struct {
			Provisioners []provisioner `json:"provisioners"`
			NextCursor   string        `json:"nextCursor"`
		}
		if err := getJSON(ctx, web, notice, s.base+"/provisioners?limit=100&cursor="+url.QueryEscape(cursor), &page); err != nil {
			return nil, err
		}
		for _, p := range page.Provisioners {
			switch {
			case p.Type == kind && p.Name == s.options.Provisioner:
				return &p, nil
			case p.Type == kind:
				missing.Others = append(missing.Others, p.Name)
			}
		}
		if cursor = page.NextCursor; cursor == "" {
			break
		}
	}
	return nil, missing
}
