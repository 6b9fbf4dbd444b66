package pcsc

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/hex"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cse-piv/cse-piv/internal/piv/bertlv"
)

func unhex(t testing.TB, text string) []byte {
	t.Helper()
	raw, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestParseMetadata(t *testing.T) {
	for text, want := range map[string]Metadata{
		"":                         {},
		"0101ff0501010602 0303":    {Algorithm: 0xFF, Default: 1, HasDefault: true, Retries: 3, Remaining: 3, HasRetries: true},
		"01010a02020001050100":     {Algorithm: 0x0A, TouchPolicy: 1, HasDefault: true},
		"010111020202010301018000": {Algorithm: 0x11, PINPolicy: 2, TouchPolicy: 1, Origin: 1},
		"0401aa":                   {PublicKey: []byte{0xAA}},
	} {
		raw := ""
		for _, r := range text {
			if r != ' ' {
				raw += string(r)
			}
		}
		got, err := ParseMetadata(unhex(t, raw))
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%s: %v %s", text, err, diff)
		}
	}
	for _, text := range []string{"0100", "010211", "020101", "0601", "06010306", "05020101", "01"} {
		if got, err := ParseMetadata(unhex(t, text)); !errors.Is(err, bertlv.ErrMalformed) {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
}

func TestParseDeviceInfo(t *testing.T) {
	got, err := ParseDeviceInfo(unhex(t, "19"+"0102033f"+"02040012d687"+"040103"+"0503050704"+"0d02023b"+"0a0100"))
	if want := (DeviceInfo{Version: [3]byte{5, 7, 4}, Serial: 1234567, FormFactor: 3, NFCSupported: 0x23B}); err != nil || got != want {
		t.Errorf("%+v, %v", got, err)
	}
	for _, text := range []string{"", "01", "030401", "0204010300", "02040a"} {
		if got, err := ParseDeviceInfo(unhex(t, text)); !errors.Is(err, bertlv.ErrMalformed) {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
}

func TestParsePublicKey(t *testing.T) {
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	data := bertlv.Append(nil, 0x81, private.N.Bytes()...)
	data = bertlv.Append(data, 0x82, 1, 0, 1)
	if got, err := ParsePublicKey(AlgorithmRSA2048, data); err != nil || !private.PublicKey.Equal(got) {
		t.Errorf("RSA: %v", err)
	}
	if _, err := ParsePublicKey(AlgorithmRSA3072, data); err == nil {
		t.Error("a 2048-bit key is a 3072-bit one")
	}
	curve, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	point, err := curve.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	if got, err := ParsePublicKey(AlgorithmECCP384, bertlv.Append(nil, 0x86, point...)); err != nil || !curve.PublicKey.Equal(got) {
		t.Errorf("P-384: %v", err)
	}
	point[10] ^= 1
	for name, bad := range map[string]struct {
		algorithm byte
		data      []byte
	}{
		"off the curve": {AlgorithmECCP384, bertlv.Append(nil, 0x86, point...)},
		"wrong curve":   {AlgorithmECCP256, bertlv.Append(nil, 0x86, point...)},
		"no point":      {AlgorithmECCP256, nil},
		"short Ed25519": {AlgorithmEd25519, bertlv.Append(nil, 0x86, make([]byte, 31)...)},
		"short X25519":  {AlgorithmX25519, bertlv.Append(nil, 0x86, make([]byte, 31)...)},
		"tiny modulus":  {AlgorithmRSA1024, bertlv.Append(bertlv.Append(nil, 0x81, 5), 0x82, 3)},
		"no exponent":   {AlgorithmRSA2048, bertlv.Append(nil, 0x81, private.N.Bytes()...)},
		"unknown":       {0x99, bertlv.Append(nil, 0x86, make([]byte, 32)...)},
	} {
		if got, err := ParsePublicKey(bad.algorithm, bad.data); err == nil {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func FuzzParseMetadata(f *testing.F) {
	f.Add(unhex(f, "010111020202010301010401aa05010106020303"))
	f.Fuzz(func(t *testing.T, data []byte) {
		metadata, err := ParseMetadata(data)
		if err != nil {
			return
		}
		if public, err := ParsePublicKey(metadata.Algorithm, metadata.PublicKey); (public == nil) == (err == nil) {
			t.Errorf("%v and %v", public, err)
		}
	})
}

func FuzzParseDeviceInfo(f *testing.F) {
	f.Add(unhex(f, "0b02040012d6870401030a00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if info, err := ParseDeviceInfo(data); err != nil && info != (DeviceInfo{}) {
			t.Errorf("%+v and %v", info, err)
		}
	})
}

func FuzzParsePublicKey(f *testing.F) {
	f.Add(byte(AlgorithmRSA2048), unhex(f, "810101820103"))
	f.Add(byte(AlgorithmEd25519), append([]byte{0x86, 32}, make([]byte, 32)...))
	f.Fuzz(func(t *testing.T, algorithm byte, data []byte) {
		if public, err := ParsePublicKey(algorithm, data); err == nil && public == nil {
			t.Error("neither a key nor an error")
		}
	})
}

// FuzzExchange answers with what the fuzzer says, cut into responses.
func FuzzExchange(f *testing.F) {
	f.Add([]byte{3, 1, 0x61, 2, 4, 1, 2, 0x90, 0})
	f.Fuzz(func(t *testing.T, stream []byte) {
		response, err := (Applet{Card: &replay{stream}}).Exchange(Command{Instruction: 0xF7, Data: make([]byte, 300)})
		if err != nil && response != nil {
			t.Errorf("%X and %v", response, err)
		}
	})
}

// replay is a card that answers with parts of a stream, each after its length.
type replay struct{ stream []byte }

func (r *replay) Transmit([]byte) ([]byte, error) {
	if len(r.stream) == 0 {
		return nil, &Error{Call: "sending a command", Code: RemovedCard}
	}
	n := min(int(r.stream[0]), len(r.stream)-1)
	part := r.stream[1 : 1+n]
	r.stream = r.stream[1+n:]
	return part, nil
}
