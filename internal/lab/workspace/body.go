package workspace

import (
	"bytes"
	"compress/flate"
	"context"
	"encoding/json"
	"encoding/pem"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// Body is what a hostile server answers. The call is handled first, so whatever it
// changes is changed; only what is said about it is another matter.
type Body struct {
	Name  string
	About string
	// change alters the true answer, a JSON object. With always it is called for a
	// refusal, too, with an empty object that is then sent as a success.
	change func(answer map[string]any)
	always bool
	// tell answers in its own way.
	tell func(w http.ResponseWriter, r *http.Request, truth []byte)
}

// Bodies are all answers of a hostile server.
func Bodies() []Body {
	return []Body{
		{Name: "null", About: "`null`", tell: text("null")},
		{Name: "empty", About: "nothing at all", tell: text("")},
		{Name: "no-content", About: "status 204", tell: func(w http.ResponseWriter, _ *http.Request, _ []byte) { w.WriteHeader(http.StatusNoContent) }},
		{Name: "object", About: "`{}`", tell: text("{}")},
		{Name: "array", About: "`[]`", tell: text("[]")},
		{Name: "string", About: "a JSON string", tell: text(`"yes"`)},
		{Name: "html", About: "a web page", tell: page("<!DOCTYPE html><title>Sign in</title>")},
		{Name: "cut", About: "half of the true answer", tell: func(w http.ResponseWriter, _ *http.Request, truth []byte) { sendJSON(w, truth[:len(truth)/2]) }},
		{Name: "types", About: "numbers where there are texts, texts where there are lists", change: func(a map[string]any) { mistype(a) }},
		{Name: "no-id", About: "no id of a key pair, no address of an identity, no token", change: remove("keyPairId", "emailAddress", "access_token")},
		{Name: "no-state", About: "key pairs in no state", change: remove("enablementState")},
		{Name: "no-certificate", About: "key pairs without certificates", change: remove("pem")},
		{Name: "no-metadata", About: "key pairs of which nothing is known of the private key", change: remove("privateKeyMetadata")},
		{Name: "null-parts", About: "`null` for each key pair and its metadata", change: func(a map[string]any) { empty(a) }},
		{Name: "other-leaf", About: "key pairs of another certificate", change: func(a map[string]any) { each(a, otherLeaf) }},
		{Name: "disabled", About: "key pairs that are disabled", change: set("enablementState", "disabled")},
		{Name: "kacls", About: "key pairs whose private key is in a key service", change: set("privateKeyMetadata", []any{map[string]any{"kaclsKeyMetadata": map[string]any{"kaclsUri": "https://kacls.example"}}})},
		{Name: "other-id", About: "key pairs with other ids, identities that use others", change: func(a map[string]any) {
			for _, name := range []string{"keyPairId", "primaryKeyPairId", "signingKeyPairId", "encryptionKeyPairId"} {
				set(name, "another")(a)
			}
		}},
		{Name: "evil-id", About: "ids that are none", change: set("keyPairId", "../../\x1b[31m\u202e")},
		{Name: "other-user", About: "the identity of somebody else", change: set("emailAddress", "eve@elsewhere.example")},
		{Name: "endless", always: true, About: "a list whose next page is always the same", change: func(a map[string]any) { a["nextPageToken"] = "again" }},
		{Name: "endless-new", always: true, About: "a list that always has a new page", change: func(a map[string]any) { a["nextPageToken"] = randomID(12) }},
		{Name: "huge", About: "64 MiB before the true answer", tell: padded},
		{Name: "bomb", About: "a gzip stream that unpacks to 4 GiB", tell: bomb},
		{Name: "deep", About: "arrays in arrays, five million deep", tell: stream("", "[", 5_000_000)},
		{Name: "parts", About: "five million key pairs with nothing in them", tell: stream(`{"cseKeyPairs":[{}`, ",{}", 5_000_000)},
		{Name: "slow", About: "a blank a second, for an hour", tell: slowly},
		{Name: "later", About: "503, and to come back in 120 years", tell: later},
		{Name: "redirect", About: "307 to the same machine under another name", tell: redirect},
	}
}

// FindBody returns the answer with that name.
func FindBody(name string) (Body, bool) {
	for _, body := range Bodies() {
		if body.Name == name {
			return body, true
		}
	}
	return Body{}, false
}

// lie returns what is told instead of an answer.
func (s *Server) lie(b Body, r *http.Request, answer reply) func(http.ResponseWriter) {
	return func(w http.ResponseWriter) {
		truth, err := json.Marshal(answer.body)
		if err != nil || answer.body == nil {
			truth = []byte("{}")
		}
		if b.tell != nil {
			b.tell(w, r, truth)
			return
		}
		object := map[string]any{}
		ok := answer.status == http.StatusOK && json.Unmarshal(truth, &object) == nil
		if ok || b.always {
			b.change(object)
			answer.body, answer.status = object, http.StatusOK
		}
		answer.send(w)
	}
}

func sendJSON(w http.ResponseWriter, body []byte) {
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	_, _ = w.Write(body)
}

// page tells a web page, as proxies do.
func page(content string) func(http.ResponseWriter, *http.Request, []byte) {
	return func(w http.ResponseWriter, _ *http.Request, _ []byte) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = io.WriteString(w, content)
	}
}

