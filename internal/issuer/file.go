package issuer

import (
	"bytes"
	"context"
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/durable"
)

// The names of what is written begin with the address and the slot.
const (
	requestSuffix = ".csr"
	proofSuffix   = ".attestation.pem"
)

// certificateSuffixes are looked for in this order; the first is what a waiting
// error asks for.
var certificateSuffixes = [...]string{".pem", ".crt", ".cer", ".p7b", ".p7pem", ".der", ".p7c"}

type fileIssuer struct {
	dir      string
	folder   durable.Folder
	warnings []string
	keys     keyIndex
	now      func() time.Time
}

// NewFile exchanges files with whoever signs: it writes DIR/EMAIL.SLOT.csr (PEM)
// and DIR/EMAIL.SLOT.attestation.pem, and takes the certificate from
// DIR/EMAIL.SLOT.pem (or .crt, .cer, .p7b, .p7pem, .der, .p7c) or, by its key, from a
// file with any other name that ends so; with chain parts from the same file or
// DIR/chain.pem. Of several certificates for the key the newest one that is valid
// counts, and none that the new one takes the place of. Until it is there, Issue returns a *WaitingError. Where those names are
// taken by another key, as after a renewal, the request is written beside it as
// DIR/EMAIL.SLOT.KEY.csr, where KEY begins the SHA-256 of its public key; a file of
// another key is never overwritten. No link in the folder is followed.
func NewFile(dir string) (Issuer, error) {
	if dir == "" {
		return nil, errors.New("file issuer: no folder given")
	}
	f := &fileIssuer{dir: dir, folder: durable.Folder(dir), now: time.Now}
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
	exchange, certs, err := f.find(request, csr.PublicKey)
	if err != nil || certs != nil {
		return certs, err
	}
	if err := f.ask(exchange, csr, request); err != nil {
		return nil, err
	}
	return nil, f.waiting(exchange)
}

// Preview looks whether the certificate is there.
func (f *fileIssuer) Preview(request Request, public crypto.PublicKey) error {
	exchange, certs, err := f.find(request, public)
	if err != nil || certs != nil {
		return err
	}
	return f.waiting(exchange)
}

func (f *fileIssuer) waiting(exchange exchange) error {
	return &WaitingError{Dir: f.dir, Request: exchange.request, Expected: exchange.stem + certificateSuffixes[0], Found: exchange.found}
}

func fileStem(email, slot string) string {
	return durable.FileName(email) + "." + strings.ToLower(slot)
}

// ask writes the request, the attestation first: whoever sees the request finds
// its proof beside it.
func (f *fileIssuer) ask(exchange exchange, csr *x509.CertificateRequest, request Request) error {
	if err := durable.MakeFolder(f.dir, 0o755); err != nil {
		return fmt.Errorf("folder for requests: %w", err)
	}
	if len(request.Attestation) > 0 {
		if err := f.folder.WriteFile(exchange.proof, certificate.EncodePEM(request.Attestation...), 0o644); err != nil {
			return fmt.Errorf("write the attestation: %w", err)
		}
	}
	pem := certificate.EncodeRequestPEM(csr.Raw)
	if exchange.asked {
		// Signed anew it would differ in its signature only, and it may be on its
		// way already; the one that a key's first certificate was asked for with is not.
		there, err := f.folder.ReadFile(exchange.request, certificate.MaxFile)
		if err != nil || request.Renews == nil || !certificate.SameKey(request.Renews.PublicKey, csr.PublicKey) || bytes.Equal(there, pem) {
			return err
		}
	}
	if err := f.folder.WriteFile(exchange.request, pem, 0o644); err != nil {
		return fmt.Errorf("write the request: %w", err)
	}
	return nil
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
