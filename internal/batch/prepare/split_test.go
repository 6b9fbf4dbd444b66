package prepare_test

import (
	"context"
	"crypto/x509"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cse-piv/cse-piv/internal/batch/prepare"
	"github.com/cse-piv/cse-piv/internal/batch/source"
	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/lab/ca"
	"github.com/cse-piv/cse-piv/internal/ledger"
)

// TestLimitedUse: a key pair that could not sign, or that nobody could encrypt to, is
// refused unless it is allowed; a file that has a certificate for each use is told apart
// from one that has one for both, and makes a split pair where that is asked for.
func TestLimitedUse(t *testing.T) {
	authority := newCA(t)
	with := func(usage x509.KeyUsage) *x509.Certificate {
		return issue(t, authority, ada, ca.Profile{KeyUsage: usage})[0]
	}
	both1, sign, encrypt := with(0), with(x509.KeyUsageDigitalSignature), with(x509.KeyUsageKeyAgreement)
	neither := with(x509.KeyUsageDataEncipherment)
	old := issue(t, authority, ada, ca.Profile{KeyUsage: x509.KeyUsageKeyAgreement, NotBefore: time.Now().AddDate(-2, 0, 0), NotAfter: time.Now().AddDate(0, 0, -1)})[0]
	foreign := issue(t, authority, "eve@example.com", ca.Profile{KeyUsage: x509.KeyUsageKeyAgreement})[0]
	pairRow := func(s, e *x509.Certificate) source.Row {
		return rowOf(ada, []certificate.Use{certificate.UseSign, certificate.UseEncrypt}, pemOf(s), pemOf(e))
	}
	for name, c := range map[string]struct {
		row            source.Row
		split, allowed bool
		reason         string // "" for one that waits
		says           string
		uses           []certificate.Use
	}{
		"for both":                {row: both(ada, pemOf(both1)), uses: []certificate.Use{certificate.UseBoth}},
		"for both, split":         {row: both(ada, pemOf(both1)), split: true, uses: []certificate.Use{certificate.UseBoth}},
		"signing only":            {row: both(ada, pemOf(sign)), reason: "limited-use", says: "file1.pem: the certificate is for signing only: nobody could encrypt to the user"},
		"signing only, split":     {row: both(ada, pemOf(sign)), split: true, reason: "limited-use", says: "for signing only"},
		"signing only, allowed":   {row: both(ada, pemOf(sign)), allowed: true, uses: []certificate.Use{certificate.UseBoth}},
		"encryption only":         {row: both(ada, pemOf(encrypt)), reason: "limited-use", says: "for encryption only: the user could not sign"},
		"encryption only allowed": {row: both(ada, pemOf(encrypt)), allowed: true, uses: []certificate.Use{certificate.UseBoth}},
		"neither":                 {row: both(ada, pemOf(neither)), reason: "limited-use", says: "neither signing nor encryption"},
		"one of each":             {row: both(ada, pemOf(encrypt, sign)), reason: "limited-use", says: "a certificate for signing and one for encryption, and none for both"},
		"one of each, split":      {row: both(ada, pemOf(encrypt, sign)), split: true, uses: []certificate.Use{certificate.UseSign, certificate.UseEncrypt}},
		"beside others, split":    {row: both(ada, pemOf(old, encrypt, foreign, sign, sign)), split: true, uses: []certificate.Use{certificate.UseSign, certificate.UseEncrypt}},
		"two of one, split":       {row: both(ada, pemOf(encrypt, sign, with(x509.KeyUsageDigitalSignature))), split: true, reason: "leaf-ambiguous"},
		"and one for both, split": {row: both(ada, pemOf(encrypt, sign, both1)), split: true, uses: []certificate.Use{certificate.UseBoth}},
		"named":                   {row: pairRow(sign, encrypt), uses: []certificate.Use{certificate.UseSign, certificate.UseEncrypt}},
		"named the wrong way":     {row: pairRow(encrypt, sign), reason: "limited-use", says: "file1.pem: the certificate is for encryption only"},
	} {
		entry := prepare.New(prepare.Options{
			Chain: []*x509.Certificate{authority.Issuing(), authority.Root()}, Split: c.split, AllowLimitedUse: c.allowed,
		}).Entry(context.Background(), c.row)
		var uses []certificate.Use
		for _, pair := range entry.Pairs {
			uses = append(uses, pair.Use)
		}
		if entry.Reason != c.reason || !strings.Contains(entry.Message, c.says) || !slices.Equal(uses, c.uses) {
			t.Errorf("%s: %s %q, pairs %q", name, entry.Reason, entry.Message, uses)
		}
		if c.reason == "" && entry.State != ledger.StateWaiting {
			t.Errorf("%s: %s", name, entry.State)
		}
	}
}
