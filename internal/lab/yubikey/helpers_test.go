package yubikey

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/des"
	"crypto/rsa"
	"crypto/x509"
	"sync"
	"testing"
	"time"
)

var (
	v437 = Version{4, 3, 7}
	v543 = Version{5, 4, 3}
	v574 = Version{5, 7, 4}
)

const testSerial = 11408379

// testAuthority is shared: making one is slow beside what most tests do.
var testAuthority = sync.OnceValue(func() *Authority {
	authority, err := NewAuthority()
	if err != nil {
		panic(err)
	}
	return authority
})

// rsaPool makes one key of each size: tests do not need distinct ones.
var rsaPool = struct {
	sync.Mutex
	keys map[int]*rsa.PrivateKey
}{keys: map[int]*rsa.PrivateKey{}}

func pooledRSA(bits int) (*rsa.PrivateKey, error) {
	rsaPool.Lock()
	defer rsaPool.Unlock()
	if key, ok := rsaPool.keys[bits]; ok {
		return key, nil
	}
	key, err := rsa.GenerateKey(nil, bits)
	if err == nil {
		rsaPool.keys[bits] = key
	}
	return key, err
}

// host is a card with the PIV applet selected and something to talk to it.
type host struct {
	*testing.T
	*Card
	now time.Time
}

func newHost(t *testing.T, v Version, options ...func(*Config)) *host {
	t.Helper()
	h := &host{T: t, now: time.Date(2026, time.March, 1, 9, 0, 0, 0, time.UTC)}
	config := Config{
		Serial: testSerial, Firmware: v, FormFactor: FormFactorUSBCKeychain,
		Authority: testAuthority(), GenerateRSA: pooledRSA,
		Clock: func() time.Time { return h.now },
	}
	for _, option := range options {
		option(&config)
	}
	card, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	h.Card = card
	h.selectPIV()
	return h
}

func (h *host) selectPIV() {
	h.Helper()
	h.ok(0x00, insSelect, 0x04, 0x00, []byte{0xa0, 0x00, 0x00, 0x03, 0x08})
}

// send transmits an extended command, so that the answer comes in one piece.
func (h *host) send(cla, ins, p1, p2 byte, data []byte) ([]byte, status) {
	h.Helper()
	raw := []byte{cla, ins, p1, p2, 0x00}
	if len(data) > 0 {
		raw = append(raw, byte(len(data)>>8), byte(len(data)))
		raw = append(raw, data...)
	}
	return h.raw(append(raw, 0x00, 0x00))
}

func (h *host) raw(raw []byte) ([]byte, status) {
	h.Helper()
	response := h.Transmit(raw)
	if len(response) < 2 {
		h.Fatalf("%x: answer of %d bytes has no status word", raw, len(response))
	}
	n := len(response) - 2
	return response[:n], status(response[n])<<8 | status(response[n+1])
}

// ok sends a command that must succeed.
func (h *host) ok(cla, ins, p1, p2 byte, data []byte) []byte {
	h.Helper()
	response, sw := h.send(cla, ins, p1, p2, data)
	if sw != swOK {
		h.Fatalf("%02x %02x %02x %02x answered %04x, want 9000", cla, ins, p1, p2, uint16(sw))
	}
	return response
}

// refused sends a command that must be answered by the status word alone.
func (h *host) refused(want status, cla, ins, p1, p2 byte, data []byte) {
	h.Helper()
	response, sw := h.send(cla, ins, p1, p2, data)
	if sw != want || len(response) > 0 {
		h.Fatalf("%02x %02x %02x %02x answered %x %04x, want %04x", cla, ins, p1, p2, response, uint16(sw), uint16(want))
	}
}

func (h *host) verifyPIN(pin string) {
	h.Helper()
	h.ok(0, insVerify, 0, referencePIN, padReference(pin))
}

// manage proves the management key that the card has, by challenge.
func (h *host) manage() {
	h.Helper()
	key := h.Snapshot().ManagementKey
	a := h.managementAlgorithm()
	response := h.ok(0, insGeneralAuthenticate, byte(a), 0x9b, []byte{0x7c, 0x02, 0x81, 0x00})
	block := cipherOf(h.T, a, key.Value)
	size := block.BlockSize()
	if want := []byte{0x7c, byte(size + 2), 0x81, byte(size)}; !bytes.HasPrefix(response, want) || len(response) != size+4 {
		h.Fatalf("challenge is %x", response)
	}
	answer := make([]byte, size)
	block.Encrypt(answer, response[4:])
	h.ok(0, insGeneralAuthenticate, byte(a), 0x9b, append([]byte{0x7c, byte(size + 2), 0x82, byte(size)}, answer...))
}

func (h *host) managementAlgorithm() managementAlgorithm {
	h.Helper()
	var a managementAlgorithm
	if err := a.UnmarshalText([]byte(h.Snapshot().ManagementKey.Algorithm)); err != nil {
		h.Fatal(err)
	}
	return a
}

func cipherOf(t *testing.T, a managementAlgorithm, key []byte) cipher.Block {
	t.Helper()
	make := aes.NewCipher
	if a == tripleDES {
		make = des.NewTripleDESCipher
	}
	block, err := make(key)
	if err != nil {
		t.Fatal(err)
	}
	return block
}

// generateIn makes a key pair with the policies given, 0 for none.
func (h *host) generateIn(slot slotID, a algorithm, pin, touch byte) []byte {
	h.Helper()
	h.manage()
	return h.ok(0, insGenerateKeyPair, 0, byte(slot), generateData(a, pin, touch))
}

func generateData(a algorithm, pin, touch byte) []byte {
	fields := []byte{0x80, 0x01, byte(a)}
	if pin != 0 {
		fields = append(fields, 0xaa, 0x01, pin)
	}
	if touch != 0 {
		fields = append(fields, 0xab, 0x01, touch)
	}
	return append([]byte{0xac, byte(len(fields))}, fields...)
}

// authTemplate is the data field that asks for a private-key operation.
func authTemplate(tag uint32, input []byte) []byte {
	fields := appendTLV(appendTLV(nil, tagResponse, nil), tag, input)
	return appendTLV(nil, tagDynamicAuth, fields)
}

// result takes the answer of a private-key operation apart.
func (h *host) result(response []byte) []byte {
	h.Helper()
	fields, ok := parseDynamicAuth(response)
	if !ok || fields[tagResponse] == nil {
		h.Fatalf("answer to GENERAL AUTHENTICATE is %x", response)
	}
	return fields[tagResponse]
}

func (h *host) attestation(slot slotID) *x509.Certificate {
	h.Helper()
	certificate, err := x509.ParseCertificate(h.ok(0, insAttest, byte(slot), 0, nil))
	if err != nil {
		h.Fatal(err)
	}
	return certificate
}

func putData(id objectID, value []byte) []byte {
	tag := []byte{byte(id >> 16), byte(id >> 8), byte(id)}
	return appendTLV(appendTLV(nil, tagList, tag), tagData, value)
}

func getData(id objectID) []byte {
	return appendTLV(nil, tagList, []byte{byte(id >> 16), byte(id >> 8), byte(id)})
}
