package pcsc

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/des"
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"github.com/cse-piv/cse-piv/internal/piv/bertlv"
)

// script is a card that knows what it is asked and what it answers, in
// hexadecimal.
type script struct {
	t     *testing.T
	steps []string // "command > response"
}

func (s *script) Transmit(command []byte) ([]byte, error) {
	s.t.Helper()
	if len(s.steps) == 0 {
		s.t.Fatalf("unexpected command %X", command)
	}
	want, answer, _ := strings.Cut(s.steps[0], " > ")
	s.steps = s.steps[1:]
	if got := hex.EncodeToString(command); got != want {
		s.t.Fatalf("command %s, not %s", got, want)
	}
	response, err := hex.DecodeString(answer)
	if err != nil {
		s.t.Fatal(err)
	}
	return response, nil
}

func play(t *testing.T, steps ...string) *script {
	s := &script{t, steps}
	t.Cleanup(func() {
		if len(s.steps) > 0 {
			t.Errorf("not sent: %q", s.steps)
		}
	})
	return s
}

func TestExchange(t *testing.T) {
	long := strings.Repeat("ab", 255)
	for _, test := range []struct {
		name    string
		command Command
		steps   []string
		want    string
		status  Status
	}{
		{"no data", Command{Instruction: 0xFD}, []string{"00fd000000 > 0507049000"}, "050704", 0},
		{"data", Command{Instruction: 0xA4, P1: 4, Data: []byte{1, 2}}, []string{"00a40400020102 > 9000"}, "", 0},
		{"refused", Command{Instruction: 0xCB, P1: 0x3F, P2: 0xFF, Data: []byte{1}}, []string{"00cb3fff0101 > 6a82"}, "", NotFound},
		{"more data", Command{Instruction: 0xF7, P2: 0x9D}, []string{
			"00f7009d00 > 01026102", "00c0000002 > 03046100", "00c0000000 > 059000",
		}, "0102030405", 0},
		{"other length", Command{Instruction: 0xF8}, []string{"00f8000000 > 6c04", "00f8000004 > 010203049000"}, "01020304", 0},
		{"chained", Command{Instruction: 0xDB, P1: 0x3F, P2: 0xFF, Data: bytes.Repeat([]byte{0xAB}, 511)}, []string{
			"10db3fffff" + long + " > 9000", "10db3fffff" + long + " > 9000", "00db3fff01ab > 9000",
		}, "", 0},
		{"exactly one part", Command{Instruction: 0xDB, Data: bytes.Repeat([]byte{0xAB}, 255)}, []string{"00db0000ff" + long + " > 9000"}, "", 0},
		{"chain refused", Command{Instruction: 0xDB, Data: bytes.Repeat([]byte{0xAB}, 300)}, []string{"10db0000ff" + long + " > 6a84"}, "", CardFull},
		{"refused at the end", Command{Instruction: 0xF7}, []string{"00f7000000 > 016101", "00c0000001 > 6f00"}, "", 0x6F00},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := (Applet{Card: play(t, test.steps...)}).Exchange(test.command)
			if test.status != 0 {
				if !errors.Is(err, test.status) {
					t.Errorf("got %X, %v", got, err)
				}
				return
			}
			if err != nil || hex.EncodeToString(got) != test.want {
				t.Errorf("got %X, %v", got, err)
			}
		})
	}
}

func TestExtendedCommands(t *testing.T) {
	data := bytes.Repeat([]byte{0xAB}, 3055)
	card := Applet{Card: play(t,
		"00f7009d000000 > 01029000", "00db3fff000bef"+hex.EncodeToString(data)+" > 9000",
		"00f8000000"+"0000 > 6c04", "00f8000000"+"0004 > 010203049000",
	), MaxExtended: MaxExtendedYubiKey}
	if got, err := card.Exchange(Command{Instruction: 0xF7, P2: 0x9D}); err != nil || !bytes.Equal(got, []byte{1, 2}) {
		t.Errorf("without data: %X, %v", got, err)
	}
	if _, err := card.Exchange(Command{Instruction: 0xDB, P1: 0x3F, P2: 0xFF, Data: data}); err != nil {
		t.Errorf("with as much data as fits: %v", err)
	}
	if got, err := card.Exchange(Command{Instruction: 0xF8}); err != nil || len(got) != 4 {
		t.Errorf("of another length: %X, %v", got, err)
	}
}

