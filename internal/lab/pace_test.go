package lab

import (
	"strings"
	"testing"
	"time"

	"github.com/cse-piv/cse-piv/internal/lab/pcscd"
	"github.com/cse-piv/cse-piv/internal/lab/timing"
)

var getVersion = []byte{0x00, 0xfd, 0x00, 0x00}

func withTiming(t *testing.T, text string) *timing.Table {
	t.Helper()
	table, err := timing.Parse("table", strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return &table
}

func TestCommandsTakeTheirTime(t *testing.T) {
	const took = 20 * time.Millisecond
	l := start(t, Options{CardTiming: withTiming(t, "get-version 15ms +1ms/byte")})
	began := time.Now()
	_, verdict := l.exchange(0, getVersion, func([]byte) []byte { return []byte{0x90} })
	if d := time.Since(began); verdict != pcscd.Delivered || d < took {
		t.Errorf("after %v: %v, want %v at least", d, verdict, took)
	}
	if stats := l.Stats(); stats.CardTime != took || stats.InCard < took {
		t.Errorf("counted: %+v", stats)
	}
	if err := l.Pull(0); err != nil {
		t.Fatal(err)
	}
	if err := l.InsertForeign(0); err != nil {
		t.Fatal(err)
	}
	if _, verdict := l.exchange(0, getVersion, foreignCard{}.Transmit); verdict != pcscd.Delivered {
		t.Errorf("a card that is no YubiKey: %v", verdict)
	}
}

// TestTimeOfARealCard is counted where cards answer at once.
func TestTimeOfARealCard(t *testing.T) {
	l := start(t, Options{})
	real := timing.Real()
	want := time.Duration(0)
	generate := []byte{0x00, 0x47, 0x00, 0x9d, 0x05, 0xac, 0x03, 0x80, 0x01, 0x07}
	for _, command := range [][]byte{getVersion, generate} {
		l.exchange(0, command, func([]byte) []byte { return []byte{0x90, 0x00} })
		want += real.Of(command, 2).Mean
	}
	if stats := l.Stats(); stats.CardTime != want || want < 6*time.Second || stats.InCard > stats.CardTime {
		t.Errorf("counted: %+v, want %v", stats, want)
	}
}

// TestPulledWhileTheCardWorks: a command that takes its time ends with the pull,
// and was not carried out.
func TestPulledWhileTheCardWorks(t *testing.T) {
	l := start(t, Options{CardTiming: withTiming(t, "get-version 1h")})
	verdict := make(chan pcscd.Verdict)
	go func() {
		_, v := l.exchange(0, getVersion, func([]byte) []byte { t.Error("carried out"); return nil })
		verdict <- v
	}()
	if err := l.Pull(0); err != nil {
		t.Fatal(err)
	}
	select {
	case v := <-verdict:
		// A pull before the command is one before it began: the card is gone.
		if v != pcscd.Pulled {
			t.Errorf("verdict %v", v)
		}
	case <-time.After(time.Minute):
		t.Fatal("still at work")
	}
}

// TestLabEndsWhileACardWorks: nobody waits for the card then.
func TestLabEndsWhileACardWorks(t *testing.T) {
	l := start(t, Options{CardTiming: withTiming(t, "get-version 1h")})
	began, done := make(chan struct{}), make(chan struct{})
	go func() {
		close(began)
		l.exchange(0, getVersion, func([]byte) []byte { return []byte{0x90, 0x00} })
		close(done)
	}()
	<-began
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	<-done
}
