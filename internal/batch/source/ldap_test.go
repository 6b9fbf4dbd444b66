package source_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cse-piv/cse-piv/internal/batch/source"
	"github.com/cse-piv/cse-piv/internal/batch/source/ldaptest"
	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/lab/ca"
	"github.com/cse-piv/cse-piv/internal/secret"
	"github.com/cse-piv/cse-piv/internal/testenv"
)

func openLDAP(t *testing.T, address string, options source.LDAPOptions) source.Source {
	t.Helper()
	s, err := source.Open(address, source.Options{LDAP: options})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// leaves names the leaf of each certificate of a row: use and fingerprint.
func leaves(t *testing.T, row source.Row) []string {
	t.Helper()
	var list []string
	for _, c := range row.Certificates {
		certs, err := certificate.Parse(c.Data)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, string(c.Use)+" "+certificate.Fingerprint(certs[0]))
	}
	return list
}

func leafIs(use certificate.Use, cert *x509.Certificate) string {
	return string(use) + " " + certificate.Fingerprint(cert)
}

// TestLDAPEntries: which of an entry's certificates are taken, from a real
// directory.
func TestLDAPEntries(t *testing.T) {
	authority := newCA(t)
	now := time.Now()
	of := func(email string, profile ca.Profile) []*x509.Certificate { return issue(t, authority, email, profile) }
	ago := func(years int) ca.Profile {
		return ca.Profile{NotBefore: now.AddDate(-years, 0, 0), NotAfter: now.AddDate(-years+1, 0, 0)}
	}
	der := func(c *x509.Certificate) string { return string(c.Raw) }
	pkcs7 := func(certs ...*x509.Certificate) string {
		armoured, err := certificate.EncodePKCS7(certs)
		if err != nil {
			t.Fatal(err)
		}
		block, _ := pem.Decode(armoured)
		return string(block.Bytes)
	}
	const cert, smimeCert = "userCertificate;binary", "userSMIMECertificate"
	ada, adaServer := of("ada@example.com", ca.Profile{}), of("ada@example.com", ca.Profile{ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}})
	adaOld, adaOlder := of("ada@example.com", ago(2)), of("ada@example.com", ago(4))
	bob := of("bob@example.com", ca.Profile{})
	cleoSign, cleoEncrypt := of("cleo@example.com", ca.Profile{KeyUsage: x509.KeyUsageDigitalSignature}), of("cleo@example.com", ca.Profile{KeyUsage: x509.KeyUsageKeyAgreement})
	danOther, danMine := of("dan.other@example.com", ca.Profile{}), of("dan@example.com", ca.Profile{NotBefore: now.AddDate(-1, 0, 0)})
	eve := of("eve@example.com", ago(3))
	s := ldaptest.Start(t,
		ldaptest.Entry("ada", "mail", "ada@example.com", cert, der(adaOld[0]), cert, der(adaServer[0]), cert, der(ada[0]), cert, der(adaOlder[0]))+
			ldaptest.Entry("bob", "mail", "bob@example.com", smimeCert, pkcs7(bob[2], bob[0], bob[1]))+
			ldaptest.Entry("cleo", "mail", "cleo@example.com", cert, der(cleoEncrypt[0]), cert, der(cleoSign[0]), cert, der(cleoSign[1]))+
			ldaptest.Entry("dan", "mail", "dd@example.com", "mail", "dan@example.com", cert, der(danOther[0]), cert, der(danMine[0]))+
			ldaptest.Entry("eve", "mail", "eve@example.com", cert, der(eve[0]))+
			ldaptest.Entry("fay", "mail", "fay@example.com", smimeCert, "no PKCS#7", smimeCert, pkcs7(bob[0]))+
			ldaptest.Entry("gil", "mail", "gil@example.com", smimeCert, "no PKCS#7")+
			ldaptest.Entry("hal", "mail", "hal@example.com", cert, der(adaServer[0]))+
			ldaptest.Entry("ida", cert, der(ada[0]))+
			ldaptest.Entry("jon", "mail", "jon@example.com")+
			ldaptest.Entry("kim"))
	var notes []string
	all, err := source.Open("ldap://"+s.Plain+"/ou=people,"+ldaptest.Base+"??sub?(objectClass=inetOrgPerson)",
		source.Options{Note: func(text string) { notes = append(notes, text) }})
	if err != nil {
		t.Fatal(err)
	}
	type want struct {
		email, reason string
		leaves        []string
	}
	wanted := []want{
		{"ada@example.com", "", []string{leafIs(certificate.UseBoth, ada[0])}},
		{"bob@example.com", "", []string{leafIs(certificate.UseBoth, bob[0])}},
		{"cleo@example.com", "", []string{leafIs(certificate.UseSign, cleoSign[0]), leafIs(certificate.UseEncrypt, cleoEncrypt[0])}},
		{"dan@example.com", "", []string{leafIs(certificate.UseBoth, danMine[0])}},
		{"eve@example.com", "", []string{leafIs(certificate.UseBoth, eve[0])}}, // the check says that it expired
		{"fay@example.com", "", []string{leafIs(certificate.UseBoth, bob[0])}}, // and that this one is another's
		{"gil@example.com", source.ReasonUnsupported, nil},
		{"hal@example.com", source.ReasonCertificate, nil},
		{"", source.ReasonAddress, nil},
		{"jon@example.com", source.ReasonCertificate, nil},
	}
	rows := collect(t, all)
	if len(rows) != len(wanted) {
		t.Fatalf("%d rows: %q", len(rows), summaries(t, rows))
	}
	for i, w := range wanted {
		if row := rows[i]; row.Email != w.email || reason(t, row) != w.reason || !slices.Equal(leaves(t, row), w.leaves) || !strings.HasSuffix(row.Where, ",ou=people,"+ldaptest.Base) {
			t.Errorf("%s: %s %q (%v) %q, want %q %q", row.Where, row.Email, reason(t, row), row.Err, leaves(t, row), w.reason, w.leaves)
		}
	}
	if len(notes) != 2 || !strings.Contains(notes[0], "cn=fay") {
		t.Errorf("notes %q", notes)
	}
	// The authorities that an entry has go with its leaf.
	if chain, err := certificate.Parse(rows[1].Certificates[0].Data); err != nil || len(chain) != 3 {
		t.Errorf("bob's chain: %d, %v", len(chain), err)
	}

	history := collect(t, openLDAP(t, "ldap://"+s.Plain, source.LDAPOptions{History: true, Filter: "(mail=ada@example.com)"})) // the base is asked for
	if want := []string{leafIs(certificate.UseBoth, ada[0]), leafIs(certificate.UseHistory, adaOld[0]), leafIs(certificate.UseHistory, adaOlder[0])}; len(history) != 1 || !slices.Equal(leaves(t, history[0]), want) {
		t.Errorf("history: %q", leaves(t, history[0]))
	}
	if found := collect(t, openLDAP(t, "ldap://"+s.Plain+"/"+ldaptest.Base, source.LDAPOptions{})); len(found) != 8 {
		t.Errorf("the default filter finds %q", summaries(t, found))
	}
	if found := collect(t, openLDAP(t, "ldap://"+s.Plain+"/"+ldaptest.Base+"?userSMIMECertificate?sub?(mail=ada@*)", source.LDAPOptions{})); len(found) != 1 || reason(t, found[0]) != source.ReasonCertificate {
		t.Errorf("other attributes find %q", summaries(t, found))
	}
}

