package pcsc

import (
	"bytes"
	"encoding/hex"
	"log/slog"
	"strings"
	"testing"
)

// answering is a card that gives the same answer to everything.
type answering []byte

func (a answering) Transmit([]byte) ([]byte, error) { return bytes.Clone(a), nil }

// TestTraced: which commands' data is written, and which never.
func TestTraced(t *testing.T) {
	canary := []byte("canary-7")
	printed := append([]byte{0x53, byte(len(canary))}, canary...)
	for name, test := range map[string]struct {
		do    func(Applet)
		shown bool // whether data and answer are
	}{
		"SELECT":                       {func(a Applet) { _, _ = a.Select(AID(canary)) }, true},
		"GET DATA":                     {func(a Applet) { _, _ = a.GetData(ObjectCHUID) }, true},
		"PUT DATA":                     {func(a Applet) { _ = a.PutData(ObjectCHUID, canary) }, true},
		"GET DATA of PRINTED":          {func(a Applet) { _, _ = a.GetData(ObjectPrinted) }, false},
		"PUT DATA of PRINTED":          {func(a Applet) { _ = a.PutData(ObjectPrinted, canary) }, false},
		"PUT DATA of PRINTED, in many": {func(a Applet) { _ = a.PutData(ObjectPrinted, append(make([]byte, 700), canary...)) }, false},
		"PUT DATA, extended":           {func(a Applet) { a.MaxExtended = 3000; _ = a.PutData(ObjectPrinted, canary) }, false},
		"VERIFY":                       {func(a Applet) { _ = a.VerifyPIN(canary) }, false},
		"SET MANAGEMENT KEY":           {func(a Applet) { _ = a.SetManagementKey(AES192, append(make([]byte, 16), canary...)) }, false},
		"GENERAL AUTHENTICATE":         {func(a Applet) { _, _ = a.Exchange(Command{Instruction: insGeneralAuthenticate, Data: canary}) }, false},
		"RESET RETRY COUNTER":          {func(a Applet) { _, _ = a.Exchange(Command{Instruction: insResetRetryCounter, Data: canary}) }, false},
		"CHANGE REFERENCE DATA":        {func(a Applet) { _, _ = a.Exchange(Command{Instruction: 0x24, Data: canary}) }, false},
		"IMPORT KEY":                   {func(a Applet) { _, _ = a.Exchange(Command{Instruction: insImportKey, Data: canary}) }, false},
		"an unknown one":               {func(a Applet) { _, _ = a.Exchange(Command{Instruction: 0x99, Data: canary}) }, false},
	} {
		var out bytes.Buffer
		log := slog.New(slog.NewJSONHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug}))
		test.do(Applet{Card: Traced(answering(append(bytes.Clone(printed), 0x90, 0x00)), log)})
		text := out.String()
		if shown := strings.Contains(text, hex.EncodeToString(canary)); shown != test.shown {
			t.Errorf("%s: shown %v: %s", name, shown, text)
		}
		if strings.Contains(text, string(canary)) || !strings.Contains(text, `"status":"9000"`) || !strings.Contains(text, `"instruction":"`) {
			t.Errorf("%s: %s", name, text)
		}
	}
}

// TestTracedParts: the parts of a long answer are not written.
func TestTracedParts(t *testing.T) {
	var out bytes.Buffer
	log := slog.New(slog.NewJSONHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug}))
	card := play(t, "00cb3fff055c035fc109 > aaaa6102", "00c0000002 > bbbb9000")
	if response, err := (Applet{Card: Traced(card, log)}).Exchange(Command{Instruction: insGetData, P1: 0x3F, P2: 0xFF, Data: ObjectPrinted.tagList()}); err != nil || len(response) != 4 {
		t.Errorf("%x, %v", response, err)
	}
	if text := out.String(); strings.Contains(text, "aaaa") || strings.Contains(text, "bbbb") || strings.Count(text, "\n") != 2 {
		t.Error(text)
	}
	if card := answering(nil); Traced(card, slog.New(slog.DiscardHandler)).(answering) != nil {
		t.Error("traced without a log")
	}
}
