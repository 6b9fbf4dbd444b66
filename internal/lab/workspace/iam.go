package workspace

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
	"slices"
	"strings"
	"time"
)

// The Security Token Service (RFC 8693) and the IAM Credentials API, which sts.googleapis.com
// and iamcredentials.googleapis.com serve: what a machine needs that acts through the
// service account without its key.
const (
	exchangePath       = "/v1/token"
	serviceAccountPath = "/v1/projects/-/serviceAccounts/"
	scopeCloud         = "https://www.googleapis.com/auth/cloud-platform"
)

// workloadAudience names the practice pool of workload identities.
const workloadAudience = "//iam.googleapis.com/projects/42/locations/global/workloadIdentityPools/practice/providers/lab"

// WorkloadToken is what a machine shows the Security Token Service: where a provider would
// have signed something, the lab takes this one token.
func (s *Server) WorkloadToken() string { return s.workload }

// WorkloadIdentityJSON returns the configuration of workload identity federation, as gcloud
// iam workload-identity-pools create-cred-config writes it, for a machine whose token is in
// tokenFile.
func (s *Server) WorkloadIdentityJSON(baseURL, tokenFile string) []byte {
	// The marshaller cannot fail for maps of strings.
	file, _ := json.MarshalIndent(map[string]any{
		"type":               "external_account",
		"audience":           workloadAudience,
		"subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
		"token_url":          strings.TrimSuffix(baseURL, "/") + exchangePath,
		"credential_source":  map[string]any{"file": tokenFile},
		"universe_domain":    "googleapis.com",
	}, "", "  ")
	return append(file, '\n')
}

// ServiceAccount is the address of the service account that the domain delegated to.
func (s *Server) ServiceAccount() string { return s.account.email }

// SetImpersonation says whether the machine has roles/iam.serviceAccountTokenCreator on the
// service account.
func (s *Server) SetImpersonation(allowed bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.noImpersonation = !allowed
}

// isIAM reports whether a path is of one of the two services.
func isIAM(path string) bool {
	return path == exchangePath || strings.HasPrefix(path, serviceAccountPath)
}

func (s *Server) serveIAM(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxTokenBody))
	switch {
	case err != nil:
		return
	case r.Method != http.MethodPost:
		notFoundPage(w)
	case r.URL.Path == exchangePath:
		s.exchangeWorkload(body).send(w)
	default:
		s.serviceAccountCall(r, body).send(w)
	}
}

// exchangeWorkload is RFC 8693 section 2 for the practice pool.
func (s *Server) exchangeWorkload(body []byte) reply {
	form, err := url.ParseQuery(string(body))
	if err != nil || form.Get("grant_type") != "urn:ietf:params:oauth:grant-type:token-exchange" ||
		form.Get("requested_token_type") != "urn:ietf:params:oauth:token-type:access_token" {
		return invalidRequest("Invalid token exchange request.").reply()
	}
	switch {
	case form.Get("audience") != workloadAudience:
		return oauthError{http.StatusBadRequest, "invalid_target", "The target service indicated by the \"audience\" parameters is invalid."}.reply()
	case form.Get("subject_token") != s.workload:
		return invalidGrant("The given credential is rejected by the attribute condition.").reply()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.issue(grant{scopes: strings.Fields(form.Get("scope"))},
		map[string]any{"issued_token_type": "urn:ietf:params:oauth:token-type:access_token"})
}

// serviceAccountCall is projects.serviceAccounts.signJwt or .generateAccessToken.
func (s *Server) serviceAccountCall(r *http.Request, body []byte) reply {
	name, method, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, serviceAccountPath), ":")
	s.mu.Lock()
	defer s.mu.Unlock()
	caller, known := s.tokens[bearer(r)]
	switch {
	case !known || !caller.expires.After(s.now()):
		return unauthenticated("ACCESS_TOKEN_EXPIRED").reply(true)
	case !slices.Contains(caller.scopes, scopeCloud):
		return insufficientScope(method).reply(true)
	case name != s.account.email && name != s.account.clientID:
		return newError(http.StatusNotFound, "NOT_FOUND", "notFound", "Not found; Gaia id not found for email "+name).reply(true)
	case caller.subject != "" || s.noImpersonation:
		e := permissionDenied("forbidden", "Permission 'iam.serviceAccounts."+method+"' denied on resource (or it may not exist).")
		e.Details = []any{errorInfo("IAM_PERMISSION_DENIED", "")}
		return e.reply(true)
	}
	switch method {
	case "signJwt":
		return s.signJWT(body)
	case "generateAccessToken":
		return s.generateAccessToken(body)
	}
	return notFound().reply(true)
}

func (s *Server) signJWT(body []byte) reply {
	var request struct{ Payload string }
	if err := json.Unmarshal(body, &request); err != nil || !json.Valid([]byte(request.Payload)) {
		return invalidArgument("Invalid payload: it must be a JSON object of claims.").reply(true)
	}
	header, _ := json.Marshal(map[string]string{"alg": "RS256", "kid": s.account.keyID, "typ": "JWT"})
	signed := base64.RawURLEncoding.EncodeToString(header) + "." + base64.RawURLEncoding.EncodeToString([]byte(request.Payload))
	digest := sha256.Sum256([]byte(signed))
	signature, err := rsa.SignPKCS1v15(rand.Reader, s.account.key, crypto.SHA256, digest[:])
	if err != nil {
		return newError(http.StatusInternalServerError, "INTERNAL", "backendError", "Internal error encountered.").reply(true)
	}
	return reply{status: http.StatusOK, indent: true, body: map[string]string{
		"keyId": s.account.keyID, "signedJwt": signed + "." + base64.RawURLEncoding.EncodeToString(signature),
	}}
}

// generateAccessToken answers in the form of that call. The caller holds mu.
func (s *Server) generateAccessToken(body []byte) reply {
	var request struct{ Scope []string }
	if err := json.Unmarshal(body, &request); err != nil || len(request.Scope) == 0 {
		return invalidArgument("Invalid scope.").reply(true)
	}
	issued, isMap := s.issue(grant{scopes: request.Scope}, nil).body.(map[string]any)
	if !isMap {
		return notFound().reply(true)
	}
	return reply{status: http.StatusOK, indent: true, body: map[string]any{
		"accessToken": issued["access_token"], "expireTime": s.now().Add(tokenLifetime).UTC().Format(time.RFC3339),
	}}
}
