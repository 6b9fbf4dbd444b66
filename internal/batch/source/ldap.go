package source

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"iter"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/go-ldap/ldap/v3"

	"github.com/cse-piv/cse-piv/internal/secret"
)

// LDAPOptions says how a directory is read. What is zero is taken from the
// address, or has the default that is named.
type LDAPOptions struct {
	// Base is where the search begins; by default the directory's only naming
	// context.
	Base string
	// Filter (RFC 4515) chooses entries; by default those with an address and a
	// certificate.
	Filter string
	// Mail is the attribute of the address (default "mail"). Of several values
	// the first that a certificate names is taken, else the first.
	Mail string
	// Attributes hold certificates (default userSMIMECertificate and
	// userCertificate;binary, RFC 2798 and RFC 4523).
	Attributes []string
	// BindDN and Password log in by a simple bind; without them it is anonymous.
	// A password is sent over TLS or to this machine only.
	BindDN   string
	Password secret.Secret
	// StartTLS encrypts an ldap:// connection before anything else is sent.
	StartTLS bool
	// Roots are whom to believe about the server; nil means the system's.
	Roots *x509.CertPool
	// Timeout bounds connecting and each wait for the server (default 30 s).
	Timeout time.Duration
	// PageSize is how many entries are asked for at a time (RFC 2696, default 500);
	// less where the directory refuses so many.
	PageSize uint32
	// History takes a user's expired and superseded certificates for encryption
	// as history.
	History bool
	// Now is when certificates must be valid; nil means time.Now.
	Now func() time.Time
}

const defaultFilter = "(&(mail=*)(|(userSMIMECertificate=*)(userCertificate=*)))"

type directory struct {
	url     url.URL // without path and query
	scope   int
	options Options
	ldap    LDAPOptions // with all defaults
}

// LDAP reads a directory by an address such as
// ldaps://ldap.example.com/ou=people,dc=example,dc=com??sub?(department=7), whose
// parts after the host may be left out (RFC 4516; attributes named there are
// those of certificates). Results are asked for in pages.
//
// An entry's certificates are those for S/MIME: not an authority's, extended key
// usage emailProtection, any or none. Those for the entry's address come before
// others, valid ones before expired ones, newer ones before older ones; the best
// for signing and the best for encryption are taken, which may be the same. What
// authorities' certificates the entry holds go with them as parts of the chain.
// Options.Choose leaves out others; where several valid ones are left the row has a note.
//
// An entry with neither an address nor a certificate is passed over, one that
// lacks either of them is a row with an Err. Referrals are not followed.
func LDAP(address string, options Options) (Source, error) {
	u, err := url.Parse(address)
	if err != nil { // its text would repeat a password in the address
		return nil, formatError(expectLDAP, "the directory's address cannot be read")
	}
	d := &directory{url: url.URL{Scheme: strings.ToLower(u.Scheme), Host: u.Host}, scope: ldap.ScopeWholeSubtree, options: options, ldap: options.LDAP}
	switch {
	case d.url.Scheme != "ldap" && d.url.Scheme != "ldaps":
		return nil, formatError(expectLDAP, "%s:// is no directory", u.Scheme)
	case u.User != nil:
		return nil, formatError("give the password by a file or prompt, never in the address", "the directory's address holds a user's name")
	case u.Hostname() == "":
		return nil, formatError(expectLDAP, "the directory's address names no host")
	case u.Fragment != "":
		return nil, formatError("write %23 for #", "the directory's address has a # in it")
	}
	if err := d.query(u); err != nil {
		return nil, err
	}
	d.defaults(u)
	if _, err := ldap.CompileFilter(d.ldap.Filter); err != nil {
		return nil, formatError("a filter looks like (mail=*@example.com)", "the filter %s: %w", d.ldap.Filter, err)
	}
	if d.ldap.BindDN != "" && d.ldap.Password.IsZero() {
		return nil, formatError("give a password, or no name for an anonymous search", "no password for %s", d.ldap.BindDN)
	}
	if d.ldap.BindDN != "" && !d.encrypted() && !isLoopback(u.Hostname()) {
		return nil, formatError("use ldaps:// or StartTLS", "the password for %s would be sent unencrypted", d.ldap.BindDN)
	}
	return d, nil
}

