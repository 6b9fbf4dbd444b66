package issuer

import (
	"crypto/x509"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/cse-piv/cse-piv/internal/issuer/ca"
)

// reopen opens the CA again, as another run does.
func reopen(t *testing.T, authority testCA, dir string) *Local {
	t.Helper()
	l, err := newLocal(write(t, dir, "ca.pem", pemOf(authority.issuing, authority.root)), write(t, dir, "ca.key", keyPEM(t, authority.key)), Options{CRLURL: crlURL})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func mustIssue(t *testing.T, l *Local, request Request) *x509.Certificate {
	t.Helper()
	certs, err := l.Issue(t.Context(), request)
	if err != nil {
		t.Fatal(err)
	}
	return certs[0]
}

// TestIssuedAndNotUsed: a certificate that was issued and got lost is what the same
// request gets again, until it is revoked.
func TestIssuedAndNotUsed(t *testing.T) {
	authority, dir := newCA(t, nil), t.TempDir()
	request := newRequest(t, newKey(t), nil)
	first := mustIssue(t, reopen(t, authority, dir), request)
	if again := mustIssue(t, reopen(t, authority, dir), request); !again.Equal(first) {
		t.Error("the same request got a second certificate")
	}
	if other := mustIssue(t, reopen(t, authority, dir), newRequest(t, newKey(t), nil)); other.Equal(first) {
		t.Error("another request got the first one's certificate")
	}
	record := ca.RecordOf(filepath.Join(dir, "ca.pem"))
	if all, err := record.List(); err != nil || len(all) != 2 || !all[0].Certificate.Equal(first) && !all[1].Certificate.Equal(first) {
		t.Fatal(all, err)
	}
	if err := record.Revoke(first.SerialNumber, ca.Revocation{At: time.Now(), Reason: 4}); err != nil {
		t.Fatal(err)
	}
	if again := mustIssue(t, reopen(t, authority, dir), request); again.Equal(first) {
		t.Error("a revoked certificate was given out again")
	}
	list, err := reopen(t, authority, dir).SignList(t.Context(), time.Hour)
	if err != nil || len(list.RevokedCertificateEntries) != 1 || list.RevokedCertificateEntries[0].SerialNumber.Cmp(first.SerialNumber) != 0 || list.RevokedCertificateEntries[0].ReasonCode != 4 {
		t.Error(list, err)
	}
}

// TestLocalRevokes: what the CA issued is revoked once, for the first reason, and the list has
// it; what it did not issue is not its own.
func TestLocalRevokes(t *testing.T) {
	authority, dir := newCA(t, nil), t.TempDir()
	l, record := reopen(t, authority, dir), ca.RecordOf(filepath.Join(dir, "ca.pem"))
	leaf := mustIssue(t, l, newRequest(t, newKey(t), nil))
	if issued, revoked, err := record.Revoked(leaf); !issued || revoked || err != nil {
		t.Error(issued, revoked, err)
	}
	for _, reason := range []int{1, 4} {
		if err := l.Revoke(t.Context(), []*x509.Certificate{leaf}, reason); err != nil {
			t.Fatal(err)
		}
	}
	if issued, revoked, err := record.Revoked(leaf); !issued || !revoked || err != nil {
		t.Error(issued, revoked, err)
	}
	list, err := l.SignList(t.Context(), time.Hour)
	if err != nil || len(list.RevokedCertificateEntries) != 1 || list.RevokedCertificateEntries[0].ReasonCode != 1 {
		t.Error(list, err)
	}
	foreign := authority.issuing
	if issued, _, err := record.Revoked(foreign); issued || err != nil {
		t.Error(issued, err)
	}
	if err := l.Revoke(t.Context(), []*x509.Certificate{foreign}, 1); !errors.Is(err, ca.ErrUnknownSerial) {
		t.Error(err)
	}
}

// TestRecordAfterAKill: what a process that was killed left behind is in nobody's way.
func TestRecordAfterAKill(t *testing.T) {
	authority, dir := newCA(t, nil), t.TempDir()
	request := newRequest(t, newKey(t), nil)
	first := mustIssue(t, reopen(t, authority, dir), request)
	write(t, dir, filepath.Join("issued", ".HALFWRITTEN.cse-piv.tmp"), []byte("-----BEGIN CERTIFI"))
	if again := mustIssue(t, reopen(t, authority, dir), request); !again.Equal(first) {
		t.Error("the record was not read")
	}
	entries, err := os.ReadDir(filepath.Join(dir, "issued"))
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if info, err := entry.Info(); err != nil || info.Size() == 0 {
			t.Error(entry, err)
		}
	}
}

// TestDesksIssueBesideEachOther: the same request at several desks gets one certificate,
// and all of them are in the record.
func TestDesksIssueBesideEachOther(t *testing.T) {
	authority, dir := newCA(t, nil), t.TempDir()
	same := newRequest(t, newKey(t), nil)
	var group sync.WaitGroup
	for range 4 {
		l, other := reopen(t, authority, dir), newRequest(t, newKey(t), nil)
		group.Go(func() {
			for _, request := range []Request{same, other} {
				if _, err := l.Issue(t.Context(), request); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	if all, err := ca.RecordOf(filepath.Join(dir, "ca.pem")).List(); err != nil || len(all) != 5 {
		t.Error(len(all), err)
	}
}
