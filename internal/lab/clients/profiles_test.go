package clients

import (
	"fmt"
	"testing"

	"github.com/cse-piv/cse-piv/internal/lab"
)

// TestDebianToolsOnEachProfile has the tools do on each firmware what it can do,
// and see that it cannot do the rest. The whole session is on 5.4.3.
func TestDebianToolsOnEachProfile(t *testing.T) {
	need(t, "ykman", "yubico-piv-tool", "opensc-tool", "pkcs15-tool", "openssl")
	for _, c := range []struct {
		firmware, model string
		attests         bool
	}{
		{"4.2.7", "YubiKey 4", false},
		{"4.3.7", "YubiKey 4", true},
		{"5.1.2", "YubiKey 5C", true},
		{"5.2.7", "YubiKey 5C NFC", true},
		{"5.7.4", "YubiKey 5C NFC", true},
	} {
		t.Run(c.firmware, func(t *testing.T) {
			t.Parallel()
			l := startLab(t, lab.Options{Firmware: c.firmware})
			s := &station{
				t: t, dir: t.TempDir(), card: l.Card(0), authority: l.Authority(),
				env: []string{"PCSCLITE_CSOCK_NAME=" + l.Env()["PCSCLITE_CSOCK_NAME"]},
			}
			serial := fmt.Sprint(s.card.Serial())
			s.says(s.run("ykman", "list"), c.model, c.firmware, "Serial: "+serial)
			s.says(s.run("yubico-piv-tool", "-a", "status"), "Version:\t"+c.firmware, "Serial Number:\t"+serial, "PIN tries left:\t3")
			s.ykman("piv", "keys", "generate", "-m", factoryKey, "-a", "ECCP256", "9c", "9c.pub")
			s.ykman("piv", "certificates", "generate", "-m", factoryKey, "-P", factoryPIN, "-s", "CN=Profile", "9c", "9c.pub")
			s.run("yubico-piv-tool", "-a", "read-certificate", "-s", "9c", "-o", "9c.crt")
			s.sameKey("9c.crt", "9c.pub")
			s.says(s.run("pkcs15-tool", "--list-certificates", "-k"), "Certificate for Digital Signature", "SIGN key")
			for algorithm, refused := range map[string]bool{"RSA2048": c.firmware == "4.2.7", "ECCP384": false} {
				generate := []string{"piv", "keys", "generate", "-m", factoryKey, "-a", algorithm, "9d", "9d.pub"}
				if refused {
					s.says(s.ykmanRefused(generate...), "not supported")
				} else {
					s.ykman(generate...)
				}
			}
			if !c.attests {
				s.ykmanRefused("piv", "keys", "attest", "9c", "9c.att")
				s.ykmanRefused("piv", "certificates", "export", "f9", "f9.crt")
				return
			}
			s.ykman("piv", "keys", "attest", "9c", "9c.att")
			s.sameKey("9c.att", "9c.pub")
			s.ykman("piv", "certificates", "export", "f9", "f9.crt")
			out := s.run("openssl", "x509", "-in", "9c.att", "-noout", "-text")
			s.says(out, "YubiKey PIV Attestation 9c", "1.3.6.1.4.1.41482.3.3", "1.3.6.1.4.1.41482.3.8")
			if c.firmware != "4.3.7" {
				s.says(out, "1.3.6.1.4.1.41482.3.7", "1.3.6.1.4.1.41482.3.9")
			}
		})
	}
}