const expectLDAP = "an address looks like ldaps://ldap.example.com/ou=people,dc=example,dc=com"

// query takes attributes, scope and filter from the address.
func (d *directory) query(u *url.URL) error {
	parts := strings.Split(u.RawQuery, "?")
	for i, part := range parts {
		decoded, err := url.PathUnescape(part)
		if err != nil {
			return formatError(expectLDAP, "the directory's address is not percent-encoded: %s", part)
		}
		parts[i] = decoded
	}
	parts = append(parts, "", "", "")
	if d.ldap.Attributes == nil && parts[0] != "" {
		d.ldap.Attributes = strings.Split(parts[0], ",")
	}
	switch strings.ToLower(parts[1]) {
	case "", "sub":
	case "one":
		d.scope = ldap.ScopeSingleLevel
	case "base":
		d.scope = ldap.ScopeBaseObject
	default:
		return formatError("it is sub, one or base", "unknown scope %q", parts[1])
	}
	d.ldap.Filter = cmp.Or(d.ldap.Filter, parts[2])
	return nil
}

func (d *directory) defaults(u *url.URL) {
	o := &d.ldap
	o.Base = cmp.Or(o.Base, strings.TrimPrefix(u.Path, "/"))
	o.Filter = cmp.Or(o.Filter, defaultFilter)
	o.Mail = cmp.Or(o.Mail, "mail")
	o.Timeout = cmp.Or(o.Timeout, 30*time.Second)
	o.PageSize = cmp.Or(o.PageSize, 500)
	if len(o.Attributes) == 0 {
		o.Attributes = []string{"userSMIMECertificate", "userCertificate;binary"}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
}

func (d *directory) encrypted() bool { return d.url.Scheme == "ldaps" || d.ldap.StartTLS }

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}

// Name is the address with the base, without who logs in.
func (d *directory) Name() string {
	if d.ldap.Base == "" {
		return d.url.String()
	}
	return d.url.String() + "/" + d.ldap.Base
}

func (d *directory) Rows(ctx context.Context) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		stopped := false
		err := d.search(ctx, func(entry *ldap.Entry) bool {
			row, ok := d.row(entry)
			stopped = ok && !yield(row, nil)
			return !stopped
		})
		switch {
		case stopped || err == nil:
		case ctx.Err() != nil:
			yield(Row{}, ctx.Err())
		default:
			yield(Row{}, err)
		}
	}
}

// search calls each for every entry until it returns false.
func (d *directory) search(ctx context.Context, each func(*ldap.Entry) bool) error {
	c, err := d.connect(ctx)
	if err != nil {
		return d.explain(err)
	}
	defer c.close()
	base, err := d.base(c)
	if err != nil {
		return d.explain(err)
	}
	c.ready()
	paging := ldap.NewControlPaging(d.ldap.PageSize)
	attributes := append([]string{d.ldap.Mail}, d.ldap.Attributes...)
	request := ldap.NewSearchRequest(base, d.scope, ldap.NeverDerefAliases, 0, 0, false, d.ldap.Filter, attributes, []ldap.Control{paging})
	entries := 0
	count := func(entry *ldap.Entry) bool {
		entries++
		return each(entry)
	}
	for {
		cookie, err := d.page(ctx, c, request, count)
		const least = 20
		if entries == 0 && paging.PagingSize > least && ldap.IsErrorWithCode(err, ldap.LDAPResultAdminLimitExceeded) {
			paging.PagingSize /= 5 // OpenLDAP refuses pages larger than its limit
			continue
		}
		if err != nil {
			return d.explain(&directoryError{"search", err})
		}
		if len(cookie) == 0 {
			return nil
		}
		paging.SetCookie(cookie)
	}
}