func TestACommandThatDoesNotFitIsChained(t *testing.T) {
	var steps []string
	for range 11 {
		steps = append(steps, "10db3fffff"+strings.Repeat("ab", 255)+" > 9000")
	}
	steps = append(steps, "00db3ffffb"+strings.Repeat("ab", 251)+" > 9000")
	card := Applet{Card: play(t, steps...), MaxExtended: MaxExtendedYubiKey}
	if _, err := card.Exchange(Command{Instruction: 0xDB, P1: 0x3F, P2: 0xFF, Data: bytes.Repeat([]byte{0xAB}, 3056)}); err != nil {
		t.Error(err)
	}
}

// endless always has more.
type endless struct{ part []byte }

func (e endless) Transmit([]byte) ([]byte, error) { return append(e.part, 0x61, 0x00), nil }

func TestExchangeEndsByItself(t *testing.T) {
	for _, part := range []int{0, 1, 256, 60_000} {
		if got, err := (Applet{Card: endless{make([]byte, part)}}).Exchange(Command{Instruction: 1}); !errors.Is(err, ErrEndless) {
			t.Errorf("an endless answer of %d bytes at a time: %d bytes, %v", part, len(got), err)
		}
	}
	long := hex.EncodeToString(make([]byte, maxAnswer+1))
	if _, err := (Applet{Card: play(t, "0001000000 > "+long+"9000")}).Exchange(Command{Instruction: 1}); !errors.Is(err, ErrEndless) {
		t.Errorf("a long answer at once: %v", err)
	}
	if _, err := (Applet{Card: play(t, "0001000000 > 90")}).Exchange(Command{Instruction: 1}); err == nil {
		t.Error("one byte is no status word")
	}
}

// vault is the card's side of the mutual authentication (SP 800-73-4 part 2,
// appendix A.1).
type vault struct {
	block   cipher.Block
	witness []byte
	lies    bool
}

func (v *vault) Transmit(command []byte) ([]byte, error) {
	fields, err := bertlv.Find(command[5:], tagAuthentication)
	if err != nil {
		return []byte{0x6A, 0x80}, nil
	}
	size := v.block.BlockSize()
	proof, err := bertlv.Find(fields, tagWitness)
	if err != nil {
		return []byte{0x6A, 0x80}, nil
	}
	if len(proof) == 0 {
		v.witness = bytes.Repeat([]byte{0x42}, size)
		encrypted := make([]byte, size)
		v.block.Encrypt(encrypted, v.witness)
		return answer(tagWitness, encrypted), nil
	}
	if !bytes.Equal(proof, v.witness) {
		return []byte{0x69, 0x82}, nil
	}
	challenge, err := bertlv.Find(fields, tagChallenge)
	if err != nil || len(challenge) != size {
		return []byte{0x6A, 0x80}, nil
	}
	response := make([]byte, size)
	v.block.Encrypt(response, challenge)
	if v.lies {
		response[0] ^= 1
	}
	return answer(tagResponse, response), nil
}

func answer(tag bertlv.Tag, value []byte) []byte {
	return append(bertlv.Append(nil, tagAuthentication, bertlv.Append(nil, tag, value...)...), 0x90, 0x00)
}

func TestAuthenticate(t *testing.T) {
	for _, algorithm := range []KeyAlgorithm{TripleDES, AES128, AES192, AES256} {
		t.Run(algorithm.String(), func(t *testing.T) {
			key := make([]byte, algorithm.KeyLength())
			for i := range key {
				key[i] = byte(i * 7)
			}
			block, err := aes.NewCipher(key)
			if algorithm == TripleDES {
				block, err = des.NewTripleDESCipher(key)
			}
			if err != nil {
				t.Fatal(err)
			}
			if err := (Applet{Card: &vault{block: block}}).Authenticate(algorithm, key); err != nil {
				t.Errorf("the right key: %v", err)
			}
			wrong := bytes.Clone(key)
			wrong[0] ^= 0x80
			if err := (Applet{Card: &vault{block: block}}).Authenticate(algorithm, wrong); !errors.Is(err, ErrManagementKey) {
				t.Errorf("a wrong key: %v", err)
			}
			if err := (Applet{Card: &vault{block: block, lies: true}}).Authenticate(algorithm, key); !errors.Is(err, ErrManagementKey) {
				t.Errorf("a card that does not know the key: %v", err)
			}
			if err := (Applet{Card: play(t)}).Authenticate(algorithm, key[1:]); !errors.Is(err, ErrManagementKey) {
				t.Errorf("a short key: %v", err)
			}
		})
	}
	if err := (Applet{Card: play(t)}).Authenticate(0x99, make([]byte, 24)); err == nil {
		t.Error("an unknown algorithm is accepted")
	}
	if err := (Applet{Card: play(t, "008703"+"9b047c028000 > 7c048002aabb9000")}).Authenticate(TripleDES, make([]byte, 24)); err == nil {
		t.Error("a short witness is accepted")
	}
}

