package workspace_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"github.com/cse-piv/cse-piv/internal/lab/workspace"
)

// keyFile is what a client reads of the service account's file.
type keyFile struct {
	PrivateKeyID string `json:"private_key_id"`
	ClientEmail  string `json:"client_email"`
	TokenURI     string `json:"token_uri"`
}

func (l *lab) keyFile(t *testing.T) keyFile {
	t.Helper()
	var file keyFile
	if err := json.Unmarshal(l.ServiceAccountJSON(l.url+"/"), &file); err != nil {
		t.Fatal(err)
	}
	return file
}

// sign makes a compact JWS by hand.
func sign(t *testing.T, key *rsa.PrivateKey, header, claims any) string {
	t.Helper()
	return signIn(t, base64.RawURLEncoding, key, header, claims)
}

// signIn is sign in some other base64 than RFC 7515's.
func signIn(t *testing.T, encoding *base64.Encoding, key *rsa.PrivateKey, header, claims any) string {
	t.Helper()
	part := func(v any) string {
		text, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return encoding.EncodeToString(text)
	}
	signed := part(header) + "." + part(claims)
	digest := sha256.Sum256([]byte(signed))
	signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, digest[:])
	if err != nil {
		t.Fatal(err)
	}
	return signed + "." + encoding.EncodeToString(signature)
}

// exchange posts a form to the token endpoint.
func (l *lab) exchange(t *testing.T, form url.Values) (status int, body map[string]any) {
	t.Helper()
	response, err := http.PostForm(l.url+"/token", form)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	if kind := response.Header.Get("Content-Type"); !strings.HasPrefix(kind, "application/json") {
		t.Errorf("content type %q", kind)
	}
	if err := json.NewDecoder(response.Body).Decode(&body); err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, body
}

const jwtBearer = "urn:ietf:params:oauth:grant-type:jwt-bearer"

func TestAssertionsAreVerified(t *testing.T) {
	l := newLab(t, workspace.Config{})
	file := l.keyFile(t)
	key, err := accountKey()
	if err != nil {
		t.Fatal(err)
	}
	stranger, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	type object = map[string]any
	now := time.Now().Unix()
	for name, test := range map[string]struct {
		header, claims object // differences; nil value removes
		key            *rsa.PrivateKey
		status         int
		code, says     string
	}{
		"good":                   {status: 200},
		"no key id":              {header: object{"kid": nil}, status: 200},
		"sharing as well":        {claims: object{"scope": workspace.ScopeBasic + " " + workspace.ScopeSharing}, status: 200},
		"a clock a little ahead": {claims: object{"iat": now + 20, "exp": now + 3600}, status: 200},
		"other key":              {key: stranger, status: 400, code: "invalid_grant", says: "Signature"},
		"other key id":           {header: object{"kid": "0123"}, status: 400, code: "invalid_grant", says: "Signature"},
		"alg none":               {header: object{"alg": "none"}, status: 400, code: "invalid_grant", says: "Signature"},
		"alg HS256":              {header: object{"alg": "HS256"}, status: 400, code: "invalid_grant", says: "Signature"},
		"other issuer":           {claims: object{"iss": "x@practice-lab.iam.gserviceaccount.com"}, status: 400, code: "invalid_grant", says: "account not found"},
		"other audience":         {claims: object{"aud": "https://oauth2.googleapis.com/token"}, status: 400, code: "invalid_grant", says: "audience"},
		"no audience":            {claims: object{"aud": nil}, status: 400, code: "invalid_grant", says: "audience"},
		"expired":                {claims: object{"iat": now - 7200, "exp": now - 3600}, status: 400, code: "invalid_grant", says: "short-lived"},
		"too long":               {claims: object{"exp": now + 7200}, status: 400, code: "invalid_grant", says: "short-lived"},
		"from the future":        {claims: object{"iat": now + 600, "exp": now + 900}, status: 400, code: "invalid_grant", says: "short-lived"},
		"no times":               {claims: object{"iat": nil, "exp": nil}, status: 400, code: "invalid_grant", says: "short-lived"},
		"time as text":           {claims: object{"exp": "soon"}, status: 400, code: "invalid_grant", says: "Invalid JWT"},
		"no scope":               {claims: object{"scope": ""}, status: 400, code: "invalid_scope"},
		"not a scope":            {claims: object{"scope": "gmail"}, status: 400, code: "invalid_scope"},
		"not delegated":          {claims: object{"scope": workspace.ScopeMail}, status: 401, code: "unauthorized_client"},
		"half delegated":         {claims: object{"scope": workspace.ScopeBasic + " " + workspace.ScopeMail}, status: 401, code: "unauthorized_client"},
		"other domain":           {claims: object{"sub": "alice@elsewhere.example"}, status: 401, code: "unauthorized_client"},
		"not an address":         {claims: object{"sub": "alice"}, status: 400, code: "invalid_grant", says: "Invalid email or User ID"},
		"nobody":                 {claims: object{"sub": "ghost@lab.example"}, status: 400, code: "invalid_grant", says: "Invalid email or User ID"},
	} {
		t.Run(name, func(t *testing.T) {
			l.RemoveUser("ghost@lab.example")
			header := object{"alg": "RS256", "typ": "JWT", "kid": file.PrivateKeyID}
			claims := object{
				"iss": file.ClientEmail, "sub": alice, "aud": file.TokenURI, "scope": workspace.ScopeBasic,
				"iat": now, "exp": now + 3600,
			}
			for set, differences := range map[*object]object{&header: test.header, &claims: test.claims} {
				for field, value := range differences {
					(*set)[field] = value
					if value == nil {
						delete(*set, field)
					}
				}
			}
			signer := key
			if test.key != nil {
				signer = test.key
			}
			status, body := l.exchange(t, url.Values{"grant_type": {jwtBearer}, "assertion": {sign(t, signer, header, claims)}})
			if status != test.status {
				t.Fatalf("status %d: %v, want %d", status, body, test.status)
			}
			if status == 200 {
				if body["token_type"] != "Bearer" || body["access_token"] == "" || body["expires_in"] != 3599.0 {
					t.Errorf("answer %v", body)
				}
				return
			}
			description, _ := body["error_description"].(string)
			if body["error"] != test.code || !strings.Contains(description, test.says) {
				t.Errorf("answer %v, want %s saying %q", body, test.code, test.says)
			}
		})
	}
}

