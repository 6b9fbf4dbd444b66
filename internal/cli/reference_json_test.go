package cli

import (
	"bytes"
	"encoding"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"github.com/cse-piv/cse-piv/internal/batch/report"
	"github.com/cse-piv/cse-piv/internal/cli/attestationcmd"
	"github.com/cse-piv/cse-piv/internal/cli/batchcmd"
	"github.com/cse-piv/cse-piv/internal/cli/cacmd"
	"github.com/cse-piv/cse-piv/internal/cli/cardcmd"
	"github.com/cse-piv/cse-piv/internal/cli/certcmd"
	"github.com/cse-piv/cse-piv/internal/cli/configcmd"
	"github.com/cse-piv/cse-piv/internal/cli/credentialscmd"
	"github.com/cse-piv/cse-piv/internal/cli/doctorcmd"
	"github.com/cse-piv/cse-piv/internal/cli/enrollcmd"
	"github.com/cse-piv/cse-piv/internal/cli/escrowcmd"
	"github.com/cse-piv/cse-piv/internal/cli/gmailcmd"
	"github.com/cse-piv/cse-piv/internal/cli/profilecmd"
	"github.com/cse-piv/cse-piv/internal/cli/statuscmd"
	"github.com/cse-piv/cse-piv/internal/cli/stdio"
	"github.com/cse-piv/cse-piv/internal/cli/terminationcmd"
	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/ledger"
	"github.com/cse-piv/cse-piv/internal/maintenance"
	"github.com/cse-piv/cse-piv/internal/piv/attestation"
)

// reportJSON is what the report package writes, a piece after the other.
type reportJSON struct {
	Run         ledger.Run            `json:"run"`
	Counts      ledger.Counts         `json:"counts"`
	Groups      []ledger.Group        `json:"groups"`
	Superfluous int                   `json:"superfluous_users"` // who have superfluous key pairs
	Warnings    []report.WarningGroup `json:"warnings"`          // by rule
	Expiring    int                   `json:"expiring_users"`    // whose certificates end within 90 days of the run
	FirstEnd    time.Time             `json:"first_end,omitzero"`
	Users       []ledger.Entry        `json:"users"`
}

// expiringJSON is what the report package writes of certificates that end.
type expiringJSON struct {
	report.Expiry
	Certificates []report.Expiring `json:"certificates"` // a line each
}

