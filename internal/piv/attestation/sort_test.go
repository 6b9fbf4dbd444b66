package attestation_test

import (
	"crypto/x509"
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/cse-piv/cse-piv/internal/piv/attestation"
)

// TestSort: certificates are told apart in any order, of real YubiKeys as well, and one
// of another key is never taken for a part of the chain.
func TestSort(t *testing.T) {
	a := newAuthority(t)
	key, other := p256(t), p256(t)
	slot := attest(t, a.device, key.Public(), nil)
	user, stranger := issue(t, template("Ada"), key, nil).cert, issue(t, template("Eve"), other, nil).cert
	real := realChain(t, "5.7.4")
	for name, test := range map[string]struct {
		certs        []*x509.Certificate
		slot, device *x509.Certificate
		between      int
		users        int
		wrong        bool
	}{
		"whole":            {certs: []*x509.Certificate{slot, a.device.cert, a.intermediate.cert, user}, slot: slot, device: a.device.cert, between: 1, users: 1},
		"twice":            {certs: []*x509.Certificate{slot, slot, a.device.cert, a.device.cert}, slot: slot, device: a.device.cert},
		"of another key":   {certs: []*x509.Certificate{slot, a.device.cert, stranger}, slot: slot, device: a.device.cert, users: 1},
		"a real YubiKey's": {certs: real.Certificates(), slot: real.Slot, device: real.Device, between: len(real.Intermediates)},
		"no attestation":   {certs: []*x509.Certificate{a.device.cert, user}, wrong: true},
		"of another card":  {certs: []*x509.Certificate{slot, real.Device}, wrong: true},
		"two attestations": {certs: []*x509.Certificate{slot, real.Slot, a.device.cert}, wrong: true},
		"nothing":          {wrong: true},
	} {
		for range 4 {
			rand.Shuffle(len(test.certs), func(i, j int) { test.certs[i], test.certs[j] = test.certs[j], test.certs[i] })
			chain, users, err := attestation.Sort(test.certs)
			if test.wrong {
				if !errors.Is(err, attestation.ErrBundle) {
					t.Errorf("%s: %v", name, err)
				}
				continue
			}
			if err != nil || !chain.Slot.Equal(test.slot) || !chain.Device.Equal(test.device) || len(chain.Intermediates) != test.between || len(users) != test.users {
				t.Errorf("%s: %v, %d between, %d users, %v", name, chain.Slot != nil, len(chain.Intermediates), len(users), err)
			}
		}
	}
}
