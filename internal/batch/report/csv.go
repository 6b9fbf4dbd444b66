package report

import (
	"context"
	"encoding/csv"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/cse-piv/cse-piv/internal/ledger"
	"github.com/cse-piv/cse-piv/internal/safetext"
)

// csvColumns are the headings of the CSV; scripts depend on them.
var csvColumns = [...]string{"email", "state", "class", "reason", "message", "hint", "warnings", "key_pair_ids", "leaf_sha256",
	"not_after", "step", "attempts", "where", "line", "earlier", "worker", "updated",
	"superfluous_key_pair_ids", "key_service_key_pair_ids", "replaced_key_pair_ids"}

// writeCSV writes RFC 4180: a heading, one line for each user, lines end in CRLF.
func writeCSV(ctx context.Context, out io.Writer, reader Reader, run ledger.Run) error {
	lines := csv.NewWriter(out)
	lines.UseCRLF = true
	if err := lines.Write(csvColumns[:]); err != nil {
		return err
	}
	for entry, err := range reader.Entries(ctx, run.ID) {
		if err != nil {
			return err
		}
		if err := lines.Write(csvLine(entry)); err != nil {
			return err
		}
	}
	lines.Flush()
	return lines.Error()
}

func csvLine(entry ledger.Entry) []string {
	var ids, leaves, ends, superfluous, inKeyService []string
	for _, pair := range entry.Pairs {
		superfluous = append(superfluous, pair.Superfluous...)
		inKeyService = append(inKeyService, pair.InKeyService...)
		ids = append(ids, pair.KeyPairID)
		leaves = append(leaves, pair.LeafSHA256)
		ends = append(ends, stamp(pair.NotAfter))
	}
	line := []string{entry.Email, string(entry.State), string(entry.Class), entry.Reason, entry.Message, entry.Hint,
		strings.Join(entry.Warnings, " | "), list(ids), list(leaves), list(ends),
		entry.Step, strconv.Itoa(entry.Attempts), entry.Where, "", strconv.FormatBool(entry.Earlier), entry.Worker, stamp(entry.Updated),
		list(superfluous), list(inKeyService), list(entry.Replaced)}
	if entry.Line > 0 {
		line[13] = strconv.Itoa(entry.Line)
	}
	for i, cell := range line {
		line[i] = harmless(cell)
	}
	return line
}

// list joins what a cell holds several of; blanks where nothing is known of any.
func list(values []string) string { return strings.TrimSpace(strings.Join(values, " ")) }

// stamp writes a time as RFC 3339 in UTC, nothing for no time.
func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// harmless returns a cell that no spreadsheet takes for a formula. A cell that
// begins with a sign that starts one (OWASP, "CSV Injection", with the wide forms
// of East Asian keyboards) gets an apostrophe before it, which spreadsheets take
// for "this is text". The same is done after each semicolon, because a spreadsheet
// of a country that writes 1,5 splits cells there, quoted or not. Control
// characters, line breaks and tabs among them, are taken out first.
func harmless(cell string) string {
	cell = safetext.Clean(cell)
	if !strings.ContainsAny(cell, formulaSigns) {
		return cell
	}
	var out strings.Builder
	begins := true
	for _, r := range cell {
		if begins && strings.ContainsRune(formulaSigns, r) {
			out.WriteByte('\'')
		}
		begins = r == ';' || begins && (r == ' ' || r == '"')
		out.WriteRune(r)
	}
	return out.String()
}

const formulaSigns = "=+-@＝＋－＠"
