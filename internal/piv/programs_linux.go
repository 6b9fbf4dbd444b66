package piv

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
)

// smartCardPrograms names this user's programs that have the PC/SC library
// loaded, without this one. It only reads what /proc shows and is a hint.
func smartCardPrograms() []string {
	maps, err := filepath.Glob("/proc/[0-9]*/maps")
	if err != nil {
		return nil
	}
	var programs []string
	for _, path := range maps {
		dir := filepath.Dir(path)
		pid, err := strconv.Atoi(filepath.Base(dir))
		if err != nil || pid == os.Getpid() {
			continue
		}
		mapped, err := os.ReadFile(path)
		if err != nil || !bytes.Contains(mapped, []byte("/libpcsclite.so")) {
			continue
		}
		name, err := os.ReadFile(filepath.Join(dir, "comm"))
		if err != nil {
			continue
		}
		programs = append(programs, fmt.Sprintf("%s (%d)", bytes.TrimSpace(name), pid))
	}
	slices.Sort(programs)
	return programs
}
