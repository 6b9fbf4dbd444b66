package lab

import (
	"bytes"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/google/renameio/v2/maybe"

	"github.com/cse-piv/cse-piv/internal/lab/yubikey"
)

// Files of a lab in its directory.
const (
	envFile              = "env"
	commandEnvFile       = "env.cmd"
	powerShellEnvFile    = "env.ps1"
	peopleDir            = "people"
	serviceAccountFile   = "service-account.json"
	clientFile           = "oauth-client.json"
	workloadIdentityFile = "workload-identity.json"
	workloadTokenFile    = "workload-token"
	attestationRootsFile = "attestation-roots.pem"
	ledgerFile           = "ledger.db" // this and the next two are made by programs
	evidenceDir          = "evidence"
	escrowDir            = "escrow"
	socketFile           = "pcscd.comm"
	caDir                = "ca"
	attestationDir       = "attestation"
)

// longestSocketPath is what fits the address of a unix socket.
const longestSocketPath = 107

// makeDir makes the lab's directory, finds a place for the socket and the
// authority that attests the lab's cards.
func (l *Lab) makeDir() error {
	l.dir = l.options.Dir
	if l.dir == "" {
		dir, err := l.temporaryDir()
		if err != nil {
			return err
		}
		l.dir = dir
	}
	dir, err := filepath.Abs(l.dir)
	if err != nil {
		return fmt.Errorf("the lab's directory: %w", err)
	}
	l.dir = dir
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make the lab's directory: %w", err)
	}
	l.socket = l.options.Socket
	if l.socket == "" && !l.options.NoSocket {
		l.socket = filepath.Join(dir, socketFile)
	}
	if len(l.socket) > longestSocketPath && l.options.Socket == "" {
		short, err := l.temporaryDir()
		if err != nil {
			return err
		}
		l.socket = filepath.Join(short, socketFile)
	}
	authorityDir := filepath.Join(dir, attestationDir)
	if l.options.CardState != "" {
		authorityDir = l.options.CardState + ".authority"
	}
	l.authority, err = loadOrMakeAuthority(authorityDir)
	return err
}

func (l *Lab) temporaryDir() (string, error) {
	dir, err := os.MkdirTemp("", "cse-piv-lab-")
	if err != nil {
		return "", fmt.Errorf("make a temporary directory: %w", err)
	}
	l.temporary = append(l.temporary, dir)
	return dir, nil
}

func loadOrMakeAuthority(dir string) (*yubikey.Authority, error) {
	authority, err := yubikey.LoadAuthority(dir)
	if !errors.Is(err, fs.ErrNotExist) {
		return authority, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make a directory for the attestation authority: %w", err)
	}
	if authority, err = yubikey.NewAuthority(); err != nil {
		return nil, err
	}
	return authority, authority.Save(dir)
}

// serviceAccountKey is the key given in the options, else that of an earlier
// start, else nil for a new one.
func (l *Lab) serviceAccountKey() (*rsa.PrivateKey, error) {
	if l.options.ServiceAccountKey != nil {
		return l.options.ServiceAccountKey, nil
	}
	path := filepath.Join(l.dir, serviceAccountFile)
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("the service account of an earlier start: %w", err)
	}
	var account struct {
		PrivateKey string `json:"private_key"`
	}
	if err := json.Unmarshal(raw, &account); err != nil {
		return nil, fmt.Errorf("the service account of an earlier start, %s: %w", path, err)
	}
	block, _ := pem.Decode([]byte(account.PrivateKey))
	if block == nil {
		return nil, fmt.Errorf("the service account of an earlier start, %s: no private key", path)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("the service account of an earlier start, %s: %w", path, err)
	}
	key, ok := parsed.(*rsa.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("the service account of an earlier start, %s: key is not RSA", path)
	}
	return key, nil
}

// writeFiles writes what programs need to use the lab.
func (l *Lab) writeFiles() error {
	var roots bytes.Buffer
	for _, root := range slices.Concat(l.authority.Roots(), l.authority.Intermediates()) {
		// A bytes.Buffer takes everything.
		_ = pem.Encode(&roots, &pem.Block{Type: "CERTIFICATE", Bytes: root.Raw})
	}
	type file struct {
		name string
		data []byte
		mode os.FileMode
	}
	files := []file{
		{serviceAccountFile, l.gmail.ServiceAccountJSON(trimSlash(l.url)), 0o600},
		{clientFile, l.gmail.ClientJSON(l.url), 0o600},
		{workloadIdentityFile, l.gmail.WorkloadIdentityJSON(l.url, filepath.Join(l.dir, workloadTokenFile)), 0o600},
		{workloadTokenFile, []byte(l.gmail.WorkloadToken()), 0o600},
		{attestationRootsFile, roots.Bytes(), 0o644},
		{envFile, shellExports(l.Env()), 0o600},
	}
	if runtime.GOOS == "windows" {
		files = append(files, file{commandEnvFile, commandSettings(l.dir, l.Env()), 0o600}, file{powerShellEnvFile, powerShellSettings(l.Env()), 0o600})
	}
	for _, file := range files {
		if err := maybe.WriteFile(filepath.Join(l.dir, file.name), file.data, file.mode); err != nil {
			return fmt.Errorf("write the lab's %s: %w", file.name, err)
		}
	}
	return nil
}