// page asks for one page and returns what the next one is asked for with.
func (d *directory) page(ctx context.Context, c *connection, request *ldap.SearchRequest, each func(*ldap.Entry) bool) (cookie []byte, err error) {
	ctx, cancel := context.WithCancel(ctx)
	response := c.SearchAsync(ctx, request, int(d.ldap.PageSize))
	defer func() {
		cancel()
		for response.Next() { // until it has ended
		}
	}()
	whole := false // the server said that the page is
	for c.next(response) {
		if control, ok := ldap.FindControl(response.Controls(), ldap.ControlTypePaging).(*ldap.ControlPaging); ok {
			cookie, whole = control.Cookie, true
		}
		if response.Referral() != "" {
			d.options.note("a referral of %s is not followed: %s", d.Name(), response.Referral())
		}
		if entry := response.Entry(); entry != nil && !each(entry) {
			return nil, nil
		}
	}
	err = response.Err()
	// On a connection that is gone a search ends without a result or an error.
	if lost := c.lost(); lost != nil && (c.late.Load() || err == nil && !whole) {
		err = &LostError{Err: lost}
	}
	if err == nil {
		err = ctx.Err()
	}
	return cookie, err
}

// LostError is a connection to the directory that was lost in the middle.
type LostError struct{ Err error }

// Error says how.
func (e *LostError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *LostError) Unwrap() error { return e.Err }

// base is where the search begins.
func (d *directory) base(c *connection) (string, error) {
	if d.ldap.Base != "" {
		return d.ldap.Base, nil
	}
	const contexts, preferred = "namingContexts", "defaultNamingContext"
	root, err := c.Search(ldap.NewSearchRequest("", ldap.ScopeBaseObject, ldap.NeverDerefAliases, 1, 0, false, "(objectClass=*)", []string{contexts, preferred}, nil))
	if err != nil {
		return "", &directoryError{"ask for the naming contexts", err}
	}
	var names []string
	for _, entry := range root.Entries {
		if name := entry.GetEqualFoldAttributeValue(preferred); name != "" {
			return name, nil
		}
		names = append(names, entry.GetEqualFoldAttributeValues(contexts)...)
	}
	if len(names) != 1 {
		return "", formatError("name the base behind the host: "+d.url.String()+"/dc=example,dc=com", "the directory has %d naming contexts: %s", len(names), strings.Join(names, "; "))
	}
	return names[0], nil
}

// explain adds what would be right to an answer of the directory.
func (d *directory) explain(err error) error {
	expected := ""
	switch {
	case ldap.IsErrorWithCode(err, ldap.LDAPResultSizeLimitExceeded), ldap.IsErrorWithCode(err, ldap.LDAPResultAdminLimitExceeded):
		expected = "the directory gives no more entries than this: ask its administrator to allow more to this account, or search by parts"
	case ldap.IsErrorWithCode(err, ldap.LDAPResultInvalidCredentials):
		expected = "check the name to log in with and its password"
	case ldap.IsErrorWithCode(err, ldap.LDAPResultNoSuchObject):
		expected = "check the base, and whether this account may read it"
	case ldap.IsErrorWithCode(err, ldap.LDAPResultConfidentialityRequired), ldap.IsErrorWithCode(err, ldap.LDAPResultStrongAuthRequired):
		expected = "use ldaps:// or StartTLS"
	default:
		return err
	}
	return &Error{Err: err, Expected: expected}
}

// tlsConfig is for ldaps and StartTLS alike.
func (d *directory) tlsConfig() *tls.Config {
	return &tls.Config{ServerName: d.url.Hostname(), RootCAs: d.ldap.Roots, MinVersion: tls.VersionTLS12}
}