// TestAssertionsMayBePadded has an assertion as google-auth 1.5.1 writes it, and
// ones that no encoder writes.
func TestAssertionsMayBePadded(t *testing.T) {
	l := newLab(t, workspace.Config{})
	file := l.keyFile(t)
	key, err := accountKey()
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now().Unix()
	for name, test := range map[string]struct {
		encoding *base64.Encoding
		change   func(token string) string
		status   int
	}{
		"padded":             {base64.URLEncoding, nil, 200},
		"not padded":         {base64.RawURLEncoding, nil, 200},
		"signature unpadded": {base64.URLEncoding, func(token string) string { return strings.TrimRight(token, "=") }, 200},
		"one = too many":     {base64.URLEncoding, func(token string) string { return token + "=" }, 400},
		"one = too few":      {base64.URLEncoding, func(token string) string { return strings.TrimSuffix(token, "=") }, 400},
		"a line break":       {base64.RawURLEncoding, func(token string) string { return token[:20] + "\n" + token[20:] }, 400},
	} {
		// Three lengths of the claims, so that each padding occurs.
		for _, subject := range []string{"a@lab.example", "al@lab.example", "ali@lab.example"} {
			token := signIn(t, test.encoding, key, map[string]any{"alg": "RS256", "typ": "JWT", "kid": file.PrivateKeyID}, map[string]any{
				"iss": file.ClientEmail, "sub": subject, "aud": file.TokenURI, "scope": workspace.ScopeBasic, "iat": now, "exp": now + 3600,
			})
			if test.change != nil {
				token = test.change(token)
			}
			if status, body := l.exchange(t, url.Values{"grant_type": {jwtBearer}, "assertion": {token}}); status != test.status {
				t.Errorf("%s, %s: status %d: %v, want %d", name, subject, status, body, test.status)
			}
		}
	}
}

