package cli_test

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/cse-piv/cse-piv/internal/piv/pcsc"
)

// cardHolder is another program that uses the card in the first reader alone, until its
// input ends.
func cardHolder() {
	service, err := pcsc.Establish()
	if err == nil {
		var names []string
		if names, err = service.Readers(); err == nil {
			_, err = service.Connect(names[0], pcsc.Exclusive)
		}
	}
	fmt.Println(err)
	_, _ = io.Copy(io.Discard, os.Stdin)
}

// holdCard has another program use the card until the script ends.
func holdCard(ts *testscript.TestScript, neg bool, args []string) {
	path := ""
	for _, folder := range filepath.SplitList(ts.Getenv("PATH")) {
		if _, err := os.Stat(filepath.Join(folder, "cardholder")); err == nil {
			path = filepath.Join(folder, "cardholder")
			break
		}
	}
	holder := exec.Command(path)
	holder.Env = append(environment(ts.Getenv("HOME")), "PCSCLITE_CSOCK_NAME="+ts.Getenv("PCSCLITE_CSOCK_NAME"))
	input, err := holder.StdinPipe()
	ts.Check(err)
	output, err := holder.StdoutPipe()
	ts.Check(err)
	ts.Check(holder.Start())
	ts.Defer(func() {
		_ = input.Close()
		_ = holder.Wait()
	})
	if said, _ := bufio.NewReader(output).ReadString('\n'); said != "<nil>\n" {
		ts.Fatalf("the card cannot be held: %s", said)
	}
}