// TestLDAPPages: a directory that gives no more than 100 entries at a time, and
// 200 in all without pages, is read whole; what it gives no more of, and a broken
// connection, is never taken for the end.
func TestLDAPPages(t *testing.T) {
	const users = 1234
	authority := newCA(t)
	leaf := string(issue(t, authority, "user@example.com", ca.Profile{})[0].Raw)
	var entries strings.Builder
	for i := range users {
		name := fmt.Sprintf("user%04d", i)
		entries.WriteString(ldaptest.Entry(name, "mail", name+"@example.com", "userCertificate;binary", leaf))
	}
	s := ldaptest.Start(t, entries.String(), "limits * size=200 size.pr=100 size.prtotal=unlimited")
	count := func(rows []source.Row) int {
		seen := map[string]bool{}
		for _, row := range rows {
			seen[row.Email] = true
		}
		return len(seen)
	}
	address := "/ou=people," + ldaptest.Base
	for _, size := range []uint32{7, 100, 0, 10_000} { // the last two are more than the directory gives at a time
		if rows := collect(t, openLDAP(t, "ldap://"+s.Plain+address, source.LDAPOptions{PageSize: size})); len(rows) != users || count(rows) != users {
			t.Errorf("pages of %d: %d rows, %d users", size, len(rows), count(rows))
		}
	}
	t.Run("stopped", func(t *testing.T) {
		n := 0
		for _, err := range openLDAP(t, "ldap://"+s.Plain+address, source.LDAPOptions{PageSize: 50}).Rows(t.Context()) {
			if n++; err != nil || n == 60 {
				break
			}
		}
		if n != 60 {
			t.Errorf("%d rows", n)
		}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		var last error
		for _, err := range openLDAP(t, "ldap://"+s.Plain+address, source.LDAPOptions{PageSize: 50}).Rows(ctx) {
			last = err
			cancel()
		}
		if !errors.Is(last, context.Canceled) {
			t.Errorf("cancelled: %v", last)
		}
	})
	t.Run("limited", func(t *testing.T) {
		limited := ldaptest.Start(t, entries.String(), "limits * size=200 size.pr=100 size.prtotal=500")
		rows, err := collectError(t.Context(), openLDAP(t, "ldap://"+limited.Plain+address, source.LDAPOptions{PageSize: 50}))
		if err == nil || hint(err) == "" || len(rows) >= users {
			t.Errorf("%d rows, %v, hint %q", len(rows), err, hint(err))
		}
	})
	t.Run("broken", func(t *testing.T) {
		for _, after := range []int64{0, 10, 100, 1000, 50_000, 100_000, 200_000} {
			rows, err := collectError(t.Context(), openLDAP(t, "ldap://"+cutting(t, s.Plain, after, false)+address, source.LDAPOptions{PageSize: 50}))
			if err == nil || len(rows) >= users {
				t.Errorf("connection cut after %d octets: %d rows, %v", after, len(rows), err)
			}
		}
	})
	t.Run("silent", func(t *testing.T) {
		for _, after := range []int64{0, 1000, 100_000} {
			rows, err := collectError(t.Context(), openLDAP(t, "ldap://"+cutting(t, s.Plain, after, true)+address, source.LDAPOptions{PageSize: 50, Timeout: 300 * time.Millisecond}))
			if err == nil || len(rows) >= users {
				t.Errorf("silence after %d octets: %d rows, %v", after, len(rows), err)
			}
		}
	})
}

