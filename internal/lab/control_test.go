package lab

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/cse-piv/cse-piv/internal/lab/fault"
	"github.com/cse-piv/cse-piv/internal/lab/pcscd"
)

func TestReadersPullAndInsert(t *testing.T) {
	l := start(t, Options{Readers: 2, Serial: 4711, Firmware: "5.4.3"})
	if a, b := l.Card(0).Serial(), l.Card(1).Serial(); a != 4711 || b != 4712 {
		t.Errorf("serials %d and %d", a, b)
	}
	first := l.Card(0)
	if err := l.Insert(0, nil); !errors.Is(err, pcscd.ErrOccupied) {
		t.Errorf("insert into an occupied reader: %v", err)
	}
	if err := l.Pull(0); err != nil {
		t.Fatal(err)
	}
	if err := l.Pull(0); !errors.Is(err, pcscd.ErrEmpty) {
		t.Errorf("pulled twice: %v", err)
	}
	if l.Inserted(0) || !l.Inserted(1) || l.Card(0) != first {
		t.Error("the wrong card was pulled, or forgotten")
	}
	if err := l.Insert(0, nil); err != nil {
		t.Fatal(err)
	}
	if !l.Inserted(0) || l.Card(0) != first {
		t.Error("the same card should be back")
	}
	if err := l.Pull(2); !errors.Is(err, pcscd.ErrNoReader) {
		t.Errorf("third of two readers: %v", err)
	}
	if l.Card(2) != nil || l.Card(-1) != nil {
		t.Error("a card in no reader")
	}

	empty := start(t, Options{NoCard: true})
	if err := empty.Insert(0, nil); !errors.Is(err, ErrNoCard) {
		t.Errorf("the last card of a reader that never had one: %v", err)
	}
	if none := start(t, Options{Readers: -1}); len(none.Names()) != 0 {
		t.Errorf("readers: %v", none.Names())
	}
}

func TestControlReaders(t *testing.T) {
	l := start(t, Options{Serial: 1234567})
	control := l.ControlURL()
	for _, step := range []struct {
		path, body string
		code       int
		contains   string
	}{
		{"readers/0/pull", "", http.StatusOK, `"inserted":false`},
		{"readers/0/pull", "", http.StatusConflict, "no card"},
		{"readers/7/pull", "", http.StatusNotFound, "no such reader"},
		{"readers/x/pull", "", http.StatusNotFound, "no such reader"},
		{"readers/0/insert", "", http.StatusOK, `"serial":1234567`},
		{"readers/0/insert", "", http.StatusConflict, "there is a card"},
		{"readers/0/pull", "", http.StatusOK, ""},
		{"readers/0/insert", `{"serial": 42, "firmware": "5.4.3"}`, http.StatusOK, `"serial":42,"firmware":"5.4.3"`},
		{"readers/0/pull", "", http.StatusOK, ""},
		{"readers/0/insert", `{"firmware": "x"}`, http.StatusBadRequest, "error"},
		{"readers/0/insert", `{"card": 1}`, http.StatusBadRequest, "unknown field"},
		{"readers/0/insert", `{"blank": true}`, http.StatusOK, `"inserted":true`},
		{"readers/0/pull", "", http.StatusOK, ""},
		{"readers/0/insert", `{"foreign": true}`, http.StatusOK, `"inserted":true`},
	} {
		code, answer := post(t, control+step.path, step.body)
		if code != step.code || !strings.Contains(answer, step.contains) {
			t.Errorf("%s %s: %d %s", step.path, step.body, code, answer)
		}
	}
	if code, _ := get(t, control+"readers/0/pull"); code == http.StatusOK {
		t.Error("a GET pulled the card")
	}
	request, err := http.NewRequest(http.MethodPost, control+"readers/0/pull", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Origin", "https://elsewhere.example")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusForbidden {
		t.Errorf("from a web page: %d", response.StatusCode)
	}
}

