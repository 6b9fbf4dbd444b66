//go:build linux && cgo

package clients

import (
	"bytes"
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/go-piv/piv-go/v2/piv"

	"github.com/cse-piv/cse-piv/internal/lab"
	"github.com/cse-piv/cse-piv/internal/lab/yubikey"
)

// pivLab runs a lab on this process's socket. Tests that use it run one after
// the other.
func pivLab(t *testing.T, options lab.Options) *lab.Lab {
	t.Helper()
	options.Socket = socket
	return startLab(t, options)
}

func openPIV(t *testing.T, reader string) *piv.YubiKey {
	t.Helper()
	yk, err := piv.Open(reader)
	if err != nil {
		t.Fatal(err)
	}
	return yk
}

func factoryManagementKey() []byte {
	return bytes.Repeat([]byte{1, 2, 3, 4, 5, 6, 7, 8}, 3)
}

func TestPIVGo(t *testing.T) {
	for _, c := range []struct {
		firmware string
		// managementKey is what SetManagementKey makes of 24 bytes.
		managementKey string
		algorithms    []piv.Algorithm
	}{
		{"4.3.7", "3des", []piv.Algorithm{piv.AlgorithmEC256, piv.AlgorithmRSA2048}},
		{"5.1.2", "3des", []piv.Algorithm{piv.AlgorithmEC384}},
		{"5.2.7", "3des", []piv.Algorithm{piv.AlgorithmEC256}},
		{"5.4.3", "aes192", []piv.Algorithm{piv.AlgorithmEC256, piv.AlgorithmEC384, piv.AlgorithmRSA1024, piv.AlgorithmRSA2048}},
		{"5.7.4", "aes192", []piv.Algorithm{piv.AlgorithmEC256, piv.AlgorithmRSA2048, piv.AlgorithmRSA3072, piv.AlgorithmEd25519, piv.AlgorithmX25519}},
	} {
		t.Run(c.firmware, func(t *testing.T) {
			l := pivLab(t, lab.Options{Firmware: c.firmware})
			cards, err := piv.Cards()
			if err != nil || len(cards) != 1 {
				t.Fatalf("cards: %q, %v", cards, err)
			}
			yk := openPIV(t, cards[0])
			defer func() {
				if err := yk.Close(); err != nil {
					t.Error(err)
				}
			}()
			if serial, err := yk.Serial(); err != nil || serial != l.Card(0).Serial() {
				t.Errorf("serial %d, %v", serial, err)
			}
			if v := yk.Version(); fmt.Sprintf("%d.%d.%d", v.Major, v.Minor, v.Patch) != c.firmware {
				t.Errorf("version %+v", v)
			}
			pivGoSecrets(t, l, yk, c.managementKey)
			for i, algorithm := range c.algorithms {
				slot := []piv.Slot{piv.SlotAuthentication, piv.SlotSignature, piv.SlotKeyManagement, piv.SlotCardAuthentication}[i%4]
				pivGoKey(t, l, yk, slot, algorithm)
			}
		})
	}
}

var (
	testKey = []byte("24 bytes: nobody's key..")
	testPIN = "314159"
	testPUK = "27182818"
)

