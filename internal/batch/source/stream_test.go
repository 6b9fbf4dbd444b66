package source_test

import (
	"context"
	"errors"
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/cse-piv/cse-piv/internal/batch/source"
)

// repeat gives text again and again until total octets were read.
type repeat struct {
	text  string
	at    int
	total int64
	each  func() // called at each read
}

func (r *repeat) Read(p []byte) (int, error) {
	if r.each != nil {
		r.each()
	}
	if r.total <= 0 {
		return 0, io.EOF
	}
	n := copy(p, r.text[r.at:])
	r.at, r.total = (r.at+n)%len(r.text), r.total-int64(n)
	return n, nil
}

// TestManifestStreams: memory does not grow with the manifest, whatever it holds.
func TestManifestStreams(t *testing.T) {
	total := int64(2 << 30)
	if testing.Short() || raceEnabled {
		total = 64 << 20
	}
	cell := strings.Repeat("MIIBqTCCAU+gAwIBAgIUYk5x0Zb0V8kqk2lXx3N5Jc0\n", 40)
	for name, c := range map[string]struct {
		head, text string
		total      int64
	}{
		"CSV":               {"email,certificate,description\n", "ada@example.com,\"-----BEGIN CERTIFICATE-----\n" + cell + "\",x\n", total},
		"NDJSON":            {"", `{"email":"ada@example.com","certificate":"-----BEGIN ` + strings.Repeat("M", 2000) + `"}` + "\n", total / 8},
		"one endless line":  {"email,certificate\n", "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", total / 8},
		"one endless quote": {"email,certificate\nada@example.com,\"", "MIIB\n\n", total / 8},
		"endless comma":     {"email,certificate\n", ",", total / 64},
		"endless breaks":    {"email,certificate\n", "\n", total / 64},
	} {
		t.Run(name, func(t *testing.T) {
			var before, now runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			reads, peak := 0, uint64(0)
			body := &repeat{text: strings.Repeat(c.text, 1+(64<<10)/len(c.text)), total: c.total, each: func() {
				if reads++; reads%500 == 0 {
					runtime.ReadMemStats(&now)
					peak = max(peak, now.HeapInuse)
				}
			}}
			rows := 0
			for row, err := range source.ManifestFrom("people", io.MultiReader(strings.NewReader(c.head), body), source.Options{Dir: t.TempDir()}).Rows(t.Context()) {
				if err != nil {
					t.Fatal(err)
				}
				if rows++; len(row.Certificates) > 0 && row.Email != "ada@example.com" {
					t.Fatalf("row %+v", row)
				}
			}
			const most = 64 << 20
			if peak > before.HeapInuse+most {
				t.Errorf("%d MB were held", (peak-before.HeapInuse)>>20)
			}
			t.Logf("%d rows from %d MB, at most %d MB held", rows, c.total>>20, (max(peak, before.HeapInuse)-before.HeapInuse)>>20)
		})
	}
}

// TestManifestContext: a context ends a stream, also while input is waited for,
// and between rows.
func TestManifestContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	reader, writer := io.Pipe()
	defer writer.Close()
	go func() {
		_, _ = io.WriteString(writer, "email,certificate\nada@example.com,a.pem\n")
	}()
	rows := 0
	var last error
	for _, err := range source.ManifestFrom("people", reader, source.Options{Dir: people(t)}).Rows(ctx) {
		if err != nil {
			last = err
			continue
		}
		rows++
		cancel()
	}
	if rows != 1 || !errors.Is(last, context.Canceled) {
		t.Errorf("%d rows, then %v", rows, last)
	}

	ctx, cancel = context.WithCancel(t.Context())
	waiting, silent := io.Pipe()
	defer silent.Close()
	go func() {
		_, _ = io.WriteString(silent, "email,certificate\n")
		cancel()
	}()
	if _, err := collectError(ctx, source.ManifestFrom("people", waiting, source.Options{})); !errors.Is(err, context.Canceled) {
		t.Errorf("while waiting: %v", err)
	}
}

// TestManifestBroken: an error of the input ends the stream as one, after the
// rows that were read.
func TestManifestBroken(t *testing.T) {
	broken := errors.New("disk on fire")
	for _, text := range []string{"email,certificate\nada@example.com,a.pem\nbob@example.com,\"b", "email,certificate\nada@example.com,a.pem\nbob@exam"} {
		input := io.MultiReader(strings.NewReader(text), errorReader{broken})
		rows, err := collectError(t.Context(), source.ManifestFrom("people", input, source.Options{Dir: people(t)}))
		if len(rows) != 1 || !errors.Is(err, broken) {
			t.Errorf("%q: %q, then %v", text, summaries(t, rows), err)
		}
	}
}

type errorReader struct{ err error }

func (e errorReader) Read([]byte) (int, error) { return 0, e.err }
