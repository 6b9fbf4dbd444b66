package yubikey

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"testing"
	"time"
)

// freshCards gives cards as they leave the factory, from the state of one made
// before. They make no large RSA keys, which would take all of the time.
func freshCards(f testing.TB, v Version) func(testing.TB) *Card {
	f.Helper()
	generate := func(bits int) (*rsa.PrivateKey, error) {
		if bits > 2048 {
			return nil, errors.New("not while fuzzing")
		}
		return pooledRSA(bits)
	}
	first, err := New(Config{Firmware: v, Authority: testAuthority(), Serial: testSerial, GenerateRSA: generate})
	if err != nil {
		f.Fatal(err)
	}
	kept, err := json.Marshal(first.state)
	if err != nil {
		f.Fatal(err)
	}
	return func(t testing.TB) *Card {
		s, err := parseState(kept)
		if err != nil {
			t.Fatal(err)
		}
		card := &Card{
			rand: rand.Reader, clock: time.Now, generateRSA: generate,
			touchSensor: func(byte) bool { return true },
		}
		card.install(s, kept)
		return card
	}
}

// FuzzTransmit sends a sequence of APDUs, each preceded by its length in two
// bytes. PIN and management key are proven beforehand where the first byte says
// so, that the commands behind them are reached.
func FuzzTransmit(f *testing.F) {
	sequence := func(mode byte, apdus ...[]byte) {
		raw := []byte{mode}
		for _, apdu := range apdus {
			raw = append(append(raw, byte(len(apdu)>>8), byte(len(apdu))), apdu...)
		}
		f.Add(raw)
	}
	sequence(0, []byte{0, insGetVersion, 0, 0, 0}, []byte{0, insGetSerial, 0, 0})
	sequence(1, append([]byte{0, insGenerateKeyPair, 0, 0x9d, 11}, generateData(eccP256, 1, 1)...), []byte{0, insAttest, 0x9d, 0, 0}, []byte{0, insGetResponse, 0, 0, 0})
	sequence(1, append([]byte{0, insGenerateKeyPair, 0, 0x9e, 5}, generateData(rsa1024, 0, 0)...), append([]byte{0, insGeneralAuthenticate, 6, 0x9e, 0, 0, 136}, authTemplate(tagChallenge, make([]byte, 128))...))
	sequence(1, append([]byte{0x10, insPutData, 0x3f, 0xff, 12}, putData(0x5fc105, []byte{1, 2, 3, 4})...), append([]byte{0, insGetData, 0x3f, 0xff, 5}, getData(0x5fc105)...))
	sequence(3, []byte{0, insSetPINRetries, 5, 5, 0}, []byte{0, insMoveKey, 0x82, 0x9d}, []byte{0, insReset, 0, 0})
	sequence(3, append([]byte{0, insSetManagementKey, 0xff, 0xff, 19}, setManagementData(aes128, make([]byte, 16))...))
	sequence(1, append([]byte{0, insImportKey, byte(eccP256), 0x9a, 34, 0x06, 0x20}, make([]byte, 32)...), []byte{0, insGetMetadata, 0, 0x9a})
	sequence(4, []byte{0, insSelect, 4, 0, 8, 0xa0, 0, 0, 5, 0x27, 0x47, 0x11, 0x17}, []byte{0, insReadConfig, 0, 0})
	current, older := freshCards(f, v574), freshCards(f, v543)
	f.Fuzz(func(t *testing.T, raw []byte) {
		if len(raw) == 0 {
			return
		}
		fresh := current
		if raw[0]&4 != 0 {
			fresh = older
		}
		h := &host{T: t, Card: fresh(t)}
		h.selectPIV()
		if raw[0]&1 != 0 {
			h.manage()
		}
		if raw[0]&2 != 0 {
			h.verifyPIN(factoryPIN)
		}
		for raw = raw[1:]; len(raw) >= 2; {
			n := min(int(raw[0])<<8|int(raw[1]), len(raw)-2)
			response := h.Transmit(raw[2 : 2+n])
			if len(response) < 2 || len(response) > extendedResponse+2 {
				t.Fatalf("%x: answer of %d bytes", raw[2:2+n], len(response))
			}
			switch sw1 := response[len(response)-2]; {
			case sw1 != 0x90 && sw1 != 0x61 && len(response) > 2:
				t.Fatalf("%x: data with the error %x", raw[2:2+n], response)
			case sw1>>4 != 6 && sw1 != 0x90:
				t.Fatalf("%x: status word %x", raw[2:2+n], response[len(response)-2:])
			}
			raw = raw[2+n:]
		}
		// Whatever happened, the card can be kept and taken up again.
		kept, err := json.Marshal(h.state)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := parseState(kept); err != nil {
			t.Fatalf("the state cannot be read back: %v", err)
		}
	})
}

func FuzzParseState(f *testing.F) {
	fresh := freshCards(f, v574)
	kept, err := json.Marshal(fresh(f).state)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(kept)
	f.Add([]byte(`{"format":1}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		s, err := parseState(raw)
		if err != nil {
			return
		}
		card := fresh(t)
		card.install(s, raw)
		h := &host{T: t, Card: card}
		h.selectPIV()
		for _, apdu := range [][]byte{
			{0, insGetMetadata, 0, 0x80, 0}, {0, insGetMetadata, 0, 0x9b, 0}, {0, insGetMetadata, 0, 0xf9, 0},
			{0, insVerify, 0, 0x80}, {0, insAttest, 0x9a, 0, 0}, {0, insGeneralAuthenticate, 0x0a, 0x9b, 4, 0x7c, 2, 0x81, 0},
		} {
			h.raw(apdu)
		}
	})
}
