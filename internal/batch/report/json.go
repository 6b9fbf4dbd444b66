package report

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"iter"

	"github.com/cse-piv/cse-piv/internal/ledger"
	"github.com/cse-piv/cse-piv/internal/safetext"
)

// writeJSON writes one object {"run", "counts", "groups", "superfluous_users",
// "warnings", "expiring_users", "first_end", "users"}, a user a line.
func writeJSON(ctx context.Context, out io.Writer, reader Reader, run ledger.Run) error {
	counts, groups, err := summary(ctx, reader, run)
	if err != nil {
		return err
	}
	superfluous, _, err := reader.Superfluous(ctx, run.ID)
	if err != nil {
		return err
	}
	sums, err := Summarise(ctx, reader, run)
	if err != nil {
		return err
	}
	stream := &jsonStream{out: out}
	stream.text("{\n\"run\": ")
	stream.value(run)
	stream.text(",\n\"counts\": ")
	stream.value(counts)
	stream.text(",\n\"groups\": ")
	stream.value(groups)
	stream.text(",\n\"superfluous_users\": ")
	stream.value(superfluous)
	stream.text(",\n\"warnings\": ")
	stream.value(sums.Warnings)
	stream.text(",\n\"expiring_users\": ")
	stream.value(sums.Expiring)
	if !sums.FirstEnd.IsZero() {
		stream.text(",\n\"first_end\": ")
		stream.value(sums.FirstEnd)
	}
	stream.text(",\n\"users\": [")
	return finish(stream, reader.Entries(ctx, run.ID))
}

// summary reads what stands above the users in every report; groups is never nil.
func summary(ctx context.Context, reader Reader, run ledger.Run) (ledger.Counts, []ledger.Group, error) {
	counts, err := reader.Counts(ctx, run.ID)
	if err != nil {
		return counts, nil, err
	}
	groups, err := reader.Groups(ctx, run.ID)
	return counts, append([]ledger.Group{}, groups...), err
}

// jsonStream writes JSON in pieces and keeps the first error.
type jsonStream struct {
	out     io.Writer
	scratch bytes.Buffer
	// inHTML has <, > and & written as escapes, so that no value can end the
	// script element that it stands in.
	inHTML bool
	err    error
}

func (s *jsonStream) text(text string) {
	if s.err == nil {
		_, s.err = io.WriteString(s.out, text)
	}
}

func (s *jsonStream) value(value any) {
	if s.err != nil {
		return
	}
	s.scratch.Reset()
	encoder := json.NewEncoder(&s.scratch)
	encoder.SetEscapeHTML(s.inHTML)
	if s.err = encoder.Encode(value); s.err == nil {
		_, s.err = s.out.Write(safetext.EscapeJSON(bytes.TrimSuffix(s.scratch.Bytes(), []byte("\n"))))
	}
}

// finish ends an object with the elements of its last field, a list, each on a line, and
// returns their error or the first of writing.
func finish[T any](s *jsonStream, elements iter.Seq2[T, error]) error {
	between := "\n"
	for element, err := range elements {
		if err != nil {
			return err
		}
		s.text(between)
		s.value(element)
		between = ",\n"
		if s.err != nil {
			return s.err
		}
	}
	s.text("\n]}\n")
	return s.err
}
