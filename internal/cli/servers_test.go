package cli_test

import (
	"crypto"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/cse-piv/cse-piv/internal/batch/source/ldaptest"
	"github.com/cse-piv/cse-piv/internal/durable/fattest"
	"github.com/cse-piv/cse-piv/internal/issuer/catest"
	"github.com/cse-piv/cse-piv/internal/ledger/pgtest"
	"github.com/cse-piv/cse-piv/internal/testenv"
)

// scriptTest holds the test that a script is, for servers that end with it.
type scriptTest struct{}

// need names programs without which the script cannot be: need PROGRAM...
func need(ts *testscript.TestScript, neg bool, args []string) {
	for _, program := range args {
		testenv.Program(ts.Value(scriptTest{}).(testing.TB), program)
	}
}

// postgres starts a PostgreSQL server with an empty database, $LEDGER: postgres.
// The script is skipped where there is none on this machine.
func postgres(ts *testscript.TestScript, neg bool, args []string) {
	t := ts.Value(scriptTest{}).(testing.TB)
	ts.Setenv("LEDGER", pgtest.Start(t).NewDatabase(t))
}

// stepCA runs a step-ca below the lab's root, which takes attestations of the lab's cards:
// its URL is $STEP_CA, its root in step-root.pem, the provisioner's password in step-password.
func stepCA(ts *testscript.TestScript, neg bool, args []string) {
	read := func(name string) []byte {
		block, _ := pem.Decode([]byte(ts.ReadFile(name)))
		if block == nil {
			ts.Fatalf("%s holds no PEM", name)
		}
		return block.Bytes
	}
	root, err := x509.ParseCertificate(read(filepath.Join(ts.Getenv("LAB"), "ca", "root.pem")))
	ts.Check(err)
	key, err := x509.ParsePKCS8PrivateKey(read(filepath.Join(ts.Getenv("LAB"), "ca", "root.key")))
	ts.Check(err)
	attestation := []byte(ts.ReadFile(ts.Getenv("CSE_PIV_ATTESTATION_ROOTS")))
	ts.Setenv("STEP_CA", catest.StartStepCA(ts.Value(scriptTest{}).(testing.TB), root, key.(crypto.Signer), attestation))
	ts.Check(os.WriteFile(ts.MkAbs("step-root.pem"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: root.Raw}), 0o600))
	ts.Check(os.WriteFile(ts.MkAbs("step-password"), []byte(catest.Password), 0o600))
}

// stick mounts a FAT file system, $STICK: stick. The script is skipped where this
// machine cannot.
func stick(ts *testscript.TestScript, neg bool, args []string) {
	ts.Setenv("STICK", fattest.Mount(ts.Value(scriptTest{}).(testing.TB)))
}

// fulldisk mounts a file system with no room left, $DISK: fulldisk. The script is
// skipped where this machine cannot.
func fulldisk(ts *testscript.TestScript, neg bool, args []string) {
	dir := testenv.SmallDisk(ts.Value(scriptTest{}).(testing.TB), 16<<10)
	_ = os.WriteFile(filepath.Join(dir, "filler"), make([]byte, 64<<10), 0o600) // as far as it goes
	ts.Setenv("DISK", dir)
}

// slapd starts a directory, $LDAP, with N users who have certificates of the
// lab's CA: slapd N. $LDAPS is the same over TLS, trusted with $LDAP_CA; the file
// password is that of $LDAP_ADMIN, who sees as much as anybody.
func slapd(ts *testscript.TestScript, neg bool, args []string) {
	n, err := strconv.Atoi(args[0])
	ts.Check(err)
	var entries strings.Builder
	for i := 1; i <= n; i++ {
		email := fmt.Sprintf("user%d@lab.example", i)
		block, _ := pem.Decode(issue(ts, email))
		entries.WriteString(ldaptest.Entry(fmt.Sprint("user", i), "mail", email, "userCertificate;binary", string(block.Bytes)))
	}
	server := ldaptest.Start(ts.Value(scriptTest{}).(testing.TB), entries.String())
	ts.Setenv("LDAP", "ldap://"+server.Plain)
	ts.Setenv("LDAPS", "ldaps://"+server.Encrypted)
	ts.Setenv("LDAP_CA", server.RootFile)
	ts.Setenv("LDAP_ADMIN", ldaptest.Admin)
	ts.Check(os.WriteFile(ts.MkAbs("password"), []byte(ldaptest.Password+"\n"), 0o600))
}

// everybody waits until Gmail holds the identities of user1 to userN and then
// interrupts the commands in the background: everybody N.
func everybody(ts *testscript.TestScript, neg bool, args []string) {
	n, err := strconv.Atoi(args[0])
	ts.Check(err)
	for i := 1; i <= n; i++ {
		registered(ts, neg, []string{fmt.Sprintf("user%d@lab.example", i)})
	}
	interruptAll(ts)
}

// connections checks that no more than N were opened to the lab, besides one for
// each revocation list that the lab's Gmail fetches: connections N.
func connections(ts *testscript.TestScript, neg bool, args []string) {
	most, err := strconv.ParseInt(args[0], 10, 64)
	ts.Check(err)
	stats := labOf(ts).Stats()
	if opened := stats.Connections - stats.CACalls; opened <= 0 || opened > most {
		ts.Fatalf("%d connections were opened", opened)
	}
}

// workers checks how many workers had a part in the report on standard output:
// workers N.
func workers(ts *testscript.TestScript, neg bool, args []string) {
	var report struct {
		Users []struct {
			Worker string `json:"worker"`
		} `json:"users"`
	}
	ts.Check(json.Unmarshal([]byte(ts.ReadFile("stdout")), &report))
	users := map[string]int{}
	for _, user := range report.Users {
		users[user.Worker]++
	}
	if fmt.Sprint(len(users)) != args[0] {
		ts.Fatalf("users by worker: %v", users)
	}
}
