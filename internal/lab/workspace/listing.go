package workspace

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// customerID is the organisation's, by which the Directory API names it.
const customerID = "C0practice"

// Listing is what the domain's directory has of a user. The zero value is that of an
// ordinary user with a mailbox.
type Listing struct {
	Aliases   []string // further addresses of the user
	Suspended bool
	Archived  bool
	// NoMailbox: the user has no licence with Gmail, or nobody has made the mailbox yet.
	NoMailbox bool
	// Admin may read the users of the Directory API.
	Admin bool
}

// blocked reports whether the user can do nothing.
func (l Listing) blocked() bool { return l.Suspended || l.Archived }

// List puts a user into the directory. Who is not in it is an ordinary user, whom
// users.list does not name before somebody asks Gmail for the user's settings. An alias
// is no user's primary address from then on. RemoveUser is how an account is deleted.
func (s *Server) List(email string, listing Listing) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	user := canonical(email)
	if !s.isUser(user) {
		return fmt.Errorf("%q is no user of %s", email, s.config.Domain)
	}
	for i, alias := range listing.Aliases {
		listing.Aliases[i] = canonical(alias)
		if owner := s.aliases[listing.Aliases[i]]; listing.Aliases[i] == user || owner != "" && owner != user {
			return fmt.Errorf("%q cannot be an alias of %q", alias, email)
		}
	}
	for _, alias := range s.listings[user].Aliases {
		delete(s.aliases, alias)
	}
	for _, alias := range listing.Aliases {
		s.aliases[alias] = user
	}
	s.listings[user] = listing
	return nil
}

// listing is what the directory has of a canonical address. The caller holds mu.
func (s *Server) listing(user string) Listing { return s.listings[user] }

// everybody is the users that are known by name, sorted. The caller holds mu.
func (s *Server) everybody() []string {
	var all []string
	for user := range s.listings {
		all = append(all, user)
	}
	for user := range s.users {
		all = append(all, user)
	}
	slices.Sort(all)
	return slices.DeleteFunc(slices.Compact(all), func(user string) bool { return !s.isUser(user) })
}

// testDomain is the domain alias that each organisation has, whose addresses nobody can
// take away.
func (s *Server) testDomain() string { return s.config.Domain + ".test-google-a.com" }

// directoryUser is a User of the discovery document; public is what all of the domain may
// see of it. The caller holds mu.
func (s *Server) directoryUser(user string, public bool) map[string]any {
	local, _, _ := strings.Cut(user, "@")
	given, family, _ := strings.Cut(local, ".")
	if family == "" {
		family = "Practice"
	}
	view := map[string]any{
		"kind": "admin#directory#user", "id": directoryID(user), "etag": directoryETag(fmt.Sprint(user, s.listing(user))), "primaryEmail": user,
		"name":   map[string]string{"givenName": given, "familyName": family, "fullName": given + " " + family},
		"emails": []any{map[string]any{"address": user, "primary": true}},
	}
	if public {
		return view
	}
	listing := s.listing(user)
	for name, value := range map[string]any{
		"isAdmin": listing.Admin, "isDelegatedAdmin": false, "suspended": listing.Suspended, "archived": listing.Archived,
		"isMailboxSetup": !listing.NoMailbox, "customerId": customerID, "orgUnitPath": "/", "agreedToTerms": true,
		"changePasswordAtNextLogin": false, "includeInGlobalAddressList": true, "ipWhitelisted": false,
		"creationTime": "2024-01-02T03:04:05.000Z", "lastLoginTime": "1970-01-01T00:00:00.000Z",
		"nonEditableAliases": []string{local + "@" + s.testDomain()},
	} {
		view[name] = value
	}
	if listing.Suspended {
		view["suspensionReason"] = "ADMIN"
	}
	if len(listing.Aliases) > 0 {
		view["aliases"] = listing.Aliases
	}
	return view
}

// directoryID is a user's id, which is a number of 21 digits.
func directoryID(user string) string {
	sum := sha256.Sum256([]byte(user))
	return "1" + fmt.Sprintf("%020s", strconv.FormatUint(binary.BigEndian.Uint64(sum[:]), 10))
}

func directoryETag(of string) string {
	sum := sha256.Sum256([]byte(of))
	return `"` + base64.RawURLEncoding.EncodeToString(sum[:]) + `"`
}
