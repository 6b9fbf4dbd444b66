package certcmd

import (
	"bytes"
	"context"
	"crypto/elliptic"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/certificate/certtest"
	"github.com/cse-piv/cse-piv/internal/cli/stdio"
)

// interrupting is an output whose reader interrupts the command at what is written first.
type interrupting struct {
	bytes.Buffer
	interrupt context.CancelFunc
}

func (w *interrupting) Write(data []byte) (int, error) {
	w.interrupt()
	return w.Buffer.Write(data)
}

// TestCheckInterrupted: an interruption ends cert check before the next certificate, with what
// was checked until then.
func TestCheckInterrupted(t *testing.T) {
	dir := t.TempDir()
	root := certtest.Issue(t, certtest.NewRoot(t, "Root"), certtest.NewKey(t, elliptic.P256()), nil)
	files := []string{"check", "--offline"}
	for _, name := range []string{"a.pem", "b.pem", "c.pem"} {
		leaf := certtest.Issue(t, certtest.NewLeaf(t), certtest.NewKey(t, elliptic.P256()), root)
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, certificate.EncodePEM(leaf.Cert, root.Cert), 0o600); err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	ctx, cancel := context.WithCancel(t.Context())
	out := &interrupting{interrupt: cancel}
	command := New(&stdio.Streams{In: strings.NewReader(""), Out: out, Err: &bytes.Buffer{}})
	command.SilenceErrors, command.SilenceUsage = true, true
	command.SetArgs(files)
	if err := command.ExecuteContext(ctx); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if text := out.String(); !strings.Contains(text, "a.pem") || strings.Contains(text, "b.pem") {
		t.Error(text)
	}
}

// TestCheckNoRoot: of authorities that certify each other, and lead to no root, it is not said that
// one is missing.
func TestCheckNoRoot(t *testing.T) {
	keys := []*certtest.Holder{
		certtest.Issue(t, certtest.NewRoot(t, "East"), certtest.NewKey(t, elliptic.P256()), nil),
		certtest.Issue(t, certtest.NewRoot(t, "West"), certtest.NewKey(t, elliptic.P256()), nil),
	}
	east := certtest.Issue(t, certtest.NewIntermediate(t, "East"), keys[0].Key, keys[1])
	west := certtest.Issue(t, certtest.NewIntermediate(t, "West"), keys[1].Key, keys[0])
	leaf := certtest.Issue(t, certtest.NewLeaf(t), certtest.NewKey(t, elliptic.P256()), east)
	file := filepath.Join(t.TempDir(), "kim.pem")
	if err := os.WriteFile(file, certificate.EncodePEM(leaf.Cert, east.Cert, west.Cert), 0o600); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	command := New(&stdio.Streams{In: strings.NewReader(""), Out: &out, Err: &bytes.Buffer{}})
	command.SilenceErrors, command.SilenceUsage = true, true
	command.SetArgs([]string{"check", "--offline", file})
	if err := command.ExecuteContext(t.Context()); err == nil {
		t.Error("a chain without a root can be registered")
	}
	if text := out.String(); !strings.Contains(text, "lead to no root") || strings.Contains(text, "is missing") {
		t.Error(text)
	}
}
