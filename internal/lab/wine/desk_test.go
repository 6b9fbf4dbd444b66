package wine

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cse-piv/cse-piv/internal/lab"
	"github.com/cse-piv/cse-piv/internal/testenv"
)

// callLimit ends a program that hangs.
const callLimit = 10 * time.Minute

// built makes a program for Windows once, by its name: the arguments of go that make it,
// without -o.
var built = struct {
	sync.Mutex
	paths map[string]string
}{paths: map[string]string{}}

// desk is a folder on a Windows machine, with a practice lab beside it.
type desk struct {
	t       *testing.T
	machine *machine
	lab     *lab.Lab
	folder  string // as this system sees it
}

// newDesk has a lab with one new card, and a folder whose name has a space and an umlaut.
func newDesk(t *testing.T, options lab.Options) *desk {
	t.Helper()
	m, err := setUp()
	if err != nil {
		testenv.Missing(t, "Windows: %v", err)
	}
	folder, err := os.MkdirTemp(filepath.Join(m.prefix, "drive_c"), "Büro Nord ")
	if err != nil {
		t.Fatal(err)
	}
	d := &desk{t: t, machine: m, folder: folder}
	clean := func(folders ...string) {
		for _, folder := range folders {
			if err := os.RemoveAll(folder); err != nil {
				t.Error(err)
			}
		}
	}
	clean(d.data()...) // of a test that was killed
	t.Cleanup(func() { clean(append(d.data(), folder)...) })
	options.Dir, options.NoSocket, options.PCSCListen = d.path("lab"), true, "127.0.0.1:0"
	if d.lab, err = lab.Start(t.Context(), options); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.lab.Close(); err != nil {
			t.Error(err)
		}
	})
	return d
}

// data are the folders of settings and of data of the machine's user, where they are.
func (d *desk) data() []string {
	d.t.Helper()
	folders, err := filepath.Glob(filepath.Join(d.machine.prefix, "drive_c", "users", "*", "AppData", "*", "cse-piv"))
	if err != nil {
		d.t.Fatal(err)
	}
	return folders
}

// row runs a subtest with the desk.
func (d *desk) row(name string, test func(d *desk)) {
	d.t.Run(name, func(t *testing.T) {
		at := *d
		at.t = t
		test(&at)
	})
}

// path is a file of the folder as this system sees it.
func (d *desk) path(name string) string { return filepath.Join(d.folder, filepath.FromSlash(name)) }

