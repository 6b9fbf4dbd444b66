package escrow

import (
	"strings"
	"testing"
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
