package secret

import (
	"bytes"
	"runtime"
	"testing"
)

// TestForgottenSecretIsOverwritten: the bytes of a secret that nobody has any more
// are gone, those of one that somebody has are not.
func TestForgottenSecretIsOverwritten(t *testing.T) {
	kept, forgotten := FromString("271828"), FromString("314159")
	left := forgotten.bytes()
	forgotten = Secret{}
	for !bytes.Equal(left, make([]byte, 6)) {
		runtime.GC() // what it finds is overwritten soon afterwards
		runtime.Gosched()
	}
	if !kept.Equal(FromString("271828")) {
		t.Error("a secret that is in use was overwritten")
	}
}
