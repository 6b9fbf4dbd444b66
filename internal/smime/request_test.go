package smime_test

import (
	"context"
	"crypto"
	"crypto/ecdh"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/certificate/certtest"
	"github.com/cse-piv/cse-piv/internal/smime"
)

func newRSA(t testing.TB, bits int) crypto.Signer {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func newEd25519(t testing.TB) crypto.Signer {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// TestRequestOpenSSL: openssl verifies each request and sees what was asked for.
func TestRequestOpenSSL(t *testing.T) {
	const sign = "Digital Signature, Non Repudiation"
	rsaUsages := map[certificate.Use]string{"": "", certificate.UseSign: sign, certificate.UseEncrypt: "Key Encipherment", certificate.UseBoth: sign + ", Key Encipherment"}
	ecUsages := map[certificate.Use]string{"": "", certificate.UseSign: sign, certificate.UseEncrypt: "Key Agreement", certificate.UseBoth: sign + ", Key Agreement"}
	for _, kind := range []struct {
		name      string
		key       crypto.Signer
		algorithm string
		usages    map[certificate.Use]string
	}{
		{"RSA 2048", newRSA(t, 2048), "sha256WithRSAEncryption", rsaUsages},
		{"RSA 3072", newRSA(t, 3072), "sha256WithRSAEncryption", rsaUsages},
		{"P-256", certtest.NewKey(t, elliptic.P256()), "ecdsa-with-SHA256", ecUsages},
		{"P-384", certtest.NewKey(t, elliptic.P384()), "ecdsa-with-SHA384", ecUsages},
		{"Ed25519", newEd25519(t), "ED25519", map[certificate.Use]string{"": "", certificate.UseSign: sign}},
	} {
		for use, usage := range kind.usages {
			t.Run(kind.name+" "+string(use), func(t *testing.T) {
				der, err := smime.CreateRequest(t.Context(), kind.key, smime.RequestOptions{Email: email, CommonName: "Kim", Use: use})
				if err != nil {
					t.Fatal(err)
				}
				text := openssl(t, der, "req", "-inform", "DER", "-verify", "-noout", "-text")
				for _, want := range []string{"verify OK", "Subject: CN = Kim\n", "email:" + email + "\n", "Signature Algorithm: " + kind.algorithm + "\n"} {
					if !strings.Contains(text, want) {
						t.Errorf("openssl does not say %q:\n%s", want, text)
					}
				}
				_, after, found := strings.Cut(text, "X509v3 Key Usage: critical\n")
				got, _, _ := strings.Cut(after, "\n")
				if got = strings.TrimSpace(got); found != (use != "") || got != usage {
					t.Errorf("key usage %q, want %q:\n%s", got, usage, text)
				}
				request, err := x509.ParseCertificateRequest(der)
				if err != nil {
					t.Fatal(err)
				}
				if !request.PublicKey.(interface{ Equal(crypto.PublicKey) bool }).Equal(kind.key.Public()) {
					t.Error("the request is for another key")
				}
			})
		}
	}
}

func TestRequestCommonName(t *testing.T) {
	key := certtest.NewKey(t, elliptic.P256())
	long := strings.Repeat("a", 60) + "@example.com"
	for _, c := range []struct{ email, commonName, want string }{
		{email, "", email},
		{email, "Kim Ö", "Kim Ö"},
		{long, "", ""},
		{long, strings.Repeat("ö", 64), strings.Repeat("ö", 64)},
	} {
		der, err := smime.CreateRequest(t.Context(), key, smime.RequestOptions{Email: c.email, CommonName: c.commonName})
		if err != nil {
			t.Errorf("%s, %s: %v", c.email, c.commonName, err)
			continue
		}
		request, err := x509.ParseCertificateRequest(der)
		if err != nil {
			t.Fatal(err)
		}
		if request.Subject.CommonName != c.want || !slices.Equal(request.EmailAddresses, []string{c.email}) {
			t.Errorf("%s, %s: common name %q, addresses %q", c.email, c.commonName, request.Subject.CommonName, request.EmailAddresses)
		}
	}
}

// answers signs with the given function in place of its key.
type answers struct {
	public crypto.PublicKey
	sign   func(io.Reader, []byte, crypto.SignerOpts) ([]byte, error)
}

func (a answers) Public() crypto.PublicKey { return a.public }

func (a answers) Sign(random io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	return a.sign(random, digest, opts)
}

func never(t *testing.T) func(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) {
	return func(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) {
		t.Error("the key was used")
		return nil, errors.New("not to be used")
	}
}

// TestRequestWrongSignature: a card that signs with another key, or returns
// noise, is noticed; one that fails keeps its own error.
func TestRequestWrongSignature(t *testing.T) {
	for name, keys := range map[string][2]crypto.Signer{
		"RSA":     {newRSA(t, 2048), newRSA(t, 2048)},
		"P-256":   {certtest.NewKey(t, elliptic.P256()), certtest.NewKey(t, elliptic.P256())},
		"P-384":   {certtest.NewKey(t, elliptic.P384()), certtest.NewKey(t, elliptic.P384())},
		"Ed25519": {newEd25519(t), newEd25519(t)},
	} {
		options := smime.RequestOptions{Email: email, Use: certificate.UseSign}
		other := answers{keys[0].Public(), keys[1].Sign}
		if _, err := smime.CreateRequest(t.Context(), other, options); !errors.Is(err, smime.ErrRequestSignature) {
			t.Errorf("%s, another key: %v", name, err)
		}
		for _, noise := range [][]byte{nil, {0}, make([]byte, 256)} {
			noisy := answers{keys[0].Public(), func(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) { return noise, nil }}
			if _, err := smime.CreateRequest(t.Context(), noisy, options); !errors.Is(err, smime.ErrRequestSignature) {
				t.Errorf("%s, %d octets of noise: %v", name, len(noise), err)
			}
		}
		removed := errors.New("removed")
		failing := answers{keys[0].Public(), func(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) { return nil, removed }}
		if _, err := smime.CreateRequest(t.Context(), failing, options); !errors.Is(err, removed) || errors.Is(err, smime.ErrRequestSignature) {
			t.Errorf("%s, a failing signer: %v", name, err)
		}
	}
}

// TestRequestRefuses: what cannot become a request is refused before the key is
// used.
func TestRequestRefuses(t *testing.T) {
	p256 := certtest.NewKey(t, elliptic.P256()).Public()
	ed := newEd25519(t).Public()
	for name, c := range map[string]struct {
		key     crypto.PublicKey
		options smime.RequestOptions
	}{
		"no address":         {p256, smime.RequestOptions{}},
		"no domain":          {p256, smime.RequestOptions{Email: "kim"}},
		"with a name":        {p256, smime.RequestOptions{Email: "Kim <kim@example.com>"}},
		"two addresses":      {p256, smime.RequestOptions{Email: "kim@example.com, a@example.com"}},
		"not ASCII":          {p256, smime.RequestOptions{Email: "kim@bücher.example"}},
		"control character":  {p256, smime.RequestOptions{Email: "kim\x1b@example.com"}},
		"line break":         {p256, smime.RequestOptions{Email: "kim@example.com\n"}},
		"long common name":   {p256, smime.RequestOptions{Email: email, CommonName: strings.Repeat("ö", 65)}},
		"unknown use":        {p256, smime.RequestOptions{Email: email, Use: "archive"}},
		"encrypt by Ed25519": {ed, smime.RequestOptions{Email: email, Use: certificate.UseEncrypt}},
		"both by Ed25519":    {ed, smime.RequestOptions{Email: email, Use: certificate.UseBoth}},
		"P-521":              {certtest.NewKey(t, elliptic.P521()).Public(), smime.RequestOptions{Email: email}},
		"no key":             {nil, smime.RequestOptions{Email: email}},
	} {
		der, err := smime.CreateRequest(t.Context(), answers{c.key, never(t)}, c.options)
		if err == nil {
			t.Errorf("%s: made a request of %d octets", name, len(der))
		} else if strings.ContainsAny(err.Error(), "\x1b\n") {
			t.Errorf("%s: the error carries control characters: %q", name, err)
		}
	}
}

func TestRequestX25519(t *testing.T) {
	key, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for _, use := range []certificate.Use{"", certificate.UseEncrypt} {
		_, err = smime.CreateRequest(t.Context(), answers{key.PublicKey(), never(t)}, smime.RequestOptions{Email: email, Use: use})
		var unsignable *smime.UnsignableKeyError
		if !errors.As(err, &unsignable) || unsignable.Algorithm != "X25519" {
			t.Errorf("use %q: %v", use, err)
		}
	}
}

// TestRequestCancelled: before signing the key is left alone; what was cancelled
// while signing is not returned.
func TestRequestCancelled(t *testing.T) {
	key := certtest.NewKey(t, elliptic.P256())
	ctx, cancel := context.WithCancel(t.Context())
	late := answers{key.Public(), func(random io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
		cancel()
		return key.Sign(random, digest, opts)
	}}
	options := smime.RequestOptions{Email: email}
	if _, err := smime.CreateRequest(ctx, late, options); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled while signing: %v", err)
	}
	if _, err := smime.CreateRequest(ctx, answers{key.Public(), never(t)}, options); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled before signing: %v", err)
	}
}
