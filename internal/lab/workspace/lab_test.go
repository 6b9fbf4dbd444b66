package workspace_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/smallstep/pkcs7"
	"golang.org/x/oauth2/google"
	"google.golang.org/api/gmail/v1"
	"google.golang.org/api/googleapi"
	"google.golang.org/api/option"

	"github.com/cse-piv/cse-piv/internal/lab/ca"
	"github.com/cse-piv/cse-piv/internal/lab/workspace"
)

const alice = "alice@lab.example"

// accountKey is made once: RSA keys take their time.
var accountKey = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) })

// lab is a practice domain and its authority, each on loopback.
type lab struct {
	*workspace.Server
	ca   *ca.CA
	url  string
	http *httptest.Server
	pki  *httptest.Server
}

func newLab(t testing.TB, config workspace.Config) *lab {
	t.Helper()
	pki := httptest.NewUnstartedServer(nil)
	authority, err := ca.New(ca.Config{BaseURL: "http://" + pki.Listener.Addr().String()})
	if err != nil {
		t.Fatal(err)
	}
	pki.Config.Handler = authority
	pki.Start()
	t.Cleanup(pki.Close)
	if config.Key, err = accountKey(); err != nil {
		t.Fatal(err)
	}
	config.Domain = "lab.example"
	config.TrustRoots = append(config.TrustRoots, authority.Root())
	server, err := workspace.New(config)
	if err != nil {
		t.Fatal(err)
	}
	front := httptest.NewServer(server)
	t.Cleanup(front.Close)
	return &lab{Server: server, ca: authority, url: front.URL, http: front, pki: pki}
}

// cse opens the Gmail API for a user with Google's own client.
func (l *lab) cse(t testing.TB, user string, scopes ...string) *gmail.UsersSettingsCseService {
	t.Helper()
	if len(scopes) == 0 {
		scopes = []string{workspace.ScopeBasic}
	}
	config, err := google.JWTConfigFromJSON(l.ServiceAccountJSON(l.url), scopes...)
	if err != nil {
		t.Fatal(err)
	}
	config.Subject = user
	ctx := context.Background()
	service, err := gmail.NewService(ctx, option.WithHTTPClient(config.Client(ctx)), option.WithEndpoint(l.url+"/"))
	if err != nil {
		t.Fatal(err)
	}
	return service.Users.Settings.Cse
}

func ecKey(t testing.TB) crypto.Signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// issue has the authority sign a new key's certificate for a user.
func (l *lab) issue(t testing.TB, user string, key crypto.Signer, profile ca.Profile) []*x509.Certificate {
	t.Helper()
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{
		Subject: pkix.Name{CommonName: "Practice user"}, EmailAddresses: []string{user},
	}, key)
	if err != nil {
		t.Fatal(err)
	}
	csr, err := x509.ParseCertificateRequest(der)
	if err != nil {
		t.Fatal(err)
	}
	chain, err := l.ca.Sign(csr, profile)
	if err != nil {
		t.Fatal(err)
	}
	return chain
}

// armor encodes a chain with an encoder that is not the lab's.
func armor(t testing.TB, chain ...*x509.Certificate) string {
	t.Helper()
	var raw []byte
	for _, c := range chain {
		raw = append(raw, c.Raw...)
	}
	der, err := pkcs7.DegenerateCertificate(raw)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PKCS7", Bytes: der}))
}

// hardware is a key pair on a card.
func hardware(pkcs7 string) *gmail.CseKeyPair {
	return &gmail.CseKeyPair{
		Pkcs7: pkcs7,
		PrivateKeyMetadata: []*gmail.CsePrivateKeyMetadata{
			{HardwareKeyMetadata: &gmail.HardwareKeyMetadata{Description: "YubiKey 5C NFC, 12345678, slot 9d"}},
		},
	}
}

// enrolled uploads a new key pair of a user.
func (l *lab) enrolled(t testing.TB, user string, profile ca.Profile) *gmail.CseKeyPair {
	t.Helper()
	pair, err := l.cse(t, user).Keypairs.Create("me", hardware(armor(t, l.issue(t, user, ecKey(t), profile)...))).Do()
	if err != nil {
		t.Fatal(err)
	}
	return pair
}

// wantError checks status and reason of an API error.
func wantError(t testing.TB, err error, status int, reason string) *googleapi.Error {
	t.Helper()
	var apiError *googleapi.Error
	if !errors.As(err, &apiError) {
		t.Errorf("error is %v, want %d %s", err, status, reason)
		return &googleapi.Error{}
	}
	if apiError.Code != status || len(apiError.Errors) == 0 || apiError.Errors[0].Reason != reason {
		t.Errorf("error is %v, want %d %s", err, status, reason)
	}
	return apiError
}

func bigOne() *big.Int { return big.NewInt(1) }
