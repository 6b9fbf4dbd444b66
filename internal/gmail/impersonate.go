package gmail

import (
	"context"
	"net/http"
	"os"
	"sync"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/google"
	"google.golang.org/api/iamcredentials/v1"
	"google.golang.org/api/option"
)

// iamSigner has the IAM Credentials API sign assertions with a key that Google keeps
// for the service account, so no key lies on this machine.
type iamSigner struct {
	account  string
	endpoint string
	machine  machine
}

func (s *iamSigner) signJWT(p *probe, claims []byte) (string, error) {
	token, err := s.machine.token(p)
	if err != nil {
		return "", ofMachine(p, err)
	}
	client := &http.Client{Transport: &oauth2.Transport{Source: oauth2.StaticTokenSource(token), Base: p}, CheckRedirect: noRedirect}
	service, err := iamcredentials.NewService(p.ctx, option.WithHTTPClient(client), option.WithEndpoint(s.endpoint), option.WithLogger(discardLogger()))
	if err != nil {
		return "", err
	}
	answer, err := service.Projects.ServiceAccounts.SignJwt("projects/-/serviceAccounts/"+s.account,
		&iamcredentials.SignJwtRequest{Payload: string(claims)}).Context(p.ctx).Do()
	if err != nil {
		return "", err
	}
	return answer.SignedJwt, nil
}

// machine is the application default credentials of this machine: of a person or a
// service account, or a file of workload identity federation. Its token is shared by
// all users.
type machine struct {
	mu     sync.Mutex
	source oauth2.TokenSource
	probe  *probe // of the exchange under way, guarded by mu
}

// token returns a token for Google Cloud. Where one has to be asked for, that goes
// through p.
func (m *machine) token(p *probe) (*oauth2.Token, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.probe = p
	if m.source == nil {
		source, err := m.find()
		if err != nil {
			return nil, err
		}
		m.source = source
	}
	return m.source.Token()
}

// RoundTrip carries the exchanges of the source, which outlives the call that needs
// it first.
func (m *machine) RoundTrip(req *http.Request) (*http.Response, error) { return m.probe.RoundTrip(req) }

func (m *machine) find() (oauth2.TokenSource, error) {
	if path := machineFile(); path != "" {
		// The library would wait for a pipe, and read whatever is there.
		if _, _, err := readCredentials(path); err != nil {
			return nil, &Error{Method: "token", Kind: KindCredentials, Message: "GOOGLE_APPLICATION_CREDENTIALS: " + err.Error(), Detail: DetailMachine, Err: err}
		}
	}
	client := &http.Client{Transport: m, CheckRedirect: noRedirect}
	found, err := google.FindDefaultCredentials(context.WithValue(context.Background(), oauth2.HTTPClient, client), iamcredentials.CloudPlatformScope)
	if err != nil {
		return nil, &Error{Method: "token", Kind: KindCredentials, Message: "no application default credentials on this machine", Detail: DetailMachine}
	}
	return oauth2.ReuseTokenSource(nil, found.TokenSource), nil
}

// machineFile is the file of application default credentials that the environment
// names; "" where they are looked for in the usual places.
func machineFile() string { return os.Getenv("GOOGLE_APPLICATION_CREDENTIALS") }

// ofMachine says what it means that this machine's own credentials got no token.
func ofMachine(p *probe, err error) *Error {
	e := classifyToken(p.ctx, "", p, err)
	switch e.Kind {
	case KindScope, KindNoUser, KindDenied, KindCredentials:
		if e.Detail != DetailClock && e.Detail != DetailProxy {
			e.Detail = DetailMachine
		}
		e.Kind = KindCredentials
	}
	return e
}
