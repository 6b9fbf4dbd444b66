package wine

import (
	"strings"
	"testing"

	"filippo.io/age"

	"github.com/cse-piv/cse-piv/internal/lab"
)

// TestSecondDay: what follows an enrollment, with settings in %APPDATA%, and evidence and
// escrow, which no flag names a place for, in %LOCALAPPDATA%.
func TestSecondDay(t *testing.T) {
	d := newDesk(t, lab.Options{Serial: 4711})
	d.write("pin.txt", practicePIN+"\r\n")
	d.write("new.txt", "13572468\r\n")
	d.row("settings", func(d *desk) {
		path := strings.TrimSpace(d.run(0, "config", "init").out)
		if !strings.HasSuffix(path, `\AppData\Roaming\cse-piv\config.toml`) {
			d.t.Errorf("the settings are in %s", path)
		}
		identity, err := age.GenerateX25519Identity()
		if err != nil {
			d.t.Fatal(err)
		}
		d.write("identity.txt", identity.String()+"\r\n")
		d.appendTo(path, "escrow-to = '"+identity.Recipient().String()+"'\r\nescrow-identity = '"+d.windowsPath(d.path("identity.txt"))+"'\r\n")
		d.says(d.run(0, "config", "show").out, identity.Recipient().String(), `\identity.txt`)
	})
	d.row("enrollment", func(d *desk) {
		said := d.run(0, "enroll", "ada@lab.example", "--yes", "--algorithm", "eccp256", "--pin-file", "pin.txt", "--store", "desk.db")
		d.says(said.out, `\AppData\Local\cse-piv\escrow\`, `\AppData\Local\cse-piv\evidence\ada@lab.example\`)
	})
	d.row("status", func(d *desk) {
		d.says(d.run(0, "status", "ada@lab.example", "--store", "desk.db").out, "signs and encrypts", "card 4711, registered")
	})
	d.row("new PIN", func(d *desk) {
		d.says(d.run(0, "card", "pin", "change", "--pin-file", "pin.txt", "--new-pin-file", "new.txt").out, "card 4711 has the new PIN")
		d.says(d.run(6, "card", "pin", "change", "--pin-file", "pin.txt", "--new-pin-file", "new.txt").err, "wrong PIN", "2 tries left")
	})
	d.row("escrow", func(d *desk) {
		d.says(d.run(0, "escrow", "list").out, "4711", "in force: PUK, management key")
		d.says(d.run(0, "escrow", "show", "--serial", "4711", "--reveal", "puk", "--confirm", "4711", "--store", "desk.db").out, "PUK  ")
	})
	d.row("renewal", func(d *desk) {
		d.says(d.run(0, "renew", "ada@lab.example", "--before", "1000d", "--pin-file", "new.txt", "--store", "desk.db").out, "renewed", "ada@lab.example")
		if pairs := d.lab.Gmail().KeyPairs("ada@lab.example"); len(pairs) != 2 {
			d.t.Errorf("%d key pairs", len(pairs))
		}
	})
	d.row("report", func(d *desk) {
		d.run(0, "report", "expiring", "--within", "1000d", "--store", "desk.db", "-o", "Übersicht.csv")
		d.says(d.read("Übersicht.csv"), "ada@lab.example")
	})
	d.row("lost card", func(d *desk) {
		d.says(d.run(0, "lost", "ada@lab.example", "--reason", "stolen", "--confirm", "ada@lab.example", "--store", "desk.db").out, "ada@lab.example", "is disabled")
		if identities := d.lab.Gmail().Identities("ada@lab.example"); len(identities) != 0 {
			d.t.Errorf("%d identities are left", len(identities))
		}
		d.says(d.run(0, "status", "ada@lab.example", "--store", "desk.db").out, "stolen since", "cse-piv replace ada@lab.example")
	})
	d.row("reset", func(d *desk) {
		d.run(0, "card", "reset", "--confirm", "4711")
		if state := d.lab.Card(0).Snapshot(); !state.PIN.Default {
			d.t.Errorf("the card is left as %+v", state.PIN)
		}
	})
	d.row("private files", func(d *desk) {
		d.private("lab")
		for _, folder := range d.data() {
			at := *d
			at.folder = folder
			at.private()
		}
	})
}
