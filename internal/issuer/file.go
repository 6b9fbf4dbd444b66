package issuer

import (
	"context"
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/durable"
)

// chainFile can hold the CA's certificates for all requests of a folder.
const chainFile = "chain.pem"

// The names of what is written begin with the address and the slot.
const (
	requestSuffix = ".csr"
	proofSuffix   = ".attestation.pem"
)

// certificateSuffixes are looked for in this order; the first is what a waiting
// error asks for.
var certificateSuffixes = [...]string{".pem", ".crt", ".cer", ".p7b", ".p7pem", ".der"}

type fileIssuer struct {
	dir      string
	folder   durable.Folder
	warnings []string
}

// NewFile exchanges files with whoever signs: it writes DIR/EMAIL.SLOT.csr (PEM)
// and DIR/EMAIL.SLOT.attestation.pem, and takes the certificate from
// DIR/EMAIL.SLOT.pem (or .crt, .cer, .p7b, .p7pem, .der), with chain parts from
// the same file or DIR/chain.pem. Until it is there, Issue returns a
// *WaitingError; a file of another key is never overwritten. No link in the folder
// is followed.
func NewFile(dir string) (Issuer, error) {
	if dir == "" {
		return nil, errors.New("file issuer: no folder given")
	}
	f := &fileIssuer{dir: dir, folder: durable.Folder(dir)}
	if info, err := os.Stat(dir); err == nil {
		if !info.IsDir() {
			return nil, fmt.Errorf("file issuer: %s is not a folder", dir)
		}
		if err := f.folder.Sweep(".", nil); err != nil {
			return nil, fmt.Errorf("file issuer: %w", err)
		}
	}
	if warning, _ := durable.WriteWarning(dir); warning != "" {
		f.warnings = append(f.warnings, "the folder of requests "+warning)
	}
	return f, nil
}

// Warnings lists what is unwise about the folder.
func (f *fileIssuer) Warnings() []string { return append([]string(nil), f.warnings...) }

func (f *fileIssuer) Name() string {
	if dir, err := filepath.Abs(f.dir); err == nil {
		return "file " + dir
	}
	return "file " + f.dir
}

func (f *fileIssuer) Issue(ctx context.Context, request Request) ([]*x509.Certificate, error) {
	csr, err := request.check()
	if err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	stem := fileStem(request.Email, request.Slot)
	certs, err := f.find(stem, csr.PublicKey)
	if err != nil || certs != nil {
		return certs, err
	}
	asked, err := f.ask(stem, csr, request.Attestation)
	if err != nil {
		return nil, err
	}
	return nil, &WaitingError{Dir: f.dir, Request: asked, Expected: stem + certificateSuffixes[0]}
}

// Preview looks whether the certificate is there.
func (f *fileIssuer) Preview(email, slot string, public crypto.PublicKey) error {
	stem := fileStem(email, slot)
	if certs, err := f.find(stem, public); err != nil || certs != nil {
		return err
	}
	names, err := f.names(stem)
	if err != nil {
		return err
	}
	asked, _, err := f.sameKeyIn(names, stem+requestSuffix, public)
	if err != nil {
		return err
	}
	if _, _, err := f.sameKeyIn(names, stem+proofSuffix, public); err != nil {
		return err
	}
	return &WaitingError{Dir: f.dir, Request: asked, Expected: stem + certificateSuffixes[0]}
}

func fileStem(email, slot string) string {
	return durable.FileName(email) + "." + strings.ToLower(slot)
}

// names lists the files of that stem in the folder, by their names in lower case:
// an address is the same in any, and so are names on some systems.
func (f *fileIssuer) names(stem string) (map[string]string, error) {
	entries, err := f.folder.Entries(".")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("folder of requests: %w", err)
	}
	names := map[string]string{}
	for _, entry := range entries {
		name := entry.Name()
		lower := strings.ToLower(name)
		if _, taken := names[lower]; strings.HasPrefix(lower, strings.ToLower(stem)) && (!taken || strings.HasPrefix(name, stem)) {
			names[lower] = name
		}
	}
	return names, nil
}

