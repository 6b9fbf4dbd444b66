package cli

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/durable"
	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/prompt"
	"github.com/cse-piv/cse-piv/internal/secret"
)

const (
	// maxCertificateFiles bounds the files that are read, in folders as well.
	maxCertificateFiles = 10_000
	// maxCertificatesGiven bounds the certificates in all of them.
	maxCertificatesGiven = 20_000
)

// certificatePaths returns the files among the paths, and those of the folders among them
// that have the name of a file of certificates, in the order of their names.
func certificatePaths(paths []string) ([]string, error) {
	var files []string
	for _, path := range paths {
		info, err := os.Stat(path)
		switch {
		case err != nil:
			return nil, usageErrorf("%w", err)
		case !info.IsDir():
			files = append(files, path)
			continue
		}
		entries, err := os.ReadDir(path)
		if err != nil {
			return nil, usageErrorf("%w", err)
		}
		before := len(files)
		for _, entry := range entries {
			if !entry.IsDir() && namesCertificates(entry.Name()) {
				files = append(files, filepath.Join(path, entry.Name()))
			}
		}
		if len(files) == before {
			return nil, usageErrorf("%s: no file in this folder is named like one of certificates (%s)", path, strings.Join(certificateEndings(), " "))
		}
	}
	if len(files) > maxCertificateFiles {
		return nil, usageErrorf("there are more than %d files of certificates", maxCertificateFiles)
	}
	return files, nil
}

func certificateEndings() []string {
	return []string{".pem", ".crt", ".cer", ".der", ".p7b", ".p7c", ".p7pem", ".p12", ".pfx", ".ldif", ".vcf"}
}

func namesCertificates(file string) bool {
	return slices.Contains(certificateEndings(), strings.ToLower(filepath.Ext(file)))
}

// readCertificates reads all certificates of files and of the files in folders.
func readCertificates(paths []string) ([]*x509.Certificate, error) {
	files, err := certificatePaths(paths)
	if err != nil {
		return nil, err
	}
	var all []*x509.Certificate
	for _, file := range files {
		certificates, err := readCertificateFile(file, secret.Secret{})
		if err != nil {
			return nil, usageErrorf("%w", err)
		}
		if all = append(all, certificates...); len(all) > maxCertificatesGiven {
			return nil, usageErrorf("there are more than %d certificates", maxCertificatesGiven)
		}
	}
	return all, nil
}

// readCertificateFile reads the certificates of one file.
func readCertificateFile(file string, password secret.Secret) ([]*x509.Certificate, error) {
	data, err := durable.ReadFile(file, certificate.MaxFile)
	if err != nil {
		return nil, err
	}
	certificates, err := certificate.ParseWithPassword(data, password)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return certificates, nil
}

// certificateFiles reads files whose contents are a matter of each, and asks for the
// passwords of those in PKCS#12.
type certificateFiles struct {
	password *secretFlag
	streams  *Streams
}

func (f *certificateFiles) add(flags *pflag.FlagSet, streams *Streams) {
	f.streams, f.password = streams, addSecretFlag(flags, "password", "the password of PKCS#12 files")
}

// certificateFile is one file with what it holds, or why it cannot be read.
type certificateFile struct {
	path         string
	certificates []*x509.Certificate
	err          error
}

// read reads every file; its error is about the paths and the password, not about what
// the files hold.
func (f *certificateFiles) read(ctx context.Context, paths []string) ([]certificateFile, error) {
	password, err := f.password.read(ctx)
	if err != nil {
		return nil, err
	}
	for _, warning := range f.password.Warnings() {
		printNote(f.streams.Err, warning)
	}
	names, err := certificatePaths(paths)
	if err != nil {
		return nil, err
	}
	var files []certificateFile
	total := 0
	for _, path := range names {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		file := certificateFile{path: path}
		file.certificates, file.err = readCertificateFile(path, password)
		if errors.Is(file.err, certificate.ErrPassword) && password.IsZero() && f.streams.Terminal {
			if file.certificates, file.err, err = askPassword(ctx, path); err != nil {
				return nil, err
			}
		}
		if total += len(file.certificates); total > maxCertificatesGiven {
			return nil, usageErrorf("there are more than %d certificates", maxCertificatesGiven)
		}
		files = append(files, file)
	}
	return files, nil
}

// askPassword asks a person for the password of a file until one opens it. The first
// error is about the file, the second about the asking.
func askPassword(ctx context.Context, path string) (certificates []*x509.Certificate, problem, err error) {
	terminal, err := prompt.Open()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, certificate.ErrPassword), nil
	}
	defer terminal.Close()
	question := enroll.SecretQuestion{Question: enroll.Question{Text: "Password of " + path}}
	for {
		password, err := terminal.Secret(ctx, question)
		if err != nil {
			return nil, nil, err
		}
		certificates, problem = readCertificateFile(path, password)
		if !errors.Is(problem, certificate.ErrPassword) {
			return certificates, problem, nil
		}
		question.Problem = "this password does not open the file"
	}
}
