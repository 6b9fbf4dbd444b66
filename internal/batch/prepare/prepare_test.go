package prepare_test

import (
	"context"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cse-piv/cse-piv/internal/batch/prepare"
	"github.com/cse-piv/cse-piv/internal/batch/source"
	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/lab/ca"
	"github.com/cse-piv/cse-piv/internal/ledger"
)

// waiting prepares a row that must be fine.
func waiting(t *testing.T, p *prepare.Preparer, row source.Row) ledger.Entry {
	t.Helper()
	entry := p.Entry(context.Background(), row)
	if entry.State != ledger.StateWaiting || entry.Class != "" || entry.Reason != "" || entry.Message != "" || len(entry.Pairs) == 0 {
		t.Fatalf("%s: %s %s: %s", entry.State, entry.Class, entry.Reason, entry.Message)
	}
	return entry
}

// chainOf is what a pair sends to Gmail.
func chainOf(t *testing.T, pair ledger.Pair) []*x509.Certificate {
	t.Helper()
	chain, err := certificate.Parse(pair.PKCS7)
	if err != nil {
		t.Fatal(err)
	}
	return chain
}

func sameCerts(a, b []*x509.Certificate) bool {
	return slices.EqualFunc(a, b, (*x509.Certificate).Equal)
}

// TestEntryForms: whatever form the certificate has, the whole chain goes to
// Gmail, leaf first.
func TestEntryForms(t *testing.T) {
	authority := newCA(t)
	chain := issue(t, authority, ada, ca.Profile{})
	leaf, above := chain[0], chain[1:]
	other := newCA(t)
	pkcs7, err := certificate.EncodePKCS7([]*x509.Certificate{chain[2], chain[0], chain[1]})
	if err != nil {
		t.Fatal(err)
	}
	bundle := []*x509.Certificate{other.Root(), other.Issuing(), above[1], above[0], above[0], nil, leaf}
	for name, c := range map[string]struct {
		data  []byte
		chain []*x509.Certificate
	}{
		"whole chain":              {pemOf(chain...), nil},
		"shuffled":                 {pemOf(chain[1], chain[2], chain[0]), nil},
		"twice the same":           {pemOf(leaf, leaf, chain[1], chain[2]), nil},
		"PKCS#7":                   {pkcs7, nil},
		"DER and a bundle":         {leaf.Raw, bundle},
		"without root":             {pemOf(chain[:2]...), bundle},
		"without intermediate":     {pemOf(leaf, chain[2]), bundle},
		"with another's authority": {pemOf(leaf, other.Issuing(), other.Root(), chain[1], chain[2]), nil},
	} {
		now := time.Now().UTC().Truncate(time.Second)
		p := prepare.New(prepare.Options{Chain: c.chain, Now: func() time.Time { return now }})
		entry := waiting(t, p, both("Ada@Example.com", c.data))
		pair := entry.Pairs[0]
		if len(entry.Pairs) != 1 || !sameCerts(chainOf(t, pair), chain) {
			t.Errorf("%s: %d pairs, chain of %d", name, len(entry.Pairs), len(chainOf(t, pair)))
		}
		if pair.Use != "both" || pair.LeafSHA256 != certificate.Fingerprint(leaf) || !pair.NotAfter.Equal(leaf.NotAfter) || pair.KeyPairID != "" || pair.Created {
			t.Errorf("%s: %+v", name, pair)
		}
		if entry.Email != "Ada@Example.com" || entry.Where != "people.csv line 7" || entry.Line != 7 || entry.Step != "read" || !entry.Updated.Equal(now) {
			t.Errorf("%s: %+v", name, entry)
		}
		if want := leaf.NotAfter.UTC().Format("2006-01-02"); !strings.Contains(pair.Description, want) || !strings.Contains(pair.Description, leaf.Issuer.CommonName) {
			t.Errorf("%s: description %q", name, pair.Description)
		}
	}
}

