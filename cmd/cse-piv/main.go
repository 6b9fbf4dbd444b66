// Command cse-piv enrolls PIV smart cards for Gmail client-side encryption.
package main

import (
	"fmt"
	"os"

	"github.com/cse-piv/cse-piv/internal/cli"
)

func main() {
	if err := searchSystemLibraries(); err != nil {
		fmt.Fprintln(os.Stderr, "cse-piv: error:", err)
		os.Exit(1)
	}
	os.Exit(cli.Main())
}
