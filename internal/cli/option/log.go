package option

import (
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"path/filepath"
	"strconv"

	"github.com/spf13/pflag"

	"github.com/cse-piv/cse-piv/internal/cli/setting"
	"github.com/cse-piv/cse-piv/internal/cli/usage"
	"github.com/cse-piv/cse-piv/internal/durable"
)

// Log is the flags that say where a run is logged, and how closely.
type Log struct {
	to    string
	level string
}

// The values of --log that are no file.
const (
	logToJournal = "journal"
	logToStderr  = "stderr"
)

// journalSocket is where systemd-journald listens (systemd, "Native Journal Protocol").
const journalSocket = "/run/systemd/journal/socket"

// Add adds the flags.
func (l *Log) Add(flags *pflag.FlagSet) {
	flags.StringVar(&l.to, "log", "", "`file` to append a log in JSON lines to; "+logToJournal+" is systemd's, "+logToStderr+" standard error")
	l.level = "info"
	flags.Var(&choice{&l.level, []string{"debug", "info", "warn", "error"}}, "log-level", "`level` of what is logged: debug (each card command and each call, without what is secret), info, warn, error")
	setting.Mark(flags, "log", "log-level")
}

// Open opens the log, nil where none is asked for. Its end is to be called when the run
// is over. messages is where stderr is.
func (l *Log) Open(messages io.Writer) (log *slog.Logger, end func() error, err error) {
	if l.to == "" {
		return nil, func() error { return nil }, nil
	}
	var to io.WriteCloser
	switch l.to {
	case logToStderr:
		to = unclosed{messages}
	case logToJournal:
		to, err = openJournal(journalSocket)
	default:
		folder, name := filepath.Split(l.to)
		to, err = durable.Folder(filepath.Clean(folder)).OpenAppend(name, 0o600)
	}
	if err != nil {
		return nil, nil, usage.Errorf("--log: %w", err)
	}
	return slog.New(slog.NewJSONHandler(to, &slog.HandlerOptions{Level: l.threshold()})), to.Close, nil
}

// ToStderr reports whether the log goes to standard error, among what people are told.
func (l *Log) ToStderr() bool { return l.to == logToStderr }

func (l *Log) threshold() slog.Level {
	var level slog.Level
	_ = level.UnmarshalText([]byte(l.level)) // one of those that the flag takes
	return level
}

// unclosed is a stream that others go on to write to.
type unclosed struct{ io.Writer }

// Close does nothing.
func (unclosed) Close() error { return nil }

// journal sends lines of JSON to systemd's journal, each a message with the priority of
// its level.
type journal struct{ net.Conn }

func openJournal(socket string) (*journal, error) {
	connection, err := net.Dial("unixgram", socket)
	if err != nil {
		return nil, err
	}
	return &journal{connection}, nil
}

// Write sends one line, which has no line break but its last octet.
func (j *journal) Write(line []byte) (int, error) {
	var record struct{ Level slog.Level }
	if err := json.Unmarshal(line, &record); err != nil {
		return 0, err
	}
	priority := 7 // syslog(3): debug
	switch {
	case record.Level >= slog.LevelError:
		priority = 3
	case record.Level >= slog.LevelWarn:
		priority = 4
	case record.Level >= slog.LevelInfo:
		priority = 6
	}
	datagram := append([]byte("SYSLOG_IDENTIFIER=cse-piv\nPRIORITY="+strconv.Itoa(priority)+"\nMESSAGE="), line...)
	if _, err := j.Conn.Write(datagram); err != nil {
		return 0, err
	}
	return len(line), nil
}