func TestEntryPairs(t *testing.T) {
	authority := newCA(t)
	sign := issue(t, authority, ada, ca.Profile{KeyUsage: x509.KeyUsageDigitalSignature})
	encrypt := issue(t, authority, ada, ca.Profile{KeyUsage: x509.KeyUsageKeyAgreement})
	old := issue(t, authority, "ada.maiden@example.com", ca.Profile{NotBefore: time.Now().AddDate(-5, 0, 0), NotAfter: time.Now().AddDate(-3, 0, 0)})
	mine := issue(t, authority, ada, ca.Profile{})
	p := prepare.New(prepare.Options{})
	uses := func(entry ledger.Entry) (list []string) {
		for _, pair := range entry.Pairs {
			list = append(list, string(pair.Use)+" "+pair.LeafSHA256[:8])
		}
		return list
	}
	of := func(use string, chain []*x509.Certificate) string {
		return use + " " + certificate.Fingerprint(chain[0])[:8]
	}
	file := pemOf(encrypt[0], sign[0], sign[1], sign[2]) // both leaves in one file
	for name, c := range map[string]struct {
		uses []certificate.Use
		data [][]byte
		want []string
	}{
		"split, in either order": {[]certificate.Use{certificate.UseEncrypt, certificate.UseSign}, [][]byte{pemOf(encrypt...), pemOf(sign...)}, []string{of("sign", sign), of("encrypt", encrypt)}},
		"both from one file":     {[]certificate.Use{certificate.UseSign, certificate.UseEncrypt}, [][]byte{file, file}, []string{of("sign", sign), of("encrypt", encrypt)}},
		"one for each use":       {[]certificate.Use{certificate.UseSign, certificate.UseEncrypt}, [][]byte{pemOf(mine[0]), pemOf(mine...)}, []string{of("both", mine)}},
		"history, expired and of another address": {
			[]certificate.Use{certificate.UseHistory, certificate.UseBoth}, [][]byte{pemOf(old...), pemOf(mine...)}, []string{of("both", mine), of("history", old)},
		},
		"history twice, and the one in use": {
			[]certificate.Use{certificate.UseBoth, certificate.UseHistory, certificate.UseHistory, certificate.UseHistory}, [][]byte{pemOf(mine...), pemOf(old...), pemOf(old[0]), pemOf(mine[0])}, []string{of("both", mine), of("history", old)},
		},
	} {
		entry := waiting(t, p, rowOf(ada, c.uses, c.data...))
		if got := uses(entry); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
		if strings.HasPrefix(name, "history twice") && len(slices.DeleteFunc(entry.Warnings, func(w string) bool { return !strings.Contains(w, "left out as history") })) != 2 {
			t.Errorf("%s: warnings %q", name, entry.Warnings)
		}
	}
	// A history chain goes as far as it can be built.
	entry := waiting(t, p, rowOf(ada, []certificate.Use{certificate.UseBoth, certificate.UseHistory}, pemOf(mine...), pemOf(old[0])))
	if got := chainOf(t, entry.Pairs[1]); !sameCerts(got, old[:1]) {
		t.Errorf("history without its authorities: %d certificates", len(got))
	}
	entry = waiting(t, prepare.New(prepare.Options{Chain: old[1:]}), rowOf(ada, []certificate.Use{certificate.UseBoth, certificate.UseHistory}, pemOf(mine...), pemOf(old[0])))
	if got := chainOf(t, entry.Pairs[1]); !sameCerts(got, old) {
		t.Errorf("history with a bundle: %d certificates", len(got))
	}
	row := both(ada, pemOf(mine...))
	row.Description = "card 7"
	if entry := waiting(t, p, row); entry.Pairs[0].Description != "card 7" {
		t.Errorf("description %q", entry.Pairs[0].Description)
	}
}

// TestEntryWarnings: what Gmail may have against a chain is said and stops nobody.
func TestEntryWarnings(t *testing.T) {
	authority := newCA(t)
	p := prepare.New(prepare.Options{})
	entry := waiting(t, p, both(ada, pemOf(issue(t, authority, ada, ca.Profile{NoCRL: true, NoPolicies: true})...)))
	text := strings.Join(entry.Warnings, "\n")
	if !strings.Contains(text, "(leaf-crl)") || !strings.Contains(text, "(leaf-policies)") || strings.HasPrefix(text, "for signing") {
		t.Errorf("warnings %q", entry.Warnings)
	}
	sign := pemOf(issue(t, authority, ada, ca.Profile{KeyUsage: x509.KeyUsageDigitalSignature})...)
	encrypt := pemOf(issue(t, authority, ada, ca.Profile{KeyUsage: x509.KeyUsageKeyAgreement})...)
	entry = waiting(t, p, rowOf(ada, []certificate.Use{certificate.UseSign, certificate.UseEncrypt}, sign, encrypt))
	if !slices.ContainsFunc(entry.Warnings, func(w string) bool {
		return strings.HasPrefix(w, "for encryption: ") && strings.HasSuffix(w, "(leaf-encryption-only)")
	}) {
		t.Errorf("warnings of a pair %q", entry.Warnings)
	}
}

