package gmail

import (
	"bytes"
	"cmp"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"golang.org/x/oauth2/google"

	"github.com/cse-piv/cse-piv/internal/durable"
	"github.com/cse-piv/cse-piv/internal/safetext"
)

// maxCredentials bounds the size of a key file; real ones have about 2.4 kB.
const maxCredentials = 64 << 10

// readServiceAccount reads a service-account key file and checks that it can
// sign, so that a wrong file shows before anything else is done.
func readServiceAccount(path string) (*serviceAccount, []string, error) {
	data, info, err := readCredentials(path)
	if err != nil {
		return nil, nil, err
	}
	account, err := parseServiceAccount(data)
	if err != nil {
		var e *Error
		if errors.As(err, &e) {
			e.Message = fmt.Sprintf("%s: %s", safetext.Message(path), e.Message)
		}
		return nil, nil, err
	}
	account.Source = path
	var warnings []string
	if warning := durable.ReadWarning(path, info); warning != "" {
		warnings = append(warnings, safetext.Clean(warning))
	}
	return account, warnings, nil
}

func readCredentials(path string) ([]byte, fs.FileInfo, error) {
	f, err := durable.Open(path)
	if err != nil {
		return nil, nil, credentialsError(err, "%s", fileProblem(path, err))
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, nil, credentialsError(err, "%s", fileProblem(path, err))
	}
	data, err := durable.ReadAll(f, maxCredentials)
	if err != nil {
		return nil, nil, credentialsError(err, "%s", fileProblem(path, err))
	}
	return data, info, nil
}

func fileProblem(path string, err error) string {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return safetext.Message(path) + ": there is no such file"
	case errors.Is(err, fs.ErrPermission):
		return safetext.Message(path) + ": no permission to read it"
	case errors.Is(err, durable.ErrNotRegular):
		return safetext.Message(path) + ": is not a file"
	case errors.Is(err, durable.ErrTooLarge):
		return safetext.Message(path) + ": is too large for a file of credentials"
	}
	return safetext.Message(path) + ": cannot be read"
}

// parseServiceAccount takes the content of a key file. Anything else that people
// download from the same console pages is called by its name.
func parseServiceAccount(data []byte) (*serviceAccount, error) {
	data = withoutMark(data)
	var file struct {
		Type      string          `json:"type"`
		Email     string          `json:"client_email"`
		ClientID  string          `json:"client_id"`
		Key       string          `json:"private_key"`
		KeyID     string          `json:"private_key_id"`
		TokenURI  string          `json:"token_uri"`
		Universe  string          `json:"universe_domain"`
		Installed json.RawMessage `json:"installed"`
		Web       json.RawMessage `json:"web"`
	}
	if err := json.Unmarshal(data, &file); err != nil {
		var wrongType *json.UnmarshalTypeError
		switch {
		case errors.As(err, &wrongType):
			return nil, credentialsError(nil, "is JSON, but not a service-account key file")
		case isUTF16(data):
			return nil, credentialsError(nil, "is in UTF-16, as a redirection of PowerShell writes it: save it as UTF-8")
		case bytes.Contains(data, []byte("-----BEGIN")):
			return nil, credentialsError(nil, "is a bare key or certificate in PEM, not a service-account key file in JSON")
		case bytes.HasPrefix(data, []byte{0x30}):
			return nil, credentialsError(nil, "looks like PKCS#12, not a service-account key file in JSON")
		case len(bytes.TrimSpace(data)) == 0:
			return nil, credentialsError(nil, "is empty")
		}
		return nil, credentialsError(nil, "is not JSON, so not a service-account key file")
	}
	switch file.Type {
	case "service_account":
	case "":
		if file.Installed != nil || file.Web != nil {
			return nil, otherFile(DetailOAuthClient, "is an OAuth client (client_secret)")
		}
		return nil, credentialsError(nil, "is not a service-account key file: it has no \"type\"")
	case "authorized_user":
		return nil, otherFile(DetailMachineFile, "is a person's own login (authorized_user)")
	case "external_account", "external_account_authorized_user":
		return nil, otherFile(DetailMachineFile, "is a workload identity configuration ("+file.Type+")")
	case "impersonated_service_account":
		return nil, otherFile(DetailMachineFile, "is an impersonation configuration (impersonated_service_account)")
	default:
		return nil, credentialsError(nil, "has type %q, not \"service_account\"", safetext.Message(file.Type))
	}
	if !safetext.IsAddress(file.Email) {
		return nil, credentialsError(nil, "has no usable \"client_email\"")
	}
	key, err := parseSigningKey(file.Key)
	if err != nil {
		return nil, credentialsError(err, "has no usable \"private_key\": %s", err)
	}
	if file.TokenURI != "" {
		if err := CheckURL(file.TokenURI); err != nil {
			return nil, credentialsError(err, "has no usable \"token_uri\": %s", err)
		}
	}
	if strings.Trim(file.ClientID, "0123456789") != "" || len(file.ClientID) > 40 {
		file.ClientID = "" // nothing that the Admin console would take
	}
	return &serviceAccount{
		Credentials: Credentials{Kind: CredentialsKeyFile, Account: file.Email}, clientID: file.ClientID,
		tokenURL: cmp.Or(file.TokenURI, google.JWTTokenURL), signer: &keySigner{file.KeyID, key},
	}, nil
}

// withoutMark returns text without the mark that some editors put before UTF-8.
func withoutMark(data []byte) []byte { return bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")) }

// isUTF16 reports whether text begins with the mark of UTF-16 (RFC 2781 section 3.2).
func isUTF16(data []byte) bool {
	return bytes.HasPrefix(data, []byte("\xff\xfe")) || bytes.HasPrefix(data, []byte("\xfe\xff"))
}

// parseSigningKey reads the key and prepares it, so that a truncated copy is found
// now. Its errors never quote the key.
func parseSigningKey(text string) (*rsa.PrivateKey, error) {
	if text == "" {
		return nil, errors.New("it is missing")
	}
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return nil, errors.New("it is not PEM")
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		if key, err = x509.ParsePKCS1PrivateKey(block.Bytes); err != nil {
			return nil, errors.New("it cannot be parsed")
		}
	}
	rsaKey, ok := key.(*rsa.PrivateKey)
	if !ok {
		return nil, errors.New("it is not an RSA key")
	}
	if rsaKey.N.BitLen() < 2048 {
		return nil, errors.New("it is shorter than 2048 bits")
	}
	rsaKey.Precompute()
	return rsaKey, nil
}

// otherFile is about a file of credentials of another kind.
func otherFile(detail Detail, what string) *Error {
	e := credentialsError(nil, "%s, not a service-account key file", what)
	e.Detail = detail
	return e
}

func credentialsError(cause error, format string, args ...any) *Error {
	return &Error{Method: "credentials", Kind: KindCredentials, Message: fmt.Sprintf(format, args...), Err: cause}
}
