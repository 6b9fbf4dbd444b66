package repository_test

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"math/big"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/durable"
	"github.com/cse-piv/cse-piv/internal/repository"
)

// TestOneListServesManyCertificates: the list of an issuer is fetched once, by however
// many ask at a time.
func TestOneListServesManyCertificates(t *testing.T) {
	practice, requests := lab(t)
	leaf, revoked := labLeaf(t, practice), labLeaf(t, practice)
	if err := practice.Revoke(revoked.SerialNumber); err != nil {
		t.Fatal(err)
	}
	client := repository.New(repository.Options{AllowPrivate: true})
	var asking sync.WaitGroup
	for range 20 {
		asking.Go(func() {
			for cert, want := range map[*x509.Certificate]certificate.RevocationState{leaf: certificate.RevocationGood, revoked: certificate.RevocationRevoked} {
				status, err := client.Status(t.Context(), cert, practice.Issuing())
				if err != nil || status.State != want || status.Source != cert.CRLDistributionPoints[0] {
					t.Errorf("status %+v, error %v, want %s", status, err, want)
				}
			}
		})
	}
	asking.Wait()
	if n := requests.Load(); n != 1 {
		t.Errorf("%d requests, want one", n)
	}
	if status, _ := client.Status(t.Context(), revoked, practice.Issuing()); time.Since(status.At) > time.Hour {
		t.Errorf("revoked at %s", status.At)
	}
}

// TestCachedListIsUsedUntilItsNextUpdate: also when its server is gone, but no longer.
func TestCachedListIsUsedUntilItsNextUpdate(t *testing.T) {
	issuer := newAuthority(t, "issuer")
	address, requests := server(t, serve(newList(t, issuer, nil)))
	leaf := issuer.issue(t, 5, func(c *x509.Certificate) { c.CRLDistributionPoints = []string{address} }).certificate
	now := time.Now()
	cache := durable.Folder(t.TempDir())
	for _, step := range []struct {
		after time.Duration
		want  certificate.RevocationState
		total int32
	}{
		{0, certificate.RevocationGood, 1}, {time.Hour, certificate.RevocationGood, 1}, {30 * time.Hour, certificate.RevocationUnknown, 2},
	} {
		client := repository.New(repository.Options{AllowPrivate: true, Cache: cache, Now: func() time.Time { return now.Add(step.after) }})
		status, err := client.Status(t.Context(), leaf, issuer.certificate)
		if err != nil || status.State != step.want || requests.Load() != step.total {
			t.Errorf("after %s: %+v, error %v, %d requests; want %s, %d", step.after, status, err, requests.Load(), step.want, step.total)
		}
	}
}

// TestListsThatSayNothing: what is no list in force of that issuer for that certificate
// tells nothing, and why is said.
func TestListsThatSayNothing(t *testing.T) {
	issuer, other := newAuthority(t, "issuer"), newAuthority(t, "issuer")
	stranger := newAuthority(t, "stranger")
	point := func(p any) func(*x509.RevocationList) {
		value, err := asn1.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		return func(l *x509.RevocationList) {
			l.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 28}, Critical: true, Value: value}}
		}
	}
	for name, test := range map[string]struct {
		body []byte
		want string
	}{
		"nothing":           {nil, "not a revocation list"},
		"a page":            {[]byte("<html>sign in</html>"), "not a revocation list"},
		"of another issuer": {newList(t, stranger, nil), "another issuer"},
		"by another key":    {newList(t, other, nil), "did not sign it"},
		"out of date":       {newList(t, issuer, func(l *x509.RevocationList) { l.NextUpdate = time.Now().Add(-time.Minute) }), "out of date"},
		"from the future":   {newList(t, issuer, func(l *x509.RevocationList) { l.ThisUpdate = time.Now().Add(time.Hour) }), "clock"},
		"authorities only": {newList(t, issuer, point(struct {
			A bool `asn1:"tag:2"`
		}{true})), "authorities' certificates only"},
		"some reasons only": {newList(t, issuer, point(struct {
			B asn1.BitString `asn1:"tag:3"`
		}{asn1.BitString{Bytes: []byte{0x40}, BitLength: 2}})), "reasons only"},
		"indirect": {newList(t, issuer, point(struct {
			I bool `asn1:"tag:4"`
		}{true})), "reasons only"},
		"of another address": {newList(t, issuer, pointAt("http://other.example/1.crl")), "another address"},
		"what changed": {newList(t, issuer, func(l *x509.RevocationList) {
			l.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 27}, Critical: true, Value: []byte{2, 1, 1}}}
		}), "what changed"},
		"critical and unknown": {newList(t, issuer, func(l *x509.RevocationList) {
			l.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 99}, Critical: true, Value: []byte{5, 0}}}
		}), "2.5.29.99"},
		"malformed point": {newList(t, issuer, func(l *x509.RevocationList) {
			l.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 28}, Critical: true, Value: []byte{0x30, 1, 0x80}}}
		}), "malformed"},
		"too large": {make([]byte, 9<<20), "larger than"},
	} {
		t.Run(name, func(t *testing.T) {
			address, _ := server(t, serve(test.body))
			leaf := issuer.issue(t, 5, func(c *x509.Certificate) { c.CRLDistributionPoints = []string{address} }).certificate
			wantUnknown(t, repository.New(repository.Options{AllowPrivate: true}), leaf, issuer.certificate, test.want)
		})
	}
}

