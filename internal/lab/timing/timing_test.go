package timing

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func table(t *testing.T, text string) Table {
	t.Helper()
	parsed, err := Parse("t", strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

const example = `
# a comment
command                      10ms +1ms/byte
verify                       25ms
put-data                     30ms +2ms/byte   # flash
generate                     1s
generate rsa2048             6s ~4s
general-authenticate rsa2048 90ms
general-authenticate aes192  15ms
`

func TestTimeOfACommand(t *testing.T) {
	parsed := table(t, example)
	generate := func(algorithm byte, extended bool) []byte {
		if extended {
			return []byte{0, 0x47, 0, 0x9d, 0, 0, 5, 0xac, 3, 0x80, 1, algorithm, 0, 0}
		}
		return []byte{0, 0x47, 0, 0x9d, 5, 0xac, 3, 0x80, 1, algorithm}
	}
	for name, c := range map[string]struct {
		command []byte
		answer  int
		want    Time
	}{
		"an entry of its own":      {[]byte{0, 0x20, 0, 0x80}, 2, Time{31 * time.Millisecond, 0}},
		"none of its own":          {[]byte{0, 0xfd, 0, 0}, 5, Time{19 * time.Millisecond, 0}},
		"unknown instruction":      {[]byte{0, 0x01, 0, 0}, 0, Time{14 * time.Millisecond, 0}},
		"its own rate":             {[]byte{0, 0xdb, 0x3f, 0xff, 1, 0}, 2, Time{46 * time.Millisecond, 0}},
		"generate RSA 2048":        {generate(7, false), 0, Time{6*time.Second + 10*time.Millisecond, 4 * time.Second}},
		"generate, extended":       {generate(7, true), 0, Time{6*time.Second + 14*time.Millisecond, 4 * time.Second}},
		"generate another":         {generate(0x11, false), 0, Time{time.Second + 10*time.Millisecond, 0}},
		"generate something":       {[]byte{0, 0x47, 0, 0x9d, 1, 0}, 0, Time{time.Second + 6*time.Millisecond, 0}},
		"sign RSA 2048":            {[]byte{0, 0x87, 7, 0x9c}, 0, Time{94 * time.Millisecond, 0}},
		"the management key":       {[]byte{0, 0x87, 0x0a, 0x9b}, 0, Time{19 * time.Millisecond, 0}},
		"another management key":   {[]byte{0, 0x87, 0x03, 0x9b}, 0, Time{14 * time.Millisecond, 0}},
		"a part of a chain":        {[]byte{0x10, 0xdb, 0x3f, 0xff}, 0, Time{14 * time.Millisecond, 0}},
		"no command":               {nil, 2, Time{12 * time.Millisecond, 0}},
		"cut short after its head": {[]byte{0, 0x47, 0, 0x9d}, 0, Time{time.Second + 4*time.Millisecond, 0}},
	} {
		if got := parsed.Of(c.command, c.answer); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
	if got := (Table{}).Of([]byte{0, 0x20, 0, 0x80}, 2); got != (Time{}) {
		t.Errorf("an empty table: %v", got)
	}
}

func TestDraw(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	spread := Time{6 * time.Second, 4 * time.Second}
	var least, most time.Duration = time.Hour, 0
	for range 1000 {
		d := spread.Draw(random)
		least, most = min(least, d), max(most, d)
	}
	if least < 2*time.Second || least > 3*time.Second || most > 10*time.Second || most < 9*time.Second {
		t.Errorf("drawn from %v to %v, want 2 to 10 s", least, most)
	}
	if d := (Time{Mean: time.Second}).Draw(nil); d != time.Second {
		t.Errorf("without spread: %v", d)
	}
}

func TestMistakes(t *testing.T) {
	for text, want := range map[string]string{
		"sign 1s":                       `t:1: no command is called "sign"`,
		"\n\nverify":                    "t:3: verify: the time is missing",
		"verify rsa2048 1s":             "t:1: verify has no algorithm",
		"generate rsa2049 1s":           `t:1: "rsa2049" is not a time`,
		"generate rsa2048 fast":         `t:1: "fast" is not a time`,
		"verify -1s":                    `t:1: "-1s" is not a time`,
		"verify 2h":                     `t:1: "2h" is not a time`,
		"verify 1s 2s":                  `t:1: "2s" is not understood`,
		"verify 1s ~2s":                 "t:1: a spread of 2s",
		"verify 1s ~x":                  `t:1: "x" is not a time`,
		"verify 1s +x/byte":             `t:1: "x" is not a time`,
		"verify 1s\nverify 2s":          "t:2: a second entry for verify",
		strings.Repeat("x", 100_000):    "t:1: bufio.Scanner: token too long",
		"generate rsa2048 1s # fine\n?": `t:2: no command is called "?"`,
	} {
		if _, err := Parse("t", strings.NewReader(text)); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%.30q: %v, want %s", text, err, want)
		}
	}
}

func TestLoad(t *testing.T) {
	file := filepath.Join(t.TempDir(), "card.txt")
	if err := os.WriteFile(file, []byte("verify 1s\nnonsense"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(file); err == nil || !strings.HasPrefix(err.Error(), file+":2: ") {
		t.Errorf("a file with a mistake: %v", err)
	}
	if _, err := Load(file + "x"); err == nil || !strings.Contains(err.Error(), "no such file") {
		t.Errorf("no file: %v", err)
	}
	if _, err := Load(filepath.Dir(file)); err == nil || !strings.Contains(err.Error(), "not a file") {
		t.Errorf("a folder: %v", err)
	}
}

// TestReal: the figures of the built-in table are what its comment promises.
func TestReal(t *testing.T) {
	real, err := Load("real")
	if err != nil || len(real.entries) < 20 {
		t.Fatalf("%d entries, %v", len(real.entries), err)
	}
	for instruction := range instructions {
		k := parse([]byte{0, instruction, 0, 0})
		took := real.find(k).time
		if slow := k.instruction == "attest" || k.instruction == "reset" || k.instruction == "import-key" || k.instruction == "move-key"; !slow && (took < 10*time.Millisecond || took > 40*time.Millisecond) {
			t.Errorf("%s takes %v, want 10 to 40 ms", k.instruction, took)
		}
	}
	if short := real.entries[key{"generate", "rsa2048"}]; short.time != 6*time.Second || short.spread != 4*time.Second {
		t.Errorf("RSA 2048: %+v", short)
	}
	for _, algorithm := range []byte{0x06, 0x07, 0x05, 0x16, 0x11, 0x14, 0xe0, 0xe1} {
		for _, instruction := range byAlgorithm[:2] {
			if _, ok := real.entries[key{instruction, algorithms[algorithm]}]; !ok {
				t.Errorf("no entry for %s %s", instruction, algorithms[algorithm])
			}
		}
	}
}

// TestDocumented: docs/how-to/the-practice-lab.md shows a table that can be read, and all names.
func TestDocumented(t *testing.T) {
	raw, err := os.ReadFile("../../../docs/how-to/the-practice-lab.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, found := strings.Cut(string(raw), "## Card timing")
	section, _, _ = strings.Cut(section, "\n## ")
	parts := strings.Split(section, "```")
	if !found || len(parts) != 3 {
		t.Fatalf("no section with one table: %q", section)
	}
	if entries := table(t, parts[1]).entries; len(entries) < 5 {
		t.Errorf("only %d entries are shown", len(entries))
	}
	for _, names := range []map[byte]string{instructions, algorithms} {
		for _, name := range names {
			if !strings.Contains(parts[2], "`"+name+"`") {
				t.Errorf("docs/how-to/the-practice-lab.md does not name %s", name)
			}
		}
	}
}

// FuzzParse: whatever is in a file, reading it ends with a table or an error
// that names the file.
func FuzzParse(f *testing.F) {
	f.Add([]byte(example))
	f.Add([]byte(realTable))
	f.Fuzz(func(t *testing.T, data []byte) {
		parsed, err := Parse("t", bytes.NewReader(data))
		if err != nil {
			if !strings.HasPrefix(err.Error(), "t:") {
				t.Errorf("the error is without a name: %v", err)
			}
			return
		}
		if took := parsed.Of(data, len(data)); took.Mean < 0 || took.Spread > took.Mean {
			t.Errorf("%v", took)
		}
	})
}