// windowsPath is how a file below drive C is called on Windows.
func (d *desk) windowsPath(path string) string {
	d.t.Helper()
	below, err := filepath.Rel(filepath.Join(d.machine.prefix, "drive_c"), path)
	if err != nil {
		d.t.Fatal(err)
	}
	return `C:\` + strings.ReplaceAll(below, "/", `\`)
}

func (d *desk) write(name, text string) {
	d.t.Helper()
	if err := os.WriteFile(d.path(name), []byte(text), 0o600); err != nil {
		d.t.Fatal(err)
	}
}

// appendTo writes at the end of a file that is named as on Windows.
func (d *desk) appendTo(path, text string) {
	d.t.Helper()
	below := strings.ReplaceAll(strings.TrimPrefix(path, `C:\`), `\`, "/")
	file, err := os.OpenFile(filepath.Join(d.machine.prefix, "drive_c", below), os.O_APPEND|os.O_WRONLY, 0)
	if err == nil {
		_, err = file.WriteString(text)
		err = errors.Join(err, file.Close())
	}
	if err != nil {
		d.t.Fatal(err)
	}
}

func (d *desk) read(name string) string {
	d.t.Helper()
	data, err := os.ReadFile(d.path(name))
	if err != nil {
		d.t.Error(err)
	}
	return string(data)
}

// program returns a program for Windows, made by go with those arguments.
func (d *desk) program(name string, arguments ...string) string {
	d.t.Helper()
	built.Lock()
	defer built.Unlock()
	path := filepath.Join(d.machine.prefix, "drive_c", "programs", name+".exe")
	if built.paths[name] != "" {
		return path
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		d.t.Fatal(err)
	}
	build := exec.Command("go", append(arguments[:len(arguments)-1:len(arguments)-1], "-o", path, arguments[len(arguments)-1])...)
	build.Env = append(os.Environ(), "GOOS=windows", "GOARCH=amd64", "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		d.t.Fatalf("%v: %v\n%s", build.Args, err, out)
	}
	built.paths[name] = path
	return path
}

// command is the Windows program with arguments, pointed at the lab.
func (d *desk) command(arguments ...string) *exec.Cmd {
	d.t.Helper()
	program := d.program("cse-piv", "build", "../../../cmd/cse-piv")
	ctx, cancel := context.WithTimeout(context.Background(), callLimit)
	d.t.Cleanup(cancel)
	command := exec.CommandContext(ctx, d.machine.wine, append([]string{program}, arguments...)...)
	command.Dir, command.Env = d.folder, d.environment()
	return command
}

// environment is the machine's with the lab's.
func (d *desk) environment() []string {
	d.t.Helper()
	env := d.machine.environment()
	lab := d.lab.Env()
	for _, place := range []string{"CSE_PIV_STORE", "CSE_PIV_EVIDENCE", "CSE_PIV_ESCROW_DIR"} {
		delete(lab, place) // where the program keeps things by itself is tried
	}
	for _, name := range slices.Sorted(maps.Keys(lab)) {
		value := lab[name]
		if filepath.IsAbs(value) {
			value = d.windowsPath(value)
		}
		env = append(env, name+"="+value)
	}
	return env
}

// ended is what came of a program.
type ended struct {
	out, err string
	code     int
}

// newCard takes the card out and puts a new one in.
func (d *desk) newCard() {
	d.t.Helper()
	card, err := d.lab.NewCard(lab.CardSpec{})
	if err == nil {
		err = d.lab.Pull(0)
	}
	if err == nil {
		err = d.lab.Insert(0, card)
	}
	if err != nil {
		d.t.Fatal(err)
	}
}

// finish runs a command to its end.
func (d *desk) finish(command *exec.Cmd) ended {
	d.t.Helper()
	var out, errs bytes.Buffer
	command.Stdout, command.Stderr = &out, &errs
	err := command.Run()
	if exit, ok := errors.AsType[*exec.ExitError](err); err != nil && (!ok || exit.ExitCode() < 0) {
		d.t.Fatalf("%v: %v\n%s", command.Args, err, errs.String())
	}
	said := ended{out: out.String(), code: command.ProcessState.ExitCode()}
	for line := range strings.Lines(errs.String()) {
		if !strings.HasPrefix(line, "wine: ") { // Wine's own remarks
			said.err += line
		}
	}
	return said
}

// run runs the program, which has to end with the code.
func (d *desk) run(code int, arguments ...string) ended {
	d.t.Helper()
	said := d.finish(d.command(arguments...))
	// Our program never fails without a word; Wine does where it could not start it.
	for tries := 1; said == (ended{code: 1}) && tries < 5; tries++ {
		d.t.Logf("Wine did not start cse-piv %s; once more", strings.Join(arguments, " "))
		said = d.finish(d.command(arguments...))
	}
	if said.code != code {
		d.t.Fatalf("cse-piv %s ended with %d, not %d\n%s%s", strings.Join(arguments, " "), said.code, code, said.out, said.err)
	}
	return said
}

// says fails where a text is not said.
func (d *desk) says(text string, wanted ...string) {
	d.t.Helper()
	for _, want := range wanted {
		if !strings.Contains(text, want) {
			d.t.Errorf("%q is not in\n%s", want, text)
		}
	}
}

// decoded reads JSON.
func decoded[T any](t *testing.T, text string) T {
	t.Helper()
	var value T
	if err := json.Unmarshal([]byte(text), &value); err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	return value
}

// lastLine is the last line of a stream of JSON objects.
func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[len(lines)-1]
}