// TestEntryFails: what is wrong with a row is named, with a hint, and is only
// that row's.
func TestEntryFails(t *testing.T) {
	authority := newCA(t)
	good := issue(t, authority, ada, ca.Profile{})
	data := pemOf(good...)
	key := []byte("-----BEGIN PRIVATE KEY-----\n" + strings.Repeat("MAAA", 16) + "\n-----END PRIVATE KEY-----\n")
	second := issue(t, authority, ada, ca.Profile{})
	issued := func(profile ca.Profile) source.Row { return both(ada, pemOf(issue(t, authority, ada, profile)...)) }
	described := both(ada, data)
	described.Description = strings.Repeat("ä", 1001)
	one := func(uses ...certificate.Use) source.Row { return rowOf(ada, uses, data, data, data) }
	past := time.Now().AddDate(-1, 0, 0)
	for name, c := range map[string]struct {
		row    source.Row
		reason string
		text   string
	}{
		"row error":           {source.Row{Email: ada, Where: "people.csv line 7", Line: 7, Err: &source.Error{Reason: "row-too-long", Err: errors.New("too long")}}, "row-too-long", "too long"},
		"other row error":     {source.Row{Email: ada, Where: "people.csv line 7", Line: 7, Err: errors.New("strange")}, "row", "strange"},
		"no address":          {both("", data), "address-missing", "no address"},
		"no mail address":     {both("Ada Lovelace", data), "address", "Ada Lovelace"},
		"a name with it":      {both("Ada <ada@example.com>", data), "address", "Ada"},
		"two addresses":       {both("ada@example.com,bob@example.com", data), "address", "ada"},
		"hidden characters":   {both("ada\u202e@example.com", data), "address", ""},
		"endless address":     {both(strings.Repeat("a", 300)+"@example.com", data), "address", "312 octets"},
		"a key as address":    {both(string(key), data), "address", "no mail address: a text of"},
		"long description":    {described, "description-too-long", ""},
		"no certificate":      {rowOf(ada, nil), "certificate-missing", ""},
		"history only":        {one(certificate.UseHistory), "certificate-missing", ""},
		"sign only":           {one(certificate.UseSign), "pair-incomplete", "none for encryption"},
		"encrypt only":        {one(certificate.UseEncrypt, certificate.UseHistory), "pair-incomplete", "none for signing"},
		"both and sign":       {one(certificate.UseBoth, certificate.UseSign), "certificate-twice", ""},
		"twice both":          {one(certificate.UseBoth, certificate.UseBoth), "certificate-twice", ""},
		"twice sign":          {one(certificate.UseSign, certificate.UseSign, certificate.UseEncrypt), "certificate-twice", ""},
		"damaged":             {both(ada, data[:len(data)-20]), "certificate-unreadable", "file1.pem"},
		"empty":               {both(ada, nil), "certificate-unreadable", "empty"},
		"private key":         {both(ada, append(slices.Clone(data), key...)), "certificate-unreadable", "PRIVATE KEY"},
		"damaged history":     {rowOf(ada, []certificate.Use{certificate.UseBoth, certificate.UseHistory}, data, []byte("x")), "certificate-unreadable", "file2.pem"},
		"two leaves":          {both(ada, pemOf(good[0], second[0], good[1], good[2])), "leaf-ambiguous", "2 certificates"},
		"only authorities":    {both(ada, pemOf(good[1:]...)), "chain-no-leaf", "file1.pem"},
		"no root":             {both(ada, pemOf(good[:2]...)), "chain-no-root", "is missing"},
		"another address":     {both("bob@example.com", data), "leaf-address", "not for bob@example.com"},
		"expired":             {issued(ca.Profile{NotBefore: past.AddDate(-1, 0, 0), NotAfter: past}), "chain-expired", "valid until"},
		"not yet valid":       {issued(ca.Profile{NotBefore: time.Now().AddDate(0, 1, 0)}), "chain-not-yet-valid", "valid from"},
		"several faults":      {both("bob@example.com", pemOf(good[0])), "chain-no-root", "not for bob@example.com"},
		"a use of its own":    {one(certificate.UseBoth, "seal"), "use", "seal"},
		"second of a pair":    {rowOf(ada, []certificate.Use{certificate.UseSign, certificate.UseEncrypt}, data, pemOf(second[0])), "chain-no-root", "file2.pem"},
		"signature of others": {both(ada, forged(t, good)), "chain-signature", "not signed by the key of"},
	} {
		entry := prepare.New(prepare.Options{Hint: reasonOf}).Entry(context.Background(), c.row)
		if entry.State != ledger.StateFailed || entry.Class != ledger.ClassRow || entry.Reason != c.reason || !strings.Contains(entry.Message, c.text) || entry.Message == "" {
			t.Errorf("%s: %s %s %q: %s; want %q with %q", name, entry.State, entry.Class, entry.Reason, entry.Message, c.reason, c.text)
		}
		email := c.row.Email
		if c.reason == "address" {
			email = "" // it is none, and not to be kept
		}
		if len(entry.Pairs) != 0 || entry.Where != c.row.Where || entry.Line != c.row.Line || entry.Email != email {
			t.Errorf("%s: %+v", name, entry)
		}
		if strings.Contains(fmt.Sprint(entry), "MAAA") {
			t.Errorf("%s: the entry has a private key: %+v", name, entry)
		}
		if entry.Hint != c.reason {
			t.Errorf("%s: the hint is for %q", name, entry.Hint)
		}
	}
	if entry := prepare.New(prepare.Options{Hint: reasonOf}).Entry(context.Background(), both(ada, pemOf(good[0]))); entry.Hint != "chain-no-root" {
		t.Errorf("missing authorities: hint %q", entry.Hint)
	}
}

