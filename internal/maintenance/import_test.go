package maintenance_test

import (
	"bytes"
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/certificate/certtest"
	"github.com/cse-piv/cse-piv/internal/maintenance"
	"github.com/cse-piv/cse-piv/internal/piv"
	"github.com/cse-piv/cse-piv/internal/secret"
	"github.com/cse-piv/cse-piv/internal/testenv"
)

// oldKey is a key with a certificate, as an escrow of keys hands it out.
func oldKey(t *testing.T, key crypto.Signer) certificate.PrivateKey {
	t.Helper()
	template := &x509.Certificate{SerialNumber: big.NewInt(7), NotAfter: time.Now().AddDate(1, 0, 0), EmailAddresses: []string{"ada@lab.example"}}
	return certificate.PrivateKey{Key: key, Certificate: certtest.Issue(t, template, key, nil).Cert}
}

func oldEC(t *testing.T, curve elliptic.Curve) certificate.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return oldKey(t, key)
}

func oldRSA(t *testing.T) certificate.PrivateKey {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return oldKey(t, key)
}

// importInto imports a key into slot 82.
func (d *desk) importInto(entry certificate.PrivateKey, overwrite bool) (done maintenance.Imported, err error) {
	err = d.try(func(card *piv.Card) error {
		done, err = maintenance.Import{Card: card, ManagementKey: piv.FactoryManagementKey(), Slot: 0x82, Entry: entry, Overwrite: overwrite}.Run(d.t.Context())
		return err
	})
	return done, err
}

// checkReads: the card reads with the key in slot 82 what was encrypted to it, and does not attest it.
func (d *desk) checkReads(entry certificate.PrivateKey) {
	d.t.Helper()
	pin := d.pin()
	d.use(func(card *piv.Card) error {
		contents, err := card.Slot(d.t.Context(), 0x82)
		if err != nil {
			return err
		}
		if contents.Certificate == nil || !contents.Certificate.Equal(entry.Certificate) || contents.Key == nil || contents.Key.Origin == piv.Generated {
			d.t.Errorf("slot 82 holds %+v", contents)
		}
		if _, _, err := card.Attest(d.t.Context(), 0x82); !errors.Is(err, piv.ErrNotAttestable) {
			d.t.Errorf("attested: %v", err)
		}
		history, err := card.History(d.t.Context())
		if err != nil || history.Problem() != nil || history.Said == nil || history.Said.OnCard != 1 {
			d.t.Errorf("key history %+v, %v, %v", history.Said, history.Problem(), err)
		}
		switch key := entry.Key.(type) {
		case *rsa.PrivateKey:
			//lint:ignore SA1019 the card and S/MIME use this padding
			sealed, err := rsa.EncryptPKCS1v15(rand.Reader, &key.PublicKey, []byte("old mail"))
			if err != nil {
				return err
			}
			if read, err := card.Decrypt(d.t.Context(), 0x82, key.Public(), pin, sealed); err != nil || string(read) != "old mail" {
				d.t.Errorf("read %q, %v", read, err)
			}
		case *ecdsa.PrivateKey:
			private, err := key.ECDH()
			if err != nil {
				return err
			}
			peer, err := private.Curve().GenerateKey(rand.Reader)
			if err != nil {
				return err
			}
			want, err := peer.ECDH(private.PublicKey())
			if err != nil {
				return err
			}
			if got, err := agree(d, card, key, pin, peer.PublicKey()); err != nil || !bytes.Equal(got, want) {
				d.t.Errorf("agreed on %d bytes, %v", len(got), err)
			}
		}
		return nil
	})
}

func agree(d *desk, card *piv.Card, key *ecdsa.PrivateKey, pin secret.Secret, peer *ecdh.PublicKey) ([]byte, error) {
	return card.ECDH(d.t.Context(), 0x82, key.Public(), pin, peer)
}

// pin unblocks the desk's card, and returns its PIN.
func (d *desk) pin() secret.Secret {
	d.t.Helper()
	pin := secret.FromString("271828")
	d.use(func(card *piv.Card) error { return card.UnblockPIN(d.t.Context(), d.puks()[0].PUK, pin) })
	return pin
}

// TestImport: old keys read on the card, and are told from those that were generated there.
func TestImport(t *testing.T) {
	for _, firmware := range []string{"5.2.7", "5.4.3", "5.7.4"} {
		for name, entry := range map[string]certificate.PrivateKey{"P-256": oldEC(t, elliptic.P256()), "P-384": oldEC(t, elliptic.P384()), "RSA 2048": oldRSA(t)} {
			t.Run(firmware+"/"+name, func(t *testing.T) {
				d := newDesk(t, firmware)
				silent := firmware == "5.2.7" // which does not tell that a slot is empty
				var occupied *maintenance.SlotOccupiedError
				if _, err := d.importInto(entry, false); errors.As(err, &occupied) != silent || !silent && err != nil {
					t.Fatal(err)
				}
				if silent {
					if _, err := d.importInto(entry, true); err != nil {
						t.Fatal(err)
					}
				}
				d.checkReads(entry)
				done, err := d.importInto(entry, false)
				if err != nil || !done.Unchanged || done.Origin != piv.Imported || done.Serial != serial {
					t.Errorf("again: %+v, %v", done, err)
				}
			})
		}
	}
}

