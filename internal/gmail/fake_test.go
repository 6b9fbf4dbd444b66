package gmail

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	api "google.golang.org/api/gmail/v1"
)

const (
	alice     = "alice@example.org"
	tokenURL  = "http://127.0.0.1:1/token"
	apiURL    = "http://127.0.0.1:1/"
	pathStart = "/gmail/v1/users/alice@example.org/settings/cse/"
)

// fake is a Gmail API in memory, without a network, so that it runs in virtual
// time. fault is asked before each call, with the number of calls so far
// (counted from 1) of that method.
type fake struct {
	mu         sync.Mutex
	pairs      []*api.CseKeyPair
	identities map[string]*api.CseIdentity
	page       int
	calls      []string
	times      []time.Time
	tokens     int
	fault      func(method string, n int) *fault
	parse      func(pkcs7 string) (pem string)
	change     func(created *api.CseKeyPair) // before it is answered and kept
}

// fault is what goes wrong with one call.
type fault struct {
	err    error       // of the connection
	lost   bool        // the call is carried out, only its answer is not seen
	status int         // or an answer instead
	header http.Header //
	body   string
}

func newFake() *fake {
	return &fake{identities: map[string]*api.CseIdentity{}, page: 100}
}

func methodOf(req *http.Request) string {
	if req.URL.Path == "/token" {
		return "token"
	}
	rest, ok := strings.CutPrefix(req.URL.Path, pathStart)
	if !ok {
		return "unknown " + req.URL.Path
	}
	collection, id, one := strings.Cut(rest, "/")
	_, action, acted := strings.Cut(id, ":")
	switch {
	case acted:
		return collection + "." + action
	case one:
		return collection + "." + map[string]string{"GET": "get", "PATCH": "patch", "DELETE": "delete"}[req.Method]
	}
	return collection + "." + map[string]string{"GET": "list", "POST": "create"}[req.Method]
}

func (f *fake) RoundTrip(req *http.Request) (*http.Response, error) {
	if err := req.Context().Err(); err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	method := methodOf(req)
	f.calls = append(f.calls, method)
	f.times = append(f.times, time.Now())
	if f.fault != nil {
		if x := f.fault(method, f.count(method)); x != nil {
			if x.lost {
				f.serve(req, method)
			}
			if x.err != nil {
				return nil, x.err
			}
			recorder := httptest.NewRecorder()
			for k, v := range x.header {
				recorder.Header()[k] = v
			}
			recorder.WriteHeader(x.status)
			io.WriteString(recorder, x.body)
			return recorder.Result(), nil
		}
	}
	return f.serve(req, method), nil
}

func (f *fake) count(method string) int {
	n := 0
	for _, c := range f.calls {
		if c == method {
			n++
		}
	}
	return n
}

func (f *fake) serve(req *http.Request, method string) *http.Response {
	w := httptest.NewRecorder()
	answer := func(status int, body any) *http.Response {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		json.NewEncoder(w).Encode(body)
		return w.Result()
	}
	refuse := func(status int, reason, message string) *http.Response {
		w.WriteHeader(status)
		io.WriteString(w, errorBody(status, reason, message))
		return w.Result()
	}
	id := req.URL.Path[strings.LastIndex(req.URL.Path, "/")+1:]
	id, _, _ = strings.Cut(id, ":")
	if method != "token" && !strings.HasPrefix(req.Header.Get("Authorization"), "Bearer token-") {
		return refuse(401, "authError", "Invalid Credentials")
	}
	find := func() *api.CseKeyPair {
		for _, p := range f.pairs {
			if p.KeyPairId == id {
				return p
			}
		}
		return nil
	}
	switch method {
	case "token":
		f.tokens++
		return answer(200, map[string]any{"access_token": fmt.Sprintf("token-%d", f.tokens), "token_type": "Bearer", "expires_in": 3600})
	case "keypairs.list":
		start := 0
		fmt.Sscanf(req.URL.Query().Get("pageToken"), "p%d", &start)
		list := &api.ListCseKeyPairsResponse{CseKeyPairs: f.pairs[start:min(start+f.page, len(f.pairs))]}
		if start+f.page < len(f.pairs) {
			list.NextPageToken = fmt.Sprintf("p%d", start+f.page)
		}
		return answer(200, list)
	case "keypairs.create":
		var p api.CseKeyPair
		json.NewDecoder(req.Body).Decode(&p)
		p.KeyPairId = fmt.Sprintf("kp%03d", len(f.pairs)+1)
		p.EnablementState, p.Pem, p.Pkcs7 = "enabled", f.parse(p.Pkcs7), ""
		if f.change != nil {
			f.change(&p)
		}
		f.pairs = append(f.pairs, &p)
		return answer(200, &p)
	case "keypairs.get":
		if p := find(); p != nil {
			return answer(200, p)
		}
		return refuse(404, "notFound", "Requested entity was not found.")
	case "keypairs.enable", "keypairs.disable":
		p := find()
		if p == nil {
			return refuse(404, "notFound", "Requested entity was not found.")
		}
		if p.EnablementState = "enabled"; method == "keypairs.disable" {
			p.EnablementState, p.DisableTime = "disabled", time.Now().UTC().Format(time.RFC3339)
		}
		return answer(200, p)
	case "keypairs.obliterate":
		for i, p := range f.pairs {
			if p.KeyPairId == id {
				f.pairs = append(f.pairs[:i:i], f.pairs[i+1:]...)
				return answer(200, struct{}{})
			}
		}
		return refuse(404, "notFound", "Requested entity was not found.")
	case "identities.list":
		list := &api.ListCseIdentitiesResponse{}
		for _, i := range f.identities {
			list.CseIdentities = append(list.CseIdentities, i)
		}
		return answer(200, list)
	case "identities.create", "identities.patch":
		var i api.CseIdentity
		json.NewDecoder(req.Body).Decode(&i)
		if _, there := f.identities[alice]; there != (method == "identities.patch") {
			if there {
				return refuse(409, "alreadyExists", "Requested entity already exists")
			}
			return refuse(404, "notFound", "Requested entity was not found.")
		}
		f.identities[alice] = &i
		return answer(200, &i)
	case "identities.get", "identities.delete":
		i, there := f.identities[id]
		if !there {
			return refuse(404, "notFound", "Requested entity was not found.")
		}
		if method == "identities.delete" {
			delete(f.identities, id)
			return answer(200, struct{}{})
		}
		return answer(200, i)
	}
	return refuse(404, "notFound", method)
}