// reasonOf is, as a hint, the reason that it would be for.
func reasonOf(err error) string {
	if fault, found := errors.AsType[*prepare.Fault](err); found {
		return fault.Reason
	}
	if broken, found := errors.AsType[*source.Error](err); found {
		return broken.Reason
	}
	return "row"
}

// forged is a chain whose leaf was changed after it was signed.
func forged(t *testing.T, chain []*x509.Certificate) []byte {
	t.Helper()
	raw := slices.Clone(chain[0].Raw)
	raw[len(raw)-3] ^= 1 // in the signature
	leaf, err := x509.ParseCertificate(raw)
	if err != nil {
		t.Fatal(err)
	}
	return pemOf(leaf, chain[1], chain[2])
}

// TestEntryConcurrent: one Preparer serves many goroutines, and more authorities
// than it remembers.
func TestEntryConcurrent(t *testing.T) {
	p := prepare.New(prepare.Options{})
	var group sync.WaitGroup
	for range 8 {
		authority := newCA(t)
		good, bad := pemOf(issue(t, authority, ada, ca.Profile{})...), pemOf(issue(t, authority, "bob@example.com", ca.Profile{})...)
		group.Go(func() {
			for range 20 {
				if entry := p.Entry(context.Background(), both(ada, good)); entry.State != ledger.StateWaiting {
					t.Errorf("good: %s", entry.Message)
				}
				if entry := p.Entry(context.Background(), both(ada, bad)); entry.Reason != "leaf-address" {
					t.Errorf("bad: %s", entry.Reason)
				}
			}
		})
	}
	group.Wait()
}

