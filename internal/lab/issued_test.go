package lab

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"software.sslmate.com/src/go-pkcs12"
)

// issuedFolder writes a small card for one address.
func issuedFolder(t *testing.T, address string) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "holder"}, NotAfter: time.Now().Add(time.Hour), EmailAddresses: []string{address}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	file, err := pkcs12.Modern2023.Encode(key, certificate, nil, "")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, data := range map[string][]byte{"9d.p12": file, "chuid.bin": {0x30, 0x00}, "notes.txt": nil} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestCardFrom(t *testing.T) {
	var log lockedBuffer
	dir := issuedFolder(t, "Holder@Issuer.example")
	state := filepath.Join(t.TempDir(), "card.json")
	options := Options{CardFrom: dir, CardState: state, Readers: 2, Log: &log}
	l := start(t, options)
	if l.Domain() != "issuer.example" || !slices.Equal(l.IssuedTo(), []string{"Holder@Issuer.example"}) {
		t.Errorf("domain %q, issued to %q", l.Domain(), l.IssuedTo())
	}
	card := l.Card(0).Snapshot()
	if card.Slots[0x9d].Origin != "imported" || len(card.Objects[0x5fc10b]) == 0 || card.PIN.Value != IssuedPIN || card.PUK.Value != IssuedPUK || card.ManagementKey.Default {
		t.Errorf("the card is %+v", card)
	}
	if other := l.Card(1).Snapshot(); len(other.Slots) != 1 || !other.PIN.Default {
		t.Errorf("the second card is no new one: %+v", other)
	}
	if !strings.Contains(log.String(), "not for this card: notes.txt") {
		t.Errorf("log: %s", log.String())
	}
	body := fmt.Sprintf(`{"serial": 777, "from": %q}`, dir)
	if err := l.Pull(1); err != nil {
		t.Fatal(err)
	}
	if code, answer := post(t, l.ControlURL()+"readers/1/insert", body); code != http.StatusOK {
		t.Errorf("insert: %d %s", code, answer)
	}
	if other := l.Card(1).Snapshot(); other.Serial != 777 || other.Slots[0x9d].Origin != "imported" {
		t.Errorf("the card that was put in is %+v", other)
	}
	l.Close()

	// Taken home, it is the card that it was, and in a domain of another name its
	// holder is nobody.
	options.Domain = "lab.example"
	again := start(t, options)
	if got := again.Card(0).Serial(); got != card.Serial || len(again.IssuedTo()) != 0 {
		t.Errorf("serial %d, was %d; issued to %q", got, card.Serial, again.IssuedTo())
	}
}

func TestCardFromABadFolder(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "9c.pem"), []byte("hello"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, options := range []Options{{CardFrom: dir}, {CardFrom: filepath.Join(dir, "none")}, {CardFrom: t.TempDir()}} {
		l, err := Start(context.Background(), options)
		if err == nil {
			l.Close()
			t.Errorf("%s is a card", options.CardFrom)
		} else if !strings.Contains(err.Error(), options.CardFrom) {
			t.Errorf("the error does not name the folder: %v", err)
		}
	}
	l := start(t, Options{NoCard: true})
	if code, answer := post(t, l.ControlURL()+"readers/0/insert", fmt.Sprintf(`{"from": %q}`, dir)); code != http.StatusBadRequest || !strings.Contains(answer, "9c.pem") {
		t.Errorf("insert: %d %s", code, answer)
	}
}