// find returns the certificate with that key and its chain, or nil when no
// certificate is there yet.
func (f *fileIssuer) find(stem string, key crypto.PublicKey) ([]*x509.Certificate, error) {
	names, err := f.names(stem)
	if err != nil {
		return nil, err
	}
	var other []string
	for _, suffix := range certificateSuffixes {
		name, ok := names[strings.ToLower(stem+suffix)]
		if !ok {
			continue
		}
		path := f.folder.Path(name)
		data, err := f.folder.ReadFile(name, certificate.MaxFile)
		if err != nil {
			return nil, fmt.Errorf("certificate file: %w", err)
		}
		found, err := certificate.Parse(data)
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
		return nil, &OtherKeyError{Files: other, Request: stem + requestSuffix}
	}
	return nil, nil
}

// OtherKeyError is a folder of requests whose certificates are for other keys than
// the request's; it matches [ErrOtherKey].
type OtherKeyError struct {
	Files   []string // the certificates
	Request string   // the name of the request's file
}

// Error names the certificates.
func (e *OtherKeyError) Error() string {
	return fmt.Sprintf("%s: %v than the request's", strings.Join(e.Files, ", "), ErrOtherKey)
}

// Unwrap returns [ErrOtherKey].
func (e *OtherKeyError) Unwrap() error { return ErrOtherKey }

func (f *fileIssuer) chain() ([]*x509.Certificate, error) {
	path := f.folder.Path(chainFile)
	data, err := f.folder.ReadFile(chainFile, certificate.MaxFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("chain file: %w", err)
	}
	certs, err := certificate.Parse(data)
	if err != nil {
		return nil, fmt.Errorf("chain file %s: %w", path, err)
	}
	return certs, nil
}

// ask writes the request, the attestation first: whoever sees the request finds
// its proof beside it. It returns the request's name.
func (f *fileIssuer) ask(stem string, csr *x509.CertificateRequest, attestation []*x509.Certificate) (string, error) {
	if err := durable.MakeFolder(f.dir, 0o755); err != nil {
		return "", fmt.Errorf("folder for requests: %w", err)
	}
	names, err := f.names(stem)
	if err != nil {
		return "", err
	}
	requestFile, there, err := f.sameKeyIn(names, stem+requestSuffix, csr.PublicKey)
	if err != nil {
		return "", err
	}
	if len(attestation) > 0 {
		proofFile, _, err := f.sameKeyIn(names, stem+proofSuffix, csr.PublicKey)
		if err != nil {
			return "", err
		}
		if err := f.folder.WriteFile(proofFile, certificate.EncodePEM(attestation...), 0o644); err != nil {
			return "", fmt.Errorf("write the attestation: %w", err)
		}
	}
	if there {
		// Signed anew it would differ in its signature only, and it may be on its
		// way already.
		return requestFile, nil
	}
	if err := f.folder.WriteFile(requestFile, certificate.EncodeRequestPEM(csr.Raw), 0o644); err != nil {
		return "", fmt.Errorf("write the request: %w", err)
	}
	return requestFile, nil
}

// sameKeyIn reports whether the request or attestation in a file is for that key,
// and returns the name that the file has. One for another key, or one that cannot
// be read, is an error: it is somebody's, and not ours to replace.
func (f *fileIssuer) sameKeyIn(names map[string]string, wanted string, key crypto.PublicKey) (name string, there bool, err error) {
	name, there = names[strings.ToLower(wanted)]
	if !there {
		return wanted, false, nil
	}
	data, err := f.folder.ReadFile(name, certificate.MaxFile)
	if err != nil {
		return name, false, err
	}
	if found, err := firstKey(data); err == nil && certificate.SameKey(found, key) {
		return name, true, nil
	}
	return name, false, fmt.Errorf("%s: %w", f.folder.Path(name), ErrOtherRequest)
}

// firstKey returns the key of a request, or of the first certificate.
func firstKey(data []byte) (crypto.PublicKey, error) {
	request, err := certificate.ParseRequest(data)
	if err == nil && request.PublicKey != nil {
		return request.PublicKey, nil
	}
	certs, certErr := certificate.Parse(data)
	if certErr != nil {
		return nil, errors.Join(err, certErr)
	}
	if certs[0].PublicKey == nil {
		return nil, errors.New("unknown type of key")
	}
	return certs[0].PublicKey, nil
}
