package wine

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/gofrs/flock"
)

// compiler makes libraries for Windows.
const compiler = "x86_64-w64-mingw32-gcc"

// machine is a Windows of the tests' own: a prefix of Wine with our libraries in it.
type machine struct {
	wine, server string // Wine's programs
	prefix       string
	lock         *flock.Flock
	idle         *exec.Cmd // keeps Windows running between the tests' programs
	input        io.Closer // of idle, which waits for it
}

// setUp makes the machine once, for the first test that wants it.
var (
	setUp = sync.OnceValues(newMachine)
	inUse atomic.Pointer[machine]
)

func TestMain(m *testing.M) {
	code := m.Run()
	if made := inUse.Load(); made != nil {
		if err := made.close(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

// newMachine finds Wine and prepares a prefix, which is kept in the cache: making one takes
// longer than a test. It belongs to one process at a time.
func newMachine() (*machine, error) {
	m := &machine{}
	var err error
	if m.wine, err = find("wine64", "/usr/lib/wine/wine64"); err != nil {
		return nil, err
	}
	if m.server, err = find("wineserver", "/usr/lib/wine/wineserver", "/usr/lib/wine/wineserver64"); err != nil {
		return nil, err
	}
	if _, err := exec.LookPath(compiler); err != nil {
		return nil, err
	}
	version, err := exec.Command(m.wine, "--version").Output()
	if err != nil {
		return nil, fmt.Errorf("asking Wine for its version: %w", err)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return nil, err
	}
	name := strings.NewReplacer(" ", "-", "/", "-").Replace(strings.TrimSpace(string(version)))
	m.prefix = filepath.Join(cache, "cse-piv-tests", name)
	if err := os.MkdirAll(filepath.Dir(m.prefix), 0o700); err != nil {
		return nil, err
	}
	m.lock = flock.New(m.prefix + ".lock")
	if err := m.lock.Lock(); err != nil {
		return nil, err
	}
	inUse.Store(m)
	if err := m.boot(); err != nil {
		return nil, err
	}
	if err := m.addLibraries(); err != nil {
		return nil, err
	}
	m.idle = exec.Command(m.wine, "cmd")
	m.idle.Env = m.environment()
	if m.input, err = m.idle.StdinPipe(); err != nil {
		return nil, err
	}
	return m, m.idle.Start()
}

func find(names ...string) (path string, err error) {
	for _, name := range names {
		if path, err = exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("%s is not installed", names[0])
}

// boot makes the prefix where no earlier run has finished making it.
func (m *machine) boot() error {
	done := filepath.Join(m.prefix, "made")
	if _, err := os.Stat(done); err == nil {
		return nil
	}
	if err := os.RemoveAll(m.prefix); err != nil {
		return err
	}
	boot := exec.Command(m.wine, "wineboot", "-i")
	boot.Env = m.environment()
	if out, err := boot.CombinedOutput(); err != nil {
		return fmt.Errorf("making a Windows for Wine: %w\n%s", err, out)
	}
	return os.WriteFile(done, nil, 0o600)
}

// addLibraries puts our libraries among the system's.
func (m *machine) addLibraries() error {
	for name, needs := range map[string]string{"winscard": "-lws2_32", "bcryptprimitives": "-ladvapi32"} {
		library := filepath.Join(m.prefix, "drive_c", "windows", "system32", name+".dll")
		build := exec.Command(compiler, "-Wall", "-Wextra", "-Werror", "-O1", "-shared", "-o", library, filepath.Join("..", "winscard", name+".c"), needs)
		if out, err := build.CombinedOutput(); err != nil {
			return fmt.Errorf("building %s.dll: %w\n%s", name, err, out)
		}
	}
	return nil
}

// environment is what programs on the machine see, besides settings.
func (m *machine) environment(settings ...string) []string {
	return append([]string{
		"WINEPREFIX=" + m.prefix, "WINEARCH=win64", "WINEDEBUG=-all", "WINEDLLOVERRIDES=mscoree,mshtml=;winscard=n",
		"LC_ALL=C.UTF-8", "HOME=" + m.prefix, "PATH=" + os.Getenv("PATH"),
	}, settings...)
}

// close ends what still runs on the machine.
func (m *machine) close() error {
	if m.idle != nil && m.idle.Process != nil {
		_ = m.input.Close()
		_ = m.idle.Wait() // cmd ends with its input, with what code is no matter
	}
	kill := exec.Command(m.server, "-k")
	kill.Env = m.environment()
	_ = kill.Run() // it fails where nothing runs
	return m.lock.Unlock()
}
