package wine

import (
	"os"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/cse-piv/cse-piv/internal/lab"
)

// longFolder has a path of more than 260 characters.
var longFolder = strings.TrimSuffix(strings.Repeat(`ein recht langer Ordner\`, 13), `\`)

// TestFiles: names, lengths and line ends that are Windows' own.
func TestFiles(t *testing.T) {
	d := newDesk(t, lab.Options{People: 3})
	done := func(d *desk, people int, arguments ...string) {
		d.t.Helper()
		if got := decoded[counts](t, lastLine(d.run(0, append([]string{"batch", "--json"}, arguments...)...).out)); got.Counts.Done != people {
			d.t.Errorf("%+v", got)
		}
	}
	const table = "email,certificate\r\nuser1@lab.example,lab\\people\\user1@lab.example.p7pem\r\nuser2@lab.example,lab/people/user2@lab.example.p7pem\r\n"
	d.row("CRLF in a manifest", func(d *desk) {
		d.write("people.csv", table)
		done(d, 2, "people.csv", "--store", "crlf.db")
	})
	d.row("Unicode text of Excel", func(d *desk) {
		text := []byte{0xFF, 0xFE}
		for _, unit := range utf16.Encode([]rune(strings.ReplaceAll(table, ",", "\t"))) {
			text = append(text, byte(unit), byte(unit>>8))
		}
		d.write("Unicode.csv", string(text))
		done(d, 2, "Unicode.csv", "--store", "unicode.db")
	})
	d.row("CRLF in certificates", func(d *desk) {
		if err := os.MkdirAll(d.path("Export"), 0o700); err != nil {
			d.t.Fatal(err)
		}
		name := "user3@lab.example.p7pem"
		d.write("Export/"+name, strings.ReplaceAll(d.read("lab/people/"+name), "\n", "\r\n"))
		done(d, 1, "Export", "--store", "export.db")
	})
	d.row("long paths", func(d *desk) {
		long := longFolder
		if full := d.windowsPath(d.folder) + `\` + long; len(full) < 300 {
			d.t.Fatalf("%d characters are not long", len(full))
		}
		if err := os.MkdirAll(d.path(strings.ReplaceAll(long, `\`, "/")), 0o700); err != nil {
			d.t.Fatal(err)
		}
		done(d, 3, `lab\people`, "--store", long+`\ledger.db`, "--report", long+`\report.csv`)
		d.says(d.read(strings.ReplaceAll(long, `\`, "/")+"/report.csv"), "user3@lab.example")
		d.write("pin.txt", practicePIN)
		d.run(0, "enroll", "ada@lab.example", "--yes", "--algorithm", "eccp256", "--pin-file", "pin.txt", "--evidence", long+`\evidence`, "--escrow-dir", long+`\escrow`, "--escrow-plain")
		d.run(0, "card", "export", "--dir", long+`\export`)
	})
	d.row("reserved names", func(d *desk) {
		for _, name := range []string{"con.csv", "nul.html", "AUX.csv", "com1.html", "lpt9.json"} {
			said := d.finish(d.command("report", "--store", "crlf.db", "-o", name))
			if _, err := os.Stat(d.path(name)); said.code != 1 || err == nil {
				d.t.Errorf("%s: ended with %d, %v: %s", name, said.code, err, said.err)
			}
			d.says(said.err, "it is a device")
		}
		for _, name := range []string{"nul", "con"} {
			d.says(d.run(2, "enroll", "ada@lab.example", "--yes", "--escrow-plain", "--pin-file", name).err, "it is a device")
		}
	})
	d.row("a user with a reserved name", func(d *desk) {
		d.newCard()
		const user = "aux.csr@lab.example"
		said := d.run(0, "enroll", user, "--yes", "--json", "--algorithm", "eccp256", "--pin-file", "pin.txt", "--evidence", "evidence", "--escrow-plain", "--escrow-dir", "escrow")
		_, below, _ := strings.Cut(decoded[struct{ Evidence string }](d.t, said.out).Evidence, `evidence\`)
		d.says(d.read("evidence/"+strings.ReplaceAll(below, `\`, "/")+"/receipt.json"), user)
	})
	d.row("access of private files", func(d *desk) {
		d.private("lab", strings.ReplaceAll(longFolder, `\`, "/")+"/export")
	})
}

// TestPackages: what deals with files, locks and the terminal passes its tests on Windows.
func TestPackages(t *testing.T) {
	d := newDesk(t, lab.Options{Readers: -1})
	t.Run("symbolic links", func(t *testing.T) {
		t.Skip("NOT TESTED: Wine 8 makes no symbolic links (TestNoLinkIsFollowed, TestALinkToALedgerIsThatLedger)")
	})
	for _, name := range []string{"durable", "ledger", "evidence", "escrow", "config", "prompt"} {
		d.row(name, func(d *desk) {
			d.passes(d.program(name+".test", "test", "-c", "../../"+name), "../../"+name, ".*",
				"-test.short", "-test.skip", "TestNoLinkIsFollowed|TestALinkToALedgerIsThatLedger|TestFullDisk|TestManyEnds")
		})
	}
}