func pivGoSecrets(t *testing.T, l *lab.Lab, yk *piv.YubiKey, managementKey string) {
	t.Helper()
	if err := yk.VerifyPIN("999999"); !errors.As(err, new(piv.AuthErr)) {
		t.Errorf("wrong PIN: %v", err)
	}
	if tries, err := yk.Retries(); err != nil || tries != 2 {
		t.Errorf("tries after a wrong PIN: %d, %v", tries, err)
	}
	for name, err := range map[string]error{
		"SetRetries":       yk.SetRetries(factoryManagementKey(), piv.DefaultPIN, 5, 4),
		"SetPIN":           yk.SetPIN(piv.DefaultPIN, testPIN),
		"SetPUK":           yk.SetPUK(piv.DefaultPUK, testPUK),
		"SetManagementKey": yk.SetManagementKey(factoryManagementKey(), testKey),
		"Unblock":          yk.Unblock(testPUK, testPIN),
		"VerifyPIN":        yk.VerifyPIN(testPIN),
		"SetMetadata":      yk.SetMetadata(testKey, &piv.Metadata{ManagementKey: &testKey}),
	} {
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	if metadata, err := yk.Metadata(testPIN); err != nil || metadata.ManagementKey == nil || !bytes.Equal(*metadata.ManagementKey, testKey) {
		t.Errorf("metadata: %+v, %v", metadata, err)
	}
	snapshot := l.Card(0).Snapshot()
	if snapshot.PIN.Value != testPIN || snapshot.PIN.Max != 5 || snapshot.PUK.Value != testPUK || snapshot.PUK.Max != 4 {
		t.Errorf("PIN %+v, PUK %+v", snapshot.PIN, snapshot.PUK)
	}
	if key := snapshot.ManagementKey; !bytes.Equal(key.Value, testKey) || key.Algorithm != managementKey {
		t.Errorf("management key %+v", key)
	}
	if err := yk.SetManagementKey(factoryManagementKey(), testKey); err == nil {
		t.Error("the old management key still works")
	}
}

// pivGoKey makes a key, has it attested, puts a certificate beside it and uses
// it.
func pivGoKey(t *testing.T, l *lab.Lab, yk *piv.YubiKey, slot piv.Slot, algorithm piv.Algorithm) {
	t.Helper()
	template := piv.Key{Algorithm: algorithm, PINPolicy: piv.PINPolicyOnce, TouchPolicy: piv.TouchPolicyNever}
	public, err := yk.GenerateKey(testKey, slot, template)
	if err != nil {
		t.Fatalf("generate %v in %v: %v", algorithm, slot, err)
	}
	if yubikey.Metadata.Of(l.Card(0).Firmware()) {
		info, err := yk.KeyInfo(slot)
		if err != nil || info.Algorithm != algorithm || info.Origin != piv.OriginGenerated || info.PINPolicy != piv.PINPolicyOnce {
			t.Errorf("key info: %+v, %v", info, err)
		}
	}
	device, err := yk.AttestationCertificate()
	if err != nil {
		t.Fatal(err)
	}
	attestation, err := yk.Attest(slot)
	if err != nil {
		t.Fatal(err)
	}
	verifier := piv.Verifier{Roots: x509.NewCertPool()}
	for _, certificate := range append(l.Authority().Roots(), l.Authority().Intermediates()...) {
		verifier.Roots.AddCert(certificate)
	}
	facts, err := verifier.Verify(device, attestation)
	if err != nil {
		t.Fatalf("attestation of %v: %v", algorithm, err)
	}
	serial := l.Card(0).Serial()
	if !yubikey.SerialInAttestation.Of(l.Card(0).Firmware()) {
		serial = 0
	}
	if facts.Serial != serial || facts.Slot != slot || facts.PINPolicy != piv.PINPolicyOnce || facts.TouchPolicy != piv.TouchPolicyNever {
		t.Errorf("attested: %+v", facts)
	}
	if err := device.CheckSignature(attestation.SignatureAlgorithm, attestation.RawTBSCertificate, attestation.Signature); err != nil {
		t.Errorf("attestation of %v: %v", algorithm, err)
	}
	if err := yk.SetCertificate(testKey, slot, attestation); err != nil {
		t.Fatal(err)
	}
	if back, err := yk.Certificate(slot); err != nil || !back.Equal(attestation) {
		t.Errorf("certificate came back changed: %v", err)
	}
	private, err := yk.PrivateKey(slot, public, piv.KeyAuth{PIN: testPIN})
	if err != nil {
		t.Fatal(err)
	}
	useKey(t, public, private)
}

func useKey(t *testing.T, public crypto.PublicKey, private crypto.PrivateKey) {
	t.Helper()
	message := []byte("what is signed, or not to be read by others")
	digest := sha256.Sum256(message)
	switch public := public.(type) {
	case *ecdsa.PublicKey:
		signature, err := private.(crypto.Signer).Sign(rand.Reader, digest[:], crypto.SHA256)
		if err != nil || !ecdsa.VerifyASN1(public, digest[:], signature) {
			t.Errorf("ECDSA: %v", err)
		}
		peer, err := ecdsa.GenerateKey(public.Curve, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		peerECDH, err := peer.ECDH()
		if err != nil {
			t.Fatal(err)
		}
		cardECDH, err := public.ECDH()
		if err != nil {
			t.Fatal(err)
		}
		agree(t, private.(*piv.ECDSAPrivateKey).ECDH, peerECDH, cardECDH)
		if public.Curve == elliptic.P256() {
			if _, err := private.(*piv.ECDSAPrivateKey).ECDH(mustP384(t)); err == nil {
				t.Error("agreed with a peer on another curve")
			}
		}
	case *rsa.PublicKey:
		for _, options := range []crypto.SignerOpts{crypto.SHA256, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: crypto.SHA256}} {
			signature, err := private.(crypto.Signer).Sign(rand.Reader, digest[:], options)
			if err != nil {
				t.Errorf("RSA: %v", err)
				continue
			}
			if pss, ok := options.(*rsa.PSSOptions); ok {
				err = rsa.VerifyPSS(public, crypto.SHA256, digest[:], signature, pss)
			} else {
				err = rsa.VerifyPKCS1v15(public, crypto.SHA256, digest[:], signature)
			}
			if err != nil {
				t.Errorf("RSA with %T: %v", options, err)
			}
		}
		//lint:ignore SA1019 the card and S/MIME use this padding
		sealed, err := rsa.EncryptPKCS1v15(rand.Reader, public, message)
		if err != nil {
			t.Fatal(err)
		}
		opened, err := private.(crypto.Decrypter).Decrypt(rand.Reader, sealed, nil)
		if err != nil || !bytes.Equal(opened, message) {
			t.Errorf("RSA decryption: %q, %v", opened, err)
		}
	case ed25519.PublicKey:
		signature, err := private.(crypto.Signer).Sign(rand.Reader, message, crypto.Hash(0))
		if err != nil || !ed25519.Verify(public, message, signature) {
			t.Errorf("Ed25519: %v", err)
		}
	case *ecdh.PublicKey:
		peer, err := public.Curve().GenerateKey(rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		agree(t, private.(*piv.X25519PrivateKey).ECDH, peer, public)
	default:
		t.Errorf("public key is a %T", public)
	}
}

func mustP384(t *testing.T) *ecdh.PublicKey {
	t.Helper()
	key, err := ecdh.P384().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key.PublicKey()
}

// agree compares a shared secret from the card with the peer's.
func agree(t *testing.T, card func(*ecdh.PublicKey) ([]byte, error), peer *ecdh.PrivateKey, public *ecdh.PublicKey) {
	t.Helper()
	theirs, err := peer.ECDH(public)
	if err != nil {
		t.Fatal(err)
	}
	if ours, err := card(peer.PublicKey()); err != nil || !bytes.Equal(ours, theirs) {
		t.Errorf("shared secret %x, %v; the peer has %x", ours, err, theirs)
	}
}

func TestPIVGoMeetsHolderOfTheCard(t *testing.T) {
	l := pivLab(t, lab.Options{})
	reader := l.Names()[0]
	holder := openPIV(t, reader)
	if _, err := piv.Open(reader); err == nil || !strings.Contains(err.Error(), "other connections outstanding") {
		t.Errorf("a card that is held: %v", err)
	}
	if err := holder.Close(); err != nil {
		t.Fatal(err)
	}
	next := openPIV(t, reader)
	if err := next.Close(); err != nil {
		t.Error(err)
	}
}

func TestPIVGoPullsAndGlitches(t *testing.T) {
	l := pivLab(t, lab.Options{})
	reader := l.Names()[0]
	for spec, back := range map[string]bool{"card:pull@1": false, "card:pull-after@1": false, "card:reset@1": true} {
		yk := openPIV(t, reader)
		if err := l.SetFaults(spec); err != nil {
			t.Fatal(err)
		}
		_, err := yk.Serial()
		if err == nil || (!strings.Contains(err.Error(), "removed") && !strings.Contains(err.Error(), "reset")) {
			t.Errorf("%s: %v", spec, err)
		}
		if _, again := yk.Serial(); again == nil {
			t.Errorf("%s: the old connection works again", spec)
		}
		if l.Inserted(0) != back {
			t.Errorf("%s: inserted is %v", spec, !back)
		}
		if !back {
			if _, err := piv.Open(reader); err == nil {
				t.Errorf("%s: opened an empty reader", spec)
			}
			if err := l.Insert(0, nil); err != nil {
				t.Fatal(err)
			}
		}
		again := openPIV(t, reader)
		if _, err := again.Serial(); err != nil {
			t.Errorf("%s: after all: %v", spec, err)
		}
		_ = again.Close()
		_ = yk.Close() // its card is long gone
	}
	if stats := l.Stats(); stats.CardResets != 3 {
		t.Errorf("%d faults of the card counted, want 3", stats.CardResets)
	}
}

func TestPIVGoWaitsForATouch(t *testing.T) {
	l := pivLab(t, lab.Options{ManualTouch: true})
	yk := openPIV(t, l.Names()[0])
	public, err := yk.GenerateKey(factoryManagementKey(), piv.SlotSignature, piv.Key{
		Algorithm: piv.AlgorithmEC256, PINPolicy: piv.PINPolicyOnce, TouchPolicy: piv.TouchPolicyAlways,
	})
	if err != nil {
		t.Fatal(err)
	}
	private, err := yk.PrivateKey(piv.SlotSignature, public, piv.KeyAuth{PIN: piv.DefaultPIN})
	if err != nil {
		t.Fatal(err)
	}
	sign := func() <-chan error {
		done := make(chan error, 1)
		go func() {
			digest := sha256.Sum256([]byte("x"))
			_, err := private.(crypto.Signer).Sign(rand.Reader, digest[:], crypto.SHA256)
			done <- err
		}()
		waitUntil(t, "the card waits for a finger", func() bool { return l.WaitingForTouch() == 1 })
		return done
	}
	signed := sign()
	if n := l.Touch(); n != 1 {
		t.Errorf("%d cards touched", n)
	}
	if err := <-signed; err != nil {
		t.Errorf("touched: %v", err)
	}
	signed = sign()
	if err := l.Pull(0); err != nil {
		t.Fatal(err)
	}
	if err := <-signed; err == nil || !strings.Contains(err.Error(), "removed") {
		t.Errorf("pulled while waiting for a finger: %v", err)
	}
	_ = yk.Close() // its card is gone
}