// jsonOutputs are what commands print with --json or --events, and in which form.
var jsonOutputs = []struct {
	command, flags, about string
	value                 any
}{
	{"enroll", "--json", "The receipt, one object. `receipt.json` in the evidence folder has the same fields, and more for an auditor.", enroll.Receipt{}},
	{"enroll", "--dry-run --json", "The preview, one object.", stdio.PreviewJSON{}},
	{"enroll", "--events", "An object a line, on standard error; where the enrollment fails, the last line is an outcome. A message that is no step's is a `note` without a step. The outcome is on standard output as with `--json`.", enroll.Event{}},
	{"renew", "--json", "The receipt, as of `enroll`; where nothing is due this object.", enrollcmd.NotDueJSON{}},
	{"renew", "--events", "The events, as of `enroll`.", nil},
	{"demo", "--json", "The receipt, as of `enroll`.", nil},
	{"demo", "--events", "The events, as of `enroll`.", nil},
	{"batch", "--json", "An object a line while it works.", batchcmd.EventLine{}},
	{"batch", "--json (last line)", "The summary; where the command fails before there is one, a line of `event` \"error\", with the error.", batchcmd.BatchSummary{}},
	{"worker", "--json", "An object a line, as of `batch`, without a summary; where it fails, the last line has `event` \"error\", and the error.", nil},
	{"report", "--json", "One object.", reportJSON{}},
	{"report", "--list --json", "One object.", batchcmd.RunsJSON{}},
	{"status", "--json", "One object.", statuscmd.StatusJSON{}},
	{"status", "--card --json", "One object.", statuscmd.CardStatusJSON{}},
	{"reconcile", "--json", "One object.", statuscmd.ReconcileJSON{}},
	{"report expiring", "--json", "One object.", expiringJSON{}},
	{"config show", "--json", "One object. A password in an address is `[secret]`.", configcmd.ShownConfig{}},
	{"credentials forget", "--json", "One object.", credentialscmd.Forgotten{}},
	{"profile list", "--json", "One object.", profilecmd.ProfilesJSON{}},
	{"profile show", "--json", "One object.", profilecmd.ShownProfile{}},
	{"profile check", "--json", "One object.", profilecmd.CheckedCard{}},
	{"doctor", "--json", "One object.", doctorcmd.DoctorJSON{}},
	{"attestation update", "--json", "One object.", attestationcmd.UpdateJSON{}},
	{"card states", "--json", "One object.", cardcmd.StatesJSON{}},
	{"card list", "--json", "One object.", cardcmd.ReadersJSON{}},
	{"card show", "--json", "One object.", cardcmd.ShownCard{}},
	{"card history", "--json", "One object.", cardcmd.HistoryJSON{}},
	{"card attest", "--json", "One object: what the attestation says.", attestation.Facts{}},
	{"card export", "--json", "One object: the files that were written.", cardcmd.Exporter{}},
	{"ca init", "--json", "One object.", cacmd.InitJSON{}},
	{"ca list", "--json", "One object.", cacmd.IssuedJSON{}},
	{"ca revoke", "--json", "One object.", cacmd.RevokedJSON{}},
	{"ca crl", "--json", "As of `ca revoke`.", nil},
	{"card pin change", "--json", "One object.", cardcmd.ChangedJSON{}},
	{"card pin unblock", "--json", "One object.", maintenance.Unblocked{}},
	{"card puk change", "--json", "As of `card pin change`.", nil},
	{"card init", "--json", "One object.", enroll.ReadyCard{}},
	{"card init", "--dry-run --json", "The preview, as of `enroll --dry-run`.", nil},
	{"card import", "--json", "One object.", cardcmd.ImportJSON{}},
	{"card reset", "--json", "One object.", cardcmd.ResetJSON{}},
	{"keypair list", "--json", "One object of one user; of several, and with `--from`, one for each in a list `users`, where those who failed have a `problem` instead.", gmailcmd.KeyPairsJSON{}},
	{"keypair show", "--json", "One object of one key pair; of several, and with `--from`, one for each in a list `users`, where those that failed have `email`, `key_pair_id` and a `problem`.", gmailcmd.KeyPairJSON{}},
	{"keypair history", "--json", "One object.", gmailcmd.RegisteredHistoryJSON{}},
	{"keypair disable", "--json", "One object.", gmailcmd.ChangesJSON{}},
	{"keypair enable", "--json", "As of `keypair disable`.", nil},
	{"keypair obliterate", "--json", "As of `keypair disable`.", nil},
	{"identity list", "--json", "One object of one user; of several as of `keypair list`.", gmailcmd.IdentitiesJSON{}},
	{"identity show", "--json", "One object of one user; of several as of `keypair list`.", gmailcmd.IdentityJSON{}},
	{"identity set", "--json", "As of `keypair disable`.", nil},
	{"identity delete", "--json", "As of `keypair disable`.", nil},
	{"lost", "--json", "One object.", terminationcmd.JSON{}},
	{"leave", "--json", "As of `lost`.", nil},
	{"undo", "--json", "As of `lost`.", nil},
	{"replace", "--json", "One object; where the enrollment fails, the outcome.", enrollcmd.ReplacedJSON{}},
	{"replace", "--events", "The events, as of `enroll`.", nil},
	{"cert check", "--json", "One object for all files, with an element for each certificate that was checked.", certcmd.ChecksJSON{}},
	{"cert bundle", "--json", "One object.", certcmd.BundlesJSON{}},
	{"cert admin-bundle", "--json", "One object.", certcmd.AdminBundleJSON{}},
	{"cert rules", "--json", "One object.", certcmd.RulesJSON{}},
	{"attestation verify", "--json", "One object.", attestationcmd.VerdictJSON{}},
	{"escrow list", "--json", "One object.", escrowcmd.RecordsJSON{}},
	{"escrow show", "--json", "One object.", escrowcmd.ShownJSON{}},
	{"escrow drill", "--json", "One object.", escrowcmd.DrillJSON{}},
}

