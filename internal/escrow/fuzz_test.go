package escrow

import (
	"strings"
	"testing"
	"time"
)

// FuzzRecipients feeds files of recipients: a secret key in the wrong file is not
// shown, and what is taken can be sealed to.
func FuzzRecipients(f *testing.F) {
	key := identity(f)
	f.Add([]byte("# the safe\n\n" + key.Recipient().String() + "\r\n"))
	f.Add([]byte(key.String()))
	f.Add([]byte("ssh-ed25519 AAAA\nssh-rsa \nage1\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		found, err := parseRecipientFile("recipients", data)
		if (err == nil) != (len(found) > 0) {
			t.Fatalf("%d recipients, %v", len(found), err)
		}
		if err != nil && strings.Contains(err.Error(), key.String()[:30]) {
			t.Fatalf("the error shows a secret key: %v", err)
		}
	})
}

// FuzzNames feeds the names and the in-force files of an escrow folder.
func FuzzNames(f *testing.F) {
	for _, seed := range []string{"7-20260304T040607Z.age", "7-20260304T040607Z-AB.json", "-.age", "4294967296-20260304T040607Z.json", "7-x.json"} {
		f.Add(seed, seed)
	}
	f.Fuzz(func(t *testing.T, name, other string) {
		record, ok := parseName(name)
		if ok && (record.File != name || !isRecord(name) || record.Created.IsZero()) {
			t.Fatalf("%q becomes %+v", name, record)
		}
		record.stand(inForce{KindPUK: other, KindManagementKey: name})
		if record.State == "" {
			t.Fatalf("%+v", record)
		}
	})
}

// FuzzDecode feeds the content of records, which may have been edited by hand.
func FuzzDecode(f *testing.F) {
	good, err := encode(record(7, time.Now()))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte(`{"serial":1,"management_key":"00"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := decode(data)
		if err != nil {
			return
		}
		again, err := encode(r)
		if err != nil {
			t.Skip("a time that JSON cannot carry")
		}
		back, err := decode(again)
		if err != nil || !back.PUK.Equal(r.PUK) || !back.ManagementKey.Equal(r.ManagementKey) || back.Serial != r.Serial {
			t.Fatalf("%q became %q: %v", data, again, err)
		}
	})
}
