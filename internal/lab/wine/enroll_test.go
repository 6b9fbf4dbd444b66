package wine

import (
	"strings"
	"testing"

	"github.com/cse-piv/cse-piv/internal/lab"
)

// practicePIN is what the practice users choose.
const practicePIN = "24681357"

// TestEnrollment: the whole enrollment on a virtual card to the receipt, and what is looked
// at afterwards.
func TestEnrollment(t *testing.T) {
	d := newDesk(t, lab.Options{Serial: 4711})
	d.write("pin.txt", practicePIN+"\r\n")
	const folder = `Prüfung\für Größe`
	enroll := []string{"enroll", "ada@lab.example", "--yes", "--json", "--pin-file", "pin.txt", "--evidence", folder, "--escrow-dir", "Tresor", "--escrow-plain"}
	said := d.run(0, enroll...)
	t.Logf("the receipt:\n%s", said.out)
	type receipt struct {
		Email    string
		Card     struct{ Serial uint32 }
		Evidence string
		Identity struct {
			KeyPair string `json:"primary_key_pair_id"`
		}
		Keys []struct {
			Attested bool
			KeyPair  string `json:"key_pair_id"`
		}
	}
	got := decoded[receipt](t, said.out)
	if got.Email != "ada@lab.example" || got.Card.Serial != 4711 || len(got.Keys) != 1 || !got.Keys[0].Attested || got.Keys[0].KeyPair != got.Identity.KeyPair {
		t.Errorf("%+v", got)
	}
	if pairs, identities := d.lab.Gmail().KeyPairs("ada@lab.example"), d.lab.Gmail().Identities("ada@lab.example"); len(pairs) != 1 || len(identities) != 1 {
		t.Errorf("%d key pairs, %d identities", len(pairs), len(identities))
	}
	if state := d.lab.Card(0).Snapshot(); state.PIN.Default || state.PUK.Default || state.ManagementKey.Default || state.PIN.Tries != 3 {
		t.Errorf("the card is left as %+v", state.PIN)
	}
	if unlocked, err := d.lab.Unlocked(0); unlocked || err != nil {
		t.Errorf("the card is left unlocked: %v, %v", unlocked, err)
	}
	d.row("receipt", func(d *desk) {
		_, below, found := strings.Cut(got.Evidence, folder+`\`)
		if !found {
			d.t.Fatalf("the evidence is in %s", got.Evidence)
		}
		d.says(d.read(strings.ReplaceAll(folder+`\`+below, `\`, "/")+"/receipt.json"), `"ada@lab.example"`, got.Identity.KeyPair)
	})
	d.row("again", func(d *desk) {
		if again := decoded[receipt](d.t, d.run(0, enroll...).out); again.Identity != got.Identity || len(d.lab.Gmail().KeyPairs("ada@lab.example")) != 1 {
			d.t.Errorf("%+v", again)
		}
	})
	d.row("card show", func(d *desk) {
		d.says(d.run(0, "card", "show").out, "4711", "ada@lab.example", "3 tries left")
	})
	d.row("card export", func(d *desk) {
		exports := []string{"card", "export", "--dir", "Ausgang", "--json"}
		file := decoded[struct{ Files []string }](d.t, d.run(0, exports...).out)
		if len(file.Files) == 0 {
			d.t.Fatal("nothing was exported")
		}
		_, below, _ := strings.Cut(file.Files[0], `Ausgang\`)
		before := d.read("Ausgang/" + below)
		d.says(before, "-----BEGIN ")
		d.run(0, exports...) // the same once more
		d.write("Ausgang/"+below, "another\r\n")
		d.says(d.run(1, exports...).err, "--overwrite")
		d.run(0, append(exports, "--overwrite")...)
		if after := d.read("Ausgang/" + below); after != before {
			d.t.Errorf("overwritten with %s", after)
		}
	})
	d.row("wrong PIN", func(d *desk) {
		d.write("wrong.txt", "999999\r\n")
		said := d.run(6, "enroll", "ada@lab.example", "--yes", "--pin-file", "wrong.txt", "--evidence", "elsewhere", "--escrow-plain", "--escrow-dir", "Tresor")
		d.says(said.err, "wrong PIN", "2 tries left")
	})
}

// TestPlainByPipe: the questions are answered through a pipe, with the line ends of Windows.
func TestPlainByPipe(t *testing.T) {
	d := newDesk(t, lab.Options{})
	command := d.command("enroll", "grace@lab.example", "--plain", "--algorithm", "eccp256", "--evidence", "evidence", "--escrow-plain", "--escrow-dir", "escrow")
	command.Stdin = strings.NewReader(strings.Join([]string{"1", practicePIN, practicePIN, "yes", ""}, "\r\n"))
	said := d.finish(command)
	if said.code != 0 || len(d.lab.Gmail().Identities("grace@lab.example")) != 1 {
		t.Errorf("ended with %d\n%s%s", said.code, said.out, said.err)
	}
	d.says(said.out, "grace@lab.example  is enrolled")
	if strings.Contains(said.out+said.err, practicePIN) {
		t.Error("the PIN is shown")
	}
	command = d.command("enroll", "hedy@lab.example", "--plain", "--evidence", "evidence", "--escrow-plain", "--escrow-dir", "escrow", "--replace-card")
	command.Stdin = strings.NewReader("")
	if said := d.finish(command); said.code != 1 {
		t.Errorf("nothing was typed: %d\n%s", said.code, said.err)
	}
}
