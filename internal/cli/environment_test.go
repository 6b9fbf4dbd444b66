package cli_test

import "os"

// environment is what a program is started with whose user has a home, and has set nothing.
// GORACE says how long the race detector looks on at its end.
func environment(home string) []string {
	return []string{"PATH=" + os.Getenv("PATH"), "HOME=" + home, "LANG=C.UTF-8", "GORACE=" + os.Getenv("GORACE")}
}
