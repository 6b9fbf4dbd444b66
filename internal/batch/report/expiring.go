package report

import (
	"bufio"
	"context"
	"encoding/csv"
	"fmt"
	"html/template"
	"io"
	"iter"
	"strconv"
	"time"

	"github.com/cse-piv/cse-piv/internal/format"
	"github.com/cse-piv/cse-piv/internal/ledger"
	"github.com/cse-piv/cse-piv/internal/safetext"
)

// The origins of an expiring certificate.
const (
	FromLedger = "ledger" // as it was registered
	FromGmail  = "gmail"  // which the user's identity uses now
)

// Expiring is a line of the report of certificates that end. The JSON names are a contract.
type Expiring struct {
	ledger.Expiring
	Days int    `json:"days"` // left, less than 0 where it ended
	From string `json:"from"` // ledger or gmail
	// Problem is why Gmail does not tell of the user; empty where it was not asked or does.
	Problem string `json:"problem,omitempty"`
}

// Expiry says what the report of certificates that end is about. The JSON names are a
// contract.
type Expiry struct {
	Made   time.Time `json:"made"`   // when the report was made
	Before time.Time `json:"before"` // when the last of its certificates ends
}

// DaysLeft returns the whole days until a certificate ends, less than 0 where it has.
func (e Expiry) DaysLeft(end time.Time) int {
	left := end.Sub(e.Made)
	if left < 0 {
		return int((left - 24*time.Hour + 1) / (24 * time.Hour))
	}
	return int(left / (24 * time.Hour))
}

// WriteExpiring writes certificates that end, one after the other as they come.
func WriteExpiring(ctx context.Context, out io.Writer, format Format, about Expiry, rows iter.Seq2[Expiring, error]) error {
	var write func(io.Writer, Expiry, iter.Seq2[Expiring, error]) error
	switch format {
	case CSV:
		write = expiringCSV
	case JSON:
		write = expiringJSON
	case HTML:
		write = expiringHTML
	default:
		return fmt.Errorf("%q is no format of a report", format)
	}
	buffered := bufio.NewWriterSize(out, 64<<10)
	err := write(buffered, about, rows)
	if err == nil {
		err = buffered.Flush()
	}
	if err != nil {
		return fmt.Errorf("writing the %s report of certificates that end: %w", format, err)
	}
	return ctx.Err()
}

// expiringColumns are the headings of the CSV; scripts depend on them.
var expiringColumns = [...]string{"email", "not_after", "days", "use", "leaf_sha256", "key_pair_id", "card", "slot", "from", "problem"}

func expiringCSV(out io.Writer, _ Expiry, rows iter.Seq2[Expiring, error]) error {
	lines := csv.NewWriter(out)
	lines.UseCRLF = true
	if err := lines.Write(expiringColumns[:]); err != nil {
		return err
	}
	for row, err := range rows {
		if err != nil {
			return err
		}
		line := []string{row.Email, stamp(row.NotAfter), "", string(row.Use), row.LeafSHA256, row.KeyPairID, "", row.Slot, row.From, row.Problem}
		for i, cell := range line {
			line[i] = harmless(cell)
		}
		line[2] = strconv.Itoa(row.Days)
		if row.Serial != 0 {
			line[6] = strconv.FormatUint(uint64(row.Serial), 10)
		}
		if err := lines.Write(line); err != nil {
			return err
		}
	}
	lines.Flush()
	return lines.Error()
}

// expiringJSON writes one object, a certificate a line.
func expiringJSON(out io.Writer, about Expiry, rows iter.Seq2[Expiring, error]) error {
	stream := &jsonStream{out: out}
	stream.text("{\n\"made\": ")
	stream.value(about.Made.UTC())
	stream.text(",\n\"before\": ")
	stream.value(about.Before.UTC())
	stream.text(",\n\"certificates\": [")
	return finish(stream, rows)
}

// expiringPage has the page's parts: what stands above the lines, a line, and what follows.
var expiringPage = template.Must(template.New("expiring").Funcs(template.FuncMap{"date": date, "when": when, "number": format.Number}).Parse(`
{{- define "head" -}}
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{{.Policy}}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<meta name="generator" content="cse-piv">
<title>Certificates that end before {{date .Before}}</title>
<style>{{.Style}}</style>
</head>
<body>
<main>
<header>
<p class="kind">Certificates that end</p>
<h1>Before {{date .Before}}</h1>
<p class="lead">As of {{when .Made}}.</p>
</header>
<section>
<div class="scroll" tabindex="0">
<table>
<thead><tr><th scope="col">User</th><th scope="col">Ends</th><th scope="col" class="number">Days left</th><th scope="col">Use</th><th scope="col">Card</th><th scope="col">Key pair</th><th scope="col">From</th></tr></thead>
<tbody>
{{end}}
{{- define "row" -}}
<tr><th scope="row">{{.Email}}</th><td>{{date .NotAfter}}</td><td class="number">{{.Days}}</td><td>{{.Use}}</td><td>{{if .Serial}}{{.Serial}}{{with .Slot}}, slot {{.}}{{end}}{{end}}</td><td><code>{{.KeyPairID}}</code></td><td>{{.From}}{{with .Problem}}<small> {{.}}</small>{{end}}</td></tr>
{{end}}
{{- define "foot" -}}
</tbody>
</table>
</div>
<p>{{number .}} {{if eq . 1}}certificate{{else}}certificates{{end}}.</p>
</section>
</main>
</body>
</html>
{{end}}`))

func expiringHTML(out io.Writer, about Expiry, rows iter.Seq2[Expiring, error]) error {
	style, _, err := assets()
	if err != nil {
		return err
	}
	if err := expiringPage.ExecuteTemplate(out, "head", struct {
		Expiry
		Policy string
		Style  template.CSS
	}{about, "default-src 'none'; style-src " + source(style) + "; base-uri 'none'; form-action 'none'", template.CSS(style)}); err != nil {
		return err
	}
	count := 0
	for row, err := range rows {
		if err != nil {
			return err
		}
		for _, text := range []*string{&row.Email, &row.KeyPairID, &row.Slot, &row.Problem} {
			*text = safetext.Clean(*text)
		}
		if err := expiringPage.ExecuteTemplate(out, "row", row); err != nil {
			return err
		}
		count++
	}
	return expiringPage.ExecuteTemplate(out, "foot", count)
}
