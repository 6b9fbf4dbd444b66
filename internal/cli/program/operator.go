package program

import (
	"os"
	"os/user"
)

// Operator names who runs this program, for the receipt.
func Operator() string {
	name := "unknown"
	if current, err := user.Current(); err == nil {
		name = current.Username
	}
	if host, err := os.Hostname(); err == nil {
		name += "@" + host
	}
	return name
}
