package workspace

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// endpoint is one method of the API (or the token endpoint).
type endpoint struct {
	name     string // as told to Fault and Observe
	rpc      string // as named in error details
	verb     string
	readOnly bool // accepts the reading scopes as well
	// directory: a method of the Directory API, and not of Gmail's
	directory bool
	query     []string
	run       func(*Server, *call) (any, *apiError)
}

// Methods are the names by which calls are told to Config.Fault and
// Config.Observe.
func Methods() []string {
	names := []string{"token"}
	for _, e := range keypairEndpoints() {
		names = append(names, e.name)
	}
	for _, e := range identityEndpoints() {
		names = append(names, e.name)
	}
	return append(names, getUser.name, listUsers.name)
}

func keypairEndpoints() map[string]*endpoint {
	return map[string]*endpoint{
		"GET":        {name: "keypairs.list", rpc: "ListCseKeyPairs", verb: "GET", readOnly: true, query: []string{"pageSize", "pageToken"}, run: (*Server).listKeyPairs},
		"POST":       {name: "keypairs.create", rpc: "CreateCseKeyPair", verb: "POST", query: []string{"chainValidation"}, run: (*Server).createKeyPair},
		"GET id":     {name: "keypairs.get", rpc: "GetCseKeyPair", verb: "GET", readOnly: true, run: (*Server).getKeyPair},
		"enable":     {name: "keypairs.enable", rpc: "EnableCseKeyPair", verb: "POST", run: (*Server).enableKeyPair},
		"disable":    {name: "keypairs.disable", rpc: "DisableCseKeyPair", verb: "POST", run: (*Server).disableKeyPair},
		"obliterate": {name: "keypairs.obliterate", rpc: "ObliterateCseKeyPair", verb: "POST", run: (*Server).obliterateKeyPair},
	}
}

func identityEndpoints() map[string]*endpoint {
	return map[string]*endpoint{
		"GET":       {name: "identities.list", rpc: "ListCseIdentities", verb: "GET", readOnly: true, query: []string{"pageSize", "pageToken"}, run: (*Server).listIdentities},
		"POST":      {name: "identities.create", rpc: "CreateCseIdentity", verb: "POST", run: (*Server).createIdentity},
		"GET id":    {name: "identities.get", rpc: "GetCseIdentity", verb: "GET", readOnly: true, run: (*Server).getIdentity},
		"PATCH id":  {name: "identities.patch", rpc: "PatchCseIdentity", verb: "PATCH", run: (*Server).patchIdentity},
		"DELETE id": {name: "identities.delete", rpc: "DeleteCseIdentity", verb: "DELETE", run: (*Server).deleteIdentity},
	}
}

// route finds the endpoint of a request: POST /token, the "path" of each method in
// the discovery document below /gmail/v1/users/{userId}/settings/cse, and the users of
// the Directory API.
func route(r *http.Request) (*endpoint, map[string]string, bool) {
	if r.URL.Path == tokenPath {
		return &endpoint{name: "token"}, nil, true
	}
	if rest, ok := strings.CutPrefix(r.URL.EscapedPath(), directoryPath); ok {
		return routeDirectory(r.Method, rest)
	}
	rest, ok := strings.CutPrefix(r.URL.EscapedPath(), "/gmail/v1/users/")
	if !ok {
		return nil, nil, false
	}
	parts := strings.Split(rest, "/")
	if len(parts) == 3 && parts[1] == "settings" && parts[2] == "sendAs" && r.Method == http.MethodGet {
		user, err := url.PathUnescape(parts[0])
		return &endpoint{name: "sendAs.list", rpc: "ListSendAs", verb: "GET", readOnly: true, run: (*Server).listSendAs}, map[string]string{"userId": user}, err == nil
	}
	if len(parts) < 4 || len(parts) > 5 || parts[1] != "settings" || parts[2] != "cse" {
		return nil, nil, false
	}
	user, err := url.PathUnescape(parts[0])
	if err != nil || user == "" {
		return nil, nil, false
	}
	vars := map[string]string{"userId": user}
	key := r.Method
	table := identityEndpoints()
	if parts[3] == "keypairs" {
		table = keypairEndpoints()
	} else if parts[3] != "identities" {
		return nil, nil, false
	}
	if len(parts) == 5 {
		id, err := url.PathUnescape(parts[4])
		if err != nil || id == "" {
			return nil, nil, false
		}
		key += " id"
		if parts[3] == "keypairs" && r.Method == http.MethodPost {
			// A custom method of AIP-136: {keyPairId}:verb.
			at := strings.LastIndexByte(id, ':')
			if at < 1 {
				return nil, nil, false
			}
			id, key = id[:at], id[at+1:]
		}
		vars["id"] = id
	}
	e, ok := table[key]
	if !ok || e.verb != r.Method {
		return nil, nil, false
	}
	return e, vars, true
}

// Limits on request bodies in bytes.
const (
	maxTokenBody = 64 << 10
	maxAPIBody   = 1 << 20
)

// readBody reads the whole body; false means that the answer was sent already
// or that nobody waits for one.
func readBody(w http.ResponseWriter, r *http.Request, e *endpoint) ([]byte, bool) {
	limit := int64(maxAPIBody)
	if e.name == "token" {
		limit = maxTokenBody
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		newError(http.StatusRequestEntityTooLarge, "INVALID_ARGUMENT", "uploadTooLarge", "Request payload size exceeds the limit.").reply(true).send(w)
		return nil, false
	}
	return body, err == nil
}
