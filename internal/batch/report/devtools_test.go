package report_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cse-piv/cse-piv/internal/testenv"
)

// patience bounds what a browser is waited for; only what hangs needs it.
const patience = 10 * time.Minute

// browser is a headless Chromium, spoken to by the DevTools protocol over a pipe
// (--remote-debugging-pipe: JSON messages that end in NUL, on descriptors 3 and 4).
type browser struct {
	t       *testing.T
	out     io.Writer
	session string

	mu      sync.Mutex
	next    int
	waiting map[int]chan message
	events  []message
}

type message struct {
	ID        int             `json:"id,omitempty"`
	Method    string          `json:"method,omitempty"`
	Params    json.RawMessage `json:"params,omitempty"`
	Result    json.RawMessage `json:"result,omitempty"`
	SessionID string          `json:"sessionId,omitempty"`
	Error     *struct {
		Message string `json:"message"`
	} `json:"error,omitempty"`
}

// startBrowser needs Chromium, or one of its kin.
func startBrowser(t *testing.T) *browser {
	t.Helper()
	program := testenv.Program(t, "chromium", "chromium-browser", "google-chrome")
	profile, err := os.MkdirTemp("", "browser")
	if err != nil {
		t.Fatal(err)
	}
	command := exec.Command(program, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
		"--disable-background-networking", "--hide-scrollbars", "--remote-debugging-pipe", "--user-data-dir="+profile,
		"--host-resolver-rules=MAP * ~NOTFOUND", "about:blank")
	theirIn, ourOut, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	ourIn, theirOut, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	command.ExtraFiles = []*os.File{theirIn, theirOut}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	_, _ = theirIn.Close(), theirOut.Close()
	b := &browser{t: t, out: ourOut, waiting: map[int]chan message{}}
	read := make(chan struct{})
	go func() { defer close(read); b.read(ourIn) }()
	t.Cleanup(func() {
		b.session = ""
		_, _ = b.try("Browser.close", nil)
		_ = ourOut.Close()
		<-read
		_ = command.Wait()
		_ = os.RemoveAll(profile) // its last processes may still be writing
	})
	target := b.call("Target.createTarget", map[string]any{"url": "about:blank"})
	b.session = field(t, b.call("Target.attachToTarget", map[string]any{"targetId": field(t, target, "targetId"), "flatten": true}), "sessionId")
	for _, domain := range []string{"Page", "Network", "Runtime", "Log"} {
		b.call(domain+".enable", nil)
	}
	return b
}

func (b *browser) read(in io.Reader) {
	lines := bufio.NewReader(in)
	for {
		data, err := lines.ReadBytes(0)
		if err != nil {
			break
		}
		var m message
		if json.Unmarshal(data[:len(data)-1], &m) != nil {
			continue
		}
		b.mu.Lock()
		if answer := b.waiting[m.ID]; answer != nil {
			delete(b.waiting, m.ID)
			answer <- m
		} else {
			b.events = append(b.events, m)
		}
		b.mu.Unlock()
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for id, answer := range b.waiting {
		delete(b.waiting, id)
		close(answer)
	}
}

func (b *browser) try(method string, params any) (json.RawMessage, error) {
	raw, err := json.Marshal(params)
	if err != nil {
		return nil, err
	}
	if params == nil {
		raw = nil
	}
	answer := make(chan message, 1)
	b.mu.Lock()
	b.next++
	data, err := json.Marshal(message{ID: b.next, Method: method, Params: raw, SessionID: b.session})
	b.waiting[b.next] = answer
	b.mu.Unlock()
	if err != nil {
		return nil, err
	}
	if _, err := b.out.Write(append(data, 0)); err != nil {
		return nil, err
	}
	select {
	case m, ok := <-answer:
		if !ok {
			return nil, fmt.Errorf("%s: the browser ended", method)
		}
		if m.Error != nil {
			return nil, fmt.Errorf("%s: %s", method, m.Error.Message)
		}
		return m.Result, nil
	case <-time.After(patience):
		return nil, fmt.Errorf("%s: no answer", method)
	}
}

func (b *browser) call(method string, params any) json.RawMessage {
	b.t.Helper()
	result, err := b.try(method, params)
	if err != nil {
		b.t.Fatal(err)
	}
	return result
}

// open loads a file and waits until its script has run.
func (b *browser) open(file string) {
	b.t.Helper()
	b.call("Page.navigate", map[string]any{"url": "file://" + file})
	b.until(`document.readyState === "complete" && location.protocol === "file:"`)
}

// eval evaluates an expression in the page.
func (b *browser) eval(expression string) any {
	b.t.Helper()
	var got struct {
		Result struct {
			Value any `json:"value"`
		} `json:"result"`
		Exception *struct {
			Text string `json:"text"`
		} `json:"exceptionDetails"`
	}
	// A frame is let pass, so that what the last change did is drawn.
	if err := json.Unmarshal(b.call("Runtime.evaluate", map[string]any{"expression": expression, "returnByValue": true, "awaitPromise": true}), &got); err != nil {
		b.t.Fatal(err)
	}
	if got.Exception != nil {
		b.t.Fatalf("%s: %s", expression, got.Exception.Text)
	}
	return got.Result.Value
}

// until waits until an expression is true.
func (b *browser) until(expression string) {
	b.t.Helper()
	for deadline := time.Now().Add(patience); b.eval(expression) != true; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			b.t.Fatalf("never true: %s", expression)
		}
	}
}

// requests are the addresses that the page asked for; complaints what the
// browser had to say of it, violations of its security policy among it.
func (b *browser) requests() (urls, complaints []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, event := range b.events {
		switch event.Method {
		case "Network.requestWillBeSent":
			var params struct {
				Request struct {
					URL string `json:"url"`
				} `json:"request"`
			}
			if json.Unmarshal(event.Params, &params) == nil {
				urls = append(urls, params.Request.URL)
			}
		case "Log.entryAdded", "Runtime.exceptionThrown", "Runtime.consoleAPICalled":
			complaints = append(complaints, string(event.Params))
		}
	}
	return urls, complaints
}

func field(t *testing.T, raw json.RawMessage, name string) string {
	t.Helper()
	var fields map[string]any
	if err := json.Unmarshal(raw, &fields); err != nil {
		t.Fatal(err)
	}
	value, ok := fields[name].(string)
	if !ok || strings.TrimSpace(value) == "" {
		t.Fatalf("no %s in %s", name, raw)
	}
	return value
}
