//go:build cgo && linux

package piv_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/cse-piv/cse-piv/internal/lab/yubikey"
	"github.com/cse-piv/cse-piv/internal/piv"
	"github.com/cse-piv/cse-piv/internal/secret"
)

func TestCHUIDChangesAndCCCStays(t *testing.T) {
	_, virtual, card := single(t, "5.7.4")
	var chuids, cccs [][]byte
	for range 2 {
		if err := card.RefreshCHUID(t.Context(), piv.FactoryManagementKey()); err != nil {
			t.Fatal(err)
		}
		objects := virtual.Snapshot().Objects
		chuids, cccs = append(chuids, objects[0x5FC102]), append(cccs, objects[0x5FC107])
	}
	if bytes.Equal(chuids[0], chuids[1]) || len(chuids[0]) != 59 {
		t.Errorf("CHUIDs % X and % X", chuids[0], chuids[1])
	}
	if !bytes.Equal(cccs[0], cccs[1]) || len(cccs[0]) == 0 {
		t.Errorf("CCCs % X and % X", cccs[0], cccs[1])
	}
}

func TestCHUIDIsKept(t *testing.T) {
	_, virtual, card := single(t, "5.7.4")
	var chuids [][]byte
	for range 2 {
		if err := card.EnsureCHUID(t.Context(), piv.FactoryManagementKey()); err != nil {
			t.Fatal(err)
		}
		chuids = append(chuids, virtual.Snapshot().Objects[0x5FC102])
	}
	if len(chuids[0]) != 59 || !bytes.Equal(chuids[0], chuids[1]) || len(virtual.Snapshot().Objects[0x5FC107]) == 0 {
		t.Errorf("CHUIDs % X and % X", chuids[0], chuids[1])
	}
}

// TestIssuersCHUIDStays: what an issuer signed is not replaced, whatever else is
// in it.
func TestIssuersCHUIDStays(t *testing.T) {
	signed := []byte{0x30, 0x01, 0xD1, 0x34, 0x01, 0x42, 0x3E, 0x02, 0x30, 0x00, 0xFE, 0x00}
	contents := &yubikey.Contents{
		PIN: "246802", PUK: "13579135", ManagementKey: bytes.Repeat([]byte{0xAB, 0xCD, 0xEF}, 8), Objects: map[uint32][]byte{0x5FC102: signed},
	}
	_, virtual, card := single(t, "5.7.4", func(c *yubikey.Config) { c.Contents = contents })
	if err := card.RefreshCHUID(t.Context(), secret.New(contents.ManagementKey)); !errors.Is(err, piv.ErrIssuerCHUID) {
		t.Errorf("error %v", err)
	}
	if got := virtual.Snapshot().Objects; !bytes.Equal(got[0x5FC102], signed) || len(got[0x5FC107]) != 0 {
		t.Errorf("CHUID % X, CCC % X", got[0x5FC102], got[0x5FC107])
	}
}