func TestTries(t *testing.T) {
	for answer, want := range map[string]int{"63c3": 3, "63c0": 0, "6983": 0, "6302": 2} {
		if tries, verified, err := (Applet{Card: play(t, "0020008000 > "+answer)}).Tries(); err != nil || verified || tries != want {
			t.Errorf("%s: %d, %v, %v", answer, tries, verified, err)
		}
	}
	if _, verified, err := (Applet{Card: play(t, "0020008000 > 9000")}).Tries(); err != nil || !verified {
		t.Errorf("verified: %v, %v", verified, err)
	}
	if _, _, err := (Applet{Card: play(t, "0020008000 > 6d00")}).Tries(); !errors.Is(err, UnknownInstruction) {
		t.Errorf("6D00: %v", err)
	}
}

func TestObjects(t *testing.T) {
	card := Applet{Card: play(t, "00cb3fff055c035fc102 > 53020102"+"9000", "00cb3fff055c035fc107 > 6a82", "00cb3fff055c035fc107 > 53009000",
		"00db3fff095c035fc10253020102 > 9000", "00cb3fff055c035fc102 > 70009000")}
	if got, err := card.GetData(ObjectCHUID); err != nil || !bytes.Equal(got, []byte{1, 2}) {
		t.Errorf("%X, %v", got, err)
	}
	for range 2 {
		if _, err := card.GetData(ObjectCCC); !errors.Is(err, ErrNoObject) {
			t.Errorf("absent: %v", err)
		}
	}
	if err := card.PutData(ObjectCHUID, []byte{1, 2}); err != nil {
		t.Error(err)
	}
	if _, err := card.GetData(ObjectCHUID); err == nil || errors.Is(err, ErrNoObject) {
		t.Errorf("not in a tag 53: %v", err)
	}
}

func TestSerialOfOldCards(t *testing.T) {
	card := Applet{Card: play(t, "00a4040008a000000527200101 > 9000", "0001100000 > 000010e19000", "00a4040005a000000308 > 9000")}
	if serial, err := card.Serial(4); err != nil || serial != 4321 {
		t.Errorf("%d, %v", serial, err)
	}
}

func TestVerifyPIN(t *testing.T) {
	card := Applet{Card: play(t, "0020008008313233343536ffff > 9000", "00200080083132333435363738 > 63c2")}
	if err := card.VerifyPIN([]byte("123456")); err != nil {
		t.Error(err)
	}
	if tries, ok := errTries(card.VerifyPIN([]byte("12345678"))); !ok || tries != 2 {
		t.Errorf("%d tries, %v", tries, ok)
	}
	if err := card.VerifyPIN([]byte("123456789")); err == nil {
		t.Error("nine bytes were sent")
	}
}

func errTries(err error) (int, bool) {
	var status Status
	if !errors.As(err, &status) {
		return 0, false
	}
	return status.Tries()
}

func TestGenerate(t *testing.T) {
	point := "04" + strings.Repeat("00", 64)
	card := Applet{Card: play(t, "0047009d0bac09800111aa0102ab0103 > 7f49438641"+point+"9000", "0047009d0bac09800111aa0102ab0103 > 6982")}
	if _, err := card.Generate(0x9D, AlgorithmECCP256, 2, 3); err == nil {
		t.Error("a point that is not on the curve is a key")
	}
	if _, err := card.Generate(0x9D, AlgorithmECCP256, 2, 3); !errors.Is(err, SecurityNotSatisfied) {
		t.Errorf("refused: %v", err)
	}
}

func TestMoveKey(t *testing.T) {
	if err := (Applet{Card: play(t, "00f6829d00 > 9000")}).MoveKey(0x9D, 0x82); err != nil {
		t.Error(err)
	}
}

func TestEveryCodeAndStatusHasAName(t *testing.T) {
	for code := InternalError; code <= SecurityViolation; code++ {
		if code.Error() == "" {
			t.Errorf("%08X has no text", uint32(code))
		}
	}
	if got := Code(0x80100099).Error(); !strings.Contains(got, "80100099") {
		t.Errorf("an unknown code is %q", got)
	}
	if got := Status(0x6F00).Error(); !strings.Contains(got, "6F00") {
		t.Errorf("an unknown status is %q", got)
	}
}
