package option

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/cli/stdio"
	"github.com/cse-piv/cse-piv/internal/cli/usage"
	"github.com/cse-piv/cse-piv/internal/durable"
	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/prompt"
	"github.com/cse-piv/cse-piv/internal/secret"
)

// standardInput is what - among the files stands for.
const standardInput = "-"

const (
	// maxCertificateFiles bounds the files that are read, in folders as well.
	maxCertificateFiles = 10_000
	// maxCertificatesGiven bounds the certificates in all of them.
	maxCertificatesGiven = 20_000
)

// certificatePaths returns the files among the paths, standard input as it is, and those of the folders among them;
// of a path with neither it says why. Its error is about all of them together: where none can be found, it is the first
// one's.
func certificatePaths(paths []string) ([]CertificateFile, error) {
	var files []CertificateFile
	wrong := 0
	for _, path := range paths {
		found, err := filesAt(path)
		if err != nil {
			files = append(files, CertificateFile{Path: path, Err: usage.Errorf("%w", err)})
			wrong++
		}
		for _, file := range found {
			files = append(files, CertificateFile{Path: file})
		}
		if len(files) > maxCertificateFiles {
			return nil, usage.Errorf("there are more than %d files of certificates", maxCertificateFiles)
		}
	}
	if wrong > 0 && wrong == len(files) {
		return nil, files[0].Err
	}
	return files, nil
}

// filesAt returns a file, or those in a folder that have the name of a file of certificates, in the order of their
// names.
func filesAt(path string) ([]string, error) {
	if path == standardInput {
		return []string{path}, nil
	}
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, err
	case !info.IsDir():
		return []string{path}, nil
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, err
	}
	var files []string
	for _, entry := range entries {
		if !entry.IsDir() && namesCertificates(entry.Name()) {
			files = append(files, filepath.Join(path, entry.Name()))
		}
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("%s: no file in this folder is named like one of certificates (%s)", path, strings.Join(certificateEndings(), " "))
	}
	return files, nil
}

func certificateEndings() []string {
	return []string{".pem", ".crt", ".cer", ".cert", ".der", ".p7b", ".p7c", ".p7pem", ".p7s", ".spc", ".pkipath", ".sst", ".p12", ".pfx", ".ldif", ".vcf"}
}

func namesCertificates(file string) bool {
	return slices.Contains(certificateEndings(), strings.ToLower(filepath.Ext(file)))
}

// ReadCertificates reads all certificates of files and of the files in folders.
func ReadCertificates(paths []string) ([]*x509.Certificate, error) {
	files, err := certificatePaths(paths)
	if err != nil {
		return nil, err
	}
	var all []*x509.Certificate
	for _, file := range files {
		if file.Err != nil {
			return nil, file.Err
		}
		data, err := durable.ReadFile(file.Path, certificate.MaxFile)
		if err != nil {
			return nil, usage.Errorf("%w", err)
		}
		certificates, err := parseFile(file.Path, data, secret.Secret{})
		if err != nil {
			return nil, usage.Errorf("%w", err)
		}
		if all = append(all, certificates...); len(all) > maxCertificatesGiven {
			return nil, usage.Errorf("there are more than %d certificates", maxCertificatesGiven)
		}
	}
	return all, nil
}

// CertificateFiles reads files whose contents are a matter of each, and asks for the
// passwords of those in PKCS#12.
type CertificateFiles struct {
	flag     *Secret
	password *secret.Secret // once it was read
	streams  *stdio.Streams
}

// Add adds the flags of the password of PKCS#12 files.
func (f *CertificateFiles) Add(flags *pflag.FlagSet, streams *stdio.Streams) {
	f.streams, f.flag = streams, AddPKCS12Password(flags)
}

// AddPKCS12Password adds the flags of the password of PKCS#12 files.
func AddPKCS12Password(flags *pflag.FlagSet) *Secret {
	return AddSecret(flags, "password", "the password of PKCS#12 files")
}

// ReadPassword reads what the flags say, once.
func (f *CertificateFiles) ReadPassword(ctx context.Context) (secret.Secret, error) {
	if f.password == nil {
		password, err := f.flag.Read(ctx)
		if err != nil {
			return password, err
		}
		for _, warning := range f.flag.Warnings() {
			stdio.Note(f.streams.Err, warning)
		}
		f.password = &password
	}
	return *f.password, nil
}

// CertificateFile is one file with what it holds, or why it cannot be read.
type CertificateFile struct {
	Path         string
	Certificates []*x509.Certificate
	Err          error
}

// Read reads every file, of which - is standard input; its error is about the password and
// all files together, not about what each holds, nor whether it is there.
func (f *CertificateFiles) Read(ctx context.Context, paths []string) ([]CertificateFile, error) {
	password, err := f.ReadPassword(ctx)
	if err != nil {
		return nil, err
	}
	named, err := certificatePaths(paths)
	if err != nil {
		return nil, err
	}
	var files []CertificateFile
	total := 0
	for _, file := range named {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if file.Err != nil {
			files = append(files, file)
			continue
		}
		path := file.Path
		data, problem := f.data(ctx, path)
		if path == standardInput {
			path = "standard input"
		}
		if file.Path, file.Err = path, problem; problem == nil {
			file.Certificates, file.Err = parseFile(path, data, password)
		}
		if errors.Is(file.Err, certificate.ErrPassword) && password.IsZero() && f.streams.Terminal {
			if file.Certificates, file.Err, err = askPassword(ctx, path, data); err != nil {
				return nil, err
			}
		}
		if file.Err == nil && certificate.IsPKCS12(data) {
			stdio.Note(f.streams.Err, path+": only the certificates of the PKCS#12 are read; the private key is neither decrypted nor kept")
		}
		if total += len(file.Certificates); total > maxCertificatesGiven {
			return nil, usage.Errorf("there are more than %d certificates", maxCertificatesGiven)
		}
		files = append(files, file)
	}
	return files, nil
}

// data reads a file, or standard input.
func (f *CertificateFiles) data(ctx context.Context, path string) ([]byte, error) {
	if path != standardInput {
		return durable.ReadFile(path, certificate.MaxFile)
	}
	data, err := io.ReadAll(io.LimitReader(durable.Interruptible(ctx, f.streams.In), certificate.MaxFile+1))
	if err != nil {
		return nil, fmt.Errorf("standard input: %w", err)
	}
	return data, nil
}

func parseFile(path string, data []byte, password secret.Secret) ([]*x509.Certificate, error) {
	certificates, err := certificate.ParseWithPassword(data, password)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return certificates, nil
}

// askPassword asks a person for the password of a file until one opens it. The first
// error is about the file, the second about the asking.
func askPassword(ctx context.Context, path string, data []byte) (certificates []*x509.Certificate, problem, err error) {
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
		certificates, problem = parseFile(path, data, password)
		if !errors.Is(problem, certificate.ErrPassword) {
			return certificates, problem, nil
		}
		question.Problem = "this password does not open the file"
	}
}