func text(body string) func(http.ResponseWriter, *http.Request, []byte) {
	return func(w http.ResponseWriter, _ *http.Request, _ []byte) { sendJSON(w, []byte(body)) }
}

// each calls change for an object and all objects in it.
func each(value any, change func(map[string]any)) {
	switch v := value.(type) {
	case map[string]any:
		for _, part := range v {
			each(part, change)
		}
		change(v)
	case []any:
		for _, part := range v {
			each(part, change)
		}
	}
}

func replace(object map[string]any, name string, value any) {
	if _, there := object[name]; there {
		object[name] = value
	}
}

func set(name string, value any) func(map[string]any) {
	return func(a map[string]any) { each(a, func(o map[string]any) { replace(o, name, value) }) }
}

func remove(names ...string) func(map[string]any) {
	return func(a map[string]any) {
		each(a, func(o map[string]any) {
			for _, name := range names {
				delete(o, name)
			}
		})
	}
}

// otherLeaf gives the first certificate of a chain another signature, which makes it
// another certificate.
func otherLeaf(object map[string]any) {
	chain, _ := object["pem"].(string)
	block, rest := pem.Decode([]byte(chain))
	if block == nil {
		return
	}
	block.Bytes[len(block.Bytes)-1] ^= 1
	object["pem"] = string(pem.EncodeToMemory(block)) + string(rest)
}

func mistype(a map[string]any) {
	for name, value := range a {
		switch value.(type) {
		case string:
			a[name] = 7
		default:
			a[name] = "seven"
		}
	}
}

func empty(a map[string]any) {
	for _, value := range a {
		if list, ok := value.([]any); ok {
			for i := range list {
				list[i] = nil
			}
		}
	}
}

// repeat writes a piece until the client goes away.
func repeat(w io.Writer, piece []byte, times int) {
	for range times {
		if _, err := w.Write(piece); err != nil {
			return
		}
	}
}

func padded(w http.ResponseWriter, _ *http.Request, truth []byte) {
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	repeat(w, bytes.Repeat([]byte(" "), 1<<20), 64)
	_, _ = w.Write(truth)
}

func stream(start, piece string, times int) func(http.ResponseWriter, *http.Request, []byte) {
	return func(w http.ResponseWriter, _ *http.Request, _ []byte) {
		const together = 10_000
		sendJSON(w, []byte(start))
		repeat(w, bytes.Repeat([]byte(piece), together), times/together)
	}
}

// bomb sends blanks, a MiB in a thousand bytes. Each of the pieces is whole DEFLATE
// blocks (RFC 1951), so that they can follow each other; the trailer is left out.
func bomb(w http.ResponseWriter, _ *http.Request, _ []byte) {
	var piece bytes.Buffer
	packer, err := flate.NewWriter(&piece, flate.BestCompression)
	if err != nil {
		return
	}
	_, _ = packer.Write(bytes.Repeat([]byte(" "), 1<<20))
	_ = packer.Flush()
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	w.Header().Set("Content-Encoding", "gzip")
	_, _ = w.Write([]byte{0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255}) // RFC 1952 section 2.3
	repeat(w, piece.Bytes(), 4096)
}

func slowly(w http.ResponseWriter, r *http.Request, _ []byte) {
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	for range 3600 {
		if _, err := w.Write([]byte(" ")); err != nil {
			return
		}
		_ = http.NewResponseController(w).Flush()
		if !pause(r.Context(), time.Second) {
			return
		}
	}
}

// pause reports whether the client still waits after that time.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

func later(w http.ResponseWriter, _ *http.Request, _ []byte) {
	w.Header().Set("Retry-After", "3784320000")
	newError(http.StatusServiceUnavailable, "UNAVAILABLE", "backendError", "The service is currently unavailable.").reply(true).send(w)
}

// redirectedPath counts who followed a redirect, see Server.Followed.
const redirectedPath = "/redirected"

func redirect(w http.ResponseWriter, r *http.Request, _ []byte) {
	_, port, err := net.SplitHostPort(r.Host)
	if err != nil {
		port = "80"
	}
	host := "localhost"
	if strings.HasPrefix(r.Host, "localhost") {
		host = "127.0.0.1"
	}
	w.Header().Set("Location", "http://"+net.JoinHostPort(host, port)+redirectedPath)
	w.WriteHeader(http.StatusTemporaryRedirect)
}
