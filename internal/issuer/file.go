package issuer

import (
	"context"
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/cse-piv/cse-piv/internal/durable"
)

// maxFile bounds the files of an exchange; a chain has a few kB.
const maxFile = 4 << 20

// chainFile can hold the CA's certificates for all requests of a folder.
const chainFile = "chain.pem"

// certificateSuffixes are looked for in this order; the first is what a waiting
// error asks for.
var certificateSuffixes = [...]string{".pem", ".crt", ".cer", ".p7b", ".p7pem", ".der"}

type fileIssuer struct{ dir string }

// NewFile exchanges files with whoever signs: it writes DIR/EMAIL.SLOT.csr (PEM)
// and DIR/EMAIL.SLOT.attestation.pem, and takes the certificate from
// DIR/EMAIL.SLOT.pem (or .crt, .cer, .p7b, .p7pem, .der), with chain parts from
// the same file or DIR/chain.pem. Until it is there, Issue returns a
// *WaitingError; a file of another key is never overwritten.
func NewFile(dir string) (Issuer, error) {
	if dir == "" {
		return nil, errors.New("file issuer: no folder given")
	}
	if info, err := os.Stat(dir); err == nil && !info.IsDir() {
		return nil, fmt.Errorf("file issuer: %s is not a folder", dir)
	}
	return &fileIssuer{dir}, nil
}

func (f *fileIssuer) Name() string { return "file" }

func (f *fileIssuer) Issue(ctx context.Context, request Request) ([]*x509.Certificate, error) {
	csr, err := request.check()
	if err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	stem := fileName(request.Email) + "." + strings.ToLower(request.Slot)
	certs, err := f.find(stem, csr.PublicKey)
	if err != nil || certs != nil {
		return certs, err
	}
	if err := f.ask(stem, csr, request.Attestation); err != nil {
		return nil, err
	}
	return nil, &WaitingError{Dir: f.dir, Request: stem + ".csr", Expected: stem + certificateSuffixes[0]}
}

// fileName makes an address a file name on every system: whatever is not plainly
// safe is percent-encoded.
func fileName(email string) string {
	var b strings.Builder
	for i := range len(email) {
		c := email[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9',
			strings.IndexByte("@_+=-", c) >= 0, c == '.' && i > 0:
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

// find returns the certificate with that key and its chain, or nil when no
// certificate is there yet.
func (f *fileIssuer) find(stem string, key crypto.PublicKey) ([]*x509.Certificate, error) {
	var other []string
	for _, suffix := range certificateSuffixes {
		path := filepath.Join(f.dir, stem+suffix)
		data, err := readFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("certificate file: %w", err)
		}
		found, err := parseCertificates(data)
		if err != nil {
			return nil, fmt.Errorf("certificate file %s: %w", path, err)
		}
		certs, err := leafFirst(found, key)
		if err != nil {
			other = append(other, path)
			continue
		}
		chain, err := f.chain()
		if err != nil {
			return nil, err
		}
		return leafFirst(append(certs, chain...), key)
	}
	if len(other) > 0 {
		return nil, &hinted{
			fmt.Errorf("%s: %w than the request's", strings.Join(other, ", "), ErrOtherKey),
			fmt.Sprintf("if it is of an earlier key, move it away; the certificate wanted is the one for %s.csr", stem),
		}
	}
	return nil, nil
}

func (f *fileIssuer) chain() ([]*x509.Certificate, error) {
	path := filepath.Join(f.dir, chainFile)
	data, err := readFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("chain file: %w", err)
	}
	certs, err := parseCertificates(data)
	if err != nil {
		return nil, fmt.Errorf("chain file %s: %w", path, err)
	}
	return certs, nil
}

// ask writes the request, the attestation first: whoever sees the request finds
// its proof beside it.
func (f *fileIssuer) ask(stem string, csr *x509.CertificateRequest, attestation []*x509.Certificate) error {
	if err := os.MkdirAll(f.dir, 0o755); err != nil {
		return fmt.Errorf("folder for requests: %w", err)
	}
	requestPath := filepath.Join(f.dir, stem+".csr")
	proofPath := filepath.Join(f.dir, stem+".attestation.pem")
	there, err := sameKeyInFile(requestPath, csr.PublicKey)
	if err != nil {
		return err
	}
	if len(attestation) > 0 {
		if _, err := sameKeyInFile(proofPath, csr.PublicKey); err != nil {
			return err
		}
		ders := make([][]byte, len(attestation))
		for i, c := range attestation {
			ders[i] = c.Raw
		}
		if err := durable.WriteFile(proofPath, encodePEM("CERTIFICATE", ders...), 0o644); err != nil {
			return fmt.Errorf("write the attestation: %w", err)
		}
	}
	if there {
		// Signed anew it would differ in its signature only, and it may be on its
		// way already.
		return nil
	}
	if err := durable.WriteFile(requestPath, encodePEM("CERTIFICATE REQUEST", csr.Raw), 0o644); err != nil {
		return fmt.Errorf("write the request: %w", err)
	}
	return nil
}

// sameKeyInFile reports whether the request or attestation at path is for that
// key. One for another key, or one that cannot be read, is an error: it is
// somebody's, and not ours to replace.
func sameKeyInFile(path string, key crypto.PublicKey) (bool, error) {
	data, err := readFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if found, err := firstKey(data); err == nil && sameKey(found, key) {
		return true, nil
	}
	return false, &hinted{
		fmt.Errorf("%s: %w", path, ErrOtherRequest),
		"move it away if it is no longer needed, then run the same command again",
	}
}

func firstKey(data []byte) (crypto.PublicKey, error) {
	block, _ := pem.Decode(data)
	if block == nil {
		return nil, errors.New("not PEM")
	}
	var key crypto.PublicKey
	switch block.Type {
	case "CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST":
		csr, err := x509.ParseCertificateRequest(block.Bytes)
		if err != nil {
			return nil, err
		}
		key = csr.PublicKey
	case "CERTIFICATE":
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, err
		}
		key = cert.PublicKey
	default:
		return nil, fmt.Errorf("%s is neither a request nor a certificate", block.Type)
	}
	if key == nil {
		return nil, errors.New("unknown type of key")
	}
	return key, nil
}

func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxFile {
		return nil, fmt.Errorf("%s is too large", path)
	}
	return data, nil
}
