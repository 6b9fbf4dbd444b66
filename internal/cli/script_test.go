package cli_test

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"filippo.io/age"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/cli"
	"github.com/cse-piv/cse-piv/internal/lab"
	"github.com/cse-piv/cse-piv/internal/lab/ca"
	"github.com/cse-piv/cse-piv/internal/lab/workspace"
)

func TestMain(m *testing.M) {
	// A shell has what it starts in the background ignore interrupts, which what is started here
	// would inherit, and scripts interrupt it.
	if signal.Ignored(os.Interrupt) {
		signal.Notify(make(chan os.Signal, 1), os.Interrupt)
	}
	testscript.Main(m, map[string]func(){
		"cse-piv":    func() { os.Exit(cli.Main()) },
		"measured":   measured,
		"browser":    browser,
		"cardholder": cardHolder,
	})
}

// browser follows a link, as a browser would in which somebody is logged in.
func browser() {
	response, err := http.Get(os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	response.Body.Close()
}

// samples are kept beside the project, for tests that say so where they are missing.
const samples = "../../../shared/samples"

// TestScripts runs the command line as its users do, against a practice lab of
// each script's own.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(env *testscript.Env) error {
			env.Setenv("HOME", env.WorkDir)
			env.Setenv("XDG_DATA_HOME", filepath.Join(env.WorkDir, "data"))
			env.Setenv("CSE_PIV_RETRY_BASE", "5ms")
			if dir, err := filepath.Abs(samples); err == nil {
				env.Setenv("SAMPLES", dir)
			}
			// No daemon of this machine's is ever asked.
			env.Setenv("PCSCLITE_CSOCK_NAME", filepath.Join(env.WorkDir, "no-daemon"))
			env.Values[scriptLab{}] = &scriptLab{}
			env.Values[scriptLock{}] = &scriptLock{}
			env.Values[scriptInterrupted{}] = new([]*exec.Cmd)
			env.Values[scriptTest{}] = env.T().(testing.TB)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"need": need, "lab": startLab, "exits": exits, "json": jsonHas, "setenv": setenv, "fault": fault, "advance": advance, "rename": rename, "listed": listed, "everylisted": everyListed, "asked": asked,
			"pull": pull, "insert": insert, "reinsert": reinsert, "holds": holds, "sign": sign,
			"foreign": foreign, "issuecard": issueCard, "plant": plant, "agekey": ageKey, "talk": talk,
			"people": people, "certificate": certificateFile, "revoke": revoke, "held": held, "released": released, "says": says, "lastline": lastLine,
			"registered": registered, "interrupt": interrupt, "ended": ended, "everybody": everybody,
			"postgres": postgres, "stick": stick, "fulldisk": fulldisk, "slapd": slapd, "stepca": stepCA, "est": estServer, "workers": workers, "connections": connections, "typed": typed, "shows": shows,
			"untouched": untouched, "holdcard": holdCard, "jsonlines": jsonLines, "key": keyOf, "badcertificates": writeBadCertificates, "uploadkey": uploadKey, "object": putObject, "proxy": openingProxy,
			"windows": asOnWindows, "uncomment": uncomment,
		},
		RequireExplicitExec: true,
		Condition: func(condition string) (bool, error) {
			if condition != "samples" {
				return false, fmt.Errorf("condition %q is not known", condition)
			}
			_, err := os.Stat(samples)
			return err == nil, nil
		},
	})
}