// Dir is the lab's directory, an absolute path.
func (l *Lab) Dir() string { return l.dir }

// ControlURL is where the control endpoint answers, with a slash at its end.
func (l *Lab) ControlURL() string { return l.url + "control/" }

// Env returns the environment variables that lead programs to the lab. The
// file env in Dir holds the same for a POSIX shell, on Windows env.cmd and env.ps1 for
// the shells there.
func (l *Lab) Env() map[string]string {
	env := map[string]string{
		"CSE_PIV_GMAIL_ENDPOINT":    l.url,
		"CSE_PIV_AUTH_ENDPOINT":     l.url,
		"CSE_PIV_CLIENT":            filepath.Join(l.dir, clientFile),
		"CSE_PIV_CREDENTIALS":       filepath.Join(l.dir, serviceAccountFile),
		"CSE_PIV_ISSUER":            l.url + ".well-known/est",
		"CSE_PIV_ATTESTATION_ROOTS": filepath.Join(l.dir, attestationRootsFile),
		// What is practised is nothing for the places of what is real.
		"CSE_PIV_STORE":      filepath.Join(l.dir, ledgerFile),
		"CSE_PIV_EVIDENCE":   filepath.Join(l.dir, evidenceDir),
		"CSE_PIV_ESCROW_DIR": filepath.Join(l.dir, escrowDir),
		// The CA's lists and certificates are on this machine.
		"CSE_PIV_ALLOW_PRIVATE_ADDRESSES": "true",
		"LAB_CONTROL":                     l.ControlURL(),
		// What this machine has of its own, for --impersonate.
		"GOOGLE_APPLICATION_CREDENTIALS": filepath.Join(l.dir, workloadIdentityFile),
		"LAB_SERVICE_ACCOUNT":            l.gmail.ServiceAccount(),
	}
	if l.socket != "" {
		env["PCSCLITE_CSOCK_NAME"] = l.socket
	}
	if l.pcscOn != "" {
		env["LAB_PCSC"] = l.pcscOn
	}
	return env
}

// shellExports writes variables for a POSIX shell to read.
func shellExports(env map[string]string) []byte {
	var out bytes.Buffer
	for _, name := range slices.Sorted(maps.Keys(env)) {
		fmt.Fprintf(&out, "export %s='%s'\n", name, strings.ReplaceAll(env[name], "'", `'\''`))
	}
	return out.Bytes()
}

// commandSettings writes variables for cmd.exe to call. It reads the file in a code page of
// its own, so the folder that the file is in, which may have any letters, is named %~dp0.
func commandSettings(dir string, env map[string]string) []byte {
	var out bytes.Buffer
	for _, name := range slices.Sorted(maps.Keys(env)) {
		value, inside := strings.CutPrefix(env[name], dir+string(filepath.Separator))
		if value = strings.ReplaceAll(value, "%", "%%"); inside {
			value = "%~dp0" + value
		}
		fmt.Fprintf(&out, "@set \"%s=%s\"\r\n", name, value)
	}
	return out.Bytes()
}

// powerShellSettings writes variables for PowerShell to read. The byte order mark has
// Windows PowerShell take the file for UTF-8.
func powerShellSettings(env map[string]string) []byte {
	out := bytes.NewBufferString("\ufeff")
	for _, name := range slices.Sorted(maps.Keys(env)) {
		fmt.Fprintf(out, "$env:%s = '%s'\r\n", name, strings.ReplaceAll(env[name], "'", "''"))
	}
	return out.Bytes()
}

// readCertificates reads PEM files of one or more certificates.
func readCertificates(paths []string) ([]*x509.Certificate, error) {
	var certificates []*x509.Certificate
	for _, path := range paths {
		raw, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("read a trusted root: %w", err)
		}
		found, err := parseCertificates(raw)
		if err != nil {
			return nil, fmt.Errorf("read a trusted root from %s: %w", path, err)
		}
		certificates = append(certificates, found...)
	}
	return certificates, nil
}

// parseCertificates reads one or more certificates in PEM.
func parseCertificates(rest []byte) ([]*x509.Certificate, error) {
	var certificates []*x509.Certificate
	for {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, err
		}
		certificates = append(certificates, certificate)
	}
	if len(certificates) == 0 {
		return nil, errors.New("no certificate in PEM")
	}
	return certificates, nil
}

func trimSlash(url string) string { return strings.TrimSuffix(url, "/") }