func errorBody(status int, reason, message string) string {
	domain := "global"
	if strings.Contains(strings.ToLower(reason), "limit") {
		domain = "usageLimits"
	}
	data, _ := json.Marshal(map[string]any{"error": map[string]any{"code": status, "message": message,
		"errors": []any{map[string]any{"message": message, "domain": domain, "reason": reason}}}})
	return string(data)
}

func refusal(status int, reason, message string) *fault {
	return &fault{status: status, body: errorBody(status, reason, message)}
}

// onCall makes a fault for the n-th call of a method only.
func onCall(method string, n int, x *fault) func(string, int) *fault {
	return func(m string, i int) *fault {
		if m == method && i == n {
			return x
		}
		return nil
	}
}

func always(method string, x *fault) func(string, int) *fault {
	return func(m string, _ int) *fault {
		if m == method {
			return x
		}
		return nil
	}
}

var signingKey = sync.OnceValue(func() string {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		panic(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
})

func accountJSON(change func(map[string]any)) []byte {
	m := map[string]any{
		"type": "service_account", "project_id": "p", "private_key_id": "k", "private_key": signingKey(),
		"client_email": "sa@p.iam.gserviceaccount.com", "client_id": "1", "token_uri": tokenURL,
	}
	if change != nil {
		change(m)
	}
	data, _ := json.Marshal(m)
	return data
}

func writeAccount(t testing.TB, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "service-account.json")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func openFake(t *testing.T, f *fake, change func(*Config)) *User {
	t.Helper()
	u, err := tryOpenFake(t, f, change)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func tryOpenFake(t *testing.T, f *fake, change func(*Config)) (*User, error) {
	t.Helper()
	config := Config{CredentialsFile: writeAccount(t, accountJSON(nil)), Endpoint: apiURL}
	if change != nil {
		change(&config)
	}
	d, err := open(config, f)
	if err != nil {
		t.Fatal(err)
	}
	return d.User(context.Background(), alice)
}

// chain is a leaf under a CA, as PEM and as the leaf's fingerprint.
type chain struct{ pem, sha256 string }

func newChain(t testing.TB) chain {
	t.Helper()
	now := time.Now()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	ca := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "CA"}, NotBefore: now, NotAfter: now.Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true}
	leaf := &x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "Leaf"}, NotBefore: now, NotAfter: now.Add(time.Hour),
		EmailAddresses: []string{alice}}
	var out bytes.Buffer
	var sum [32]byte
	// The CA first: which certificate is the leaf must not hang on the order.
	for _, c := range []*x509.Certificate{ca, leaf} {
		der, err := x509.CreateCertificate(rand.Reader, c, ca, key.Public(), key)
		if err != nil {
			t.Fatal(err)
		}
		sum = sha256.Sum256(der)
		pem.Encode(&out, &pem.Block{Type: "CERTIFICATE", Bytes: der})
	}
	return chain{out.String(), hex.EncodeToString(sum[:])}
}

func (c chain) request() KeyPairRequest {
	return KeyPairRequest{PKCS7: []byte("-----BEGIN PKCS7-----\n..."), LeafSHA256: c.sha256, Description: "YubiKey 5 NFC, serial 1, slot 9d"}
}

func (c chain) pair(id, state string) *api.CseKeyPair {
	return &api.CseKeyPair{KeyPairId: id, EnablementState: state, Pem: c.pem,
		PrivateKeyMetadata: []*api.CsePrivateKeyMetadata{{HardwareKeyMetadata: &api.HardwareKeyMetadata{Description: "card"}}}}
}