// startLab starts a practice lab: lab [-flag value]... It misbehaves a little, as
// the world does, unless told "calm".
func startLab(ts *testscript.TestScript, neg bool, args []string) {
	dir, err := os.MkdirTemp("", "lab")
	ts.Check(err)
	options := lab.Options{Dir: dir, Readers: 1, Seed: 7, Faults: []string{"api:5%", "card:reset:2%"}}
	for _, arg := range args {
		name, value, _ := strings.Cut(arg, "=")
		switch name {
		case "domain":
			options.Domain = value
		case "calm":
			options.Faults = nil
		case "firmware":
			options.Firmware = value
		case "card-from":
			options.CardFrom = value
		case "trust-root":
			options.TrustRoots = append(options.TrustRoots, value)
		case "serial":
			serial, err := strconv.ParseUint(value, 10, 32)
			ts.Check(err)
			options.Serial = uint32(serial)
		case "readers":
			options.Readers, err = strconv.Atoi(value)
			ts.Check(err)
		case "directory":
			options.Directory = true
		case "nocard":
			options.NoCard = true
		case "fault":
			options.Faults = append(options.Faults, value)
		default:
			ts.Fatalf("lab: %q is not known", arg)
		}
	}
	running, err := lab.Start(context.Background(), options)
	ts.Check(err)
	ts.Defer(func() {
		_ = running.Close()
		_ = os.RemoveAll(dir)
	})
	ts.Value(scriptLab{}).(*scriptLab).running = running
	ts.Setenv("LAB", dir)
	for name, value := range running.Env() {
		switch name {
		case "CSE_PIV_STORE", "CSE_PIV_EVIDENCE", "CSE_PIV_ESCROW_DIR": // a script has a data folder of its own, where the defaults are
		default:
			ts.Setenv(name, value)
		}
	}
}

// listed says what the lab's directory has of a user: listed EMAIL [suspended|archived|nomailbox|admin|deleted|alias=ADDRESS]...
func listed(ts *testscript.TestScript, neg bool, args []string) {
	var listing workspace.Listing
	for _, what := range args[1:] {
		switch name, value, _ := strings.Cut(what, "="); name {
		case "suspended":
			listing.Suspended = true
		case "archived":
			listing.Archived = true
		case "nomailbox":
			listing.NoMailbox = true
		case "admin":
			listing.Admin = true
		case "alias":
			listing.Aliases = append(listing.Aliases, value)
		case "deleted":
			labOf(ts).Gmail().RemoveUser(args[0])
			return
		default:
			ts.Fatalf("listed: %q is not known", what)
		}
	}
	ts.Check(labOf(ts).Gmail().List(args[0], listing))
}

// everyListed has the lab's directory name users that people made: everylisted FROM TO.
func everyListed(ts *testscript.TestScript, neg bool, args []string) {
	from, err := strconv.Atoi(args[0])
	ts.Check(err)
	to, err := strconv.Atoi(args[1])
	ts.Check(err)
	for i := from; i <= to; i++ {
		ts.Check(labOf(ts).Gmail().List(fmt.Sprintf("user%d@lab.example", i), workspace.Listing{}))
	}
}

// asked counts the calls of a method since the lab began: asked METHOD N.
func asked(ts *testscript.TestScript, neg bool, args []string) {
	if got := strconv.FormatInt(labOf(ts).Stats().Methods[args[0]], 10); (got == args[1]) == neg {
		ts.Fatalf("%s was asked %s times, want %s", args[0], got, args[1])
	}
}

// uploadKey gives the lab's service account the key of a certificate: uploadkey FILE.
func uploadKey(ts *testscript.TestScript, neg bool, args []string) {
	block, _ := pem.Decode([]byte(ts.ReadFile(args[0])))
	if block == nil {
		ts.Fatalf("%s is not PEM", args[0])
	}
	certificate, err := x509.ParseCertificate(block.Bytes)
	ts.Check(err)
	_, err = labOf(ts).Gmail().UploadKey(certificate)
	ts.Check(err)
}

// scriptLab holds the running lab of one script.
type scriptLab struct{ running *lab.Lab }

func labOf(ts *testscript.TestScript) *lab.Lab {
	running := ts.Value(scriptLab{}).(*scriptLab).running
	if running == nil {
		ts.Fatalf("no lab was started")
	}
	return running
}

// exits runs a command and checks its exit code: exits CODE COMMAND ARGS...
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND ARGS...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		got = exit.ExitCode()
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// jsonHas checks a value in the last standard output: json PATH VALUE, where PATH
// is dotted with numbers for elements and len for how many, and VALUE * is anything but nothing.
func jsonHas(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: json PATH VALUE")
	}
	got := jsonAt(ts, args[0])
	if matches := got == args[1] || (args[1] == "*" && got != ""); matches == neg {
		ts.Fatalf("%s is %q", args[0], got)
	}
}

