package option

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"

	"github.com/spf13/pflag"

	"github.com/cse-piv/cse-piv/internal/cli/setting"
	"github.com/cse-piv/cse-piv/internal/cli/usage"
	"github.com/cse-piv/cse-piv/internal/durable"
	"github.com/cse-piv/cse-piv/internal/secret"
)

// maxSecretFile is the most that is read of a file with one secret, in bytes.
const maxSecretFile = 4096

// Secret takes a secret from a file or an open file descriptor, and never
// from an argument, which every user of the machine can read. A nil one takes none.
type Secret struct {
	Name     string
	File     string
	fd       int
	warnings []string
}

// Warnings lists what is unwise about the file, after it was read.
func (s *Secret) Warnings() []string {
	if s == nil {
		return nil
	}
	return s.warnings
}

// AddSecret adds the flags --NAME-file and --NAME-fd; what says whose secret it is.
func AddSecret(flags *pflag.FlagSet, name, what string) *Secret {
	s := &Secret{Name: name}
	flags.StringVar(&s.File, name+"-file", "", "`file` whose first line is "+what)
	flags.IntVar(&s.fd, name+"-fd", -1, "open file `descriptor` to read "+what+" from")
	setting.Mark(flags, name+"-file")
	setting.MarkSecret(flags, name+"-file")
	return s
}

// given reports whether the flags say where the secret is.
func (s *Secret) given() bool { return s != nil && (s.File != "" || s.fd >= 0) }

// Read returns the secret, a zero one when none was given. A descriptor is waited
// for until the context ends.
func (s *Secret) Read(ctx context.Context) (secret.Secret, error) {
	switch {
	case s == nil:
		return secret.Secret{}, nil
	case s.File != "" && s.fd >= 0:
		return secret.Secret{}, usage.Errorf("--%s-file and --%s-fd say the same thing twice", s.Name, s.Name)
	case s.File != "":
		file, err := durable.Open(s.File)
		if err != nil {
			return secret.Secret{}, usage.Errorf("--%s-file: %w", s.Name, err)
		}
		defer file.Close()
		if info, err := file.Stat(); err == nil {
			if warning := durable.ReadWarning(s.File, info); warning != "" {
				s.warnings = []string{warning}
			}
		}
		return s.firstLine(file, "--"+s.Name+"-file")
	case s.fd >= 0:
		file := os.NewFile(uintptr(s.fd), fmt.Sprintf("descriptor %d", s.fd))
		if file == nil {
			return secret.Secret{}, usage.Errorf("--%s-fd: %d is not an open file", s.Name, s.fd)
		}
		defer file.Close()
		return s.firstLine(durable.Interruptible(ctx, file), "--"+s.Name+"-fd")
	}
	return secret.Secret{}, nil
}

func (s *Secret) firstLine(in io.Reader, flag string) (secret.Secret, error) {
	data, err := io.ReadAll(io.LimitReader(in, maxSecretFile))
	if err != nil {
		return secret.Secret{}, usage.Errorf("%s: %w", flag, err)
	}
	defer clear(data)
	line, _, _ := bytes.Cut(data, []byte("\n"))
	line = bytes.TrimSuffix(line, []byte("\r"))
	switch {
	case len(line) == 0:
		return secret.Secret{}, usage.Errorf("%s: the first line is empty", flag)
	case len(bytes.TrimSpace(line)) != len(line): // nobody would type them
		return secret.Secret{}, usage.Errorf("%s: the first line begins or ends with blanks", flag)
	}
	return secret.New(line), nil
}