// cutting forwards to address until the server has sent so many octets; then it
// closes, or falls silent.
func cutting(t *testing.T, address string, after int64, silent bool) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	done := make(chan struct{})
	t.Cleanup(func() {
		close(done)
		listener.Close()
		group.Wait()
	})
	group.Go(func() {
		client, err := listener.Accept()
		if err != nil {
			return
		}
		defer client.Close()
		server, err := net.Dial("tcp", address)
		if err != nil {
			return
		}
		defer server.Close()
		group.Go(func() { _, _ = io.Copy(server, client) })
		_, _ = io.CopyN(client, server, after)
		if silent {
			<-done
		}
	})
	return listener.Addr().String()
}

func TestLDAPSecurity(t *testing.T) {
	leaf := string(issue(t, newCA(t), "ada@example.com", ca.Profile{})[0].Raw)
	s := ldaptest.Start(t, strings.ReplaceAll(ldaptest.Entry("ada", "mail", "ada@example.com", "userCertificate;binary", leaf), "ou=people", "ou=secret"))
	login := source.LDAPOptions{Roots: s.Roots, BindDN: ldaptest.Admin, Password: secret.FromString(ldaptest.Password)}
	with := func(change func(*source.LDAPOptions)) source.LDAPOptions {
		o := login
		change(&o)
		return o
	}
	base := "/" + ldaptest.Base
	for name, c := range map[string]struct {
		address string
		options source.LDAPOptions
	}{
		"plain on this machine": {"ldap://" + s.Plain + base, login},
		"TLS":                   {"ldaps://" + s.Encrypted + base, login},
		"StartTLS":              {"ldap://" + s.Plain + base, with(func(o *source.LDAPOptions) { o.StartTLS = true })},
	} {
		if rows := collect(t, openLDAP(t, c.address, c.options)); len(rows) != 1 || rows[0].Email != "ada@example.com" || rows[0].Err != nil {
			t.Errorf("%s: %q", name, summaries(t, rows))
		}
	}
	if rows := collect(t, openLDAP(t, "ldaps://"+s.Encrypted+base, source.LDAPOptions{Roots: s.Roots})); len(rows) != 0 {
		t.Errorf("anonymous: %q", summaries(t, rows))
	}
	for name, c := range map[string]struct {
		address string
		options source.LDAPOptions
	}{
		"wrong password":             {"ldaps://" + s.Encrypted + base, with(func(o *source.LDAPOptions) { o.Password = secret.FromString("wrong horse") })},
		"unknown authority":          {"ldaps://" + s.Encrypted + base, with(func(o *source.LDAPOptions) { o.Roots = nil })},
		"unknown authority by start": {"ldap://" + s.Plain + base, with(func(o *source.LDAPOptions) { o.Roots, o.StartTLS = nil, true })},
		"other name":                 {"ldaps://localhost:" + s.Encrypted[strings.LastIndex(s.Encrypted, ":")+1:] + base, login},
		"no such base":               {"ldaps://" + s.Encrypted + "/dc=example,dc=org", login},
		"nobody listens":             {"ldap://" + testenv.Address(t) + base, login},
		"plain to the TLS port":      {"ldap://" + s.Encrypted + base, with(func(o *source.LDAPOptions) { o.Timeout = time.Second })},
	} {
		rows, err := collectError(t.Context(), openLDAP(t, c.address, c.options))
		if err == nil || len(rows) > 0 || name != "plain to the TLS port" && hint(err) == "" {
			t.Errorf("%s: %d rows, %v, hint %q", name, len(rows), err, hint(err))
		} else if strings.Contains(err.Error(), "horse") {
			t.Errorf("%s: the error shows the password: %v", name, err)
		}
	}
}