// TestImportIntoASlotInUse: what is there stays, unless its loss was agreed to.
func TestImportIntoASlotInUse(t *testing.T) {
	d := newDesk(t, "5.7.4")
	first, second := oldEC(t, elliptic.P256()), oldEC(t, elliptic.P256())
	if _, err := d.importInto(first, false); err != nil {
		t.Fatal(err)
	}
	var occupied *maintenance.SlotOccupiedError
	if _, err := d.importInto(second, false); !errors.As(err, &occupied) || occupied.Serial != serial || occupied.Contents.Certificate == nil {
		t.Errorf("error %v", err)
	}
	d.checkReads(first)
	if _, err := d.importInto(second, true); err != nil {
		t.Fatal(err)
	}
	d.checkReads(second)
}

// TestImportRefuses what no card takes, before the card is touched.
func TestImportRefuses(t *testing.T) {
	d := newDesk(t, "5.4.3")
	before := d.card.Snapshot()
	without := oldEC(t, elliptic.P256())
	without.Certificate = nil
	if _, err := d.importInto(without, false); !errors.Is(err, maintenance.ErrNoCertificate) {
		t.Errorf("without a certificate: %v", err)
	}
	big, err := rsa.GenerateKey(rand.Reader, 3072)
	if err != nil {
		t.Fatal(err)
	}
	var unsupported *piv.UnsupportedError
	if _, err := d.importInto(oldKey(t, big), false); !errors.As(err, &unsupported) {
		t.Errorf("RSA 3072 on 5.4.3: %v", err)
	}
	if _, err := d.importInto(oldEC(t, elliptic.P521()), false); err == nil {
		t.Error("P-521 was imported")
	}
	if after := d.card.Snapshot(); len(after.Slots) != len(before.Slots) || len(after.Objects) != len(before.Objects) {
		t.Error("the card was changed")
	}
}

// TestImportAtEveryCommand pulls the card before and after every command of an import, and imports
// again.
func TestImportAtEveryCommand(t *testing.T) {
	entry := oldEC(t, elliptic.P256())
	commands := 0
	for _, fault := range []string{"", "card:pull@%d", "card:pull-after@%d", "card:reset@%d"} {
		for n := 1; n == 1 || fault != "" && n <= commands; n++ {
			t.Run(fmt.Sprintf("%s %d of %d", fault, n, commands), func(t *testing.T) {
				d := newDesk(t, "5.7.4")
				d.fault("off")
				if fault != "" {
					d.fault("off", fmt.Sprintf(fault, n))
				}
				before := practice.Stats().APDUs
				_, err := d.importInto(entry, false)
				if fault == "" {
					commands = int(practice.Stats().APDUs - before)
				}
				d.fault("off")
				if err != nil {
					if fault == "" || !errors.Is(err, piv.ErrRemoved) && !errors.Is(err, piv.ErrReset) && !errors.Is(err, piv.ErrNoCard) && !errors.Is(err, piv.ErrNoReader) {
						t.Fatal(err)
					}
					d.insert()
					if _, err := d.importInto(entry, false); err != nil {
						t.Fatal(err)
					}
				}
				d.checkReads(entry)
			})
		}
	}
}

// TestOthersReadWhatWasImported: ykman finds the certificate of a GSA test card's retired key that was
// imported from its PKCS#12.
func TestOthersReadWhatWasImported(t *testing.T) {
	testenv.Program(t, "ykman")
	files, err := filepath.Glob("../../../shared/samples/cards/37/14_*.p12")
	if err != nil || len(files) != 1 {
		t.Skip("NOT TESTED: no samples in ../shared/samples/cards/37")
	}
	data, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	keys, err := certificate.ParsePrivateKeys(data, secret.Secret{})
	if err != nil || len(keys) != 1 {
		t.Fatal(keys, err)
	}
	d := newDesk(t, "5.4.3")
	if _, err := d.importInto(keys[0], false); err != nil {
		t.Fatal(err)
	}
	d.checkReads(keys[0])
	out := filepath.Join(t.TempDir(), "82.pem")
	command := exec.CommandContext(t.Context(), "ykman", "piv", "certificates", "export", "82", out)
	command.Env = append(os.Environ(), "HOME="+t.TempDir(), "LC_ALL=C.UTF-8")
	if text, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	read, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	list, err := certificate.Parse(read)
	if err != nil || len(list) != 1 || !list[0].Equal(keys[0].Certificate) {
		t.Errorf("ykman exported %d certificates, %v", len(list), err)
	}
}
