package catest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/cse-piv/cse-piv/internal/testenv"
)

// The provisioners of a step-ca, and the password of the first.
const (
	JWK      = "desk"
	Password = "correct horse battery staple"
	ACME     = "cards"
)

// mailTemplate is what an administrator gives to provisioners for mail, for an address.
const mailTemplate = `{"subject": {"commonName": %[1]s}, "sans": [{"type": "email", "value": %[1]s}],
	"keyUsage": ["digitalSignature", {{ if typeIs "*rsa.PublicKey" .Insecure.CR.PublicKey }}"keyEncipherment"{{ else }}"keyAgreement"{{ end }}],
	"extKeyUsage": ["emailProtection"], "policyIdentifiers": ["1.3.6.1.4.1.99999.1"], "crlDistributionPoints": ["http://pki.example/issuing.crl"]}`

// StartStepCA runs a real step-ca below a root until the test ends, with a JWK provisioner
// and an ACME one that takes the attestations of cards up to those roots (PEM); both issue
// for mail. It returns the URL.
func StartStepCA(t testing.TB, root *x509.Certificate, rootKey crypto.Signer, attestationRoots []byte) string {
	t.Helper()
	binary, dir := Binary(t, "step-ca"), t.TempDir()
	address := testenv.Address(t)
	write := func(name, label string, der []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: label, Bytes: der}), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	must := func(data []byte, err error) []byte {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	newKey := func() *ecdsa.PrivateKey {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		must(nil, err)
		return key
	}
	issuingKey, key := newKey(), newKey()
	issuing := must(x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{Organization: []string{"Step"}, CommonName: "Step Issuing CA"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(1, 0, 0),
		IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign, CRLDistributionPoints: []string{"http://pki.example/root.crl"},
	}, root, issuingKey.Public(), rootKey))
	public := jose.JSONWebKey{Key: key.Public(), KeyID: "provisioner-key", Algorithm: "ES256", Use: "sig"}
	encrypter, err := jose.NewEncrypter(jose.A256GCM, jose.Recipient{Algorithm: jose.PBES2_HS256_A128KW, Key: []byte(Password), PBES2Count: 10_000}, nil)
	must(nil, err)
	box, err := encrypter.Encrypt(must(json.Marshal(jose.JSONWebKey{Key: key, KeyID: public.KeyID, Algorithm: "ES256", Use: "sig"})))
	must(nil, err)
	encrypted, err := box.CompactSerialize()
	must(nil, err)
	template := func(address string) map[string]any {
		return map[string]any{"x509": map[string]any{"template": fmt.Sprintf(mailTemplate, address)}}
	}
	claims := map[string]string{"maxTLSCertDuration": "2400h", "defaultTLSCertDuration": "2400h"}
	config := must(json.Marshal(map[string]any{
		"root": write("root.pem", "CERTIFICATE", root.Raw), "crt": write("issuing.pem", "CERTIFICATE", issuing), "key": write("issuing.key", "PRIVATE KEY", must(x509.MarshalPKCS8PrivateKey(issuingKey))),
		"address": address, "dnsNames": []string{"127.0.0.1"},
		"db": map[string]string{"type": "badgerv2", "dataSource": filepath.Join(dir, "db")},
		"authority": map[string]any{"provisioners": []any{
			map[string]any{"type": "JWK", "name": JWK, "key": public, "encryptedKey": encrypted, "claims": claims, "options": template("{{ toJson (index .SANs 0).Value }}")},
			map[string]any{"type": "ACME", "name": ACME, "challenges": []string{"device-attest-01"}, "attestationFormats": []string{"step"},
				"attestationRoots": attestationRoots, "claims": claims, "options": template("{{ toJson (index .Insecure.CR.EmailAddresses 0) }}")},
		}},
	}))
	path := filepath.Join(dir, "ca.json")
	must(nil, os.WriteFile(path, config, 0o600))
	Start(t, "https://"+address+"/health", exec.CommandContext(t.Context(), binary, path))
	return "https://" + address
}
