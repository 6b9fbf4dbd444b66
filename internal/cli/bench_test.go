package cli_test

import (
	"os/exec"
	"path/filepath"
	"testing"
)

// BenchmarkVersion starts the program and ends it: what every command costs
// before it does anything.
func BenchmarkVersion(b *testing.B) {
	program := filepath.Join(b.TempDir(), "cse-piv")
	if out, err := exec.Command("go", "build", "-o", program, "../../cmd/cse-piv").CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	for b.Loop() {
		if err := exec.Command(program, "--version").Run(); err != nil {
			b.Fatal(err)
		}
	}
}