// TestListsThatAreRead: in PEM, of that address, of users only.
func TestListsThatAreRead(t *testing.T) {
	issuer := newAuthority(t, "issuer")
	var body []byte
	address, _ := server(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(body) })
	revoked := issuer.issue(t, 77, func(c *x509.Certificate) { c.CRLDistributionPoints = []string{"ldap://ldap.example/", address} }).certificate
	entries := func(l *x509.RevocationList) {
		l.RevokedCertificateEntries = []x509.RevocationListEntry{{SerialNumber: big.NewInt(77), RevocationTime: time.Now().Add(-time.Hour), ReasonCode: 1}}
	}
	for name, list := range map[string][]byte{
		"DER":          newList(t, issuer, entries),
		"PEM":          pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: newList(t, issuer, entries)}),
		"this address": newList(t, issuer, func(l *x509.RevocationList) { entries(l); pointAt(address)(l) }),
	} {
		body = list
		status, err := repository.New(repository.Options{AllowPrivate: true}).Status(t.Context(), revoked, issuer.certificate)
		if err != nil || status.State != certificate.RevocationRevoked || status.Reason != "keyCompromise" {
			t.Errorf("%s: %+v, error %v", name, status, err)
		}
	}
}

// TestFailedAddressIsAskedOnce: a server that is down does not cost its time for each of
// ten thousand rows.
func TestFailedAddressIsAskedOnce(t *testing.T) {
	issuer := newAuthority(t, "issuer")
	address, requests := server(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) })
	client := repository.New(repository.Options{AllowPrivate: true})
	for serial := range int64(5) {
		leaf := issuer.issue(t, serial+1, func(c *x509.Certificate) { c.CRLDistributionPoints = []string{address} }).certificate
		wantUnknown(t, client, leaf, issuer.certificate, "502 Bad Gateway")
	}
	if n := requests.Load(); n != 1 {
		t.Errorf("%d requests, want one", n)
	}
}

// TestCancelledIsNotUnknown: who stops the program has not been told a status.
func TestCancelledIsNotUnknown(t *testing.T) {
	practice, _ := lab(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if status, err := repository.New(repository.Options{AllowPrivate: true}).Status(ctx, labLeaf(t, practice), practice.Issuing()); err == nil {
		t.Errorf("status %+v without an error", status)
	}
}

func wantUnknown(t *testing.T, client *repository.Client, cert, issuer *x509.Certificate, why string) {
	t.Helper()
	status, err := client.Status(t.Context(), cert, issuer)
	if err != nil || status.State != certificate.RevocationUnknown || status.Err == nil || !strings.Contains(status.Err.Error(), why) {
		t.Errorf("status %+v, error %v; want unknown: %s", status, err, why)
	}
}

// newList signs a revocation list that is in force for a day.
func newList(t testing.TB, issuer authority, change func(*x509.RevocationList)) []byte {
	t.Helper()
	list := &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: time.Now().Add(-time.Hour), NextUpdate: time.Now().Add(24 * time.Hour)}
	if change != nil {
		change(list)
	}
	der, err := x509.CreateRevocationList(rand.Reader, list, issuer.certificate, issuer.key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// pointAt gives a list an issuingDistributionPoint with an address.
func pointAt(address string) func(*x509.RevocationList) {
	name := append([]byte{0x86, byte(len(address))}, address...)
	full := append([]byte{0xa0, byte(len(name))}, name...)
	point := append([]byte{0xa0, byte(len(full))}, full...)
	value := append([]byte{0x30, byte(len(point))}, point...)
	return func(l *x509.RevocationList) {
		l.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 28}, Critical: true, Value: value}}
	}
}