// TestLDAPAddress: what cannot work, or would show a password, is refused before
// anybody is called.
// TestLDAPHostileAnswers: what a server says is bounded in depth and size.
func TestLDAPHostileAnswers(t *testing.T) {
	for name, answer := range map[string][]byte{
		"nested without an end":   bytes.Repeat([]byte{0x30, 0x80}, 4<<20),
		"nested definite lengths": bytes.Repeat([]byte{0x30, 0x84, 0x00, 0xff, 0xff, 0xff}, 1<<20),
		"a gigabyte is announced": append([]byte{0x30, 0x84, 0x40, 0, 0, 0, 0x04, 0x84, 0x3f, 0xff, 0xff, 0xf0}, make([]byte, 1<<20)...),
		"a string of a gigabyte":  append([]byte{0x30, 0x80, 0x04, 0x84, 0x3f, 0xff, 0xff, 0xf0}, make([]byte, 1<<20)...),
		"nonsense":                []byte("HTTP/1.1 400 Bad Request\r\n\r\n"),
		"nothing":                 nil,
	} {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		var serving sync.WaitGroup
		serving.Go(func() {
			for {
				connection, err := listener.Accept()
				if err != nil {
					return
				}
				_, _ = connection.Read(make([]byte, 1024))
				_, _ = connection.Write(answer)
				_ = connection.Close()
			}
		})
		s := openLDAP(t, "ldap://"+listener.Addr().String(), source.LDAPOptions{Base: "dc=example", Timeout: 30 * time.Second})
		if rows, err := collectError(t.Context(), s); err == nil || len(rows) != 0 {
			t.Errorf("%s: %d rows, %v", name, len(rows), err)
		}
		_ = listener.Close()
		serving.Wait()
	}
}

func TestLDAPAddress(t *testing.T) {
	login := source.LDAPOptions{BindDN: ldaptest.Admin, Password: secret.FromString(ldaptest.Password)}
	for name, c := range map[string]struct {
		address string
		options source.LDAPOptions
		text    string
	}{
		"password in the clear": {"ldap://ldap.example.com/dc=x", login, "unencrypted"},
		"password in it":        {"ldaps://ada:" + url.QueryEscape(ldaptest.Password) + "@ldap.example.com/dc=x", source.LDAPOptions{}, "holds a user's name"},
		"name without password": {"ldaps://ldap.example.com/dc=x", source.LDAPOptions{BindDN: ldaptest.Admin}, "no password"},
		"no host":               {"ldaps:///dc=x", source.LDAPOptions{}, "no host"},
		"scope":                 {"ldaps://ldap.example.com/dc=x??all", source.LDAPOptions{}, "scope"},
		"filter":                {"ldaps://ldap.example.com/dc=x??sub?(mail=", source.LDAPOptions{}, "filter"},
		"fragment":              {"ldaps://ldap.example.com/dc=x#1", source.LDAPOptions{}, "#"},
		"encoding":              {"ldaps://ldap.example.com/dc=x??sub?%zz", source.LDAPOptions{}, "percent-encoded"},
		"not an address":        {"ldaps://ldap example com\x7f", source.LDAPOptions{}, "address"},
	} {
		_, err := source.Open(c.address, source.Options{LDAP: c.options})
		if !errors.Is(err, source.ErrFormat) || !strings.Contains(err.Error(), c.text) || hint(err) == "" || strings.Contains(err.Error(), "horse") {
			t.Errorf("%s: %v", name, err)
		}
	}
	s := openLDAP(t, "ldaps://ldap.example.com/ou=people,dc=example,dc=com??one?(mail=*)", login)
	if s.Name() != "ldaps://ldap.example.com/ou=people,dc=example,dc=com" {
		t.Errorf("name %q", s.Name())
	}
}
