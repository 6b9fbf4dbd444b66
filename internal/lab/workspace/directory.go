package workspace

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// directoryPath is where the users of the Directory API are (Admin SDK discovery document,
// directory_v1, revision 20260914); directoryRPC begins the names of its methods in errors.
const (
	directoryPath = "/admin/directory/v1/users"
	directoryRPC  = "ccc.hosted.frontend.directory.v1.DirectoryUsers."
)

var (
	getUser = &endpoint{name: "users.get", rpc: directoryRPC + "Get", directory: true,
		query: []string{"projection", "viewType", "customFieldMask"}, run: (*Server).getUser}
	listUsers = &endpoint{name: "users.list", rpc: directoryRPC + "List", directory: true,
		query: []string{"customer", "domain", "maxResults", "pageToken", "projection", "viewType", "showDeleted", "orderBy", "sortOrder", "customFieldMask"}, run: (*Server).listUsers}
)

// routeDirectory finds the endpoint of what follows directoryPath.
func routeDirectory(method, rest string) (*endpoint, map[string]string, bool) {
	if method != http.MethodGet {
		return nil, nil, false
	}
	if rest == "" {
		return listUsers, nil, true
	}
	key, ok := strings.CutPrefix(rest, "/")
	id, err := url.PathUnescape(key)
	return getUser, map[string]string{"id": id}, ok && err == nil && id != "" && !strings.Contains(key, "/")
}

// authorizeDirectory checks token, scope and who asks: an administrator or, for what all of
// the domain may see, anybody. It sets the call's user.
func (s *Server) authorizeDirectory(r *http.Request, e *endpoint, _ string, c *call) *apiError {
	s.mu.Lock()
	defer s.mu.Unlock()
	g, refused := s.grantOf(r)
	switch {
	case refused != nil:
		return refused
	case !g.covers([]string{ScopeDirectory, ScopeDirectoryReadonly}):
		return insufficientScope(e.rpc)
	case g.subject == "" || !s.isUser(g.subject) || s.listing(g.subject).blocked():
		// A service account is in nobody's domain.
		return notAuthorized()
	case !s.listing(g.subject).Admin && c.query.Get("viewType") != "domain_public":
		return notAuthorized()
	}
	c.user = g.subject
	return nil
}

// directoryError is in the older format of Google's errors alone, as the Directory API
// writes it.
func directoryError(code int, reason, message string) *apiError {
	return newError(code, "", reason, message)
}

// notAuthorized is the answer to somebody who is no administrator, or not of that user.
func notAuthorized() *apiError {
	return directoryError(http.StatusForbidden, "forbidden", "Not Authorized to access this resource/api")
}

// getUser answers users.get. The key is a primary address, an alias or an id.
func (s *Server) getUser(c *call) (any, *apiError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := canonical(c.id)
	if !strings.Contains(key, "@") {
		for _, user := range s.everybody() {
			if directoryID(user) == key {
				key = user
			}
		}
	}
	if local, found := strings.CutSuffix(key, "@"+s.testDomain()); found {
		key = local + "@" + s.config.Domain
	}
	if owner := s.aliases[key]; owner != "" {
		key = owner
	}
	if _, domain, address := strings.Cut(key, "@"); address && domain != s.config.Domain {
		return nil, notAuthorized()
	}
	if !s.isUser(key) {
		return nil, directoryError(http.StatusNotFound, "notFound", "Resource Not Found: userKey")
	}
	return s.directoryUser(key, c.query.Get("viewType") == "domain_public"), nil
}

// listUsers answers users.list with those who are known by name: of whom the domain was
// told something, or who have settings. showDeleted lists those who were removed.
func (s *Server) listUsers(c *call) (any, *apiError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch customer, domain := c.query.Get("customer"), c.query.Get("domain"); {
	case customer == "" && domain == "":
		return nil, directoryError(http.StatusBadRequest, "badRequest", "Bad Request")
	case domain != "" && domain != s.config.Domain:
		return nil, directoryError(http.StatusNotFound, "notFound", "Domain not found.")
	case customer != "" && customer != "my_customer" && customer != customerID:
		return nil, directoryError(http.StatusNotFound, "notFound", "Resource Not Found: customer")
	}
	size := 100
	if text := c.query.Get("maxResults"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > 500 {
			return nil, directoryError(http.StatusBadRequest, "invalid", "Invalid Input: maxResults")
		}
		size = n
	}
	all := s.everybody()
	if c.query.Get("showDeleted") == "true" {
		all = nil
		for user := range s.removed {
			all = append(all, user)
		}
		slices.Sort(all)
	}
	if token := c.query.Get("pageToken"); token != "" {
		after, err := base64.RawURLEncoding.DecodeString(token)
		if err != nil {
			return nil, directoryError(http.StatusBadRequest, "invalid", "Invalid Input: pageToken")
		}
		at, there := slices.BinarySearch(all, string(after))
		if there {
			at++
		}
		all = all[at:]
	}
	answer := map[string]any{"kind": "admin#directory#users", "etag": directoryETag(strings.Join(all, " "))}
	if len(all) > size {
		all = all[:size]
		answer["nextPageToken"] = base64.RawURLEncoding.EncodeToString([]byte(all[size-1]))
	}
	var users []any
	for _, user := range all {
		users = append(users, s.directoryUser(user, c.query.Get("viewType") == "domain_public"))
	}
	if len(users) > 0 {
		answer["users"] = users
	}
	return answer, nil
}
