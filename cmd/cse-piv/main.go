// Command cse-piv enrolls PIV smart cards for Gmail client-side encryption.
package main

import (
	"os"

	"github.com/cse-piv/cse-piv/internal/cli"
)

func main() { os.Exit(cli.Main()) }