func TestControlFaultsClockAndCSE(t *testing.T) {
	var log lockedBuffer
	l := start(t, Options{Log: &log})
	control := l.ControlURL()
	if code, answer := post(t, control+"faults", "card:full\npin:blocked\n"); code != http.StatusOK || !strings.Contains(answer, `"set":2`) {
		t.Errorf("faults: %d %s", code, answer)
	}
	if pin := l.Card(0).Snapshot().PIN; pin.Tries != 0 || pin.Value != "123456" {
		t.Errorf("PIN after pin:blocked: %+v", pin)
	}
	if code, answer := post(t, control+"faults", "rain"); code != http.StatusBadRequest || !strings.Contains(answer, "not understood") {
		t.Errorf("unknown fault: %d %s", code, answer)
	}
	if !strings.Contains(log.String(), "card:full") {
		t.Errorf("log: %s", log.String())
	}
	before := l.Gmail().Now()
	if code, answer := post(t, control+"clock", `{"advance": "744h"}`); code != http.StatusOK {
		t.Errorf("clock: %d %s", code, answer)
	}
	if moved := l.Gmail().Now().Sub(before); moved < 744*time.Hour {
		t.Errorf("clock moved by %v", moved)
	}
	for path, body := range map[string]string{"clock": `{"advance": "a month"}`, "cse": `{"email": 1}`, "touch": `[]`} {
		if code, answer := post(t, control+path, body); code != http.StatusBadRequest {
			t.Errorf("%s %s: %d %s", path, body, code, answer)
		}
	}
	if code, answer := post(t, control+"cse", `{"email": "a@lab.example", "on": false}`); code != http.StatusOK {
		t.Errorf("cse: %d %s", code, answer)
	}
	code, body := get(t, control+"users/a@lab.example")
	want := `{"email":"a@lab.example","key_pairs":[],"identities":[]}`
	if code != http.StatusOK || strings.TrimSpace(string(body)) != want {
		t.Errorf("user: %d %s", code, body)
	}
	code, body = get(t, control+"stats")
	var stats Stats
	if err := json.Unmarshal(body, &stats); err != nil || code != http.StatusOK {
		t.Errorf("stats: %d %s %v", code, body, err)
	}
}

func TestFaultsReachTheAPI(t *testing.T) {
	l := start(t, Options{Faults: []string{"api:503@2", "api:reset@3"}, Latency: time.Millisecond})
	token := l.url + "token"
	if code, _ := post(t, token, ""); code == http.StatusServiceUnavailable {
		t.Error("the first call failed, not the second")
	}
	if code, _ := post(t, token, ""); code != http.StatusServiceUnavailable {
		t.Errorf("second call: %d", code)
	}
	if response, err := http.Post(token, "", nil); err == nil {
		response.Body.Close()
		t.Errorf("third call answered: %d", response.StatusCode)
	}
	// The lost connection's call is counted by the handler that lost it, maybe
	// after the client noticed.
	l.Close()
	stats := l.Stats()
	if stats.APICalls != 3 || stats.Methods["token"] != 3 || stats.APIFaults != 2 || stats.InAPI < 3*time.Millisecond {
		t.Errorf("stats: %+v", stats)
	}
	if err := l.SetFaults("rain"); err == nil {
		t.Error("an unknown fault was accepted")
	} else if spec := (*fault.SpecError)(nil); !errors.As(err, &spec) {
		t.Errorf("%T", err)
	}
}

func TestTouch(t *testing.T) {
	l := start(t, Options{ManualTouch: true})
	result := make(chan bool)
	wait := func() {
		go func() { result <- l.touch.wait(l.made[l.Card(0)].presence()) }()
		for l.WaitingForTouch() == 0 {
			time.Sleep(time.Millisecond)
		}
	}
	wait()
	if n := l.Touch(); n != 1 || !<-result {
		t.Errorf("%d cards touched, or the wrong one", n)
	}
	wait()
	if err := l.Pull(0); err != nil {
		t.Fatal(err)
	}
	if <-result {
		t.Error("a card that was pulled counts as touched")
	}
	if code, answer := post(t, l.ControlURL()+"touch", `{"manual": false}`); code != http.StatusOK {
		t.Errorf("%d %s", code, answer)
	}
	if !l.touch.wait(make(chan struct{})) {
		t.Error("not touched at once")
	}
	if code, answer := post(t, l.ControlURL()+"touch", ``); code != http.StatusOK || !strings.Contains(answer, `"touched":0`) {
		t.Errorf("%d %s", code, answer)
	}
}
