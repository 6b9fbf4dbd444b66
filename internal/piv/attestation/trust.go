package attestation

import (
	"bytes"
	"crypto/x509"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/durable"
	"github.com/cse-piv/cse-piv/internal/safetext"
)

// Trust is what an attestation is measured against.
type Trust struct {
	// Roots are believed as they are.
	Roots []*x509.Certificate
	// Intermediates are no more than material for a path to a root.
	Intermediates []*x509.Certificate
	// Now tells the time; nil means time.Now.
	Now func() time.Time
}

// published holds Yubico's roots and intermediates, as Yubico published them
// (https://developers.yubico.com/PKI/).
//
//go:embed roots/*.pem intermediates/*.pem
var published embed.FS

// yubico parses the embedded certificates once.
var yubico = sync.OnceValues(func() (Trust, error) {
	roots, err := readPublished("roots")
	if err != nil {
		return Trust{}, err
	}
	intermediates, err := readPublished("intermediates")
	if err != nil {
		return Trust{}, err
	}
	return Trust{Roots: roots, Intermediates: intermediates}, nil
})

// YubicoTrust returns Yubico's pinned roots (PIV Root CA Serial 263751, U2F Root
// CA Serial 457200631 and Attestation Root 1) with the intermediates known when
// this program was built.
func YubicoTrust() Trust {
	trust, err := yubico()
	if err != nil {
		// The files are part of the program and a test parses them: without them
		// nothing is trusted.
		return Trust{}
	}
	return Trust{Roots: slices.Clone(trust.Roots), Intermediates: slices.Clone(trust.Intermediates)}
}

// Foreign returns the subjects of the roots that are not Yubico's.
func (t Trust) Foreign() []string {
	var subjects []string
	for _, root := range t.Roots {
		if !isYubicoRoot(root) {
			subjects = append(subjects, safetext.Clean(root.Subject.String()))
		}
	}
	return subjects
}

// ErrNoRoot is returned by [LoadRoots] when the files hold no self-signed
// certificate.
var ErrNoRoot = errors.New("no root certificate found")

// LoadRoots reads trust from PEM files and directories of them (*.pem, *.crt,
// *.cer, *.txt, not deeper). Self-signed certificates become roots, all others
// intermediates. It replaces Yubico's trust, it does not add to it.
func LoadRoots(paths ...string) (Trust, error) {
	var trust Trust
	certs, err := LoadCertificates(paths...)
	if err != nil {
		return Trust{}, err
	}
	for _, cert := range certs {
		if bytes.Equal(cert.RawIssuer, cert.RawSubject) && checkSignature(cert, cert) == nil {
			trust.Roots = append(trust.Roots, cert)
		} else {
			trust.Intermediates = append(trust.Intermediates, cert)
		}
	}
	if len(trust.Roots) == 0 {
		return Trust{}, fmt.Errorf("%w in %s", ErrNoRoot, safetext.Clean(strings.Join(paths, ", ")))
	}
	return trust, nil
}

// LoadCertificates reads certificates from PEM files and directories of them, in
// order, doublets left out. A file without a certificate is an error.
func LoadCertificates(paths ...string) ([]*x509.Certificate, error) {
	var list []*x509.Certificate
	for _, name := range paths {
		certs, err := loadPath(name)
		if err != nil {
			return nil, err
		}
		for _, cert := range certs {
			if !slices.ContainsFunc(list, cert.Equal) {
				list = append(list, cert)
			}
		}
	}
	return list, nil
}

// loadPath reads one PEM file, or those of one directory.
func loadPath(path string) ([]*x509.Certificate, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("reading certificates: %w", err)
	}
	read := func(path string) ([]byte, error) { return durable.ReadFile(path, certificate.MaxFile) }
	if !info.IsDir() {
		return readPEM(path, read)
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, fmt.Errorf("reading certificates: %w", err)
	}
	return readFolder(path, entries, read)
}

// readPublished reads a folder of the published certificates.
func readPublished(folder string) ([]*x509.Certificate, error) {
	entries, err := published.ReadDir(folder)
	if err != nil {
		return nil, fmt.Errorf("reading certificates: %w", err)
	}
	return readFolder(folder, entries, published.ReadFile)
}

// readFolder reads the PEM files of one folder in the order of their names.
func readFolder(folder string, entries []fs.DirEntry, read func(string) ([]byte, error)) ([]*x509.Certificate, error) {
	var list []*x509.Certificate
	for _, entry := range entries {
		switch strings.ToLower(path.Ext(entry.Name())) {
		case ".pem", ".crt", ".cer", ".txt":
		default:
			continue
		}
		if entry.IsDir() {
			continue
		}
		certs, err := readPEM(path.Join(folder, entry.Name()), read)
		if err != nil {
			return nil, err
		}
		list = append(list, certs...)
	}
	return list, nil
}

func readPEM(name string, read func(string) ([]byte, error)) ([]*x509.Certificate, error) {
	data, err := read(name)
	if err != nil {
		return nil, fmt.Errorf("reading certificates: %w", err)
	}
	certs, err := certificate.Parse(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", safetext.Clean(name), err)
	}
	return certs, nil
}
