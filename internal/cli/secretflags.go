package cli

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"

	"github.com/spf13/pflag"

	"github.com/cse-piv/cse-piv/internal/durable"
	"github.com/cse-piv/cse-piv/internal/secret"
)

// maxSecretFile is the most that is read of a file with one secret, in bytes.
const maxSecretFile = 4096

// secretFlag takes a secret from a file or an open file descriptor, and never
// from an argument, which every user of the machine can read.
type secretFlag struct {
	name     string
	file     string
	fd       int
	warnings []string
}

// Warnings lists what is unwise about the file, after it was read.
func (s *secretFlag) Warnings() []string { return s.warnings }

func addSecretFlag(flags *pflag.FlagSet, name, what string) *secretFlag {
	s := &secretFlag{name: name}
	flags.StringVar(&s.file, name+"-file", "", "`file` whose first line is "+what)
	flags.IntVar(&s.fd, name+"-fd", -1, "open file `descriptor` to read "+what+" from")
	environmentFlag(flags, name+"-file")
	return s
}

// given reports whether the flags say where the secret is.
func (s *secretFlag) given() bool { return s.file != "" || s.fd >= 0 }

// read returns the secret, a zero one when none was given. A descriptor is waited
// for until the context ends.
func (s *secretFlag) read(ctx context.Context) (secret.Secret, error) {
	switch {
	case s.file != "" && s.fd >= 0:
		return secret.Secret{}, usageErrorf("--%s-file and --%s-fd say the same thing twice", s.name, s.name)
	case s.file != "":
		file, err := durable.Open(s.file)
		if err != nil {
			return secret.Secret{}, usageErrorf("--%s-file: %w", s.name, err)
		}
		defer file.Close()
		if info, err := file.Stat(); err == nil {
			if warning := durable.ReadWarning(s.file, info); warning != "" {
				s.warnings = []string{warning}
			}
		}
		return s.firstLine(file, "--"+s.name+"-file")
	case s.fd >= 0:
		file := os.NewFile(uintptr(s.fd), fmt.Sprintf("descriptor %d", s.fd))
		if file == nil {
			return secret.Secret{}, usageErrorf("--%s-fd: %d is not an open file", s.name, s.fd)
		}
		defer file.Close()
		return s.firstLine(durable.Interruptible(ctx, file), "--"+s.name+"-fd")
	}
	return secret.Secret{}, nil
}

func (s *secretFlag) firstLine(in io.Reader, flag string) (secret.Secret, error) {
	data, err := io.ReadAll(io.LimitReader(in, maxSecretFile))
	if err != nil {
		return secret.Secret{}, usageErrorf("%s: %w", flag, err)
	}
	defer clear(data)
	line, _, _ := bytes.Cut(data, []byte("\n"))
	line = bytes.TrimSuffix(line, []byte("\r"))
	switch {
	case len(line) == 0:
		return secret.Secret{}, usageErrorf("%s: the first line is empty", flag)
	case len(bytes.TrimSpace(line)) != len(line): // nobody would type them
		return secret.Secret{}, usageErrorf("%s: the first line begins or ends with blanks", flag)
	}
	return secret.New(line), nil
}
