package batchcmd

import (
	"fmt"
	"io"

	"github.com/spf13/pflag"

	"github.com/cse-piv/cse-piv/internal/batch/report"
	"github.com/cse-piv/cse-piv/internal/cli/usage"
	"github.com/cse-piv/cse-piv/internal/durable"
)

// reportFlags say in which format a report is written, and where.
type reportFlags struct {
	format, output string
	bom, json      bool
	overwrite      bool
}

func (f *reportFlags) add(flags *pflag.FlagSet) {
	flags.StringVar(&f.format, "format", "", "`format`: csv, json or html, on standard output or into the file of -o")
	flags.StringVarP(&f.output, "output", "o", "", "`file` to write; it tells the format by its name")
	flags.BoolVar(&f.bom, "csv-bom", false, "begin CSV with a byte order mark, by which Excel knows UTF-8")
	addOverwrite(flags, &f.overwrite, "-o")
	flags.BoolVar(&f.json, "json", false, "print JSON; the same as --format json")
}

// addOverwrite adds the flag by which a report may take the place of any file.
func addOverwrite(flags *pflag.FlagSet, overwrite *bool, flag string) {
	flags.BoolVar(overwrite, "overwrite", false, "replace the file of "+flag+" also where it is no earlier report")
}

// replaceFile writes a report in the place of an earlier one, or of any file where that is agreed to.
func replaceFile(file string, overwrite bool, write func(io.Writer) error) error {
	if !overwrite {
		if err := report.CheckReplaceable(file); err != nil {
			return err
		}
	}
	if err := durable.Write(file, 0o600, write); err != nil {
		return fmt.Errorf("write the report %s: %w", file, err)
	}
	return nil
}

// chosen returns the format, "" for none.
func (f *reportFlags) chosen() (report.Format, error) {
	name := f.format
	if f.json {
		if name != "" && name != string(report.JSON) {
			return "", usage.Errorf("--json and --format %s do not go together", name)
		}
		name = string(report.JSON)
	}
	switch {
	case name != "":
		format, err := report.ParseFormat(name)
		if err != nil {
			return "", usage.Errorf("--format: %w", err)
		}
		if named, err := report.FormatOf(f.output); err == nil && named != format {
			return "", usage.Errorf("-o %s names a file of the format %s, and %s is asked for: leave out the format, or choose another name", f.output, named, format)
		}
		return format, nil
	case f.output != "":
		return reportFormat("-o", f.output)
	}
	return "", nil
}

// reportFormat returns the format of a report's file.
func reportFormat(flag, file string) (report.Format, error) {
	format, err := report.FormatOf(file)
	if err != nil {
		return "", usage.Errorf("%s: %w", flag, err)
	}
	return format, nil
}

// writeBOM begins CSV with a byte order mark where that is asked for.
func writeBOM(out io.Writer, format report.Format, bom bool) error {
	if !bom || format != report.CSV {
		return nil
	}
	if _, err := io.WriteString(out, "\ufeff"); err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	return nil
}