func jsonPage(t *testing.T) string {
	var text strings.Builder
	text.WriteString(`# JSON

What commands print for programs. Names of fields are a contract: fields are added, none is renamed. Times are in RFC 3339,
in UTC. A field with a question mark is left out where it is empty. ` + "`[]`" + ` stands for each element of a list.

With ` + "`--json`" + ` there is always one object on standard output (of ` + "`batch` and `worker`" + ` one a line), also where the command fails.

## Outcome of a command that fails

Of every command, where it has nothing else to print. Where it has, ` + "`error`" + ` is a field of that. What ` + "`reason`" + ` can be:
[exit codes](exit-codes.md) and [failure reasons](failure-reasons.md).

`)
	source := &sourceComments{t: t, packages: map[string]map[string]*ast.StructType{}, constants: map[string]map[string][]string{}}
	outcome := [][]string{{"field", "type", "meaning"}}
	source.fields(&outcome, "", reflect.TypeFor[outcomeJSON]())
	text.WriteString(markdown(outcome...))
	for _, output := range jsonOutputs {
		text.WriteString("\n## cse-piv " + output.command + " " + output.flags + "\n\n" + output.about + "\n")
		if output.value != nil {
			rows := [][]string{{"field", "type", "meaning"}}
			source.fields(&rows, "", reflect.TypeOf(output.value))
			text.WriteString("\n" + markdown(rows...))
		}
	}
	text.WriteString("\n## Names that changed\n\nBefore there was a first release.\n\n" + markdown(renamedJSON...))
	return text.String()
}

// renamedJSON are the names of fields that are not as they were.
var renamedJSON = [][]string{
	{"output", "was", "is"},
	{"`enroll --json`, `demo --json`, `receipt.json`", "`user`", "`email`"},
	{"`enroll --dry-run --json`", "`user`", "`email`"},
	{"`keypair list --json`, `identity list --json`", "`user`", "`email`"},
	{"`batch --json`, summary", "`error`, a string, of runs that ended early", "`error`, an object, also where users failed; its `message` is that text"},
}

// sourceComments finds what stands beside the fields and constants in the source.
type sourceComments struct {
	t         *testing.T
	packages  map[string]map[string]*ast.StructType
	constants map[string]map[string][]string // by package and type: the values
}

// fields adds a row for each field of a type, and of the types in it.
func (s *sourceComments) fields(rows *[][]string, prefix string, of reflect.Type) {
	for field := range structFields(of) {
		name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		if name == "-" || !field.IsExported() && !field.Anonymous {
			continue
		}
		if field.Anonymous && name == "" {
			s.fields(rows, prefix, field.Type)
			continue
		}
		if name == "" {
			name = field.Name
		}
		kind, inner := s.kind(field.Type)
		path := prefix + name
		if strings.Contains(options, "omit") {
			path += "?"
		}
		meaning := s.comment(of, field.Name)
		if values := s.values(field.Type); len(values) > 0 {
			meaning = strings.TrimPrefix(strings.TrimSuffix(meaning, ".")+"; one of "+strings.Join(values, ", "), "; ")
		}
		*rows = append(*rows, []string{quoted(path), kind, meaning})
		if inner != nil {
			if kind == "list" {
				path += "[]"
			}
			s.fields(rows, path+".", inner)
		}
	}
}

func structFields(of reflect.Type) func(func(reflect.StructField) bool) {
	return func(yield func(reflect.StructField) bool) {
		for i := range of.NumField() {
			if !yield(of.Field(i)) {
				return
			}
		}
	}
}

// kind names a type as JSON does, and returns the type of an object or of a list's objects.
func (s *sourceComments) kind(of reflect.Type) (string, reflect.Type) {
	if of.Kind() == reflect.Pointer {
		of = of.Elem()
	}
	switch {
	case of == reflect.TypeFor[time.Time]():
		return "time", nil
	case of.Implements(reflect.TypeFor[encoding.TextMarshaler]()):
		return "string", nil
	}
	switch of.Kind() {
	case reflect.Struct:
		return "object", of
	case reflect.Slice:
		if of.Elem().Kind() == reflect.Uint8 {
			return "string", nil // base64
		}
		element, inner := s.kind(of.Elem())
		if inner == nil {
			return "list of " + element + "s", nil
		}
		return "list", inner
	case reflect.Bool:
		return "boolean", nil
	case reflect.String:
		return "string", nil
	case reflect.Map:
		element, _ := s.kind(of.Elem())
		return "object of " + element + "s", nil
	case reflect.Int, reflect.Int64, reflect.Uint32, reflect.Float64:
		return "number", nil
	}
	if of.Kind() == reflect.Interface {
		return "anything", nil
	}
	s.t.Fatalf("no JSON type for %s", of)
	return "", nil
}