func TestTokenRequestsAreChecked(t *testing.T) {
	l := newLab(t, workspace.Config{})
	for name, test := range map[string]struct {
		form url.Values
		code string
	}{
		"empty":         {url.Values{}, "invalid_request"},
		"grant type":    {url.Values{"grant_type": {"password"}}, "unsupported_grant_type"},
		"no assertion":  {url.Values{"grant_type": {jwtBearer}}, "invalid_request"},
		"no JWT":        {url.Values{"grant_type": {jwtBearer}, "assertion": {"a.b"}}, "invalid_grant"},
		"unknown code":  {url.Values{"grant_type": {"authorization_code"}, "code": {"x"}}, "invalid_grant"},
		"refresh token": {url.Values{"grant_type": {"refresh_token"}, "refresh_token": {"x"}}, "invalid_grant"},
	} {
		if status, body := l.exchange(t, test.form); status != 400 || body["error"] != test.code {
			t.Errorf("%s: %d %v, want 400 %s", name, status, body, test.code)
		}
	}
	response, err := http.Get(l.url + "/token")
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("GET: %s", response.Status)
	}
	response, err = http.Post(l.url+"/token", "application/json", strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusBadRequest {
		t.Errorf("JSON: %s", response.Status)
	}
}

func TestAuthorizationCodeWithPKCE(t *testing.T) {
	l := newLab(t, workspace.Config{})
	config := &oauth2.Config{
		ClientID: "desktop.apps.example", ClientSecret: "not-secret", RedirectURL: "http://127.0.0.1:1/back",
		Scopes:   []string{workspace.ScopeBasic},
		Endpoint: oauth2.Endpoint{AuthURL: l.url + "/o/oauth2/v2/auth", TokenURL: l.url + "/token", AuthStyle: oauth2.AuthStyleInParams},
	}
	verifier := oauth2.GenerateVerifier()
	browser := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	consent := func(extra ...oauth2.AuthCodeOption) url.Values {
		t.Helper()
		response, err := browser.Get(config.AuthCodeURL("the state", extra...))
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		back, err := response.Location()
		if err != nil {
			t.Fatalf("%s: %v", response.Status, err)
		}
		if back.Host != "127.0.0.1:1" || back.Query().Get("state") != "the state" {
			t.Errorf("sent back to %s", back)
		}
		return back.Query()
	}
	hint := oauth2.SetAuthURLParam("login_hint", alice)
	code := consent(hint, oauth2.S256ChallengeOption(verifier)).Get("code")
	token, err := config.Exchange(t.Context(), code, oauth2.VerifierOption(verifier))
	if err != nil {
		t.Fatal(err)
	}
	if token.RefreshToken == "" {
		t.Error("no refresh token")
	}
	if _, err := config.Exchange(t.Context(), code, oauth2.VerifierOption(verifier)); err == nil {
		t.Error("a code worked twice")
	}
	code = consent(hint, oauth2.S256ChallengeOption(verifier)).Get("code")
	if _, err := config.Exchange(t.Context(), code, oauth2.VerifierOption(oauth2.GenerateVerifier())); err == nil {
		t.Error("another verifier was taken")
	}
	if got := consent(hint).Get("error"); got != "invalid_request" {
		t.Errorf("without PKCE: %q", got)
	}
	nobody := oauth2.SetAuthURLParam("login_hint", "alice@elsewhere.example")
	if got := consent(nobody, oauth2.S256ChallengeOption(verifier)).Get("error"); got != "access_denied" {
		t.Errorf("not a user: %q", got)
	}
	// The token is the user's own, and can be refreshed.
	token.Expiry = time.Now().Add(-time.Minute)
	response, err := config.Client(t.Context(), token).Get(l.url + "/gmail/v1/users/me/settings/cse/keypairs")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	if body, _ := io.ReadAll(response.Body); response.StatusCode != 200 {
		t.Errorf("%s: %s", response.Status, body)
	}
	config.RedirectURL = "https://elsewhere.example/"
	page, err := browser.Get(config.AuthCodeURL("x", hint, oauth2.S256ChallengeOption(verifier)))
	if err != nil {
		t.Fatal(err)
	}
	_ = page.Body.Close()
	if page.StatusCode != http.StatusBadRequest {
		t.Errorf("a foreign redirect URI: %s", page.Status)
	}
}
