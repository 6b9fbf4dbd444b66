package gmail

import (
	"crypto/rsa"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/cse-piv/cse-piv/internal/safetext"
)

func TestWrongCredentialsAreNamed(t *testing.T) {
	set := func(key string, value any) []byte {
		return accountJSON(func(m map[string]any) {
			if value == nil {
				delete(m, key)
			} else {
				m[key] = value
			}
		})
	}
	tests := []struct {
		data []byte
		want string
	}{
		{nil, "is empty"},
		{[]byte("\xff\xfe{\x00}\x00"), "UTF-16"},
		{[]byte("\xfe\xff\x00{\x00}"), "UTF-16"},
		{[]byte("\xef\xbb\xbf"), "is empty"},
		{[]byte("hello"), "not JSON"},
		{[]byte("[1]"), "not a service-account"},
		{[]byte("{}"), "no \"type\""},
		{[]byte(`{"type":7}`), "not a service-account"},
		{[]byte(signingKey()), "bare key"},
		{[]byte{0x30, 0x82, 1, 2}, "PKCS#12"},
		{[]byte(`{"installed":{"client_id":"x"}}`), "OAuth client"},
		{[]byte(`{"web":{"client_id":"x"}}`), "OAuth client"},
		{[]byte(`{"type":"authorized_user"}`), "authorized_user"},
		{[]byte(`{"type":"external_account"}`), "workload identity"},
		{[]byte(`{"type":"impersonated_service_account"}`), "impersonation"},
		{[]byte(`{"type":"x\u001b[31m"}`), `"x"`},
		{set("client_email", nil), "client_email"},
		{set("private_key", nil), "it is missing"},
		{set("private_key", "abc"), "not PEM"},
		{set("private_key", strings.Replace(signingKey(), "M", "A", 3)), "private_key"},
		{set("token_uri", "http://token.example.org/"), "token_uri"},
		{set("token_uri", "file:///etc/passwd"), "token_uri"},
		{make([]byte, maxCredentials+1), "too large"},
	}
	for _, test := range tests {
		path := writeAccount(t, test.data)
		_, err := Open(Config{CredentialsFile: path})
		if !errors.Is(err, ErrCredentials) || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), path) {
			t.Errorf("%.40q: got %v, want %q in it", test.data, err, test.want)
			continue
		}
		if strings.Contains(err.Error(), "MII") || strings.ContainsRune(err.Error(), 0x1b) {
			t.Errorf("%.40q: the error shows too much: %v", test.data, err)
		}
	}
}

func TestMissingCredentials(t *testing.T) {
	_, err := Open(Config{CredentialsFile: filepath.Join(t.TempDir(), "none.json")})
	if !errors.Is(err, ErrCredentials) || !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "no such file") {
		t.Error(err)
	}
	if _, err := Open(Config{}); !errors.Is(err, ErrCredentials) {
		t.Error(err)
	}
	if _, err := Open(Config{Impersonate: "nobody"}); !errors.Is(err, ErrCredentials) {
		t.Error(err)
	}
	if _, err := Open(Config{CredentialsFile: t.TempDir()}); !errors.Is(err, ErrCredentials) {
		t.Error(err)
	}
}

func TestOpenKeepsQuietAboutAPrivateFile(t *testing.T) {
	path := writeAccount(t, append([]byte("\xef\xbb\xbf"), accountJSON(nil)...))
	d, err := Open(Config{CredentialsFile: path})
	if err != nil || len(d.Warnings()) != 0 || d.Credentials().Account != "sa@p.iam.gserviceaccount.com" {
		t.Fatal(d, err)
	}
	if err := d.Close(); err != nil {
		t.Error(err)
	}
	if runtime.GOOS == "windows" {
		return
	}
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	d, err = Open(Config{CredentialsFile: path})
	if err != nil || len(d.Warnings()) != 1 || !strings.Contains(d.Warnings()[0], "chmod 600 "+path) {
		t.Fatal(d.Warnings(), err)
	}
}

func TestEndpointMustBeSafe(t *testing.T) {
	path := writeAccount(t, accountJSON(nil))
	for endpoint, ok := range map[string]bool{
		"https://gmail.googleapis.com/": true, "http://127.0.0.1:80": true, "http://[::1]:80/": true, "http://localhost:80/": true,
		"http://gmail.googleapis.com/": false, "ftp://x/": false, "gmail": false, "https://": false, "https://a:password@c/": false, "https://a:password@%zz/": false, "http://127.0.0.1.example.org/": false,
	} {
		_, err := Open(Config{CredentialsFile: path, Endpoint: endpoint})
		if (err == nil) != ok || err != nil && (!errors.Is(err, ErrInvalid) || strings.Contains(err.Error(), "password")) {
			t.Errorf("%s: %v", endpoint, err)
		}
	}
}

func FuzzCredentials(f *testing.F) {
	for _, s := range []string{"", "{}", `{"type":"service_account"}`, `{"web":{}}`, "-----BEGIN"} {
		f.Add([]byte(s))
	}
	f.Add(accountJSON(nil))
	f.Fuzz(func(t *testing.T, data []byte) {
		account, err := parseServiceAccount(data)
		if err != nil {
			// What is quoted of the file has a bound of its own.
			if !errors.Is(err, ErrCredentials) || strings.ContainsFunc(err.Error(), safetext.Hidden) || len(err.Error()) > 4<<10 {
				t.Fatalf("%q", err)
			}
			return
		}
		if account.signer.(*keySigner).key.(*rsa.PrivateKey).Validate() != nil || CheckURL(account.tokenURL) != nil || !safetext.IsAddress(account.Account) {
			t.Fatalf("accepted %q", data)
		}
	})
}