// parse reads the package of a type, once.
func (s *sourceComments) parse(path string) {
	if s.packages[path] != nil {
		return
	}
	s.packages[path], s.constants[path] = map[string]*ast.StructType{}, map[string][]string{}
	folder, _ := strings.CutPrefix(path, "github.com/cse-piv/cse-piv/internal/")
	files, err := filepath.Glob(filepath.Join("..", folder, "*.go"))
	if err != nil || len(files) == 0 {
		s.t.Fatal(path, err)
	}
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		if err != nil {
			s.t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch spec := n.(type) {
			case *ast.TypeSpec:
				if shape, ok := spec.Type.(*ast.StructType); ok {
					s.packages[path][spec.Name.Name] = shape
				}
			case *ast.ValueSpec:
				s.constant(path, spec)
			}
			return true
		})
	}
}

// constant keeps a constant that is a text of a named type, with its comment.
func (s *sourceComments) constant(path string, spec *ast.ValueSpec) {
	name, ok := spec.Type.(*ast.Ident)
	if !ok || len(spec.Values) != 1 {
		return
	}
	if value, ok := spec.Values[0].(*ast.BasicLit); ok && value.Kind == token.STRING && value.Value != `""` {
		text := quoted(strings.Trim(value.Value, `"`))
		if comment := strings.TrimSpace(spec.Comment.Text()); comment != "" {
			text += " (" + comment + ")"
		}
		s.constants[path][name.Name] = append(s.constants[path][name.Name], text)
	}
}

// values are the constants of a named type of texts.
func (s *sourceComments) values(of reflect.Type) []string {
	if of.Kind() == reflect.Slice || of.Kind() == reflect.Pointer {
		of = of.Elem()
	}
	if of.Kind() != reflect.String || !strings.HasPrefix(of.PkgPath(), "github.com/cse-piv/") {
		return nil
	}
	s.parse(of.PkgPath())
	return s.constants[of.PkgPath()][of.Name()]
}

// comment is what stands above or beside a field, with the names that it has in JSON.
func (s *sourceComments) comment(of reflect.Type, field string) string {
	s.parse(of.PkgPath())
	shape := s.packages[of.PkgPath()][of.Name()]
	if shape == nil {
		s.t.Fatalf("no source of %s", of)
	}
	for _, candidate := range shape.Fields.List {
		if !slices.ContainsFunc(candidate.Names, func(name *ast.Ident) bool { return name.Name == field }) {
			continue
		}
		if beside := candidate.Comment.Text(); beside != "" {
			return strings.TrimSpace(beside)
		}
		above := strings.TrimSpace(strings.ReplaceAll(candidate.Doc.Text(), "\n", " "))
		for other := range structFields(of) {
			if name, _, _ := strings.Cut(other.Tag.Get("json"), ","); name != "" && name != "-" {
				above = regexp.MustCompile(`(^|and |[;,.] )`+other.Name+`\b`).ReplaceAllString(above, "${1}`"+name+"`")
			}
		}
		return above
	}
	return ""
}

// TestJSONOutputsAreListed: every command that prints JSON stands in the reference.
func TestJSONOutputsAreListed(t *testing.T) {
	listed := map[string]bool{}
	for _, output := range jsonOutputs {
		flag, _, _ := strings.Cut(output.flags[strings.LastIndex(output.flags, "--"):], " ")
		listed["cse-piv "+output.command+" "+flag] = true
	}
	var visit func(*cobra.Command)
	visit = func(command *cobra.Command) {
		for _, flag := range []string{"json", "events"} {
			if name := command.CommandPath() + " --" + flag; command.Flags().Lookup(flag) != nil && !listed[name] {
				t.Errorf("%s is not listed", name)
			}
		}
		for _, sub := range command.Commands() {
			visit(sub)
		}
	}
	visit(newRoot(&stdio.Streams{}, &runLog{}))
}

// TestReportJSONIsListed: a report has no field that the reference does not show.
func TestReportJSONIsListed(t *testing.T) {
	data, err := os.ReadFile("../batch/report/testdata/report.json.golden")
	if err != nil {
		t.Fatal(err)
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	var decoded reportJSON
	if err := decoder.Decode(&decoded); err != nil || len(decoded.Users) == 0 {
		t.Error(err)
	}
}