// FuzzEntry: whatever a row holds, there is one entry, which waits with a pair or
// has failed with a reason.
func FuzzEntry(f *testing.F) {
	authority, err := ca.New(ca.Config{})
	if err != nil {
		f.Fatal(err)
	}
	chain := issue(f, authority, ada, ca.Profile{})
	f.Add(ada, "card", pemOf(chain...), chain[0].Raw, byte(0))
	f.Add(ada, "", pemOf(chain[0]), []byte("x"), byte(1))
	f.Add("a@b", "", []byte{0x30, 0x80}, []byte(base64.StdEncoding.EncodeToString(chain[0].Raw)), byte(9))
	p := prepare.New(prepare.Options{Chain: chain[1:]})
	uses := []certificate.Use{certificate.UseBoth, certificate.UseSign, certificate.UseEncrypt, certificate.UseHistory, "strange"}
	f.Fuzz(func(t *testing.T, email, description string, one, two []byte, how byte) {
		row := rowOf(email, []certificate.Use{uses[int(how)%5], uses[int(how)/5%5]}, one, two)
		row.Description = description
		entry := p.Entry(context.Background(), row)
		switch entry.State {
		case ledger.StateWaiting:
			if len(entry.Pairs) == 0 || len(entry.Pairs[0].PKCS7) == 0 || entry.Pairs[0].Use != "both" && entry.Pairs[0].Use != "sign" {
				t.Errorf("waits for nothing: %+v", entry)
			}
			if n, ok := new(big.Int).SetString(entry.Pairs[0].LeafSHA256, 16); !ok || n.BitLen() > 256 {
				t.Errorf("fingerprint %q", entry.Pairs[0].LeafSHA256)
			}
		case ledger.StateFailed:
			if entry.Reason == "" || entry.Message == "" || entry.Class != ledger.ClassRow || len(entry.Pairs) != 0 {
				t.Errorf("failed without a reason: %+v", entry)
			}
		default:
			t.Errorf("state %q", entry.State)
		}
	})
}

// TestChoiceInAFile: what is asked for counts in files as in directories; not for
// history, and not where nothing in the file can be meant.
func TestChoiceInAFile(t *testing.T) {
	authority := newCA(t)
	card, soft := issue(t, authority, ada, ca.Profile{}), issue(t, authority, ada, ca.Profile{NoPolicies: true})
	policy, issuer := card[0].Policies[0].String(), card[0].Issuer.CommonName
	whole := pemOf(append(card, soft[0])...)
	past := issue(t, authority, ada, ca.Profile{NoPolicies: true, NotBefore: time.Now().AddDate(-2, 0, 0), NotAfter: time.Now().AddDate(-1, 0, 0)})
	for name, test := range map[string]struct {
		choose source.Choice
		row    source.Row
		reason string
	}{
		"nothing":        {source.Choice{}, both(ada, whole), "leaf-ambiguous"},
		"policy":         {source.Choice{Policies: []string{policy}}, both(ada, whole), ""},
		"issuer of both": {source.Choice{Issuers: []string{issuer}}, both(ada, whole), "leaf-ambiguous"},
		"another policy": {source.Choice{Policies: []string{"1.2.3"}}, both(ada, whole), source.ReasonNotChosen},
		"the only one":   {source.Choice{Issuers: []string{"Card CA"}}, both(ada, pemOf(card...)), source.ReasonNotChosen},
		"history":        {source.Choice{Policies: []string{policy}}, rowOf(ada, []certificate.Use{certificate.UseBoth, certificate.UseHistory}, whole, pemOf(past...)), ""},
	} {
		entry := prepare.New(prepare.Options{Choose: test.choose, Hint: reasonOf}).Entry(context.Background(), test.row)
		if entry.Reason != test.reason || test.reason == "" && entry.Pairs[0].LeafSHA256 != certificate.Fingerprint(card[0]) || entry.Hint != test.reason {
			t.Errorf("%s: %s %s (%s)", name, entry.Reason, entry.Message, entry.Hint)
		}
	}
	// Where the key usage decided, it is told.
	signer := issue(t, authority, ada, ca.Profile{KeyUsage: x509.KeyUsageDigitalSignature})
	row := both(ada, pemOf(append(card, signer[0])...))
	row.Notes = []string{"the source says so"}
	entry := prepare.New(prepare.Options{}).Entry(context.Background(), row)
	if entry.Reason != "" || entry.Pairs[0].LeafSHA256 != certificate.Fingerprint(card[0]) ||
		!slices.ContainsFunc(entry.Warnings, func(w string) bool { return strings.Contains(w, "(certificate-choice)") }) || entry.Warnings[0] != "the source says so" {
		t.Errorf("%+v", entry)
	}
}