// jsonAt is what stands at a path in the JSON on standard output.
func jsonAt(ts *testscript.TestScript, path string) string {
	var value any
	if err := json.Unmarshal([]byte(ts.ReadFile("stdout")), &value); err != nil {
		ts.Fatalf("standard output is not one JSON value: %v", err)
	}
	for _, part := range strings.Split(path, ".") {
		switch node := value.(type) {
		case map[string]any:
			value = node[part]
		case []any:
			if part == "len" {
				value = float64(len(node))
				continue
			}
			i, err := strconv.Atoi(part)
			if err != nil || i >= len(node) {
				ts.Fatalf("no element %s in a list of %d", part, len(node))
			}
			value = node[i]
		default:
			value = nil
		}
	}
	got := ""
	if value != nil {
		got = fmt.Sprint(value)
		if number, ok := value.(float64); ok {
			got = strconv.FormatFloat(number, 'f', -1, 64)
		}
	}
	return got
}

// setenv puts what stands at a path in the JSON on standard output into a variable:
// setenv NAME PATH.
func setenv(ts *testscript.TestScript, neg bool, args []string) {
	ts.Setenv(args[0], jsonAt(ts, args[1]))
}

func fault(ts *testscript.TestScript, neg bool, args []string) {
	ts.Check(labOf(ts).SetFaults(args...))
}

// advance moves the lab's clock: advance DURATION.
func advance(ts *testscript.TestScript, neg bool, args []string) {
	by, err := time.ParseDuration(args[0])
	ts.Check(err)
	labOf(ts).Advance(by)
}

// rename gives a user another primary address: rename FROM TO [moved|kept], the identity.
func rename(ts *testscript.TestScript, neg bool, args []string) {
	ts.Check(labOf(ts).Rename(args[0], args[1], workspace.Renamed(strings.Join(args[2:], ""))))
}

// sign has the lab's CA sign a request, as a person who got it by mail would:
// sign CSR CERTIFICATE [PROFILE], with a profile of ca.Named, or two-years: from now, whatever
// the lab's clock says, for longer than that.
func sign(ts *testscript.TestScript, neg bool, args []string) {
	block, _ := pem.Decode([]byte(ts.ReadFile(args[0])))
	if block == nil {
		ts.Fatalf("%s holds no PEM", args[0])
	}
	csr, err := x509.ParseCertificateRequest(block.Bytes)
	ts.Check(err)
	name := "standard"
	if len(args) == 3 {
		name = args[2]
	}
	profile := ca.Profile{NotBefore: time.Now().Add(-time.Minute), NotAfter: time.Now().AddDate(0, 27, 0)}
	if name != "two-years" {
		profile, err = ca.Named(name, time.Now())
		ts.Check(err)
	}
	chain, err := labOf(ts).CA().Sign(csr, profile)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), certificate.EncodePEM(chain...), 0o600))
}

// plant puts a key pair into the lab's Gmail that no call of the program made, and
// sets $PLANTED to its id: plant EMAIL CHAIN [kacls] [unvalidated] [disabled].
func plant(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: plant EMAIL CHAIN [kacls] [unvalidated] [disabled]")
	}
	pair := workspace.NewKeyPair{Description: "a card of an earlier year"}
	for rest := []byte(ts.ReadFile(args[1])); ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		certificate, err := x509.ParseCertificate(block.Bytes)
		ts.Check(err)
		pair.Chain = append(pair.Chain, certificate)
	}
	for _, kind := range args[2:] {
		switch kind {
		case "kacls":
			pair.KACLSURI = "https://kacls.example/v1"
		case "unvalidated":
			pair.Unvalidated = true
		case "disabled":
			pair.Disabled = true
		default:
			ts.Fatalf("plant: %q is not known", kind)
		}
	}
	id, err := labOf(ts).Gmail().AddKeyPair(args[0], pair)
	ts.Check(err)
	ts.Setenv("PLANTED", id)
}

// ageKey makes an age identity: agekey FILE; its recipient is $RECIPIENT.
func ageKey(ts *testscript.TestScript, neg bool, args []string) {
	identity, err := age.GenerateX25519Identity()
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(identity.String()+"\n"), 0o600))
	ts.Setenv("RECIPIENT", identity.Recipient().String())
}
